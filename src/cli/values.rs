//! Values on the command line: lengths of time, dates, and values that a shell completes.

use std::ffi::OsStr;
use std::time::Duration;

use chrono::{DateTime, NaiveDate};
use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Command};

/// A length of time with its unit: `50ms`, `1.5s`, `1m30s`, `7d`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "expected a number with a unit: 50ms, 1.5s, 2m, 1h30m or 7d".to_string();
    let (mut sum, mut rest) = (Duration::ZERO, text);
    while !rest.is_empty() || text.is_empty() {
        let number = &rest[..rest.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(wrong)?];
        rest = &rest[number.len()..];
        let unit = &rest[..rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len())];
        rest = &rest[unit.len()..];
        let scale = match unit {
            "ms" => 0.001,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            "d" => 86_400.0,
            _ => return Err(wrong()),
        };
        let part = number.parse().ok().and_then(|number: f64| Duration::try_from_secs_f64(number * scale).ok());
        sum = part.and_then(|part| sum.checked_add(part)).ok_or_else(wrong)?;
    }
    Ok(sum)
}

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

/// A text for which a shell offers some values, and help may list them; whoever uses it says which others there are.
#[derive(Clone)]
pub struct Offered<F>(pub F);

impl<F, I> TypedValueParser for Offered<F>
where
    F: Fn() -> I + Clone + Send + Sync + 'static,
    I: IntoIterator<Item = &'static str> + 'static,
    I::IntoIter: 'static,
{
    type Value = String;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new((self.0)().into_iter().map(PossibleValue::new)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_has_a_unit_or_several() {
        let ms = |text| duration(text).map(|time| time.as_millis());
        assert_eq!(ms("50ms"), Ok(50));
        assert_eq!(ms("1.5s"), Ok(1500));
        assert_eq!(ms("1m30s"), Ok(90_000));
        assert_eq!(ms("2d"), Ok(172_800_000));
        for wrong in ["", "5", "s", "-1s", "1x", "1h 2m", "infs", "1e99d", "2026-01-01"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

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
