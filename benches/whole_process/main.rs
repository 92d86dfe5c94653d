//! What the program costs as a whole: time, CPU and memory of real processes against a server that costs nothing.
//!
//! ```text
//! cargo bench --bench whole_process                      every case but the largest
//! cargo bench --bench whole_process -- --quick           small sizes: does it work?
//! cargo bench --bench whole_process -- --case sessions   one case (repeatable)
//! cargo bench --bench whole_process -- --large           also a million sessions: needs 2 GB of memory
//! ```
//!
//! Beside the program stands the floor: `curl` fetching the same pages, one after the other on one connection and
//! throwing them away, and `curl | jq -c '.items[]'`, which is what people write by hand. All commands of a case take
//! turns, so that a change in the machine's mood meets them alike. The number of records is checked once per case; no
//! time is ever a failure.
//!
//! Where answers take time, `curl` asks for as many at once as the program does, and has an advantage: it is given the
//! addresses that the program must list first. The ideal counts the list's pages one by one and the rest in rounds.

#[path = "../organization/mod.rs"]
mod organization;

mod measure;
mod order;
mod report;
mod server;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use source_devin_ai::devin::session::bare;
use source_devin_ai::sandbox::{ORG_ID, TOKEN};
use source_devin_ai::source::facts::Facts;
use source_devin_ai::source::plan::pick;
use source_devin_ai::source::streams::{Listing, Stream};

use measure::{Cost, Sink, measure};
use organization::Organization;
use server::{Answers, Server};

const PROGRAM: &str = env!("CARGO_BIN_EXE_source-devin-ai");

/// The program's setting unless a case has another.
const CONCURRENCY: usize = 10;

/// Something to do, and how big.
struct Case {
    name: &'static str,
    work: Work,
    /// How many sessions the organization has, and how many with `--quick`.
    sessions: (usize, usize),
    /// Messages in each session.
    messages: usize,
    is_oldest_first: bool,
    latency: Duration,
    concurrency: usize,
    sink: Sink,
    /// Measured runs of each command.
    runs: usize,
    /// Only with `--large`, or when it is named.
    is_large: bool,
}

#[derive(Clone, Copy)]
enum Work {
    /// A command that asks nobody.
    Offline(&'static str),
    /// A read of these streams.
    Read(&'static str),
}

/// What most cases have in common.
const COMMON: Case = Case {
    name: "",
    work: Work::Read("sessions"),
    sessions: (0, 0),
    messages: 1,
    is_oldest_first: false,
    latency: Duration::ZERO,
    concurrency: CONCURRENCY,
    sink: Sink::Null,
    runs: 5,
    is_large: false,
};

const CASES: &[Case] = &[
    Case { name: "spec", work: Work::Offline("spec"), runs: 21, ..COMMON },
    Case { name: "discover", work: Work::Offline("discover"), runs: 21, ..COMMON },
    Case { name: "sessions", sessions: (100_000, 2000), runs: 7, ..COMMON },
    Case { name: "sessions-oldest-first", sessions: (100_000, 2000), is_oldest_first: true, runs: 7, ..COMMON },
    Case { name: "sessions-to-a-pipe", sessions: (100_000, 2000), sink: Sink::Pipe, ..COMMON },
    Case {
        name: "messages-50ms-by-32",
        work: Work::Read("session_messages"),
        sessions: (1000, 100),
        messages: 20,
        latency: Duration::from_millis(50),
        concurrency: 32,
        ..COMMON
    },
    Case {
        name: "messages-50ms-by-10",
        work: Work::Read("session_messages"),
        sessions: (1000, 100),
        messages: 20,
        latency: Duration::from_millis(50),
        ..COMMON
    },
    Case {
        name: "messages-of-many",
        work: Work::Read("session_messages"),
        sessions: (100_000, 2000),
        runs: 3,
        ..COMMON
    },
    Case {
        name: "all",
        work: Work::Read("sessions,sessions_insights,session_messages,playbooks,secrets,knowledge_notes"),
        sessions: (10_000, 500),
        messages: 2,
        ..COMMON
    },
    Case { name: "sessions-million", sessions: (1_000_000, 4000), runs: 7, is_large: true, ..COMMON },
];

/// Measures the program, whole processes at a time.
#[derive(Debug, Parser)]
#[command(name = "whole_process")]
struct Arguments {
    /// Small sizes and two runs: does it work?
    #[arg(long)]
    quick: bool,
    /// Also the largest case, which needs 2 GB of memory
    #[arg(long)]
    large: bool,
    /// Only this case; may be repeated
    #[arg(long, value_name = "NAME")]
    case: Vec<String>,
    /// How many measured runs each command has
    #[arg(long, value_name = "N")]
    runs: Option<usize>,
    /// What cargo bench says and cargo test does not
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match words.split_first() {
        Some((first, rest)) if first == measure::WORD => measure::answer(rest),
        _ => run(&Arguments::parse()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    if !arguments.bench {
        eprintln!("nothing is measured in a test build: use cargo bench --bench whole_process");
        return Ok(());
    }
    let names: Vec<&str> = CASES.iter().map(|case| case.name).collect();
    for name in &arguments.case {
        ensure!(names.contains(&name.as_str()), "there is no case {name}; there are {}", names.join(", "));
    }
    println!("{}", report::heading(PROGRAM));
    println!("{}", report::head());
    let tools = Tools::find();
    let is_wanted = |case: &&Case| match arguments.case.as_slice() {
        [] => arguments.large || !case.is_large,
        wanted => wanted.iter().any(|name| name == case.name),
    };
    for case in CASES.iter().filter(is_wanted) {
        run_case(case, arguments, &tools).with_context(|| format!("case {}", case.name))?;
    }
    println!("\nMedian (least–most) of all runs after a warm-up; a pipeline's CPU and memory are summed.");
    Ok(())
}

/// Which of the programs that we compare with this machine has.
struct Tools {
    curl: bool,
    jq: bool,
}

impl Tools {
    fn find() -> Tools {
        let tools =
            ["curl", "jq"].map(|tool| report::first_line(tool, &["--version"]).inspect(|said| eprintln!("{said}")));
        let [curl, jq] = tools.map(|tool| tool.is_some());
        if !(curl && jq) {
            eprintln!("note: curl or jq is missing, so some of the comparison is left out");
        }
        Tools { curl, jq }
    }
}

/// One command of a case and what its runs have cost.
struct Contender {
    name: String,
    pipeline: Vec<Vec<String>>,
    costs: Vec<Cost>,
}

impl Contender {
    fn new(name: impl Into<String>, pipeline: &[&[&str]]) -> Contender {
        let words = |command: &&[&str]| command.iter().map(ToString::to_string).collect();
        Contender { name: name.into(), pipeline: pipeline.iter().map(words).collect(), costs: Vec::new() }
    }
}

fn run_case(case: &Case, arguments: &Arguments, tools: &Tools) -> Result<()> {
    let directory = tempfile::tempdir()?;
    let size = if arguments.quick { case.sessions.1 } else { case.sessions.0 };
    let title = match case.work {
        Work::Offline(_) => case.name.to_string(),
        Work::Read(_) => format!("{} ({size} sessions)", case.name),
    };
    eprintln!("{title}: preparing");
    let mut prepared = None;
    let mut contenders = match case.work {
        Work::Offline(command) => {
            vec![Contender::new(format!("`{command}`"), &[&[PROGRAM, command]]), Contender::new("`true`", &[&["true"]])]
        }
        Work::Read(streams) => {
            let work = prepared.insert(Prepared::new(case, streams, size, directory.path())?);
            let contenders = work.contenders(case, streams, tools);
            work.check(&contenders[0])?;
            contenders
        }
    };
    let runs = arguments.runs.unwrap_or(if arguments.quick { 2 } else { case.runs }).max(1);
    for round in 0..=runs {
        eprintln!("{title}: {}", if round == 0 { "warming up".to_string() } else { format!("run {round} of {runs}") });
        for contender in &mut contenders {
            let cost = measure(&contender.pipeline, case.sink)?;
            if round > 0 {
                contender.costs.push(cost);
            }
        }
    }
    let floor = contenders.get(1).map(|floor| floor.costs.as_slice());
    for (index, contender) in contenders.iter().enumerate() {
        println!("{}", report::row(&title, &contender.name, &contender.costs, floor.filter(|_| index != 1)));
    }
    if let Some(Prepared { lists, children, .. }) = prepared
        && !case.latency.is_zero()
    {
        let rounds = lists + children.div_ceil(case.concurrency);
        let ideal = case.latency * u32::try_from(rounds)?;
        let milliseconds = case.latency.as_millis();
        let sentence = format!("{lists} + {children} / {} requests of {milliseconds} ms", case.concurrency);
        println!("{}", report::ideal(&title, &sentence, ideal, &contenders[0].costs));
    }
    Ok(())
}

/// A served organization, and the files that send the commands to it.
struct Prepared {
    server: Server,
    settings: PathBuf,
    urls: PathBuf,
    /// How many records the read must give.
    records: usize,
    /// How many pages are listed one after the other, and how many need no other page.
    lists: usize,
    children: usize,
}

impl Prepared {
    /// Fetches every page of the case's streams, and serves them.
    fn new(case: &Case, streams: &str, sessions: usize, directory: &Path) -> Result<Prepared> {
        let mut organization = Organization::start(sessions, Some(case.messages))?;
        let mut kept = Kept { is_oldest_first: case.is_oldest_first, ..Kept::default() };
        for stream in pick(streams).map_err(anyhow::Error::msg)? {
            kept.stream(&mut organization, stream)?;
        }
        let Kept { answers, targets, records, lists, children, .. } = kept;
        let server = Server::start(answers, case.latency)?;
        let (settings, urls) = (directory.join("settings.json"), directory.join("urls"));
        let (url, concurrency) = (server.url(), case.concurrency);
        let fields =
            serde_json::json!({"api_token": TOKEN, "org_id": ORG_ID, "api_url": url, "concurrency": concurrency});
        fs::write(&settings, fields.to_string())?;
        let lines: Vec<String> = targets.iter().map(|target| format!("url = \"{url}{target}\"\n")).collect();
        fs::write(&urls, lines.concat())?;
        Ok(Prepared { server, settings, urls, records, lists, children })
    }

    /// The program, then the floor, then whatever else is comparable.
    fn contenders(&self, case: &Case, streams: &str, tools: &Tools) -> Vec<Contender> {
        let settings = self.settings.to_string_lossy();
        let program = [PROGRAM, "read", "--config", &settings, "--streams", streams];
        let mut contenders = vec![Contender::new(format!("`read --streams {streams}`"), &[&program])];
        let urls = self.urls.to_string_lossy();
        let curl = ["curl", "-q", "-sS", "--fail", "--globoff", "--noproxy", "*", "--config", &urls];
        if !tools.curl {
            return contenders;
        }
        if !case.latency.is_zero() {
            let most = case.concurrency.to_string();
            let parallel = [&curl[..], &["--parallel", "--parallel-immediate", "--parallel-max", &most]].concat();
            contenders.push(Contender::new(format!("`curl --parallel-max {most}`"), &[&parallel]));
            return contenders;
        }
        contenders.push(Contender::new("`curl`", &[&curl]));
        if tools.jq {
            contenders.push(Contender::new("`curl \\| jq -c '.items[]'`", &[&curl, &["jq", "-c", ".items[]"]]));
        }
        contenders
    }

    /// Runs the program once and counts its records.
    fn check(&self, program: &Contender) -> Result<()> {
        let words = &program.pipeline[0];
        let mut child = Command::new(&words[0]).args(&words[1..]).stdout(Stdio::piped()).spawn()?;
        let mut output = BufReader::with_capacity(1 << 16, child.stdout.take().context("stdout is piped")?);
        let (mut records, mut line, mut errors) = (0, Vec::new(), Vec::new());
        while output.read_until(b'\n', &mut line)? > 0 {
            if line.starts_with(br#"{"type":"RECORD""#) {
                records += 1;
            } else if line.windows(7).any(|part| part == b"\"ERROR\"") {
                errors.push(String::from_utf8_lossy(&line).into_owned());
            }
            line.clear();
        }
        let status = child.wait()?;
        if let Some(target) = self.server.unknown() {
            errors.push(format!("it asked for {target}, which was not prepared"));
        }
        ensure!(status.success(), "the program ended with {status}: {}", errors.join(" "));
        ensure!(records == self.records, "the program gave {records} records, not {}", self.records);
        Ok(())
    }
}

/// What has been fetched of an organization for some streams.
#[derive(Default)]
struct Kept {
    answers: Answers,
    /// Every page that a read asks for, in an order that it can be read in.
    targets: Vec<String>,
    records: usize,
    lists: usize,
    children: usize,
    is_oldest_first: bool,
}

impl Kept {
    fn stream(&mut self, organization: &mut Organization, stream: &Stream) -> Result<()> {
        if stream.listing != Listing::PerSession {
            let (pages, items) = self.list(organization, &stream.paths[0].below.join("/"), |_| ())?;
            self.lists += pages;
            self.records += items;
            return Ok(());
        }
        let mut sessions = Vec::new();
        let (pages, _) = self.list(organization, "sessions", |item| {
            sessions.extend(Facts::of(item).session_id.text().map(|id| id.into_owned()))
        })?;
        self.lists += pages;
        for session in sessions {
            let path = format!("sessions/devin-{}/{}", bare(&session), stream.paths[0].below.join("/"));
            let (pages, items) = self.list(organization, &path, |_| ())?;
            self.children += pages;
            self.records += items;
        }
        Ok(())
    }

    /// Fetches one list and answers how many pages and items it has.
    fn list(
        &mut self,
        organization: &mut Organization,
        path: &str,
        mut see: impl FnMut(&str),
    ) -> Result<(usize, usize)> {
        let mut items = 0;
        let (targets, mut bodies): (Vec<String>, Vec<Vec<u8>>) = organization
            .list(path, |item| {
                items += 1;
                see(item);
            })?
            .into_iter()
            .unzip();
        let pages = targets.len();
        if self.is_oldest_first {
            bodies = order::reversed(&bodies)?;
        }
        for (target, body) in targets.into_iter().zip(bodies) {
            self.targets.push(target.clone());
            self.answers.insert(target, body);
        }
        Ok((pages, items))
    }
}
