//! What `alert-relay serve` bears: deliveries that are accepted durably, beside a server that keeps nothing but memory, and many
//! sessions that are watched.
//!
//! ```text
//! cargo bench --bench serve_load                     both parts
//! cargo bench --bench serve_load -- --quick          small sizes: does it work?
//! cargo bench --bench serve_load -- --store URL      over an empty database of PostgreSQL
//! ```
//!
//! The generator runs on the same machine, with as many connections as a large Alertmanager has groups. The other server, this
//! program again, reads the same requests and keeps their bodies in a list: it takes what HTTP and the generator cost. No number
//! is ever a failure.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

const PROGRAM: &str = env!("CARGO_BIN_EXE_source-devin-ai");

/// The first argument that makes this program the other server.
const OTHER: &str = "--keep-in-memory";

/// How many senders deliver at once.
const SENDERS: usize = 64;

/// How often each watched session is polled.
const INTERVAL: Duration = Duration::from_secs(30);

/// Loads `alert-relay serve`.
#[derive(Parser)]
struct Options {
    /// Small sizes
    #[arg(long)]
    quick: bool,
    /// The bridge's store
    #[arg(long, default_value = "sqlite:relay.db")]
    store: String,
    /// As `cargo bench` passes it
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    if std::env::args().nth(1).as_deref() == Some(OTHER) {
        return runtime.block_on(keep_in_memory());
    }
    let options = Options::parse();
    runtime.block_on(async {
        let time = Duration::from_secs(if options.quick { 1 } else { 15 });
        println!("| Server | Deliveries a second | p50 | p99 | Largest |\n|---|---:|---:|---:|---:|");
        // Twice in turns, so that a change in the machine's mood meets both.
        for _ in 0..2 {
            let other = Server::start(Command::new(std::env::current_exe()?).arg(OTHER))?;
            println!("| in memory | {} |", Load::deliver(&other.address, time).await?);
            let folder = tempfile::tempdir()?;
            let bridge = Server::bridge(folder.path(), &options.store, "http://127.0.0.1:9")?;
            println!("| serve, {} | {} |", kind(&options.store), Load::deliver(&bridge.address, time).await?);
        }
        watch(if options.quick { 200 } else { 10_000 }, &options.store).await
    })
}

fn kind(store: &str) -> &str {
    store.split(':').next().unwrap_or(store)
}

/// A server in a process of its own; killed when dropped.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    /// Starts it; its first line names its address.
    fn start(command: &mut Command) -> Result<Server> {
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let mut lines = BufReader::new(child.stdout.take().context("no stdout")?);
        let mut first = String::new();
        lines.read_line(&mut first)?;
        let address = first.split("http://").nth(1).with_context(|| format!("it said {first:?}"))?;
        let address = address.split([',', '"', '\n']).next().unwrap_or_default().to_string();
        std::thread::spawn(move || lines.lines().map_while(Result::ok).for_each(drop));
        Ok(Server { child, address })
    }

    fn bridge(folder: &std::path::Path, store: &str, api_url: &str) -> Result<Server> {
        let rules = format!(
            "routes: [{{name: hook, kind: generic, auth: none}}]\n\
            integrations: [{{name: main, api_key: {{env: KEY}}, endpoint: \"{api_url}/v3/organizations/org-1/sessions\"}}]\n\
            default: {{poll_interval: {}s, cooldown: 0s}}\n",
            INTERVAL.as_secs()
        );
        std::fs::write(folder.join("relay.yaml"), rules)?;
        let arguments = ["alert-relay", "serve", "--listen", "127.0.0.1:0", "--rules", "relay.yaml", "--store", store];
        let mut command = Command::new(PROGRAM);
        Server::start(command.args(arguments).current_dir(folder).env("KEY", "cog_b3nch-0nly_k3y"))
    }

    /// What of its memory is in use, in MiB.
    fn memory(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? >> 10)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How long each delivery took, the shortest first, and how long they took together.
struct Load {
    times: Vec<Duration>,
    time: Duration,
}

impl Load {
    /// Delivers alerts, each another one, for so long.
    async fn deliver(address: &str, time: Duration) -> Result<Load> {
        let (began, numbers) = (Instant::now(), Arc::new(AtomicU64::new(0)));
        let mut senders = JoinSet::new();
        for _ in 0..SENDERS {
            let (address, numbers) = (address.to_string(), Arc::clone(&numbers));
            senders.spawn(async move {
                let (mut stream, mut times) = (TcpStream::connect(&address).await?, Vec::new());
                while began.elapsed() < time {
                    let asked = Instant::now();
                    post(&mut stream, numbers.fetch_add(1, Ordering::Relaxed)).await?;
                    times.push(asked.elapsed());
                }
                anyhow::Ok(times)
            });
        }
        let mut times = Vec::new();
        while let Some(sender) = senders.join_next().await {
            times.extend(sender??);
        }
        times.sort_unstable();
        Ok(Load { times, time: began.elapsed() })
    }
}

impl std::fmt::Display for Load {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let at = |share: usize| self.times.get(self.times.len() * share / 1000).or(self.times.last());
        let millis = |time: Option<&Duration>| time.map_or(f64::NAN, |time| time.as_secs_f64() * 1000.0);
        let a_second = self.times.len() as f64 / self.time.as_secs_f64();
        let (half, most, all) = (millis(at(500)), millis(at(990)), millis(self.times.last()));
        write!(formatter, "{a_second:.0} | {half:.1} ms | {most:.1} ms | {all:.1} ms")
    }
}

/// One delivery on a connection that is kept.
async fn post(stream: &mut TcpStream, number: u64) -> Result<()> {
    let body = json!({
        "title": format!("disk {number} is full"), "status": "firing", "dedup_key": format!("disk-{number}"),
        "message": "less than 5 % of the space is left on the volume of the database", "severity": "high",
        "labels": {"team": "storage", "host": format!("db-{}", number % 50), "volume": "/var/lib/data"},
    });
    let (body, length) = (body.to_string(), body.to_string().len());
    let head = format!("POST /v1/hooks/hook HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {length}\r\n\r\n");
    stream.write_all((head + &body).as_bytes()).await?;
    let mut answer = Vec::new();
    loop {
        ensure!(stream.read_buf(&mut answer).await? > 0, "the server hung up");
        let text = String::from_utf8_lossy(&answer);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.context("no length")? {
            ensure!(head.starts_with("HTTP/1.1 202"), "not accepted: {text}");
            return Ok(());
        }
    }
}

/// The other server: it answers once it has read the body, and forgets everything when it ends.
async fn keep_in_memory() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    let kept: Arc<Mutex<Vec<Value>>> = Arc::default();
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let kept = Arc::clone(&kept);
        let service = service_fn(move |request: Request<Incoming>| {
            let kept = Arc::clone(&kept);
            async move {
                let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
                kept.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(serde_json::from_slice(&body).unwrap_or_default());
                let mut answer = Response::new(Full::new(Bytes::from_static(b"{\"accepted\":true}")));
                *answer.status_mut() = hyper::StatusCode::ACCEPTED;
                Ok::<_, Infallible>(answer)
            }
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

/// Has a bridge watch so many sessions, and tells what an interval costs then.
async fn watch(sessions: usize, store: &str) -> Result<()> {
    let organization = Arc::new(Organization::default());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(Arc::clone(&organization).serve(listener));
    let folder = tempfile::tempdir()?;
    let bridge = Server::bridge(folder.path(), store, &url)?;
    let mut stream = TcpStream::connect(&bridge.address).await?;
    for number in 0..sessions as u64 {
        post(&mut stream, number).await?;
    }
    // Once each was looked for again as a rival, a minute after its create, only polls are left.
    while organization.created() < sessions {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    tokio::time::sleep(Duration::from_secs(60) + INTERVAL).await;
    organization.asked.lock().unwrap_or_else(PoisonError::into_inner).clear();
    tokio::time::sleep(INTERVAL).await;
    let asked = organization.asked.lock().unwrap_or_else(PoisonError::into_inner).clone();
    println!("\n{sessions} sessions are watched with {} MiB of memory; in {} s:", bridge.memory()?, INTERVAL.as_secs());
    let mut asked: Vec<_> = asked.into_iter().collect();
    asked.sort();
    asked.iter().for_each(|(what, times)| println!("{times} × {what}"));
    Ok(())
}

/// A Devin organization whose sessions work for ever.
#[derive(Default)]
struct Organization {
    sessions: Mutex<Vec<Value>>,
    asked: Mutex<HashMap<&'static str, usize>>,
}

impl Organization {
    fn created(&self) -> usize {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    async fn serve(self: Arc<Organization>, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            let organization = Arc::clone(&self);
            let service = service_fn(move |request: Request<Incoming>| {
                let organization = Arc::clone(&organization);
                async move {
                    let (head, body) = request.into_parts();
                    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
                    let query = head.uri.query().unwrap_or_default().to_string();
                    let said = organization.answer(&head.method, head.uri.path(), &query, &body);
                    Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(said.to_string()))))
                }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    }

    fn answer(&self, method: &Method, path: &str, query: &str, body: &[u8]) -> Value {
        let note = |what| *self.asked.lock().unwrap_or_else(PoisonError::into_inner).entry(what).or_default() += 1;
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let number = |id: &str| id.trim_start_matches("devin-").trim_start_matches('s').parse::<usize>().ok();
        if path.ends_with("/self") {
            return json!({"principal_type": "service_user", "service_user_id": "s", "service_user_name": "relay", "org_id": "org-1"});
        }
        if method == Method::POST {
            note("create");
            let new: Value = serde_json::from_slice(body).unwrap_or_default();
            let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
            let id = format!("s{}", sessions.len());
            sessions.push(json!({"session_id": id, "status": "running", "status_detail": "working", "tags": new["tags"],
                "title": new["title"], "created_at": now, "updated_at": now, "url": format!("https://app.devin.ai/sessions/{id}"),
                "acus_consumed": 0.0, "is_archived": false, "pull_requests": [], "org_id": "org-1"}));
            return sessions.last().cloned().unwrap_or_default();
        }
        if let Some(one) = path.rsplit('/').next().and_then(number) {
            note("GET of one session");
            return sessions.get(one).cloned().unwrap_or_default();
        }
        let ids: Vec<usize> = query.split('&').filter_map(|pair| number(pair.strip_prefix("session_ids=")?)).collect();
        let tag = query.split('&').find_map(|pair| pair.strip_prefix("tags="));
        note(if ids.is_empty() { "list by tag" } else { "list by session_ids" });
        let found: Vec<Value> = match tag {
            // The newest only: older ones of the tag there are none.
            Some(tag) => {
                sessions.iter().rev().take(200).filter(|one| one["tags"].to_string().contains(tag)).cloned().collect()
            }
            None => ids.iter().filter_map(|one| sessions.get(*one).cloned()).collect(),
        };
        json!({"items": found, "has_next_page": false, "end_cursor": null})
    }
}
