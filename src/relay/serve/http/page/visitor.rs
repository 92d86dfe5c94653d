//! Who visits a page: by a token, by the cookie of having signed in with one, or from this machine where there are no tokens.

use std::net::SocketAddr;

use hyper::header::{COOKIE, HeaderMap};
use hyper::http::Response;
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};

use super::super::sent::Sent;
use super::{Door, html_answer, page, problem, see_other};
use crate::devin::client::now_s;
use crate::relay::serve::access::{Access, Caller, Denied, Right};
use crate::relay::serve::auth::sign_in;
use crate::relay::serve::page::Viewer;
use crate::relay::serve::secret::Secret;

/// The cookie's name.
const NAME: &str = "alert_relay";

/// Whoever visits a page.
pub struct Visitor {
    pub caller: Caller,
    /// The cookie, or empty.
    cookie: String,
    /// What its forms are signed with.
    key: Secret,
    /// A program, which sends its token with each request and so needs no form of ours.
    is_program: bool,
}

impl Visitor {
    pub fn viewer(&self) -> Viewer {
        let name = self.caller.token.clone();
        match (name, self.caller.right) {
            (None, _) => Viewer::Anyone,
            (Some(name), Right::Admin) => Viewer::Admin(name),
            (Some(name), _) => Viewer::Reader(name),
        }
    }

    /// What forms have to send back.
    pub fn form_token(&self) -> String {
        sign_in::form_token(&self.key, &self.cookie)
    }

    /// Whether a form that was sent is one of the visitor's own pages.
    pub fn has_sent(&self, form: &[(String, String)]) -> bool {
        self.is_program
            || sign_in::is_form_token(&self.key, &self.cookie, field(form, "form_token").unwrap_or_default())
    }

    /// The cookie is forgotten.
    pub fn sign_out(&self, form: &[(String, String)]) -> Response<Sent> {
        if !self.has_sent(form) {
            return forged();
        }
        see_other("/login", Some(format!("{NAME}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0")))
    }
}

impl Door {
    /// Who asks for a page.
    ///
    /// # Errors
    /// The answer to whoever may not see any.
    pub(super) fn visitor(&self, head: &Parts, peer: SocketAddr) -> Result<Visitor, Box<Response<Sent>>> {
        let served = self.live.now();
        let access = &served.rules.access;
        let is_program = head.headers.contains_key("authorization");
        if !access.has_tokens() || is_program {
            let caller = self.caller(head, peer).map_err(|denied| Box::new(denied_answer(&denied)))?;
            return Ok(Visitor { caller, cookie: String::new(), key: self.form_key.clone(), is_program });
        }
        self.check_visit(head, peer)?;
        if let Some((cookie, caller, key)) = signed_in(access, &head.headers, now_s()) {
            return Ok(Visitor { caller, cookie, key, is_program: false });
        }
        let here = head.uri.path_and_query().map_or("/", |here| here.as_str());
        let is_page = head.method != Method::POST && head.uri.path() != "/events";
        if is_page && head.headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site") {
            // A browser sends the cookie only with what our own page leads to: this one leads to itself.
            return Err(Box::new(html_answer(StatusCode::OK, page::detour(here))));
        }
        if is_page {
            return Err(Box::new(see_other(&format!("/login?back={}", page::percent_encoded(here)), None)));
        }
        Err(Box::new(denied_answer(&Denied::NoToken)))
    }

    /// Whether it is our own page that asks, under a name of ours.
    ///
    /// # Errors
    /// The answer to a request that another site has made a browser send.
    pub(super) fn check_visit(&self, head: &Parts, peer: SocketAddr) -> Result<(), Box<Response<Sent>>> {
        self.check_site(head, peer).map_err(|denied| Box::new(denied_answer(&denied)))
    }

    /// Who has signed in with a browser and only looks; `None` for everybody else.
    pub(in super::super) fn looker(&self, head: &Parts, peer: SocketAddr) -> Option<Caller> {
        let is_looking = head.method.is_safe() && self.check_site(head, peer).is_ok();
        let served = self.live.now();
        is_looking
            .then(|| signed_in(&served.rules.access, &head.headers, now_s()))
            .flatten()
            .map(|(_, caller, _)| caller)
    }

    fn check_site(&self, head: &Parts, peer: SocketAddr) -> Result<(), Denied> {
        let is_safe = head.method.is_safe();
        self.with_request(head, peer, |request| self.live.now().rules.access.check_site(request, is_safe))
    }

    /// Shows the form to sign in, or takes it. Whoever asks comes from a page of ours.
    pub(super) fn login(&self, head: &Parts, form: &[(String, String)], peer: SocketAddr) -> Response<Sent> {
        let served = self.live.now();
        let access = &served.rules.access;
        if head.method != Method::POST {
            return html_answer(StatusCode::OK, page::sign_in(None, &back(parameter(head, "back"))));
        }
        let back = back(field(form, "back").map(str::to_string));
        let token = field(form, "token").unwrap_or_default().trim();
        let Some(Caller { token: Some(name), right }) = access.by_token(token.as_bytes()) else {
            self.log.warn(&format!("somebody at {} tried to sign in to the status page with a wrong token", peer.ip()));
            let text = "This is not one of the tokens that access in the rules file names.";
            return html_answer(StatusCode::UNAUTHORIZED, page::sign_in(Some(text), &back));
        };
        let until = now_s() + sign_in::LASTS_S;
        let cookie = sign_in::cookie(&Secret::new(token), &name, until);
        self.log.note(&format!("{name} signed in to the status page from {}, to {}", peer.ip(), may(right)));
        // What a proxy says can only make the cookie stricter.
        let forwarded = head.headers.get("x-forwarded-proto").and_then(|proto| proto.to_str().ok());
        let is_encrypted = self.tls.is_some() || forwarded.is_some_and(|proto| proto.trim().starts_with("https"));
        let secure = if is_encrypted { "; Secure" } else { "" };
        let age = sign_in::LASTS_S;
        see_other(&back, Some(format!("{NAME}={cookie}; Path=/; HttpOnly; SameSite=Strict; Max-Age={age}{secure}")))
    }
}

/// What the query of a request says.
pub fn parameter(head: &Parts, name: &str) -> Option<String> {
    let fields = fields(head.uri.query().unwrap_or_default().as_bytes());
    fields.into_iter().find(|(known, _)| known == name).map(|(_, value)| value)
}

fn may(right: Right) -> &'static str {
    if right == Right::Admin { "act" } else { "read" }
}

/// Whose cookie it is: the cookie, who it is, and the token that signed it.
fn signed_in(access: &Access, headers: &HeaderMap, now: i64) -> Option<(String, Caller, Secret)> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let cookie = pairs.filter(|(name, _)| *name == NAME).map(|(_, value)| value).next()?;
    let name = sign_in::claimed_name(cookie)?;
    for (right, tokens) in [(Right::Admin, &access.admin), (Right::Read, &access.read)] {
        let mut tokens = tokens.iter().filter(|token| token.name == name);
        if let Some(token) = tokens.find(|token| sign_in::is_signed_in(cookie, &token.secret, &name, now)) {
            return Some((cookie.to_string(), Caller { right, token: Some(name) }, token.secret.clone()));
        }
    }
    None
}

/// What a form did not come with.
pub fn forged() -> Response<Sent> {
    let text = "The form is not from this page, or older than the last sign-in. Nothing was done: go back, reload and try again.";
    problem(StatusCode::FORBIDDEN, "Not done", &[text.to_string()], "/")
}

fn denied_answer(denied: &Denied) -> Response<Sent> {
    let status = StatusCode::from_u16(denied.status()).unwrap_or(StatusCode::FORBIDDEN);
    problem(status, "Not for you", &[denied.to_string()], "/login")
}

/// The fields of a form that was sent.
pub fn fields(body: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(body);
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (page::percent_decoded(name), page::percent_decoded(value))).collect()
}

/// A field's value.
pub fn field<'f>(form: &'f [(String, String)], name: &str) -> Option<&'f str> {
    form.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// Where a form leads back to: only to a page of ours.
pub fn back(asked: Option<String>) -> String {
    let is_ours = |path: &String| {
        let mut bytes = path.bytes();
        bytes.next() == Some(b'/')
            && !matches!(bytes.next(), Some(b'/' | b'\\'))
            && path.bytes().all(|byte| byte.is_ascii_graphic())
    };
    asked.filter(is_ours).unwrap_or_else(|| "/".to_string())
}
