//! What goes over a connection as an answer: whole, or part after part: a file, or lines as long as something happens.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::http::Response;
use tokio::sync::{mpsc, watch};

/// How long after one change the next one is told of at the earliest: whoever hears it asks for the whole page.
const AT_MOST_EVERY: Duration = Duration::from_secs(1);

/// How long nothing is sent at most, so that a connection that is gone is found out.
const ALIVE_EVERY: Duration = Duration::from_secs(15);

const CHANGE: &[u8] = b"event: change\ndata:\n\n";
const ALIVE: &[u8] = b": nothing new\n\n";

/// The body of an answer.
pub enum Sent {
    Whole(Full<Bytes>),
    Parts(mpsc::Receiver<Bytes>),
}

impl Sent {
    /// An answer that is there as a whole.
    pub fn whole(response: Response<Full<Bytes>>) -> Response<Sent> {
        response.map(Sent::Whole)
    }

    /// An event for each change since what was `seen`, until the process is asked to stop or nobody listens any more.
    pub fn events(
        mut changes: watch::Receiver<u64>,
        mut stop: watch::Receiver<Option<i32>>,
        seen: Option<u64>,
    ) -> Sent {
        let (events, sent) = mpsc::channel(1);
        tokio::spawn(async move {
            let now = *changes.borrow_and_update();
            let mut next = if seen.is_some_and(|seen| seen != now) { CHANGE } else { ALIVE };
            // An error of either says that the other end is gone.
            while stop.borrow().is_none() && events.send(Bytes::from_static(next)).await.is_ok() {
                if next == CHANGE {
                    tokio::time::sleep(AT_MOST_EVERY).await;
                }
                next = tokio::select! {
                    changed = changes.changed() => if changed.is_ok() { CHANGE } else { return },
                    () = tokio::time::sleep(ALIVE_EVERY) => ALIVE,
                    () = events.closed() => return,
                    _ = stop.wait_for(Option::is_some) => return,
                };
            }
        });
        Sent::Parts(sent)
    }
}

impl Body for Sent {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.get_mut() {
            Sent::Whole(whole) => Pin::new(whole).poll_frame(context),
            Sent::Parts(parts) => parts.poll_recv(context).map(|part| part.map(|part| Ok(Frame::data(part)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Sent::Whole(whole) if whole.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Sent::Whole(whole) => whole.size_hint(),
            Sent::Parts(_) => SizeHint::default(),
        }
    }
}
