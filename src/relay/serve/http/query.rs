//! The query of a request: only what an address takes, each at most once, each in its form.

use std::ops::RangeInclusive;

use chrono::DateTime;
use hyper::StatusCode;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::answer::Answer;
use crate::relay::serve::store::{After, Standing};

/// So many rows are shown at once, if no other number is asked for, and at most.
const MOST: usize = 500;

/// The parameters of a request.
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads a query whose parameters are among those that are known.
    ///
    /// # Errors
    /// The answer that says what is wrong with it.
    pub fn read(query: Option<&str>, known: &[&str]) -> Result<Query, Answer> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (Some(name), Some(value)) = (decoded(name), decoded(value)) else {
                return Err(refuse("the query is not percent-encoded UTF-8"));
            };
            if !known.contains(&name.as_str()) {
                let takes = if known.is_empty() { "none".to_string() } else { known.join(", ") };
                return Err(refuse(&format!(
                    "the query has a parameter that this address does not take: it takes {takes}"
                )));
            }
            if value.is_empty() {
                return Err(refuse(&format!("the query has {name} without a value: give one, or leave it out")));
            }
            if pairs.iter().any(|(other, _)| *other == name) {
                return Err(refuse(&format!("the query has {name} twice")));
            }
            pairs.push((name, value));
        }
        Ok(Query(pairs))
    }

    /// A parameter; `None` where it is not there.
    pub fn text(&self, name: &str) -> Option<String> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, value)| value.clone())
    }

    /// One of some words.
    ///
    /// # Errors
    /// The answer that lists them.
    pub fn word(&self, name: &str, words: &[&str]) -> Result<Option<String>, Answer> {
        let value = self.text(name);
        match &value {
            Some(word) if !words.contains(&word.as_str()) => {
                Err(refuse(&format!("{name} is one of {}", words.join(", "))))
            }
            _ => Ok(value),
        }
    }

    /// Whether jobs wait, or how their responder stands.
    ///
    /// # Errors
    /// The answer that lists the words.
    pub fn standing(&self) -> Result<Option<Standing>, Answer> {
        let word = self.word("responder", &Standing::ALL.map(|(word, _)| word))?;
        let standing =
            |word: String| Standing::ALL.iter().find(|(other, _)| *other == word).map(|(_, standing)| *standing);
        Ok(word.and_then(standing))
    }

    /// A whole number.
    ///
    /// # Errors
    /// The answer that says from where to where.
    pub fn number(&self, name: &str, range: RangeInclusive<usize>) -> Result<Option<usize>, Answer> {
        let Some(text) = self.text(name) else { return Ok(None) };
        match text.parse() {
            Ok(number) if range.contains(&number) => Ok(Some(number)),
            _ => Err(refuse(&format!("{name} is a whole number from {} to {}", range.start(), range.end()))),
        }
    }

    /// A moment, in Unix milliseconds.
    ///
    /// # Errors
    /// The answer that says how to write it.
    pub fn moment(&self, name: &str) -> Result<Option<i64>, Answer> {
        self.text(name).map(|text| moment(&text).ok_or_else(|| refuse(&format!("{name} is {MOMENT}")))).transpose()
    }

    /// How many rows are asked for.
    ///
    /// # Errors
    /// The answer that says how many there may be.
    pub fn limit(&self) -> Result<usize, Answer> {
        Ok(self.number("limit", 1..=MOST)?.unwrap_or(MOST))
    }

    /// Where the list is to go on.
    ///
    /// # Errors
    /// The answer that says where that comes from.
    pub fn after(&self) -> Result<Option<After>, Answer> {
        let Some(text) = self.text("after") else { return Ok(None) };
        match text.split_once('.').map(|(at, id)| (at.parse(), id)) {
            Some((Ok(at), id)) if !id.is_empty() && !id.contains('\0') => Ok(Some(After { at, id: id.to_string() })),
            _ => Err(refuse("after is not what an answer's next has")),
        }
    }

    /// The address of what follows the row that was shown last.
    pub fn next(&self, path: &str, at: i64, id: &str) -> String {
        let mut pairs: Vec<String> = Vec::new();
        for (name, value) in self.0.iter().filter(|(name, _)| name != "after") {
            pairs.push(format!("{name}={}", encoded(value)));
        }
        pairs.push(format!("after={at}.{}", encoded(id)));
        format!("{path}?{}", pairs.join("&"))
    }
}

/// How a moment is written.
pub const MOMENT: &str = "a moment, in Unix milliseconds or as 2026-11-28T12:00:00Z";

/// A moment in Unix milliseconds; `None` where it is none. What is before 1970 is as good as its beginning.
pub fn moment(text: &str) -> Option<i64> {
    match text.parse::<i64>() {
        Ok(moment) => Some(moment).filter(|moment| *moment >= 0),
        Err(_) => DateTime::parse_from_rfc3339(text).ok().map(|moment| moment.timestamp_millis().max(0)),
    }
}

/// What stands in a path or a query, decoded; `None` where that is no text, or one that no store can keep.
pub fn decoded(text: &str) -> Option<String> {
    let text = text.replace('+', "%20");
    let text = percent_decode_str(&text).decode_utf8().ok()?;
    (!text.contains('\0')).then(|| text.into_owned())
}

fn encoded(text: &str) -> String {
    let mut out = String::new();
    for part in text.split_inclusive(['-', '.', '_', '~', ':']) {
        let (plain, mark) = match part.char_indices().next_back() {
            Some((at, mark @ ('-' | '.' | '_' | '~' | ':'))) => (&part[..at], Some(mark)),
            _ => (part, None),
        };
        out.extend(utf8_percent_encode(plain, NON_ALPHANUMERIC));
        out.extend(mark);
    }
    out
}

fn refuse(reason: &str) -> Answer {
    Answer::problem(StatusCode::BAD_REQUEST, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_to_the_letter_or_refused() {
        let said = |query: &str| match Query::read(Some(query), &["text", "after", "limit", "since", "responder"]) {
            Ok(query) => {
                let read = || -> Result<String, Answer> {
                    let (after, limit) = (query.after()?, query.limit()?);
                    let (since, standing) = (query.moment("since")?, query.standing()?);
                    Ok(format!("{:?} {after:?} {limit} {since:?} {standing:?}", query.text("text")))
                };
                read().unwrap_or_else(|answer| answer.body["reason"].to_string())
            }
            Err(answer) => answer.body["reason"].to_string(),
        };
        let lines: Vec<String> = [
            "",
            "text=a+b%2Fc&&limit=3",
            "text=",
            "after=12.ar-1",
            "after=12",
            "after=x.y",
            "limit=0",
            "limit=501",
            "since=1700000000000",
            "since=2026-11-28T12:00:00Z",
            "since=yesterday",
            "since=-1",
            "responder=on_it",
            "responder=busy",
            "text=%FF",
            "text=%00",
            "text=a&text=b",
            "colour=red",
        ]
        .map(|query| format!("{query}: {}", said(query)))
        .into();
        insta::assert_snapshot!(lines.join("\n"), @r#"
        : None None 500 None None
        text=a+b%2Fc&&limit=3: Some("a b/c") None 3 None None
        text=: "the query has text without a value: give one, or leave it out"
        after=12.ar-1: None Some(After { at: 12, id: "ar-1" }) 500 None None
        after=12: "after is not what an answer's next has"
        after=x.y: "after is not what an answer's next has"
        limit=0: "limit is a whole number from 1 to 500"
        limit=501: "limit is a whole number from 1 to 500"
        since=1700000000000: None None 500 Some(1700000000000) None
        since=2026-11-28T12:00:00Z: None None 500 Some(1795867200000) None
        since=yesterday: "since is a moment, in Unix milliseconds or as 2026-11-28T12:00:00Z"
        since=-1: "since is a moment, in Unix milliseconds or as 2026-11-28T12:00:00Z"
        responder=on_it: None None 500 None Some(OnIt)
        responder=busy: "responder is one of waiting, on_it, blocked, done, dropped"
        text=%FF: "the query is not percent-encoded UTF-8"
        text=%00: "the query is not percent-encoded UTF-8"
        text=a&text=b: "the query has text twice"
        colour=red: "the query has a parameter that this address does not take: it takes text, after, limit, since, responder"
        "#);
    }

    #[test]
    fn the_address_of_what_follows_asks_for_the_same() {
        let query = Query::read(Some("text=a%26b+c&after=1.x"), &["text", "after"]).unwrap();
        let next = query.next("/api/v1/alerts", 7, "job-1.2");
        assert_eq!(next, "/api/v1/alerts?text=a%26b%20c&after=7.job-1.2");
        let again = Query::read(next.split_once('?').map(|(_, query)| query), &["text", "after"]).unwrap();
        assert_eq!((again.text("text"), again.after().is_ok()), (Some("a&b c".to_string()), true));
    }
}
