//! What a sender is answered, and the log is told, of a delivery that is kept.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::Door;
use super::answer::Answer;
use crate::relay::serve::log::Decision;
use crate::relay::serve::store::{Receipt, Taken, Verdict};

impl Door {
    /// The answer to a delivery that is kept; whoever works on its jobs is woken.
    pub(super) fn receipt(&self, receipt: Receipt, verdict: Verdict, notes: &[String]) -> Answer {
        let (mut job_ids, mut suppressed) = (Vec::new(), Vec::new());
        for taken in receipt.taken {
            match taken {
                Taken::Started { job_id } | Taken::Joined { job_id } => job_ids.push(job_id),
                Taken::Suppressed { dedupe_key, reason } => {
                    suppressed.push(json!({"dedupe_key": dedupe_key, "reason": reason}));
                }
                Taken::Nothing => {}
            }
        }
        if !job_ids.is_empty() {
            self.wake.iter().for_each(|engine| engine.notify_one());
        }
        let (status, reason) = match verdict {
            _ if receipt.duplicate_of.is_some() => {
                (StatusCode::ACCEPTED, Some("this delivery is known already".to_string()))
            }
            Verdict::Alerts => (StatusCode::ACCEPTED, None),
            Verdict::NoAlert(reason) => (StatusCode::ACCEPTED, Some(reason)),
            Verdict::Unrecognized(reason) => (StatusCode::UNPROCESSABLE_ENTITY, Some(reason)),
        };
        let mut body = json!({
            "delivery_id": receipt.delivery_id,
            "accepted": status == StatusCode::ACCEPTED,
            "deduplicated": receipt.duplicate_of.is_some(),
            "suppressed": suppressed,
            "job_ids": job_ids,
        });
        if let Some(first) = receipt.duplicate_of {
            body["duplicate_of"] = Value::from(first);
        }
        if let Some(reason) = reason {
            body["reason"] = Value::from(reason);
        }
        if !notes.is_empty() {
            body["notes"] = Value::from(notes.to_vec());
        }
        Answer::new(status, body)
    }
}

/// What became of an alert, for the log.
pub fn decision(dedupe_key: String, taken: &Taken) -> Option<Decision> {
    let (decision, job_id, reason) = match taken {
        Taken::Started { job_id } => ("started", Some(job_id.clone()), None),
        Taken::Joined { job_id } => ("joined", Some(job_id.clone()), None),
        Taken::Suppressed { reason, .. } => ("suppressed", None, Some(reason.clone())),
        Taken::Nothing => return None,
    };
    Some(Decision { dedupe_key, decision, job_id, reason })
}
