//! A request's body: read no further than it may be long, unpacked no further either, and not waited for without end.

use std::io::Read as _;
use std::time::Duration;

use flate2::read::MultiGzDecoder;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::StatusCode;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap};
use hyper::http::HeaderValue;

use super::answer::Answer;

/// The longest body, as it is sent and as it is unpacked. PagerDuty's may have 2 MB.
const LONGEST: usize = 2 << 20;

/// How long a body may take to come.
const PATIENCE: Duration = Duration::from_secs(15);

/// So much of a body that is too large is read and thrown away.
const MOST_DISCARDED: usize = 16 << 20;

/// And for so long.
const DISCARDING: Duration = Duration::from_secs(2);

/// What was sent.
pub struct Body {
    /// As it came, which is what a signature is over.
    pub sent: Vec<u8>,
    /// `None` where it was not packed; else what came out of it, or the answer that says why nothing did.
    pub unpacked: Option<Result<Vec<u8>, Answer>>,
}

/// Receives a body.
///
/// # Errors
/// The answer that says why it is not taken.
pub async fn receive(headers: &HeaderMap, body: Incoming) -> Result<Body, Answer> {
    receive_at_most(LONGEST, headers, body).await
}

/// Receives a body that may have so many bytes.
///
/// # Errors
/// The answer that says why it is not taken.
pub async fn receive_at_most(most: usize, headers: &HeaderMap, mut body: Incoming) -> Result<Body, Answer> {
    let packing = packing(headers)?;
    let announced = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > most as u64) {
        discard(body).await;
        return Err(too_large(most));
    }
    let received = tokio::time::timeout(PATIENCE, Limited::new(&mut body, most).collect()).await;
    let sent = match received {
        Ok(Ok(collected)) => collected.to_bytes().to_vec(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            discard(body).await;
            return Err(too_large(most));
        }
        Ok(Err(_)) => return Err(closing(StatusCode::BAD_REQUEST, "the body broke off or is malformed")),
        Err(_) => return Err(closing(StatusCode::REQUEST_TIMEOUT, "the body did not come in time")),
    };
    let unpacked = match packing {
        Packing::None => None,
        Packing::Gzip => Some(unpack(&sent)),
    };
    Ok(Body { sent, unpacked })
}

/// Reads the rest of a body that is not taken: a sender that is still writing would not hear why.
pub async fn discard(mut body: Incoming) {
    let rest = async {
        let mut length = 0;
        while let Some(Ok(frame)) = body.frame().await
            && length <= MOST_DISCARDED
        {
            length += frame.data_ref().map_or(0, |data| data.len());
        }
    };
    // The answer is the same, however much of it has come.
    let _ = tokio::time::timeout(DISCARDING, rest).await;
}

/// How a body is packed.
enum Packing {
    None,
    Gzip,
}

fn packing(headers: &HeaderMap) -> Result<Packing, Answer> {
    match headers.get(CONTENT_ENCODING).map(|value| value.to_str().unwrap_or_default().trim().to_ascii_lowercase()) {
        None => Ok(Packing::None),
        Some(word) if word.is_empty() || word == "identity" => Ok(Packing::None),
        Some(word) if word == "gzip" || word == "x-gzip" => Ok(Packing::Gzip),
        Some(_) => Err(closing(StatusCode::BAD_REQUEST, "the body may be packed by gzip, and by nothing else")),
    }
}

fn unpack(packed: &[u8]) -> Result<Vec<u8>, Answer> {
    let mut unpacked = Vec::new();
    let most = LONGEST as u64 + 1;
    match MultiGzDecoder::new(packed).take(most).read_to_end(&mut unpacked) {
        Ok(length) if length > LONGEST => Err(too_large(LONGEST)),
        Ok(_) => Ok(unpacked),
        Err(_) => Err(Answer::problem(StatusCode::BAD_REQUEST, "the body is not what gzip makes")),
    }
}

fn too_large(most: usize) -> Answer {
    let reason = format!("the body has more than {most} bytes, the most that are taken");
    closing(StatusCode::PAYLOAD_TOO_LARGE, &reason)
}

/// What was not read of the body is not read any more.
fn closing(status: StatusCode, reason: &str) -> Answer {
    Answer::problem(status, reason).with(CONNECTION, HeaderValue::from_static("close"))
}
