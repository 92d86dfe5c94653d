//! What a person sees of a read: a line for each stream while it runs, and a summary at its end (pure).

use std::fmt::Write as _;
use std::time::Duration;

/// How long a stream must have run before its pace says when it will end.
const PACE_AFTER: Duration = Duration::from_secs(1);

/// How far a stream has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    pub records: u64,
    /// How many records the API has promised.
    pub total: Option<u64>,
    /// Of the sessions whose messages are read.
    pub sessions: Option<Sessions>,
    pub bytes: u64,
    pub requests: u64,
    pub retries: u64,
    /// Whether it waits because the API limits the rate.
    pub is_rate_limited: bool,
}

/// How many sessions' messages have been read, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sessions {
    pub done: u64,
    pub all: u64,
    /// How long the stream had run when the first of them was asked for.
    pub began: Duration,
}

/// How a stream ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Complete,
    Incomplete,
    /// It is not there for this key.
    LeftOut,
}

impl Figures {
    /// `36 of 40 records, 30 kB, 1 request, 0 retries, 0.1 s, 360 records/s`, for a log.
    pub fn log(&self, elapsed: Duration) -> String {
        let of = self.total.map_or(String::new(), |total| format!(" of {total}"));
        let sessions = self.sessions.filter(|sessions| sessions.done < sessions.all);
        let sessions = sessions.map_or(String::new(), |at| format!(", {} of {} sessions", at.done, at.all));
        let seconds = elapsed.as_secs_f64();
        let rate = self.records as f64 / seconds.max(0.001);
        format!(
            "{}{of} {}{sessions}, {} kB, {}, {}, {seconds:.1} s, {rate:.0} records/s",
            self.records,
            if self.records == 1 && of.is_empty() { "record" } else { "records" },
            self.bytes.div_ceil(1000),
            counted(self.requests, "request", "requests"),
            counted(self.retries, "retry", "retries")
        )
    }

    /// How much is done and how much there is, for a bar; `None` where nobody knows.
    pub fn bar(&self) -> Option<(u64, u64)> {
        match (self.sessions, self.total) {
            (Some(sessions), _) => Some((sessions.done, sessions.all)),
            (None, Some(total)) => Some((self.records.min(total), total)),
            (None, None) => None,
        }
    }

    /// The same in fewer words, the most telling first: `412 of 3,000 sessions, 2 min left, 8,240 records`.
    pub fn line(&self, elapsed: Duration) -> String {
        let mut parts = Vec::new();
        match (self.sessions, self.total) {
            (Some(sessions), _) => {
                parts.push(format!("{} of {}", grouped(sessions.done), counted(sessions.all, "session", "sessions")));
            }
            (None, Some(total)) => parts.push(format!("{} of {}", grouped(self.records), records(total))),
            // Sessions are listed before their messages are read.
            (None, None) if self.records == 0 && self.requests > 0 => {
                parts.push(format!("no record yet, {}", counted(self.requests, "request", "requests")));
            }
            (None, None) => parts.push(records(self.records)),
        }
        let since = self.sessions.map_or(Duration::ZERO, |sessions| sessions.began);
        if self.is_rate_limited {
            parts.push("waiting: the API limits the rate".to_string());
        } else if let Some(left) = self.bar().and_then(|at| time_left(at, elapsed.saturating_sub(since))) {
            parts.push(left);
        }
        if self.sessions.is_some() {
            parts.push(records(self.records));
        }
        if self.retries > 0 {
            parts.push(counted(self.retries, "retry", "retries"));
        }
        parts.join(", ")
    }
}

/// A stream's name, its figures, and how it ended.
pub type StreamSummary = (String, Figures, Outcome);

/// What a read has come to: a line for each stream, and one for all.
pub fn summary(streams: &[StreamSummary], elapsed: Duration) -> String {
    let mut text = String::new();
    let width = streams.iter().map(|(name, ..)| name.len()).max().unwrap_or_default();
    for (name, figures, outcome) in streams {
        let note = match outcome {
            Outcome::Complete => "",
            Outcome::Incomplete => "  INCOMPLETE",
            Outcome::LeftOut => "  left out",
        };
        // Writing to a text cannot fail.
        let _ = writeln!(text, "  {name:<width$}  {:>18}{note}", records(figures.records));
    }
    let sum = |of: fn(&Figures) -> u64| streams.iter().map(|(_, figures, _)| of(figures)).sum();
    let incomplete = streams.iter().filter(|(.., outcome)| *outcome == Outcome::Incomplete).count();
    let retries = match sum(|figures| figures.retries) {
        0 => String::new(),
        retries => format!(", {}", counted(retries, "retry", "retries")),
    };
    let count = match (streams.len(), incomplete) {
        (all, 0) => counted(all as u64, "stream", "streams"),
        (all, incomplete) => format!("{} ({incomplete} incomplete)", counted(all as u64, "stream", "streams")),
    };
    let _ = write!(
        text,
        "Read {} of {count} in {}, with {}{retries}",
        records(sum(|figures| figures.records)),
        duration(elapsed),
        counted(sum(|figures| figures.requests), "request", "requests"),
    );
    text
}

/// When a stream that goes on at its pace will be done.
fn time_left((done, all): (u64, u64), elapsed: Duration) -> Option<String> {
    if done == 0 || done >= all || elapsed < PACE_AFTER {
        return None;
    }
    let left = elapsed.as_secs_f64() * (all - done) as f64 / done as f64;
    Some(format!("{} left", duration(Duration::from_secs_f64(left.max(1.0).ceil()))))
}

/// `0.4 s`, `12 s`, `3 min`, `2 h 5 min`.
fn duration(time: Duration) -> String {
    let (seconds, minutes) = (time.as_secs_f64(), time.as_secs().div_ceil(60));
    match time.as_secs() {
        0..10 if time.subsec_nanos() > 0 => format!("{seconds:.1} s"),
        0..100 => format!("{seconds:.0} s"),
        100..3600 => format!("{minutes} min"),
        _ => format!("{} h {} min", minutes / 60, minutes % 60),
    }
}

fn records(number: u64) -> String {
    counted(number, "record", "records")
}

/// A number with its noun.
pub fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

/// A number as people write it: `1,234,567`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_much_is_left_and_when_it_ends() {
        let at = |done| Some(Sessions { done, all: 3000, began: Duration::from_secs(10) });
        let figures = Figures { records: 8240, requests: 12, ..Figures::default() };
        let line = |figures: &Figures, seconds| figures.line(Duration::from_secs_f64(seconds));
        let lines = [
            line(&Figures { records: 0, ..figures }, 0.2),
            line(&Figures { records: 1, ..figures }, 0.2),
            line(&figures, 20.0),
            line(&Figures { total: Some(1_000_000), ..figures }, 0.5),
            line(&Figures { total: Some(1_000_000), ..figures }, 2.0),
            line(&Figures { total: Some(8241), retries: 2, ..figures }, 20.0),
            line(&Figures { total: Some(8000), ..figures }, 20.0),
            line(&Figures { sessions: at(0), ..figures }, 15.0),
            line(&Figures { sessions: at(412), ..figures }, 30.0),
            line(&Figures { sessions: at(2), ..figures }, 30.0),
            line(&Figures { sessions: at(2), is_rate_limited: true, retries: 1, ..figures }, 30.0),
        ];
        insta::assert_snapshot!(lines.join("\n"), @"
        no record yet, 12 requests
        1 record
        8,240 records
        8,240 of 1,000,000 records
        8,240 of 1,000,000 records, 5 min left
        8,240 of 8,241 records, 1 s left, 2 retries
        8,240 of 8,000 records
        0 of 3,000 sessions, 8,240 records
        412 of 3,000 sessions, 3 min left, 8,240 records
        2 of 3,000 sessions, 8 h 20 min left, 8,240 records
        2 of 3,000 sessions, waiting: the API limits the rate, 8,240 records, 1 retry
        ");
    }

    #[test]
    fn a_summary_has_a_line_for_each_stream_and_one_for_all() {
        let figures = |records, retries| Figures { records, requests: 2, retries, ..Figures::default() };
        let streams = [
            ("sessions".to_string(), figures(1, 0), Outcome::Complete),
            ("knowledge_notes".to_string(), figures(12_345, 1), Outcome::Incomplete),
        ];
        insta::assert_snapshot!(summary(&streams, Duration::from_millis(412)), @"
          sessions                   1 record
          knowledge_notes      12,345 records  INCOMPLETE
        Read 12,346 records of 2 streams (1 incomplete) in 0.4 s, with 4 requests, 1 retry
        ");
        insta::assert_snapshot!(summary(&streams[..1], Duration::from_secs(4000)), @"
          sessions            1 record
        Read 1 record of 1 stream in 1 h 7 min, with 2 requests
        ");
    }

    #[test]
    fn lengths_of_time_are_as_exact_as_people_want_them() {
        let texts = [0.0, 0.412, 9.96, 59.0, 99.5, 100.0, 125.0, 3599.0, 3600.0, 7500.0];
        let texts = texts.map(|seconds| duration(Duration::from_secs_f64(seconds)));
        insta::assert_snapshot!(texts.join(", "), @"0 s, 0.4 s, 10.0 s, 59 s, 100 s, 2 min, 3 min, 60 min, 1 h 0 min, 2 h 5 min");
    }
}
