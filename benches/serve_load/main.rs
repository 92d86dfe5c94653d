//! What `alert-relay serve` bears: deliveries that are accepted durably, beside a server that keeps nothing but memory, and many
//! sessions that are watched.
//!
//! ```text
//! cargo bench --bench serve_load                                     both parts
//! cargo bench --bench serve_load -- --seconds 1 --sessions 200       small sizes: does it work?
//! cargo bench --bench serve_load -- --store URL                      over an empty database of PostgreSQL
//! ```
//!
//! The generator runs on the same machine, with as many connections as a large Alertmanager has groups. The other server and
//! Devin are this program again, in processes of their own: one reads the same requests and keeps their bodies in a list, which
//! is what HTTP and the generator cost; the other has sessions that work forever. No number is ever a failure.

mod devin;
mod other;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

const PROGRAM: &str = env!("CARGO_BIN_EXE_source-devin-ai");

/// The first argument that makes this program the other server, or Devin.
const OTHER: &str = "--keep-in-memory";
const DEVIN: &str = "--be-devin";

/// How many senders deliver at once.
const SENDERS: usize = 64;

/// How often each watched session is polled.
const INTERVAL: Duration = Duration::from_secs(30);

/// Loads `alert-relay serve`.
#[derive(Parser)]
struct Options {
    /// The bridge's store
    #[arg(long, default_value = "sqlite:relay.db")]
    store: String,
    /// For so long deliveries come
    #[arg(long, default_value_t = 15, value_name = "N")]
    seconds: u64,
    /// So many sessions are watched
    #[arg(long, default_value_t = 10_000, value_name = "N")]
    sessions: u64,
    /// As `cargo bench` passes it
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match std::env::args().nth(1).as_deref() {
        Some(OTHER) => return runtime.block_on(other::keep_in_memory()),
        Some(DEVIN) => return runtime.block_on(devin::serve()),
        _ => {}
    }
    let options = Options::parse();
    runtime.block_on(async {
        let time = Duration::from_secs(options.seconds);
        println!("| Server | Deliveries a second | p50 | p99 | Largest |\n|---|---:|---:|---:|---:|");
        // Twice in turns, so that a change in the machine's mood meets both.
        for _ in 0..2 {
            let for_so_long = || {
                let began = Instant::now();
                move |_: u64| began.elapsed() < time
            };
            let other = Server::start(Command::new(std::env::current_exe()?).arg(OTHER))?;
            println!("| in memory | {} |", Load::deliver(&other.address, for_so_long()).await?);
            let folder = tempfile::tempdir()?;
            let bridge = Server::bridge(folder.path(), &options.store, "http://127.0.0.1:9")?;
            println!("| serve, {} | {} |", kind(&options.store), Load::deliver(&bridge.address, for_so_long()).await?);
        }
        if options.sessions > 0 {
            watch(options.sessions, &options.store).await?;
        }
        Ok(())
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
    /// Delivers alerts, each another one, while their numbers are wanted.
    async fn deliver(address: &str, is_wanted: impl Fn(u64) -> bool + Copy + Send + 'static) -> Result<Load> {
        let (began, numbers) = (Instant::now(), Arc::new(AtomicU64::new(0)));
        let mut senders = JoinSet::new();
        for _ in 0..SENDERS {
            let (address, numbers) = (address.to_string(), Arc::clone(&numbers));
            senders.spawn(async move {
                let (mut stream, mut times) = (TcpStream::connect(&address).await?, Vec::new());
                loop {
                    let (number, asked) = (numbers.fetch_add(1, Ordering::Relaxed), Instant::now());
                    if !is_wanted(number) {
                        return anyhow::Ok(times);
                    }
                    post(&mut stream, number).await?;
                    times.push(asked.elapsed());
                }
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
    let answer = exchange(stream, (head + &body).as_bytes()).await?;
    ensure!(answer.starts_with("HTTP/1.1 202"), "not accepted: {answer}");
    Ok(())
}

/// A request and its answer, on a connection that is kept.
async fn exchange(stream: &mut TcpStream, request: &[u8]) -> Result<String> {
    stream.write_all(request).await?;
    let mut answer = Vec::new();
    loop {
        ensure!(stream.read_buf(&mut answer).await? > 0, "the server hung up");
        let text = String::from_utf8_lossy(&answer);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.context("no length")? {
            return Ok(text.into_owned());
        }
    }
}

/// Has a bridge watch so many sessions, and tells what an interval costs then.
async fn watch(sessions: u64, store: &str) -> Result<()> {
    let devin = Server::start(Command::new(std::env::current_exe()?).arg(DEVIN))?;
    let folder = tempfile::tempdir()?;
    let bridge = Server::bridge(folder.path(), store, &format!("http://{}", devin.address))?;
    let began = Instant::now();
    Load::deliver(&bridge.address, move |number| number < sessions).await?;
    let mut stream = TcpStream::connect(&devin.address).await?;
    let mut created = 0;
    while created < sessions {
        tokio::time::sleep(Duration::from_secs(1)).await;
        created += asked(&mut stream).await?["create"].as_u64().unwrap_or_default();
    }
    let created_in = began.elapsed();
    // Once each was looked for again as a rival, a minute after its create, only polls are left.
    tokio::time::sleep(Duration::from_secs(60) + INTERVAL).await;
    asked(&mut stream).await?;
    tokio::time::sleep(INTERVAL).await;
    let asked = asked(&mut stream).await?;
    println!(
        "\n{sessions} sessions were created in {} s. While they are watched, the bridge has {} MiB of memory in use, and",
        created_in.as_secs(),
        bridge.memory()?
    );
    println!("asked Devin in {} s for: {asked}", INTERVAL.as_secs());
    Ok(())
}

/// What Devin has been asked for since this was asked last.
async fn asked(stream: &mut TcpStream) -> Result<Value> {
    let answer = exchange(stream, b"GET /asked HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n").await?;
    Ok(serde_json::from_str(answer.split_once("\r\n\r\n").map_or("", |(_, body)| body))?)
}
