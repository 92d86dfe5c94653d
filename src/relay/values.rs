//! Values that a person gives for a job, on the command line or in a rules file: they are checked alike. Pure.

use std::time::Duration;

use super::prompt::LONGEST_TITLE;
use redact::Redactor;

/// A length of time with its unit: `50ms`, `1.5s`, `1m30s`, `7d`.
///
/// # Errors
/// What it must be.
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

/// A number of bytes, such as `512MiB`.
///
/// # Errors
/// What it must be.
pub fn size(text: &str) -> Result<u64, String> {
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let scale = match &text[number.len()..] {
        "KiB" => Some(10),
        "MiB" => Some(20),
        "GiB" => Some(30),
        _ => None,
    };
    let bytes = scale.and_then(|scale| number.parse::<u64>().ok()?.checked_mul(1 << scale));
    bytes.ok_or_else(|| "must be a size: 64MiB, 2GiB".to_string())
}

/// A key or a tag: something, on one line, of a length that can be read.
///
/// # Errors
/// What it must be.
pub fn word(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || text.len() > 512 || text.chars().any(char::is_control) {
        return Err("expected a text on one line, of 1 to 512 bytes".to_string());
    }
    without_secret(text)
}

/// A title, which is followed by its marker: one line that can be read.
///
/// # Errors
/// What it must be.
pub fn title(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || text.len() > LONGEST_TITLE || text.chars().any(char::is_control) {
        return Err(format!("expected a text on one line, of 1 to {LONGEST_TITLE} bytes"));
    }
    without_secret(text)
}

/// A text that goes to Devin as it is, where a secret has no business.
///
/// # Errors
/// That it holds a secret.
pub fn without_secret(text: &str) -> Result<String, String> {
    if Redactor::default().contains_secret(text) {
        return Err("it holds an API key or another secret, which would be sent to Devin".to_string());
    }
    Ok(text.to_string())
}

/// A namespace: nothing, or a text as a key is.
///
/// # Errors
/// What it must be.
pub fn namespace(text: &str) -> Result<String, String> {
    if text.is_empty() { Ok(String::new()) } else { word(text) }
}

/// How long a create may take.
///
/// # Errors
/// What it must be.
pub fn create_timeout(text: &str) -> Result<Duration, String> {
    let timeout = duration(text)?;
    if timeout >= Duration::from_millis(100) {
        Ok(timeout)
    } else {
        Err("expected a time of at least 100ms".to_string())
    }
}

/// The time between two polls.
///
/// # Errors
/// What it must be.
pub fn poll_interval(text: &str) -> Result<Duration, String> {
    let interval = duration(text)?;
    let range = Duration::from_secs(1)..=Duration::from_secs(300);
    if range.contains(&interval) { Ok(interval) } else { Err("expected a time from 1s to 300s".to_string()) }
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
}
