//! An organization in which sessions are created, on a bare socket: so that it can also break off, keep silent, or
//! hold an answer back until the test lets it go. It writes down everything it hears.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::api::decoded;
use super::{ORG, TOKEN};

/// The server. It serves until the test's process ends.
pub struct Devin {
    pub url: String,
    heard: Arc<Mutex<Vec<Heard>>>,
}

/// One request.
#[derive(Debug, Clone)]
pub struct Heard {
    pub method: String,
    /// The path below the organization, such as `sessions/devin-1`; the whole path where there is none.
    pub path: String,
    pub query: Vec<(String, String)>,
    /// Their names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

/// What the server does about a request.
#[derive(Debug, Clone)]
pub enum Said {
    /// Status, further headers, body.
    Answer(u16, Vec<(String, String)>, String),
    /// Closes the connection without a word.
    Nothing,
    /// Says nothing until the client has gone.
    Silence,
}

impl Said {
    pub fn json(value: &Value) -> Said {
        Said::Answer(200, Vec::new(), value.to_string())
    }

    pub fn problem(status: u16, detail: &str) -> Said {
        Said::Answer(status, Vec::new(), json!({"status": status, "detail": detail}).to_string())
    }

    pub fn list(items: &[Value]) -> Said {
        Said::json(&json!({"items": items, "end_cursor": null, "has_next_page": false}))
    }

    pub fn header(mut self, name: &str, value: &str) -> Said {
        if let Said::Answer(_, headers, _) = &mut self {
            headers.push((name.to_string(), value.to_string()));
        }
        self
    }
}

impl Devin {
    /// Serves `answer`; each request has a thread of its own, which the answer may hold up.
    pub fn start(answer: impl Fn(&Heard) -> Said + Send + Sync + 'static) -> Devin {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let heard: Arc<Mutex<Vec<Heard>>> = Arc::default();
        let (notes, answer) = (Arc::clone(&heard), Arc::new(answer));
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (notes, answer) = (Arc::clone(&notes), Arc::clone(&answer));
                std::thread::spawn(move || {
                    let Some(request) = Heard::read(&connection) else { return };
                    notes.lock().unwrap().push(request.clone());
                    say(&connection, answer(&request));
                });
            }
        });
        Devin { url, heard }
    }

    /// Serves an organization that the test can look into and change.
    pub fn of(sessions: &Arc<Sessions>) -> Devin {
        let sessions = Arc::clone(sessions);
        Devin::start(move |heard| sessions.answer(heard))
    }

    /// Serves an organization that says so and keeps silent when it is asked this.
    pub fn silent(
        sessions: Sessions,
        is_moment: impl Fn(&Heard) -> bool + Send + Sync + 'static,
    ) -> (Devin, Receiver<()>) {
        let (came, has_come) = channel();
        let came = Mutex::new(came);
        let devin = Devin::start(move |heard| {
            if is_moment(heard) {
                // Nobody waits for it any more where a request comes again.
                let _ = came.lock().unwrap().send(());
                return Said::Silence;
            }
            sessions.answer(heard)
        });
        (devin, has_come)
    }

    pub fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }

    /// Every request so far, in order: `GET sessions tags=ar-…`.
    pub fn asked(&self) -> String {
        self.heard().iter().map(|heard| heard.told() + "\n").collect()
    }

    /// How many requests there were of a method; a `POST` that is no create is not counted.
    pub fn count(&self, method: &str) -> usize {
        self.heard().iter().filter(|heard| heard.method == method && (method != "POST" || heard.is_create())).count()
    }

    /// The bodies of all creates.
    pub fn creates(&self) -> Vec<Value> {
        let posts = self.heard().into_iter().filter(Heard::is_create);
        posts.map(|heard| serde_json::from_str(&heard.body).unwrap()).collect()
    }

    /// The settings that reach it, with its organization.
    pub fn settings(&self) -> String {
        json!({"api_token": TOKEN, "api_url": self.url, "org_id": ORG}).to_string()
    }

    /// The settings that reach it, without an organization.
    pub fn config(&self) -> String {
        json!({"api_token": TOKEN, "api_url": self.url}).to_string()
    }
}

impl Heard {
    fn read(connection: &TcpStream) -> Option<Heard> {
        let mut reader = BufReader::new(connection);
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|bytes| *bytes > 0)?;
        let mut words = line.split_whitespace();
        let (method, target) = (words.next()?.to_string(), words.next()?.to_string());
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            headers.push((name.to_lowercase(), value.trim().to_string()));
        }
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let length = length.map_or(0, |(_, length)| length.parse().unwrap());
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let path = path.strip_prefix(&format!("/v3/organizations/{ORG}/")).unwrap_or(path).to_string();
        Some(Heard { method, path, query: decoded(query), headers, body: String::from_utf8(body).unwrap() })
    }

    pub fn is_create(&self) -> bool {
        self.method == "POST" && self.path == "sessions"
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Method, path and query, without what differs from run to run.
    pub fn told(&self) -> String {
        let query = self.query.iter().map(|(name, value)| match name.as_str() {
            "created_after" => format!(" {name}=TIME"),
            _ => format!(" {name}={value}"),
        });
        format!("{} {}", self.method, self.path) + &query.collect::<String>()
    }
}

fn say(mut connection: &TcpStream, said: Said) {
    match said {
        Said::Answer(status, headers, body) => {
            let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
            let length = body.len();
            let _ = connection.write_all(
                format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n{headers}\r\n{body}")
                    .as_bytes(),
            );
        }
        Said::Nothing => {}
        Said::Silence => {
            let _ = connection.read(&mut [0]);
        }
    }
}

/// Creates a session as any client may, and answers with all that the server says.
pub fn create(config: &str, body: &str) -> String {
    let config: Value = serde_json::from_str(config).unwrap();
    let text = |name: &str| config[name].as_str().unwrap().to_string();
    let (token, length) = (text("api_token"), body.len());
    let host = text("api_url").trim_start_matches("http://").to_string();
    let path = format!("/v3/organizations/{}/sessions", text("org_id"));
    let mut connection = TcpStream::connect(&host).unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\nauthorization: Bearer {token}\r\ncontent-length: {length}\r\n\r\n"
    );
    connection.write_all((head + body).as_bytes()).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    answer
}

/// An organization's sessions.
pub struct Sessions {
    /// What a created session is called, by its number from 1.
    names: Box<dyn Fn(usize) -> String + Send + Sync>,
    all: Mutex<Vec<Seen>>,
    /// How a create is answered, by its number from 1, once it is decided whether there is a session; `None` tells the truth.
    on_create: Box<dyn Fn(usize) -> Made + Send + Sync>,
    /// What stands in a session when it is looked at, by the number of the look from 1.
    on_look: Box<dyn Fn(usize) -> Value + Send + Sync>,
    counts: Mutex<HashMap<String, usize>>,
}

/// What becomes of a create.
pub struct Made {
    /// How many lists after the create do not show the session yet; `None` when there is no session.
    pub hidden_for: Option<usize>,
    /// `None` is the session itself.
    pub says: Option<Said>,
}

impl Made {
    pub fn a_session() -> Made {
        Made { hidden_for: Some(0), says: None }
    }
}

struct Seen {
    session: Value,
    hidden_for: usize,
}

/// A session of this state, `status/detail`, with or without a pull request.
pub fn state(state: &str, has_pull_request: bool) -> Value {
    let (status, detail) = state.split_once('/').map_or((state, None), |(status, detail)| (status, Some(detail)));
    let pull_request = json!({"pr_url": "https://github.com/acme/shop/pull/7", "pr_state": "open"});
    let pull_requests: &[Value] = if has_pull_request { &[pull_request] } else { &[] };
    json!({"status": status, "status_detail": detail, "pull_requests": pull_requests})
}

/// Unix seconds.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// A session as the API tells it.
pub fn session(id: &str, tags: &[&str], created_at: u64, state: &Value) -> Value {
    let mut session = json!({
        "session_id": id, "url": format!("https://app.devin.ai/sessions/{id}"), "org_id": ORG, "title": null,
        "tags": tags, "created_at": created_at, "updated_at": created_at, "acus_consumed": 1.5, "is_archived": false,
        "structured_output": null,
    });
    for (name, value) in state.as_object().unwrap() {
        session[name] = value.clone();
    }
    session
}

impl Sessions {
    /// No sessions yet; one that is created is finished with a pull request when it is first looked at.
    pub fn new() -> Sessions {
        Sessions {
            names: Box::new(|number| format!("{number:032x}")),
            all: Mutex::default(),
            on_create: Box::new(|_| Made::a_session()),
            on_look: Box::new(|_| state("running/finished", true)),
            counts: Mutex::default(),
        }
    }

    pub fn on_create(mut self, made: impl Fn(usize) -> Made + Send + Sync + 'static) -> Sessions {
        self.on_create = Box::new(made);
        self
    }

    pub fn on_look(mut self, state: impl Fn(usize) -> Value + Send + Sync + 'static) -> Sessions {
        self.on_look = Box::new(state);
        self
    }

    pub fn named(mut self, names: impl Fn(usize) -> String + Send + Sync + 'static) -> Sessions {
        self.names = Box::new(names);
        self
    }

    /// With this session in it.
    pub fn with(self, session: Value) -> Sessions {
        self.add(session);
        self
    }

    pub fn add(&self, session: Value) {
        self.all.lock().unwrap().push(Seen { session, hidden_for: 0 });
    }

    /// How many sessions there are that were not terminated.
    pub fn alive(&self) -> usize {
        self.all.lock().unwrap().iter().filter(|seen| seen.session["status"] != "exit").count()
    }

    fn count(&self, what: &str) -> usize {
        let mut counts = self.counts.lock().unwrap();
        let count = counts.entry(what.to_string()).or_default();
        *count += 1;
        *count
    }

    /// What the organization says. Without the key it is 401.
    pub fn answer(&self, heard: &Heard) -> Said {
        if heard.header("authorization") != Some(&format!("Bearer {TOKEN}")) {
            return Said::problem(401, "invalid token");
        }
        let id = heard.path.strip_prefix("sessions/devin-");
        match (heard.method.as_str(), heard.path.as_str(), id) {
            ("GET", "/v3/self", _) => Said::json(&json!({
                "principal_type": "service_user", "service_user_id": "s", "service_user_name": "relay", "org_id": ORG,
            })),
            ("GET", "sessions", _) => self.list(heard),
            ("POST", "sessions", _) => self.create(&heard.body),
            ("POST", _, Some(below)) if below.ends_with("/tags") => {
                self.tag(below.trim_end_matches("/tags"), &heard.body)
            }
            ("GET", _, Some(id)) => {
                let look = self.count(id);
                let seen = (self.on_look)(look);
                if let Some(status) = seen["refused"].as_u64() {
                    if [404, 410].contains(&status) {
                        self.hide(id);
                    }
                    return Said::problem(status.try_into().unwrap(), "refused");
                }
                self.change(id, &seen)
            }
            ("DELETE", _, Some(id)) => self.change(id, &state("exit", false)),
            _ => Said::problem(404, "Not Found"),
        }
    }

    /// What is not there any more is in no list either.
    fn hide(&self, id: &str) {
        let mut all = self.all.lock().unwrap();
        if let Some(seen) = all.iter_mut().find(|seen| seen.session["session_id"] == id) {
            seen.hidden_for = usize::MAX;
        }
    }

    fn list(&self, heard: &Heard) -> Said {
        let tag = heard.parameter("tags");
        let mut all = self.all.lock().unwrap();
        let mut items = Vec::new();
        for seen in all.iter_mut() {
            let is_wanted = tag.is_none_or(|tag| seen.session["tags"].as_array().unwrap().contains(&tag.into()));
            if seen.hidden_for > 0 {
                seen.hidden_for -= 1;
            } else if is_wanted {
                items.push(seen.session.clone());
            }
        }
        Said::list(&items)
    }

    fn create(&self, body: &str) -> Said {
        let body: Value = serde_json::from_str(body).unwrap();
        let number = self.count("POST");
        let made = (self.on_create)(number);
        let mut created = session(&(self.names)(number), &[], now(), &state("new", false));
        created["tags"] = body.get("tags").cloned().unwrap_or_else(|| json!([]));
        created["title"] = body["title"].clone();
        if let Some(hidden_for) = made.hidden_for {
            self.all.lock().unwrap().push(Seen { session: created.clone(), hidden_for });
        }
        made.says.unwrap_or_else(|| Said::json(&created))
    }

    /// Adds tags, as the API does.
    fn tag(&self, id: &str, body: &str) -> Said {
        let body: Value = serde_json::from_str(body).unwrap();
        let mut all = self.all.lock().unwrap();
        let Some(seen) = all.iter_mut().find(|seen| seen.session["session_id"] == id) else {
            return Said::problem(404, "Not Found");
        };
        let tags = seen.session["tags"].as_array_mut().unwrap();
        tags.extend(body["tags"].as_array().unwrap().iter().cloned());
        Said::json(&json!({"tags": tags}))
    }

    fn change(&self, id: &str, change: &Value) -> Said {
        let mut all = self.all.lock().unwrap();
        let Some(seen) = all.iter_mut().find(|seen| seen.session["session_id"] == id) else {
            return Said::problem(404, "Not Found");
        };
        for (name, value) in change.as_object().unwrap() {
            seen.session[name] = value.clone();
        }
        Said::json(&seen.session)
    }
}
