//! What is counted of deliveries, and the answer to programs that watch the bridge.

use hyper::StatusCode;

use super::Door;
use super::answer::Answer;
use crate::relay::serve::metrics::CONTENT_TYPE;
use crate::relay::serve::store::Taken;

/// What a delivery was answered, in one word.
pub fn answered(answer: &Answer) -> &'static str {
    match answer.status {
        StatusCode::ACCEPTED if answer.body["deduplicated"] == true => "duplicate",
        StatusCode::ACCEPTED if !answer.reason().is_empty() => "no_alert",
        StatusCode::ACCEPTED => "accepted",
        StatusCode::OK => "confirmed",
        StatusCode::UNPROCESSABLE_ENTITY => "unrecognized",
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => "refused",
        StatusCode::PAYLOAD_TOO_LARGE => "too_large",
        StatusCode::REQUEST_TIMEOUT => "too_slow",
        StatusCode::SERVICE_UNAVAILABLE => "not_kept",
        status if status.is_client_error() => "malformed",
        _ => "other",
    }
}

/// What became of an alert, in one word.
pub fn taken(taken: &Taken) -> &'static str {
    match taken {
        Taken::Started { .. } => "started",
        Taken::Joined { .. } => "joined",
        Taken::Suppressed { .. } => "suppressed",
        Taken::Nothing => "nothing",
    }
}

impl Door {
    /// All metrics, in Prometheus' format.
    pub(super) async fn show_metrics(&self) -> Answer {
        let (served, names) = (self.live.now(), self.metrics.names());
        let open = self.open.look(&self.store, &served.rules, &names).await;
        Answer::text(CONTENT_TYPE, self.metrics.text(&self.integrations, open.as_deref()))
    }
}
