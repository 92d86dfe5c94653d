//! A large delivery is read on a thread of its own: reading takes its time by the byte, and nobody else is to wait for it.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::relay::draw::drawn;
use crate::relay::serve::live::Served;
use crate::relay::serve::reading::{self, Read, Unreadable};
use crate::relay::serve::rules::Route;

/// From so many bytes on, a body is large.
const LARGE: usize = 64 << 10;

/// So many large ones are read at once.
static READERS: Semaphore = Semaphore::const_new(2);

/// Reads a delivery to a route of `served`.
///
/// # Errors
/// When it is no JSON, or too much.
pub async fn read(
    served: &Arc<Served>,
    route: &Route,
    body: Vec<u8>,
    headers: &[(&str, &str)],
) -> Result<Read, Unreadable> {
    if body.len() < LARGE {
        return reading::read(&served.rules, route, body, headers, &served.redactor, &drawn);
    }
    // The semaphore is never closed, so there is always a place in the end.
    let place = READERS.acquire().await;
    let (served, name) = (Arc::clone(served), route.name.clone());
    let headers: Vec<(String, String)> =
        headers.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    let reading = tokio::task::spawn_blocking(move || {
        // Held until it is read, also where whoever sent it has gone.
        let _place = place;
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let route = served.rules.routes.iter().find(|route| route.name == name)?;
        Some(reading::read(&served.rules, route, body, &headers, &served.redactor, &drawn))
    });
    match reading.await {
        Ok(Some(read)) => read,
        Ok(None) => Err(Unreadable::NotJson("there is no route of this name".to_string())),
        Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::task::Poll;

    use super::*;
    use crate::relay::serve::http::tests::served;

    #[tokio::test]
    async fn nobody_waits_for_a_large_delivery_to_be_read() {
        let served = served();
        for (length, is_aside) in [(10, false), (LARGE, true)] {
            let body = format!(r#"{{"title": "{}", "status": "firing"}}"#, "x".repeat(length)).into_bytes();
            let mut reading = std::pin::pin!(read(&served, &served.rules.routes[0], body, &[]));
            let first = poll_fn(|context| Poll::Ready(reading.as_mut().poll(context))).await;
            assert_eq!(first.is_pending(), is_aside, "{length}");
            let read = match first {
                Poll::Ready(read) => read,
                Poll::Pending => reading.await,
            };
            assert!(read.is_ok_and(|read| read.delivery.entries.len() == 1), "{length}");
        }
    }
}
