//! The figures as a Markdown table, under a line that says where they were taken.

use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::DateTime;

use super::measure::Cost;

/// What all rows share: when, where, what.
pub fn heading(program: &str) -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let date = DateTime::from_timestamp(since.as_secs() as i64, 0).map(|date| date.format("%Y-%m-%d %H:%M UTC"));
    let date = date.map_or(String::new(), |date| date.to_string());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let (system, machine) = (std::env::consts::OS, std::env::consts::ARCH);
    let version = first_line(program, &["--version"]).unwrap_or_default();
    format!(
        "{version}, {date}, {}, {cores} cores, {system} {machine}\n",
        processor().as_deref().unwrap_or("unknown CPU")
    )
}

/// The table's head.
pub fn head() -> String {
    let columns = ["case", "command", "wall s", "CPU s", "peak MiB", "wall to floor", "CPU to floor"];
    let rule = ["---", "---", "---:", "---:", "---:", "---:", "---:"];
    format!("| {} |\n|{}|", columns.join(" | "), rule.join("|"))
}

/// One row: the median of some runs, their range, and how it stands to the floor's, which is the case's first command.
pub fn row(case: &str, command: &str, costs: &[Cost], floor: Option<&[Cost]>) -> String {
    let wall = |costs: &[Cost]| costs.iter().map(|cost| cost.wall.as_secs_f64()).collect::<Vec<_>>();
    let cpu = |costs: &[Cost]| costs.iter().map(|cost| cost.cpu.as_secs_f64()).collect::<Vec<_>>();
    let memory: Vec<f64> = costs.iter().map(|cost| cost.memory as f64 / f64::from(1 << 20)).collect();
    let ratio = |part: &dyn Fn(&[Cost]) -> Vec<f64>| {
        let floor = floor.map(|floor| median(&part(floor))).filter(|floor| *floor > 0.0);
        floor.map_or("–".to_string(), |floor| format!("{:.2}", median(&part(costs)) / floor))
    };
    let cells = [
        case.to_string(),
        command.to_string(),
        spread(&wall(costs), 3),
        spread(&cpu(costs), 3),
        spread(&memory, 1),
        ratio(&wall),
        ratio(&cpu),
    ];
    format!("| {} |", cells.join(" | "))
}

/// A row for a time that was worked out and not measured, and how far the program is from it.
pub fn ideal(case: &str, sentence: &str, ideal: Duration, costs: &[Cost]) -> String {
    let walls: Vec<f64> = costs.iter().map(|cost| cost.wall.as_secs_f64()).collect();
    let ratio = median(&walls) / ideal.as_secs_f64();
    format!("| {case} | ideal: {sentence}; the program takes {ratio:.2} of it | {:.3} | | | | |", ideal.as_secs_f64())
}

/// `median (least–most)`.
fn spread(values: &[f64], digits: usize) -> String {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(0.0, f64::max);
    format!("{:.digits$} ({least:.digits$}–{most:.digits$})", median(values))
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        length if length.is_multiple_of(2) => f64::midpoint(values[middle - 1], values[middle]),
        _ => values[middle],
    }
}

/// The processor's name, where the system tells.
fn processor() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    name.map(|(_, name)| name.trim().to_string()).or_else(|| first_line("sysctl", &["-n", "machdep.cpu.brand_string"]))
}

/// The first line that a command prints; `None` when it fails or says nothing.
pub fn first_line(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok().filter(|output| output.status.success())?;
    let line = String::from_utf8_lossy(&output.stdout).lines().next().map(str::to_string);
    line.filter(|line| !line.is_empty())
}
