//! The real binary, run in a directory of its own.

use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};

use super::story::Told;
use super::{Api, ORG, TOKEN};

/// The variables that could reach the program from outside a test.
const FOREIGN: [&str; 15] = [
    "DEVIN_API_KEY",
    "DEVIN_ORG_ID",
    "DEVIN_API_URL",
    "DEVIN_RELAY_URL",
    "DEVIN_RELAY_TOKEN",
    "LOG_LEVEL",
    "RUST_BACKTRACE",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
];

/// A directory with the program's files, in which it runs; so messages name files without their directories.
pub struct Program {
    directory: tempfile::TempDir,
    environment: Vec<(String, String)>,
}

/// A program without any files.
pub fn program() -> Program {
    Program { directory: tempfile::tempdir().unwrap(), environment: Vec::new() }
}

impl Program {
    /// Puts a file into the directory.
    pub fn file(self, name: &str, text: impl AsRef<[u8]>) -> Program {
        std::fs::write(self.path(name), text).unwrap();
        self
    }

    /// Puts `config.json` into the directory, which reaches `api`, with further fields.
    pub fn at(self, api: &Api, more: serde_json::Value) -> Program {
        let mut config = serde_json::json!({"api_token": TOKEN, "org_id": ORG, "api_url": api.url()});
        for (name, value) in more.as_object().into_iter().flatten() {
            config[name] = value.clone();
        }
        self.file("config.json", config.to_string())
    }

    /// Puts `catalog.json` into the directory: these streams in full refresh.
    pub fn catalog(self, streams: &[&str]) -> Program {
        let streams: Vec<(&str, &str)> = streams.iter().map(|name| (*name, "full_refresh")).collect();
        self.file("catalog.json", super::catalog(&streams))
    }

    pub fn variable(mut self, name: &str, value: &str) -> Program {
        self.environment.push((name.to_string(), value.to_string()));
        self
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// The names of the files that are there.
    pub fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.directory.path()).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Runs the program to its end. The arguments are separated by blanks.
    pub fn run(&self, arguments: &str) -> Ran {
        let output = self.command(arguments).output().unwrap();
        Ran::new(output.status, output.stdout, output.stderr)
    }

    /// Runs the program to its end with this text on its stdin.
    pub fn run_from(&self, stdin: &str, arguments: &str) -> Ran {
        use std::io::Write;
        let mut command = self.command(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        Ran::new(output.status, output.stdout, output.stderr)
    }

    /// Runs the program to its end with `stdout` as its stdout.
    pub fn run_into(&self, stdout: impl Into<Stdio>, arguments: &str) -> Ran {
        let child = self.command(arguments).stdout(stdout).stderr(Stdio::piped()).spawn().unwrap();
        Ran::wait(child, Vec::new())
    }

    /// Reads with `config.json` and `catalog.json`.
    pub fn read(&self) -> Ran {
        self.run("read --config config.json --catalog catalog.json")
    }

    pub fn check(&self) -> Ran {
        self.run("check --config config.json")
    }

    /// Starts the program with pipes for its output.
    pub fn start(&self, arguments: &str) -> Child {
        self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Starts the program with these for its output.
    pub fn start_into(&self, stdout: impl Into<Stdio>, stderr: impl Into<Stdio>, arguments: &str) -> Child {
        self.command(arguments).stdout(stdout).stderr(stderr).spawn().unwrap()
    }

    /// A line for the shell, in which `$PROGRAM` is the program.
    pub fn shell(&self, line: &str) -> Command {
        let mut command = self.prepared("sh");
        command.args(["-c", line]).env("PROGRAM", env!("CARGO_BIN_EXE_source-devin-ai"));
        command
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = self.prepared(env!("CARGO_BIN_EXE_source-devin-ai"));
        command.args(arguments.split_whitespace());
        command
    }

    fn prepared(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.directory.path()).stdin(Stdio::null());
        for name in FOREIGN {
            command.env_remove(name);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// What a run left behind.
pub struct Ran {
    pub status: ExitStatus,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Ran {
    pub fn new(status: ExitStatus, stdout: Vec<u8>, stderr: Vec<u8>) -> Ran {
        Ran { status, stdout, stderr: String::from_utf8(stderr).unwrap() }
    }

    /// Waits for a started program whose stdout has been read.
    pub fn wait(mut child: Child, stdout: Vec<u8>) -> Ran {
        let mut stderr = Vec::new();
        child.stderr.take().unwrap().read_to_end(&mut stderr).unwrap();
        Ran::new(child.wait().unwrap(), stdout, stderr)
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).expect("stdout is UTF-8")
    }

    /// What stdout says, message by message.
    pub fn told(&self) -> Told {
        Told::of(self.text())
    }

    /// The whole run, one message a line, ending in how it ended.
    pub fn story(&self) -> String {
        self.told().lines() + &self.end()
    }

    /// The same, each stream's messages together: streams run side by side.
    pub fn story_by_stream(&self) -> String {
        self.told().lines_by_stream() + &self.end()
    }

    /// The same, without the records.
    pub fn story_without_records(&self) -> String {
        self.told().without_records().lines_by_stream() + &self.end()
    }

    /// What stderr says, and how the program ended.
    pub fn end(&self) -> String {
        let stderr: String = self
            .stderr
            .lines()
            .map(|line| format!("stderr: {}", super::story::redact(line)).trim_end().to_string() + "\n")
            .collect();
        stderr + &self.exit()
    }

    pub fn exit(&self) -> String {
        use std::os::unix::process::ExitStatusExt;
        match (self.status.code(), self.status.signal()) {
            (Some(code), _) => format!("exit {code}"),
            (None, Some(signal)) => format!("died of signal {signal}"),
            (None, None) => "vanished".to_string(),
        }
    }
}
