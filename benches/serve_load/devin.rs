//! A Devin organization whose sessions work forever, and who remembers what it was asked for.

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Serves until it is killed. `GET /asked` says what was asked for since that was asked last.
pub async fn serve() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    let organization: Arc<Mutex<Organization>> = Arc::default();
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let organization = Arc::clone(&organization);
        let service = service_fn(move |request: Request<Incoming>| {
            let organization = Arc::clone(&organization);
            async move {
                let (head, body) = request.into_parts();
                let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
                let query = head.uri.query().unwrap_or_default();
                let mut organization = organization.lock().unwrap_or_else(PoisonError::into_inner);
                let said = organization.answer(&head.method, head.uri.path(), query, &body);
                Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(said))))
            }
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

#[derive(Default)]
struct Organization {
    /// As JSON; a session's number is its place.
    sessions: Vec<String>,
    by_tag: HashMap<String, Vec<usize>>,
    asked: BTreeMap<&'static str, u64>,
}

impl Organization {
    fn answer(&mut self, method: &Method, path: &str, query: &str, body: &[u8]) -> String {
        if path == "/asked" {
            return json!(std::mem::take(&mut self.asked)).to_string();
        }
        if path.ends_with("/self") {
            return json!({"principal_type": "service_user", "service_user_id": "s", "service_user_name": "relay",
                "org_id": "org-1"})
            .to_string();
        }
        if method == Method::POST {
            return self.create(body);
        }
        let number = |id: &str| id.trim_start_matches("devin-").strip_prefix('s')?.parse::<usize>().ok();
        if let Some(one) = path.rsplit('/').next().and_then(number) {
            self.note("GET of one session");
            return self.sessions.get(one).cloned().unwrap_or_default();
        }
        let asked_for =
            |name| query.split('&').filter_map(move |pair: &str| pair.strip_prefix(name)?.strip_prefix('='));
        let mut found: Vec<usize> = asked_for("session_ids").filter_map(number).collect();
        self.note(if found.is_empty() { "list by tag" } else { "list by session_ids" });
        found.extend(asked_for("tags").filter_map(|tag| self.by_tag.get(tag)).flatten());
        let found: Vec<&str> = found.into_iter().filter_map(|one| Some(self.sessions.get(one)?.as_str())).collect();
        format!(r#"{{"items":[{}],"has_next_page":false,"end_cursor":null}}"#, found.join(","))
    }

    fn create(&mut self, body: &[u8]) -> String {
        self.note("create");
        let new: Value = serde_json::from_slice(body).unwrap_or_default();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        let number = self.sessions.len();
        let session = json!({"session_id": format!("s{number}"), "status": "running", "status_detail": "working",
            "tags": new["tags"], "title": new["title"], "created_at": now, "updated_at": now,
            "url": format!("https://app.devin.ai/sessions/s{number}"), "acus_consumed": 0.0, "is_archived": false,
            "pull_requests": [], "org_id": "org-1"});
        for tag in new["tags"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            self.by_tag.entry(tag.to_string()).or_default().push(number);
        }
        self.sessions.push(session.to_string());
        session.to_string()
    }

    fn note(&mut self, what: &'static str) {
        *self.asked.entry(what).or_default() += 1;
    }
}
