//! Fields of a payload, read leniently: numbers where texts are meant, empty texts as absent, times in any spelling.
//! Pure.

use chrono::{DateTime, NaiveDateTime, SecondsFormat, Utc};
use serde_json::{Map, Value};

use super::Problem;
use crate::relay::alert::{Format, Link, Pairs};

/// The longest `createdAt` and the like that is looked at.
const LONGEST_TIME: usize = 64;

/// A JSON value of a sender's payload.
#[derive(Debug, Clone, Copy)]
pub struct Fields<'a> {
    pub format: Format,
    pub value: &'a Value,
}

impl<'a> Fields<'a> {
    /// What a path like `event.data.id` or `Records.0.Sns` leads to; `None` when absent or `null`.
    pub fn at(self, path: &str) -> Option<Fields<'a>> {
        let step = |value: &'a Value, name: &str| match value {
            Value::Array(items) => items.get(name.parse::<usize>().ok()?),
            value => value.get(name),
        };
        let value = path.split('.').try_fold(self.value, step)?;
        (!value.is_null()).then_some(Fields { value, ..self })
    }

    /// A text, a number or a truth value as text; `None` when absent, empty, or anything else.
    pub fn text(self, path: &str) -> Option<String> {
        self.at(path).and_then(|field| scalar(field.value))
    }

    /// The first of `paths` that has a text.
    pub fn first(self, paths: &[&str]) -> Option<String> {
        paths.iter().find_map(|path| self.text(path))
    }

    /// A text that identifies the alert.
    ///
    /// # Errors
    /// [`Problem::Missing`], with the path.
    pub fn required(self, path: &str) -> Result<String, Problem> {
        self.text(path).ok_or_else(|| self.missing(path))
    }

    pub fn missing(self, path: &str) -> Problem {
        Problem::Missing { format: self.format, field: path.to_string() }
    }

    /// An object; `None` when absent or something else.
    pub fn object(self, path: &str) -> Option<&'a Map<String, Value>> {
        self.at(path).and_then(|field| field.value.as_object())
    }

    /// The items of a list; none when absent or something else.
    pub fn items(self, path: &str) -> impl Iterator<Item = Fields<'a>> {
        let items = self.at(path).and_then(|field| field.value.as_array());
        items.into_iter().flatten().map(move |value| Fields { value, ..self })
    }

    /// The names and texts of an object; lists of texts are joined, deeper values left out.
    pub fn pairs(self, path: &str) -> Pairs {
        let object = self.object(path).into_iter().flatten();
        object.filter_map(|(name, value)| Some((name.clone(), flat(value)?))).collect()
    }

    /// Those of `names` that have a text, under their own last name.
    pub fn pick(self, names: &[&str]) -> Pairs {
        let pick =
            |name: &&str| Some((name.rsplit('.').next()?.to_string(), self.at(name).and_then(|at| flat(at.value))?));
        names.iter().filter_map(pick).collect()
    }

    /// Links under the names given, from where there are texts; an address that came already is left out.
    pub fn links(self, paths: &[(&str, &str)]) -> Vec<Link> {
        let mut links = Vec::new();
        for (name, path) in paths {
            add_link(&mut links, name, self.text(path));
        }
        links
    }

    /// A moment as RFC 3339 in UTC, without the `Z` where no offset is told; `None` when absent, unreadable, or the zero
    /// time that stands for none.
    pub fn moment(self, path: &str) -> Option<String> {
        moment(&self.text(path)?)
    }
}

/// Adds a link, once for each address.
pub fn add_link(links: &mut Vec<Link>, name: &str, url: Option<String>) {
    if let Some(url) = url.filter(|url| links.iter().all(|link| link.url != *url)) {
        links.push(Link { name: name.to_string(), url });
    }
}

/// `key:value` tags as pairs; a tag without a value, and a further value of the same key, are joined to what is there.
pub fn tagged<'a>(tags: impl Iterator<Item = &'a str>) -> Pairs {
    let mut pairs = Pairs::new();
    for tag in tags.map(str::trim).filter(|tag| !tag.is_empty()) {
        let (name, value) = tag.split_once(':').unwrap_or(("tags", tag));
        let known: &mut String = pairs.entry(name.trim().to_string()).or_default();
        if !known.is_empty() {
            known.push_str(", ");
        }
        known.push_str(value.trim());
    }
    pairs
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_string()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

pub fn flat(value: &Value) -> Option<String> {
    match value {
        Value::Array(items) => {
            let texts: Vec<String> = items.iter().filter_map(scalar).collect();
            (!texts.is_empty()).then(|| texts.join(", "))
        }
        value => scalar(value),
    }
}

/// Reads the usual forms of ISO 8601, HTTP's, and Unix times in seconds, milliseconds, micro- or nanoseconds.
pub fn moment(text: &str) -> Option<String> {
    if text.len() > LONGEST_TIME {
        return None;
    }
    match with_offset(text).or_else(|| unix(text)) {
        Some(moment) => (moment.timestamp() > 0).then(|| moment.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
        None => without_offset(text),
    }
}

fn with_offset(text: &str) -> Option<DateTime<Utc>> {
    /// With seconds and without; an offset is `Z`, `+01`, `+0100` or `+01:00`.
    const FORMS: [&str; 3] = ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M%#z", "%Y%m%dT%H%M%S%.f%#z"];
    let standard = DateTime::parse_from_rfc3339(text).or_else(|_| DateTime::parse_from_rfc2822(text)).ok();
    let other = || FORMS.iter().find_map(|form| DateTime::parse_from_str(text, form).ok());
    standard.or_else(other).map(|moment| moment.to_utc())
}

/// A time that does not tell its offset stays without: a guess would send people to the wrong hour of the logs.
fn without_offset(text: &str) -> Option<String> {
    const FORMS: [&str; 2] = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"];
    let moment = FORMS.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())?;
    (moment.and_utc().timestamp() > 0).then(|| moment.format(FORMS[0]).to_string())
}

fn unix(text: &str) -> Option<DateTime<Utc>> {
    let (whole, _) = text.split_once('.').unwrap_or((text, ""));
    let number: i64 = whole.parse().ok()?;
    match whole.len() {
        ..=11 => DateTime::from_timestamp(number, 0),
        12..=14 => DateTime::from_timestamp_millis(number),
        15..=17 => DateTime::from_timestamp_micros(number),
        _ => Some(DateTime::from_timestamp_nanos(number)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_every_spelling_senders_use() {
        let times = [
            "2026-03-01T10:00:00Z",
            "2026-03-01T12:00:00.123456789+02:00",
            "2026-03-01T10:00:00.000+0000",
            "1772359200",
            "1772359200.25",
            "1772359200123",
            "1772359200123456",
            "1772359200123456789",
            "2026-03-01T11:00:00+01",
            "2026-03-01T10:00Z",
            "2026-03-01 10:00:00Z",
            "20260301T100000Z",
            "Sun, 01 Mar 2026 10:00:00 GMT",
            "2026-03-01T10:00:00.123456",
            "2026-03-01 10:00:00",
            "0001-01-01T00:00:00",
            "0001-01-01T00:00:00Z",
            "0",
            "yesterday",
            "",
        ];
        let read: Vec<String> = times.iter().map(|text| format!("{text}: {:?}", moment(text))).collect();
        insta::assert_snapshot!(read.join("\n"), @r#"
        2026-03-01T10:00:00Z: Some("2026-03-01T10:00:00Z")
        2026-03-01T12:00:00.123456789+02:00: Some("2026-03-01T10:00:00.123456789Z")
        2026-03-01T10:00:00.000+0000: Some("2026-03-01T10:00:00Z")
        1772359200: Some("2026-03-01T10:00:00Z")
        1772359200.25: Some("2026-03-01T10:00:00Z")
        1772359200123: Some("2026-03-01T10:00:00.123Z")
        1772359200123456: Some("2026-03-01T10:00:00.123456Z")
        1772359200123456789: Some("2026-03-01T10:00:00.123456789Z")
        2026-03-01T11:00:00+01: Some("2026-03-01T10:00:00Z")
        2026-03-01T10:00Z: Some("2026-03-01T10:00:00Z")
        2026-03-01 10:00:00Z: Some("2026-03-01T10:00:00Z")
        20260301T100000Z: Some("2026-03-01T10:00:00Z")
        Sun, 01 Mar 2026 10:00:00 GMT: Some("2026-03-01T10:00:00Z")
        2026-03-01T10:00:00.123456: Some("2026-03-01T10:00:00.123456")
        2026-03-01 10:00:00: Some("2026-03-01T10:00:00")
        0001-01-01T00:00:00: None
        0001-01-01T00:00:00Z: None
        0: None
        yesterday: None
        : None
        "#);
    }

    #[test]
    fn fields_are_read_leniently() {
        let value = serde_json::json!({
            "a": {"n": 1788888888888888888_i64, "b": true, "blank": "  ", "none": null, "list": ["x", 1, {}], "deep": {"x": 1}},
            "items": [{"id": 7}],
        });
        let fields = Fields { format: Format::Generic, value: &value };
        insta::assert_debug_snapshot!(fields.pairs("a"), @r#"
        {
            "b": "true",
            "list": "x, 1",
            "n": "1788888888888888888",
        }
        "#);
        insta::assert_debug_snapshot!((fields.text("items.0.id"), fields.text("items.1.id"), fields.text("a.deep")), @r#"
        (
            Some(
                "7",
            ),
            None,
            None,
        )
        "#);
        insta::assert_snapshot!(fields.required("a.blank").unwrap_err(), @"the payload cannot be read as generic: a.blank is missing, empty or of another type");
    }

    #[test]
    fn tags_become_pairs() {
        insta::assert_debug_snapshot!(tagged("env:prod, service:a,service:b,urgent,,url:http://x".split(',')), @r#"
        {
            "env": "prod",
            "service": "a, b",
            "tags": "urgent",
            "url": "http://x",
        }
        "#);
    }
}
