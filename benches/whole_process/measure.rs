//! What a command costs: its wall time, its CPU time and its memory at the peak, from `wait4`.
//!
//! A child's peak counts the memory that its parent had when it was forked, and this benchmark holds up to a gigabyte
//! of answers. So every measurement is made by a second, small process: this program again, as [`WORD`] tells it. Its own
//! 3 MiB are the least that a command can show.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// The first argument that makes this program the measuring process.
pub const WORD: &str = "--measure";

/// Stands between the commands of a pipeline.
const BAR: &str = "|";

/// Where the last command's output goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sink {
    Null,
    /// A pipe whose reader throws everything away.
    Pipe,
}

/// What one run of a command took, all its processes together.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    pub wall: Duration,
    /// User and system time.
    pub cpu: Duration,
    /// The sum of the processes' peaks, in bytes.
    pub memory: u64,
}

/// Runs a pipeline of commands, each a list of words, in a measuring process.
///
/// # Errors
/// A command could not be started, or ended with anything but success.
pub fn measure(pipeline: &[Vec<String>], sink: Sink) -> Result<Cost> {
    let sink = if sink == Sink::Pipe { "pipe" } else { "null" };
    let output = Command::new(std::env::current_exe()?)
        .args([WORD, sink])
        .args(pipeline.join(&BAR.to_string()))
        .stderr(Stdio::inherit())
        .output()?;
    ensure!(output.status.success(), "a measured command failed: {pipeline:?}");
    let text = String::from_utf8(output.stdout)?;
    let numbers: Vec<u64> = text.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    let &[wall, cpu, memory] = numbers.as_slice() else { bail!("the measuring process said {text:?}") };
    Ok(Cost { wall: Duration::from_micros(wall), cpu: Duration::from_micros(cpu), memory })
}

/// The measuring process: runs what its arguments say and prints three numbers.
pub fn answer(arguments: &[String]) -> Result<()> {
    let (sink, words) = arguments.split_first().context("nothing to measure")?;
    let commands: Vec<&[String]> = words.split(|word| word == BAR).collect();
    let began = Instant::now();
    let mut children = Vec::new();
    let mut input = Stdio::null();
    for (index, command) in commands.iter().enumerate() {
        let (program, arguments) = command.split_first().context("an empty command")?;
        let is_piped = index + 1 < commands.len() || sink == "pipe";
        let output = if is_piped { Stdio::piped() } else { Stdio::null() };
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(input)
            .stdout(output)
            .spawn()
            .with_context(|| format!("cannot start {program}"))?;
        input = Stdio::null();
        if let Some(stdout) = child.stdout.take() {
            if index + 1 < commands.len() {
                input = Stdio::from(stdout);
            } else {
                drain(stdout)?;
            }
        }
        children.push(child);
    }
    let mut cost = Cost { wall: Duration::ZERO, cpu: Duration::ZERO, memory: 0 };
    for child in &children {
        let usage = wait(child.id())?;
        cost.cpu += time(usage.ru_utime) + time(usage.ru_stime);
        // Linux counts KiB, macOS bytes.
        let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
        cost.memory += usage.ru_maxrss as u64 * unit;
    }
    cost.wall = began.elapsed();
    println!("{} {} {}", cost.wall.as_micros(), cost.cpu.as_micros(), cost.memory);
    Ok(())
}

fn drain(mut output: impl Read) -> Result<()> {
    let mut chunk = vec![0; 1 << 16];
    while output.read(&mut chunk)? > 0 {}
    Ok(())
}

fn wait(process: u32) -> Result<libc::rusage> {
    let mut status = 0;
    // SAFETY: an all-zero rusage is a valid value of a struct of numbers, and both pointers live through the call.
    let (usage, ended) = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        let ended = libc::wait4(process as libc::pid_t, &raw mut status, 0, &raw mut usage);
        (usage, ended)
    };
    ensure!(ended == process as libc::pid_t, "wait4: {}", std::io::Error::last_os_error());
    ensure!(libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0, "a command ended with wait status {status}");
    Ok(usage)
}

fn time(time: libc::timeval) -> Duration {
    Duration::from_secs(time.tv_sec as u64) + Duration::from_micros(time.tv_usec as u64)
}
