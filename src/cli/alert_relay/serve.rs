//! The command `serve`: what may be typed, and what is put together for it.

use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use clap::Args;
use tokio::sync::watch::channel;

use super::bridge::LISTEN;
use super::place::SANDBOX_SESSION_S;
use crate::cli::{Exit, FAILURE, SUCCESS, usage};
use crate::devin::retry;
use crate::devin::{Client, Settings as ClientSettings, Token};
use crate::output::Output;
use crate::relay::serve::rules::{self, Devin, Integration, Limited, Rules, Surroundings};
use crate::relay::serve::store::{Address, may_be_served};
use crate::relay::serve::{
    IntegrationSettings, Listen, Log, Origin, Settings, Source, Tls, cannot_listen, inherited, would_serve,
};
use crate::sandbox::{self, Sandbox};
use crate::stop::Signals;
use redact::Redactor;

pub const HELP: &str = "\
Examples:
  source-devin-ai alert-relay serve --sandbox
  curl -d @alert.json http://127.0.0.1:8080/v1/hooks/auto
  curl http://127.0.0.1:8080/api/v1/alerts
  source-devin-ai alert-relay serve --rules relay.yaml --check";

/// So many requests to one organization are under way at once.
const REQUESTS_AT_ONCE: usize = 8;

/// The signal that asks a service to read its settings again.
const HANG_UP: i32 = 1;

/// The rules where there is no file, for trying things.
const TRIAL: &str = "\
routes:
  - {name: generic, kind: generic, auth: none}
  - {name: auto, auth: none}
default: {poll_interval: 1s}
";

#[derive(Debug, Args)]
pub struct Serve {
    /// YAML that says who may deliver, to which organization sessions belong, and what is done about an alert
    #[arg(long, value_name = "FILE", required_unless_present = "sandbox")]
    rules: Option<PathBuf>,
    /// Where to listen: an address or the name of one, and a port
    #[arg(long, value_name = "ADDRESS", default_value = LISTEN, value_parser = listen_address)]
    listen: SocketAddr,
    /// Encrypt: a file with the certificate and those that vouch for it, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Where to keep what comes in: sqlite:FILE, postgres://HOST/DATABASE, or memory [default: sqlite:relay.db; with --sandbox, memory]
    // Not parsed by clap, which would repeat a password in what it refuses.
    #[arg(long, value_name = "STORE")]
    store: Option<String>,
    /// Use a simulated organization instead of the Devin API
    #[arg(long)]
    sandbox: bool,
    /// Check the rules and all they name, say what would be served, and end without serving
    #[arg(long)]
    check: bool,
}

/// All that was typed and is named, read and found right.
struct Plan {
    store: Address,
    rules: Rules,
    /// On which to listen, where one was handed over.
    socket: Option<TcpListener>,
    origin: Origin,
    tls: Option<Tls>,
}

/// Why nothing is served.
enum Refusal {
    /// What was typed makes no sense.
    Usage(String),
    /// What is wrong elsewhere, one sentence each.
    Failure(Vec<String>),
}

/// Serves until a signal asks to stop; a second one ends it where it stands.
pub async fn run(options: Serve, output: &Output) -> Exit {
    let Plan { store, mut rules, socket, origin, tls } = match plan(&options) {
        Ok(plan) => plan,
        Err(Refusal::Usage(problem)) => return usage(output, &problem),
        Err(Refusal::Failure(problems)) => {
            problems.iter().for_each(|problem| output.note(&format!("error: {problem}")));
            return FAILURE;
        }
    };
    let mut redactor = Redactor::default();
    rules.tell(&mut redactor);
    output.hide_all(|redactor| rules.tell(redactor));
    if options.check {
        would_serve(origin, &store, &rules).iter().for_each(|line| output.line(line));
        return looked(origin, socket.is_some(), &store, tls.as_ref(), output).await;
    }
    let organizations = rules.integrations.clone();
    let simulated = if options.sandbox { Some(simulated(&mut rules).await) } else { None };
    let sandbox = match simulated.transpose() {
        Ok(sandbox) => sandbox,
        Err(error) => {
            output.note(&format!("error: cannot serve the sandbox on this machine: {error}"));
            return FAILURE;
        }
    };
    let source = source(&options, Fixed { address: origin.address, organizations }, output);
    let asked = source.as_ref().map(|source| Arc::clone(&source.asked));
    let mut integrations = Vec::new();
    for Integration { name, token, api_url, org_id, .. } in std::mem::take(&mut rules.integrations) {
        let Some(token) = token else { continue };
        redactor.add(token.expose());
        output.hide(&token);
        let (policy, concurrency) = (retry::Policy::brief(), REQUESTS_AT_ONCE);
        let client = Client::new(ClientSettings { api_url, token, policy, concurrency });
        let create_timeout = rules.create_timeout(&name);
        integrations.push(IntegrationSettings { name, client, org_id, create_timeout });
    }
    let (tell, stop) = channel(None);
    let listen = socket.map_or(Listen::At(origin.address), Listen::On);
    let log = Log::new(output, !output.is_terminal());
    let serving =
        crate::relay::serve::serve(Settings { listen, tls, store, rules, source, integrations, redactor, log, stop });
    let mut signals = Signals::listen_with_hang_up();
    tokio::pin!(serving);
    let exit = loop {
        tokio::select! {
            served = &mut serving => break match served {
                Ok(()) => SUCCESS,
                Err(problem) => {
                    output.note(&format!("error: {problem}"));
                    FAILURE
                }
            },
            signal = signals.next() => {
                // A terminal that is closed ends what it runs; a service is asked by this to read its settings again.
                if signal == HANG_UP && !output.is_terminal() && let Some(asked) = &asked {
                    asked.notify_one();
                    continue;
                }
                if tell.borrow().is_some() {
                    output.note("stopped at once: what was under way is looked for at the next start");
                    break Exit::Signal(signal);
                }
                let _ = tell.send(Some(signal));
            }
        }
    };
    drop(sandbox);
    exit
}

/// What stays as it was at the start.
struct Fixed {
    address: SocketAddr,
    organizations: Vec<Integration>,
}

/// How the rules file is read again; `None` where there is none.
fn source(options: &Serve, fixed: Fixed, output: &Output) -> Option<Source> {
    let (path, sandbox, output) = (options.rules.clone()?, options.sandbox, output.clone());
    let load = move || {
        let mut rules = load(Some(&path), sandbox)?;
        let refused = |problem: &str| vec![format!("{}: {problem}", path.display())];
        let (now, then) = (&rules.integrations, &fixed.organizations);
        if now.len() != then.len() || !now.iter().zip(then).all(|(now, then)| now.is_same(then)) {
            return Err(refused("integrations are others than at the start, which needs a restart"));
        }
        if let Some(problem) = refuse_open(fixed.address, &rules) {
            return Err(refused(&problem));
        }
        rules.integrations.clear();
        output.hide_all(|redactor| rules.tell(redactor));
        Ok(rules)
    };
    Some(Source { load: Box::new(load), asked: Arc::default() })
}

/// Why these rules cannot be served at this address.
fn refuse_open(address: SocketAddr, rules: &Rules) -> Option<String> {
    let open = rules.open_routes().collect::<Vec<_>>().join(", ");
    (!address.ip().to_canonical().is_loopback() && !open.is_empty()).then(|| format!(
        "--listen {address}: give the routes without authentication ({open}) a secret, or listen on an address of this machine only, such as 127.0.0.1:8080"
    ))
}

/// Sees whether there is a place for the store and one to listen on, without leaving anything there.
async fn looked(origin: Origin, is_handed_over: bool, store: &Address, tls: Option<&Tls>, output: &Output) -> Exit {
    let mut problems: Vec<String> = store.look().err().iter().map(ToString::to_string).collect();
    if problems.is_empty() {
        match may_be_served(store).await {
            Ok(None) => {}
            Ok(Some(warning)) => output.line(&format!("warning: {warning}")),
            Err(problem) => problems.push(problem.to_string()),
        }
    }
    let now = SystemTime::now();
    match tls.and_then(|tls| tls.trouble(now)) {
        Some(trouble) => problems.push(trouble),
        None => tls.and_then(|tls| tls.warning(now)).iter().for_each(|one| output.line(&format!("warning: {one}"))),
    }
    let address = origin.address;
    match TcpListener::bind(address) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && !is_handed_over => output.line(&format!(
            "warning: somebody listens on {address} already: if that is not the process that this one is to replace, give another --listen"
        )),
        Err(error) if !is_handed_over => problems.push(cannot_listen(address, &error)),
        _ => {}
    }
    problems.iter().for_each(|problem| output.note(&format!("error: {problem}")));
    if problems.is_empty() { SUCCESS } else { FAILURE }
}

/// An address and a port, or the name of an address of this machine.
fn listen_address(text: &str) -> Result<SocketAddr, String> {
    let form = "expected an address and a port, such as 127.0.0.1:8080 or localhost:8080";
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let port = text.rsplit_once(':').filter(|(name, _)| !name.is_empty()).map(|(_, port)| port.parse::<u16>());
    let Some(Ok(_)) = port else { return Err(form.to_string()) };
    let found = text.to_socket_addrs().map_err(|error| format!("{form}; this name leads nowhere ({error})"))?;
    // Who asks for localhost by its number asks for 127.0.0.1.
    found.min_by_key(|address| !address.is_ipv4()).ok_or_else(|| form.to_string())
}

fn plan(options: &Serve) -> Result<Plan, Refusal> {
    let failure = |problem: String| Refusal::Failure(vec![problem]);
    // Simulated sessions end with the process: a store that outlives it would take others for them.
    let default = if options.sandbox { "memory" } else { "sqlite:relay.db" };
    let store = options.store.as_deref().unwrap_or(default).parse();
    let store = store.map_err(|problem| Refusal::Usage(format!("--store: {problem}")))?;
    let rules = load(options.rules.as_deref(), options.sandbox).map_err(Refusal::Failure)?;
    let socket = inherited().map_err(failure)?;
    let address = socket.as_ref().map_or(Ok(options.listen), TcpListener::local_addr);
    let address =
        address.map_err(|error| failure(format!("the socket that was handed over has no address: {error}")))?;
    if let Some(problem) = refuse_open(address, &rules) {
        return Err(Refusal::Usage(problem));
    }
    let files = options.tls_cert.as_ref().zip(options.tls_key.as_ref());
    let tls = files.map(|(certificate, key)| Tls::load(certificate, key)).transpose().map_err(failure)?;
    let origin = Origin { address, is_encrypted: tls.is_some() };
    Ok(Plan { store, rules, socket, origin, tls })
}

/// The rules, or everything that is wrong with them, one sentence each.
fn load(path: Option<&Path>, is_sandbox: bool) -> Result<Rules, Vec<String>> {
    let devin = if is_sandbox { Devin::Sandbox(sandbox::SCENARIOS) } else { Devin::Api };
    let (name, checked) = match path {
        Some(path) => (path.display().to_string(), rules::load(path, devin)),
        None => ("the rules of --sandbox".to_string(), rules::check(TRIAL, devin, &Nowhere)),
    };
    checked.map_err(|problems| problems.iter().map(|problem| format!("{name}: {problem}")).collect())
}

/// Leads every integration to a simulated organization, which lives as long as what this answers.
async fn simulated(rules: &mut Rules) -> io::Result<Sandbox> {
    let options = sandbox::Options { session_seconds: SANDBOX_SESSION_S, ..sandbox::Options::default() };
    let sandbox = Sandbox::start(options).await?;
    let simulated = |name: &str| Integration {
        name: name.to_string(),
        token: Some(Token::new(sandbox::TOKEN)),
        api_url: sandbox.url(),
        org_id: Some(sandbox::ORG_ID.to_string()),
        limited: Limited::default(),
    };
    let mut names: Vec<String> = rules.integrations.iter().map(|integration| integration.name.clone()).collect();
    if names.is_empty() {
        names.extend(rules.rules.first().map(|rule| rule.integration.clone()));
    }
    rules.integrations = names.iter().map(|name| simulated(name)).collect();
    Ok(sandbox)
}

/// Where there are no variables and no files: these rules name none.
struct Nowhere;

impl Surroundings for Nowhere {
    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn file(&self, _: &str) -> Result<Vec<u8>, io::ErrorKind> {
        Err(io::ErrorKind::NotFound)
    }
}
