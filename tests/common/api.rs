//! A server that answers as a test says, asks for the key as the real one does, and writes down what it was asked.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use httpmock::{HttpMockRequest, HttpMockResponse, MockServer};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::{ORG, TOKEN};

/// The server, and what it has been asked.
pub struct Api {
    server: MockServer,
    asked: Arc<Mutex<Vec<Ask>>>,
}

/// One request.
#[derive(Debug, Clone)]
pub struct Ask {
    /// Path and query as they came, percent-encoded.
    pub target: String,
    /// The path below the organization, such as `sessions/insights`; the whole path where there is none.
    pub list: String,
    /// The query's parameters, decoded, in their order.
    pub query: Vec<(String, String)>,
    pub headers: Vec<(String, String)>,
    /// How often this very target has been asked, this time included.
    pub nth: usize,
}

/// What the server says.
#[derive(Debug, Clone)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Api {
    /// Serves `answer` to everybody who comes with the key. Without it the answer is 403, with another one 401, and
    /// a page size the API does not have is a 422: no test can pass by a mistake in these.
    pub fn start(answer: impl Fn(&Ask) -> Answer + Send + Sync + 'static) -> Api {
        Api::open(move |ask| match ask.header("authorization") {
            None => Answer::problem(403, "not authenticated"),
            Some(key) if key != format!("Bearer {TOKEN}") => Answer::problem(401, "invalid token"),
            Some(_) => match ask.parameter("first").map(str::parse) {
                None | Some(Ok(1..=200)) => answer(ask),
                Some(_) => Answer::problem(422, "first is out of range"),
            },
        })
    }

    /// Serves `answer` to everybody.
    pub fn open(answer: impl Fn(&Ask) -> Answer + Send + Sync + 'static) -> Api {
        let server = MockServer::start();
        let asked: Arc<Mutex<Vec<Ask>>> = Arc::default();
        let (notes, counts) = (Arc::clone(&asked), Mutex::new(HashMap::<String, usize>::new()));
        server.mock(move |when, then| {
            when.any_request();
            then.respond_with(move |request: &HttpMockRequest| {
                let mut ask = Ask::of(request);
                let mut counts = counts.lock().unwrap();
                let count = counts.entry(ask.target.clone()).or_default();
                *count += 1;
                ask.nth = *count;
                drop(counts);
                notes.lock().unwrap().push(ask.clone());
                answer(&ask).response()
            });
        });
        Api { server, asked }
    }

    /// Serves an organization that the test can change.
    pub fn of(organization: &Arc<Mutex<Organization>>) -> Api {
        let organization = Arc::clone(organization);
        Api::start(move |ask| organization.lock().unwrap().answer(ask))
    }

    pub fn url(&self) -> String {
        self.server.base_url()
    }

    /// Every request so far.
    pub fn asks(&self) -> Vec<Ask> {
        self.asked.lock().unwrap().clone()
    }

    /// Every request so far, in order: the path below the organization with the decoded query.
    pub fn asked(&self) -> Vec<String> {
        self.asks().iter().map(Ask::told).collect()
    }

    /// The same, sorted: what is asked side by side comes in any order.
    pub fn asked_sorted(&self) -> String {
        let mut asked = self.asked();
        asked.sort();
        asked.join("\n")
    }

    /// Forgets what was asked.
    pub fn forget(&self) {
        self.asked.lock().unwrap().clear();
    }
}

impl Ask {
    fn of(request: &HttpMockRequest) -> Ask {
        // Some servers see the whole address, some only what follows the host.
        let uri = request.uri();
        let target = uri.path_and_query().map_or("/", |target| target.as_str()).to_string();
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let query = decoded(query);
        let list = path.strip_prefix(&format!("/v3/organizations/{ORG}/")).unwrap_or(path).to_string();
        let headers = request.headers_vec().iter().map(|(name, value)| (name.to_lowercase(), value.clone()));
        let headers = headers.collect();
        Ask { list, query, headers, nth: 0, target }
    }

    /// The last value of a parameter.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn parameters(&self, name: &str) -> Vec<&str> {
        self.query.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn told(&self) -> String {
        let query: Vec<String> = self.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        [self.list.clone()].into_iter().chain(query).collect::<Vec<_>>().join(" ")
    }
}

/// A query's parameters.
pub fn decoded(query: &str) -> Vec<(String, String)> {
    let decode = |text: &str| percent_decode_str(text).decode_utf8().unwrap().to_string();
    let query = query.split('&').filter(|part| !part.is_empty()).map(|part| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        // As a form is read: a plus sign is a blank.
        (decode(&name.replace('+', " ")), decode(&value.replace('+', " ")))
    });
    query.collect()
}

impl Answer {
    pub fn json(body: impl Into<String>) -> Answer {
        Answer::status(200, "application/json", body)
    }

    pub fn status(status: u16, content_type: &str, body: impl Into<String>) -> Answer {
        let headers = vec![("content-type".to_string(), content_type.to_string())];
        Answer { status, headers, body: body.into().into_bytes() }
    }

    /// The only page of a list.
    pub fn list(items: &[&str]) -> Answer {
        Answer::json(format!(r#"{{"items":[{}],"end_cursor":null,"has_next_page":false}}"#, items.join(",")))
    }

    /// A page with another one after it.
    pub fn page(items: &[&str], cursor: &str) -> Answer {
        let items = items.join(",");
        Answer::json(format!(r#"{{"items":[{items}],"end_cursor":{},"has_next_page":true}}"#, Value::from(cursor)))
    }

    /// A refusal in today's form.
    pub fn problem(status: u16, detail: &str) -> Answer {
        let body = json!({"type": "about:blank", "title": "Refused", "status": status, "detail": detail});
        Answer::status(status, "application/problem+json", body.to_string())
    }

    /// A refusal for what does not exist.
    pub fn unknown() -> Answer {
        Answer::problem(404, "Not Found")
    }

    pub fn html(status: u16) -> Answer {
        Answer::status(status, "text/html", "<!DOCTYPE html><title>Just a moment</title>")
    }

    pub fn header(mut self, name: &str, value: impl Into<String>) -> Answer {
        self.headers.push((name.to_string(), value.into()));
        self
    }

    /// The same with a body that need not be text.
    pub fn bytes(mut self, body: &[u8]) -> Answer {
        self.body = body.to_vec();
        self
    }

    fn response(self) -> HttpMockResponse {
        HttpMockResponse::builder().status(self.status).headers(self.headers).body(self.body).build()
    }
}

/// An organization as the API would serve it: lists by path, filters, pages.
#[derive(Debug, Default, Clone)]
pub struct Organization {
    pub lists: BTreeMap<String, Vec<Value>>,
    /// Whether the server leaves out what lies on a lower bound; undocumented, so both must do.
    pub is_exclusive: bool,
    /// The server's clock, in Unix seconds; `None` is the machine's.
    pub now: Option<u64>,
    /// The greatest page.
    pub page: Option<usize>,
}

impl Organization {
    pub fn new(lists: &[(&str, Value)]) -> Arc<Mutex<Organization>> {
        let lists = lists.iter().map(|(path, items)| (path.to_string(), items.as_array().unwrap().clone())).collect();
        Arc::new(Mutex::new(Organization { lists, ..Organization::default() }))
    }

    pub fn answer(&self, ask: &Ask) -> Answer {
        let Some(items) = self.lists.get(&ask.list) else { return Answer::unknown() };
        let is_filtered = ask.list.starts_with("sessions") && !ask.list.ends_with("messages");
        let wanted: Vec<&Value> = items.iter().filter(|item| !is_filtered || self.admits(ask, item)).collect();
        let from = ask
            .parameter("after")
            .map_or(0, |cursor| cursor.strip_prefix("a+b/").unwrap().trim_end_matches('=').parse().unwrap());
        let first: usize = ask.parameter("first").map_or(100, |first| first.parse().unwrap());
        let until = wanted.len().min(from + first.min(self.page.unwrap_or(200)));
        let has_next = until < wanted.len();
        let body = json!({
            "items": wanted[from..until],
            "end_cursor": has_next.then(|| format!("a+b/{until}==")),
            "has_next_page": has_next,
        });
        let answer = Answer::json(body.to_string());
        match self.now {
            Some(now) => answer
                .header("date", httpdate::fmt_http_date(std::time::UNIX_EPOCH + std::time::Duration::from_secs(now))),
            None => answer,
        }
    }

    fn admits(&self, ask: &Ask, item: &Value) -> bool {
        let from = |filter: &str, field: &str| {
            let (Some(bound), Some(value)) = (ask.parameter(filter), item[field].as_i64()) else { return true };
            let bound: i64 = bound.parse().unwrap();
            if self.is_exclusive { value > bound } else { value >= bound }
        };
        let ids = ask.parameters("session_ids");
        let is_named = ids.is_empty() || item["session_id"].as_str().is_some_and(|id| ids.contains(&id));
        is_named && from("created_after", "created_at") && from("updated_after", "updated_at")
    }
}
