//! The two requests that messages of Amazon SNS lead to: for the certificate that they are signed with, and to confirm a
//! subscription. Which addresses these may be, [`Url`] knows; no other is ever visited, not even where an answer says so.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;

use super::auth::Verdict;
use super::auth::sns::{Pending, Url};
use crate::devin::trusting;

/// How long a request may take, with the wait for its turn. SNS waits 15 s for its answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// So many requests are under way at once: whoever knows a topic's name can ask for them.
const AT_ONCE: usize = 4;

/// The largest answer, in bytes. A certificate has 2 KB.
const LARGEST: usize = 64 << 10;

/// So many certificates are kept. SNS has one for each region, and a new one every year or so.
const MOST_CERTIFICATES: usize = 64;

/// An answer's body, or why there is none.
type Fetched = Pin<Box<dyn Future<Output = Result<Vec<u8>, String>> + Send>>;

/// SNS, as far as its messages make it be asked.
pub struct Sns {
    fetch: Box<dyn Fn(&Url) -> Fetched + Send + Sync>,
    /// Those that a message was verified with. What an address leads to never changes.
    certificates: Mutex<HashMap<Url, Arc<Vec<u8>>>>,
    turns: Semaphore,
}

impl Sns {
    /// SNS itself. The client is made when it is first needed.
    pub fn new() -> Sns {
        let client = Arc::new(OnceLock::new());
        Sns::with(Box::new(move |url| {
            let (client, url) = (Arc::clone(&client), url.as_str().to_string());
            Box::pin(async move {
                let made = client.get_or_init(|| trusting(builder()));
                get(made.as_ref().map_err(String::clone)?, &url).await
            })
        }))
    }

    /// One that is asked by `fetch`.
    pub(super) fn with(fetch: Box<dyn Fn(&Url) -> Fetched + Send + Sync>) -> Sns {
        Sns { fetch, certificates: Mutex::default(), turns: Semaphore::new(AT_ONCE) }
    }

    /// Verifies a message with its certificate.
    ///
    /// # Errors
    /// A sentence: the certificate cannot be had now.
    pub async fn verify(&self, pending: &Pending) -> Result<Verdict, String> {
        let url = pending.certificate_url();
        let known = self.known().get(url).cloned();
        if let Some(certificate) = known {
            return Ok(pending.verify(&certificate));
        }
        let certificate = self.ask(url).await;
        let certificate =
            certificate.map_err(|error| format!("the certificate of Amazon SNS cannot be fetched: {error}"))?;
        let verdict = pending.verify(&certificate);
        // Others are named by strangers, who would fill the room with them.
        if matches!(verdict, Verdict::Accepted(_)) {
            let mut known = self.known();
            if known.len() >= MOST_CERTIFICATES {
                known.clear();
            }
            known.insert(url.clone(), Arc::new(certificate));
        }
        Ok(verdict)
    }

    /// Confirms a subscription.
    ///
    /// # Errors
    /// A sentence: it is not confirmed now.
    pub async fn confirm(&self, url: &Url) -> Result<(), String> {
        let confirmed = self.ask(url).await;
        confirmed.map(drop).map_err(|error| format!("the subscription to Amazon SNS cannot be confirmed: {error}"))
    }

    async fn ask(&self, url: &Url) -> Result<Vec<u8>, String> {
        let answer = async {
            // It is never closed.
            let _turn = self.turns.acquire().await;
            (self.fetch)(url).await
        };
        let answer = tokio::time::timeout(PATIENCE, answer).await;
        answer.unwrap_or_else(|_| Err(format!("no answer within {} s", PATIENCE.as_secs())))
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<Url, Arc<Vec<u8>>>> {
        self.certificates.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(PATIENCE)
}

/// What stands at an address, if that is not too much.
async fn get(client: &reqwest::Client, url: &str) -> Result<Vec<u8>, String> {
    let in_words = |error: reqwest::Error| crate::devin::root_cause(&error);
    let mut answer = client.get(url).send().await.map_err(in_words)?;
    if answer.status() != reqwest::StatusCode::OK {
        return Err(format!("it answered {}", answer.status()));
    }
    let mut body = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(in_words)? {
        if body.len() + part.len() > LARGEST {
            return Err(format!("its answer has more than {LARGEST} bytes"));
        }
        body.extend_from_slice(&part);
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use httpmock::MockServer;

    use super::super::auth::tests::sns_messages::{confirmation, notification, pending};
    use super::*;

    const CERTIFICATE: &str = include_str!("auth/tests/sns.pem");

    /// SNS as these answers make it: the first is given to the first request, the last one to all that follow.
    fn answering(answers: &'static [Result<&'static str, &'static str>]) -> (Sns, Arc<Mutex<Vec<String>>>) {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (seen, at) = (Arc::clone(&asked), AtomicUsize::new(0));
        let sns = Sns::with(Box::new(move |url| {
            seen.lock().unwrap().push(url.to_string());
            let at = at.fetch_add(1, Ordering::Relaxed).min(answers.len() - 1);
            Box::pin(async move { answers[at].map(|text| text.as_bytes().to_vec()).map_err(str::to_string) })
        }));
        (sns, asked)
    }

    #[tokio::test]
    async fn a_certificate_is_kept_once_a_message_was_verified_with_it() {
        const OTHER: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let (sns, asked) = answering(&[Err("it answered 500"), Ok(OTHER), Ok(CERTIFICATE)]);
        let pending = pending(&notification());
        let failed = sns.verify(&pending).await.unwrap_err();
        assert_eq!(failed, "the certificate of Amazon SNS cannot be fetched: it answered 500");
        assert!(matches!(sns.verify(&pending).await, Ok(Verdict::Refused(_))));
        for _ in 0..3 {
            assert!(matches!(sns.verify(&pending).await, Ok(Verdict::Accepted(_))));
        }
        let asked = asked.lock().unwrap().clone();
        assert_eq!(asked, vec![pending.certificate_url().to_string(); 3]);
    }

    #[tokio::test]
    async fn a_subscription_is_confirmed_at_its_address_once_the_message_is_verified() {
        let (sns, asked) = answering(&[Ok(CERTIFICATE), Ok("<ok/>"), Err("connection refused")]);
        let Ok(Verdict::Accepted(accepted)) = sns.verify(&pending(&confirmation())).await else {
            panic!("it is signed")
        };
        let url = accepted.confirm.expect("it asks for it");
        assert_eq!(sns.confirm(&url).await, Ok(()));
        let failed = sns.confirm(&url).await.unwrap_err();
        assert_eq!(failed, "the subscription to Amazon SNS cannot be confirmed: connection refused");
        assert_eq!(asked.lock().unwrap()[1], "https://sns.eu-central-1.amazonaws.com/");
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_is_waited_for_without_end() {
        let sns = Sns::with(Box::new(|_| Box::pin(std::future::pending())));
        assert!(sns.verify(&pending(&notification())).await.unwrap_err().ends_with("no answer within 5 s"));
    }

    #[tokio::test]
    async fn no_redirect_is_followed_and_no_large_answer_read() {
        crate::devin::provide_cryptography();
        let server = MockServer::start_async().await;
        let client = builder().no_proxy().tls_certs_only([]).build().unwrap();
        let elsewhere = server.mock_async(|when, then| {
            when.path("/elsewhere");
            then.status(200);
        });
        let elsewhere = elsewhere.await;
        server
            .mock_async(|when, then| {
                when.path("/moved");
                then.status(302).header("location", "/elsewhere");
            })
            .await;
        server
            .mock_async(|when, then| {
                when.path("/large");
                then.status(200).body("x".repeat(LARGEST + 1));
            })
            .await;
        server
            .mock_async(|when, then| {
                when.path("/right");
                then.status(200).body("pem");
            })
            .await;
        let said = async |path: &str| get(&client, &server.url(path)).await;
        assert_eq!(said("/moved").await, Err("it answered 302 Found".to_string()));
        assert_eq!(said("/large").await, Err("its answer has more than 65536 bytes".to_string()));
        assert_eq!(said("/right").await, Ok(b"pem".to_vec()));
        assert_eq!(elsewhere.calls_async().await, 0);
    }
}
