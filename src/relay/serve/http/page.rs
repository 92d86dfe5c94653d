//! The pages over HTTP: who may see them, how somebody signs in, and what their forms do. What a page looks like is not known
//! here.

mod acting;
mod clean;
mod gather;
mod story;
mod visitor;

use std::net::SocketAddr;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName, IF_NONE_MATCH, LOCATION, REFERRER_POLICY,
    SET_COOKIE, X_CONTENT_TYPE_OPTIONS,
};
use hyper::http::request::Parts;
use hyper::http::{HeaderValue, Response};
use hyper::{Method, Request, StatusCode};

use super::places::Place;
use super::sent::Sent;
use super::{Door, body, refuse_method};
use crate::relay::serve::page::{self, ASSETS, plain_problem};
use crate::relay::serve::store::{StoreError, body_hash};
use visitor::{Visitor, fields};

/// The longest form, in bytes: a token, or a key and a reason.
const LONGEST_FORM: usize = 16 << 10;

/// Something that stands here.
pub enum Wanted {
    Overview,
    /// By its tag.
    Alert(String),
    Login,
    Logout,
    Events,
    /// Its place in [`ASSETS`].
    Asset(usize),
    /// By its name.
    Action(String),
}

impl Wanted {
    /// What stands at a path; `None` where nothing of a page does.
    pub fn at(path: &str) -> Option<Wanted> {
        Some(match path {
            "/" => Wanted::Overview,
            "/login" => Wanted::Login,
            "/logout" => Wanted::Logout,
            "/events" => Wanted::Events,
            _ => {
                if let Some(tag) = path.strip_prefix("/alerts/") {
                    return Some(Wanted::Alert(page::percent_decoded(tag)));
                }
                if let Some(name) = path.strip_prefix("/actions/") {
                    return Some(Wanted::Action(name.to_string()));
                }
                Wanted::Asset(ASSETS.iter().position(|(known, ..)| *known == path)?)
            }
        })
    }

    /// By which methods it is asked for.
    fn methods(&self) -> &'static str {
        match self {
            Wanted::Logout | Wanted::Action(_) => "POST",
            Wanted::Login => "GET, HEAD, POST",
            _ => "GET, HEAD",
        }
    }
}

impl Door {
    /// Answers a request for a page, or for what belongs to one.
    pub(super) async fn page(
        &self,
        wanted: Wanted,
        request: Request<Incoming>,
        peer: SocketAddr,
        place: &Place,
    ) -> Response<Sent> {
        let methods = wanted.methods();
        if !methods.split(", ").any(|method| method == request.method().as_str()) {
            return Sent::whole(refuse_method(methods).into_response());
        }
        let (head, incoming) = request.into_parts();
        if let Wanted::Asset(place) = wanted {
            return asset(place, &head);
        }
        // Who asks is told by the head: nothing is held of what strangers send.
        let visitor = match wanted {
            Wanted::Login => self.check_visit(&head, peer).map(|()| None),
            _ => self.visitor(&head, peer).map(Some),
        };
        let visitor = match visitor {
            Ok(visitor) => visitor,
            Err(answer) => {
                body::discard(incoming).await;
                return *answer;
            }
        };
        let form = if head.method == Method::POST {
            match body::receive_at_most(LONGEST_FORM, &head.headers, incoming).await {
                Ok(received) => fields(&received.sent),
                Err(refusal) => return Sent::whole(refusal.into_response()),
            }
        } else {
            Vec::new()
        };
        // It goes on for long and gives way to others, so it counts as idle.
        let _work = (!matches!(wanted, Wanted::Events)).then(|| place.work());
        let Some(visitor) = visitor else { return self.login(&head, &form, peer) };
        let shown = match wanted {
            Wanted::Overview => self.overview(&visitor, &head).await,
            Wanted::Alert(tag) => self.alert_page(&visitor, &head, &tag).await,
            Wanted::Events => return events(self, &head),
            Wanted::Logout => return visitor.sign_out(&form),
            Wanted::Action(name) => return self.act_by_form(&visitor, &name, &form, peer).await,
            Wanted::Login | Wanted::Asset(_) => Ok(None),
        };
        match shown {
            Ok(Some(html)) => html_answer(StatusCode::OK, html),
            Ok(None) => {
                let text = "The bridge keeps no such alert. It may have another tag: search for its title or key.";
                problem(StatusCode::NOT_FOUND, "There is no such alert", &[text.to_string()], "/")
            }
            Err(error) => self.unavailable(&error),
        }
    }

    fn unavailable(&self, error: &StoreError) -> Response<Sent> {
        self.log.store_failed("a page cannot be shown", error);
        let text = "The store cannot be read now. /readyz says why; the page comes back by itself.";
        problem(StatusCode::SERVICE_UNAVAILABLE, "The store does not answer", &[text.to_string()], "/")
    }
}

fn events(door: &Door, head: &Parts) -> Response<Sent> {
    let seen = visitor::parameter(head, "seen").and_then(|seen| seen.parse().ok());
    let mut response = Response::new(Sent::events(door.store.changes(), door.stop.clone(), seen));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Proxies such as nginx would wait for more of it.
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response
}

/// A file that is built in; not again to whoever has it as it is.
fn asset(place: usize, head: &Parts) -> Response<Sent> {
    let (_, media_type, text) = ASSETS[place];
    let tag: String = body_hash(text.as_bytes())[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    let tag = format!("\"{tag}\"");
    let is_known = head.headers.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let mut response = Response::new(Full::from(if is_known { "" } else { text }));
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(ETAG, tag);
    }
    Sent::whole(response)
}

/// A page.
fn html_answer(status: StatusCode, html: String) -> Response<Sent> {
    let mut response: Response<Full<Bytes>> = Response::new(Full::from(html));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(page::CONTENT_SECURITY_POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Other sites do not learn which alert a link was followed from. `no-referrer` would take the Origin from forms too.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    let same = HeaderValue::from_static("same-origin");
    headers.insert(HeaderName::from_static("cross-origin-opener-policy"), same.clone());
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), same);
    Sent::whole(response)
}

/// A page that says why something is not there or was not done.
fn problem(status: StatusCode, title: &str, reasons: &[String], back: &str) -> Response<Sent> {
    html_answer(status, plain_problem(title, reasons, back))
}

/// Leads to another page of ours.
fn see_other(path: &str, cookie: Option<String>) -> Response<Sent> {
    let mut response = html_answer(StatusCode::SEE_OTHER, String::new());
    let headers = response.headers_mut();
    headers.insert(LOCATION, HeaderValue::from_str(path).unwrap_or_else(|_| HeaderValue::from_static("/")));
    if let Some(cookie) = cookie.and_then(|cookie| HeaderValue::from_str(&cookie).ok()) {
        headers.insert(SET_COOKIE, cookie);
    }
    response
}

#[cfg(test)]
mod tests;
