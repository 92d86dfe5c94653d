//! Values on the command line: dates, and values that a shell completes.

use std::ffi::OsStr;

use chrono::{DateTime, NaiveDate};
use clap::builder::{PossibleValue, TypedValueParser};
use clap::{Arg, Command};

pub use crate::relay::values::duration;

/// A moment as a person writes it, in Unix seconds: a date, a date with a time, or so long before `now`.
pub fn start_date(text: &str, now: i64) -> Result<i64, String> {
    if let Ok(ago) = duration(text) {
        return Ok(now.saturating_sub(i64::try_from(ago.as_secs()).unwrap_or(i64::MAX)));
    }
    let midnight = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().and_then(|date| date.and_hms_opt(0, 0, 0));
    let moment = || DateTime::parse_from_rfc3339(text).ok().map(|moment| moment.timestamp());
    midnight.map(|date| date.and_utc().timestamp()).or_else(moment).ok_or_else(|| {
        let has_form = text.starts_with(|c: char| c.is_ascii_digit()) && text.matches('-').count() >= 2;
        let forms = "2026-01-31, 2026-01-31T09:00:00Z, or 7d for the last 7 days";
        if has_form {
            format!("there is no such date; write one like {forms}")
        } else {
            format!("expected a date: {forms}")
        }
    })
}

/// A value for which a shell offers some, and help may list them; `parse` says which others there are.
#[derive(Clone)]
pub struct Offered<F, P> {
    pub values: F,
    pub parse: P,
}

impl<F, I, P> TypedValueParser for Offered<F, P>
where
    F: Fn() -> I + Clone + Send + Sync + 'static,
    I: IntoIterator<Item: Into<String>> + 'static,
    P: TypedValueParser,
{
    type Value = P::Value;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<P::Value, clap::Error> {
        self.parse.parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let values: Vec<PossibleValue> =
            (self.values)().into_iter().map(|value| PossibleValue::new(value.into())).collect();
        Some(Box::new(values.into_iter()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_date_is_a_date_a_moment_or_so_long_ago() {
        let told = |text| match start_date(text, 1_000_000_000) {
            Ok(seconds) => DateTime::from_timestamp(seconds, 0).unwrap().to_rfc3339(),
            Err(problem) => problem,
        };
        let texts = [
            "2026-01-01",
            "2026-01-01T12:30:00Z",
            "2026-01-01T12:30:00+02:00",
            "7d",
            "1h30m",
            "2026-02-30",
            "2026-02-30T00:00:00Z",
            "2026-1-1T",
            "yesterday",
            "",
            "7",
        ];
        let lines: Vec<String> = texts.iter().map(|text| format!("{text}: {}", told(text))).collect();
        insta::assert_snapshot!(lines.join("\n"), @"
        2026-01-01: 2026-01-01T00:00:00+00:00
        2026-01-01T12:30:00Z: 2026-01-01T12:30:00+00:00
        2026-01-01T12:30:00+02:00: 2026-01-01T10:30:00+00:00
        7d: 2001-09-02T01:46:40+00:00
        1h30m: 2001-09-09T00:16:40+00:00
        2026-02-30: there is no such date; write one like 2026-01-31, 2026-01-31T09:00:00Z, or 7d for the last 7 days
        2026-02-30T00:00:00Z: there is no such date; write one like 2026-01-31, 2026-01-31T09:00:00Z, or 7d for the last 7 days
        2026-1-1T: there is no such date; write one like 2026-01-31, 2026-01-31T09:00:00Z, or 7d for the last 7 days
        yesterday: expected a date: 2026-01-31, 2026-01-31T09:00:00Z, or 7d for the last 7 days
        : expected a date: 2026-01-31, 2026-01-31T09:00:00Z, or 7d for the last 7 days
        7: expected a date: 2026-01-31, 2026-01-31T09:00:00Z, or 7d for the last 7 days
        ");
    }
}
