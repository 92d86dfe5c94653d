//! Deliveries: who may deliver, what is kept of a request, and what its sender is told.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::{Request, StatusCode};
use serde_json::Value;
use tokio::time::Instant;

use super::answer::Answer;
use super::body::{self, Body};
use super::places::Place;
use super::receipt::decision;
use super::{Door, busy, form, large, measuring};
use crate::relay::alert::Format;
use crate::relay::serve::auth::{Accepted, Auth};
use crate::relay::serve::live::Served;
use crate::relay::serve::reading::Unreadable;
use crate::relay::serve::rules::Route;
use crate::relay::serve::store::Verdict;

/// How long senders wait for an answer: Sentry one second, the others longer than this.
pub(super) const DEADLINE: Duration = Duration::from_secs(5);
const DEADLINE_OF_SENTRY: Duration = Duration::from_millis(800);

/// What a delivery is kept as that asks whether a topic's messages may come.
const SUBSCRIPTION: &str = "the delivery asks to confirm a subscription to Amazon SNS, which is done";

impl Door {
    /// Keeps a delivery, and only then says so. Whatever is answered, the log says it too.
    pub(super) async fn deliver(
        &self,
        served: &Arc<Served>,
        route: &Route,
        request: Request<Incoming>,
        peer: SocketAddr,
        place: &Place,
    ) -> Answer {
        let began = Instant::now();
        let kept = self.keep(served, route, request, peer, place).await;
        let answer = kept.unwrap_or_else(|refusal| {
            self.log.refused(&route.name, refusal.status.as_u16(), &refusal.body);
            self.refusals.note(&route.name, refusal.status.as_u16(), refusal.reason());
            refusal
        });
        self.metrics.delivered(&route.name, measuring::answered(&answer), answer.code(), began.elapsed());
        answer
    }

    /// # Errors
    /// The answer to a request of which nothing is kept.
    async fn keep(
        &self,
        served: &Arc<Served>,
        route: &Route,
        request: Request<Incoming>,
        peer: SocketAddr,
        place: &Place,
    ) -> Result<Answer, Answer> {
        let (head, incoming) = request.into_parts();
        if route.auth.is_in_the_head()
            && let Err(refusal) = self.admit_delivery(route, &head, &[], peer).await
        {
            // Strangers take no memory: nothing of what they send is held.
            body::discard(incoming).await;
            return Err(refusal);
        }
        let Body { sent, unpacked } = body::receive(&head.headers, incoming).await?;
        let _work = place.work();
        let accepted = self.admit_delivery(route, &head, &sent, peer).await?;
        let body = form::json(&head.headers, unpacked.unwrap_or(Ok(sent))?)?;
        let headers: Vec<(&str, &str)> =
            head.headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))).collect();
        let mut read = match large::read(served, route, body, &headers).await {
            Ok(read) => read,
            Err(Unreadable::TooLarge(reason)) => return Err(Answer::problem(StatusCode::PAYLOAD_TOO_LARGE, &reason)),
            Err(Unreadable::NotJson(reason)) => return Err(Answer::problem(StatusCode::BAD_REQUEST, &reason)),
        };
        if accepted.confirm.is_some() {
            read.delivery.verdict = Verdict::NoAlert(SUBSCRIPTION.to_string());
        }
        let (verdict, notes) = (read.delivery.verdict.clone(), read.notes);
        let keys: Vec<String> = read.delivery.entries.iter().map(|entry| entry.dedupe_key.clone()).collect();
        let mut decisions = Vec::new();
        let deadline = if route.format == Some(Format::Sentry) { DEADLINE_OF_SENTRY } else { DEADLINE };
        let answer = match tokio::time::timeout(deadline, self.store.accept(read.delivery)).await {
            Ok(Ok(receipt)) => {
                receipt.taken.iter().for_each(|taken| self.metrics.took(&route.name, measuring::taken(taken)));
                decisions =
                    keys.into_iter().zip(&receipt.taken).filter_map(|(key, taken)| decision(key, taken)).collect();
                self.confirm(accepted, self.receipt(receipt, verdict, &notes)).await
            }
            Ok(Err(error)) => {
                self.log.store_failed(&format!("a delivery to {} cannot be kept", route.name), &error);
                busy("the delivery cannot be kept now")
            }
            // It may be kept all the same, and is known then when it comes again.
            Err(_) => busy("the delivery is not kept yet"),
        };
        self.log.delivery(&route.name, answer.status.as_u16(), &answer.body, &decisions);
        Ok(answer)
    }

    /// Whether a request may deliver to a route.
    ///
    /// # Errors
    /// The answer that says why not.
    async fn admit_delivery(
        &self,
        route: &Route,
        head: &Parts,
        body: &[u8],
        peer: SocketAddr,
    ) -> Result<Accepted, Answer> {
        let path_secret = head.uri.path().splitn(5, '/').nth(4);
        let accepted = self.admit(&route.auth, head, body, path_secret, peer).await;
        accepted.map_err(|refusal| match route.auth {
            Auth::Open if refusal.status == StatusCode::FORBIDDEN => {
                refusal.and("give the route a secret for requests from elsewhere")
            }
            _ => refusal,
        })
    }

    /// Confirms the subscription that a delivery, which is kept already, asks about.
    pub(super) async fn confirm(&self, accepted: Accepted, mut answer: Answer) -> Answer {
        let Some(url) = accepted.confirm else { return answer };
        if let Err(problem) = self.sns.confirm(&url).await {
            return self.trouble(&problem, "the subscription cannot be confirmed now");
        }
        answer.status = StatusCode::OK;
        answer.body["reason"] =
            Value::from("the subscription is confirmed: the topic's messages come here from now on");
        answer
    }
}
