//! A page's bytes become record lines, byte for byte. Pure.

use std::collections::HashSet;
use std::hash::{Hash, Hasher};

use serde_json::Value;

use super::facts::{Facts, Field};
use crate::airbyte::line::compact_into;
use crate::airbyte::message::record_frame;
use crate::devin::Page;

/// What stands around and inside a record on its line.
#[derive(Debug, Default)]
pub struct Frame {
    before: Vec<u8>,
    after: Vec<u8>,
    /// A first field, with its comma, that every record gets.
    label: Vec<u8>,
    /// The session a message belongs to, as JSON, for messages that do not say so themselves.
    session: Option<String>,
}

impl Frame {
    /// Airbyte's RECORD around each item.
    pub fn airbyte(stream: &str, emitted_at_ms: i64) -> Frame {
        let (before, after) = record_frame(stream, emitted_at_ms);
        Frame { before, after, ..Frame::default() }
    }

    /// The bare item, with a `_stream` field first when `label` is given.
    pub fn bare(label: Option<&str>) -> Frame {
        let label = label.map(|stream| format!("\"_stream\":{},", Value::from(stream)).into_bytes());
        Frame { after: b"\n".to_vec(), label: label.unwrap_or_default(), ..Frame::default() }
    }

    /// The same for the messages of one session.
    pub fn of_session(mut self, session_id: &str) -> Frame {
        self.session = Some(Value::from(session_id).to_string());
        self
    }
}

/// A page's records, ready to be written.
#[derive(Debug, Default)]
pub struct Framed {
    /// Whole lines, each with its line feed.
    pub lines: Vec<u8>,
    pub records: u64,
    /// Items that were `{}`, which a platform drops without a word.
    pub empty: u64,
}

/// Frames the items of `page` that `wanted` admits, without those that stood on the page before already.
pub fn frame_page(
    page: &Page,
    previous: Option<&Page>,
    frame: &Frame,
    mut wanted: impl FnMut(&str, &Facts) -> bool,
) -> Framed {
    let repeated: HashSet<Item> = previous.into_iter().flat_map(Page::items).map(Item).collect();
    let mut framed =
        Framed { lines: Vec::with_capacity(page.items().map(|item| item.len() + 128).sum()), ..Framed::default() };
    for item in page.items() {
        if repeated.contains(&Item(item)) {
            continue;
        }
        if is_empty(item) {
            framed.empty += 1;
            continue;
        }
        let facts = Facts::of(item);
        if wanted(item, &facts) {
            write_line(frame, item, facts.session_id, &mut framed.lines);
            framed.records += 1;
        }
    }
    framed
}

/// Whether an item is `{}`.
pub fn is_empty(item: &str) -> bool {
    item[1..].trim_start().starts_with('}')
}

fn write_line(frame: &Frame, item: &str, session_id: Field, out: &mut Vec<u8>) {
    out.extend_from_slice(&frame.before);
    out.push(b'{');
    out.extend_from_slice(&frame.label);
    match (&frame.session, session_id.0) {
        (Some(session), None) => {
            out.extend_from_slice(b"\"session_id\":");
            out.extend_from_slice(session.as_bytes());
            out.push(b',');
            compact_into(&item[1..], out);
        }
        (Some(session), Some(null)) if null == "null" => {
            let at = null.as_ptr() as usize - item.as_ptr() as usize;
            compact_into(&item[1..at], out);
            out.extend_from_slice(session.as_bytes());
            compact_into(&item[at + null.len()..], out);
        }
        _ => compact_into(&item[1..], out),
    }
    out.extend_from_slice(&frame.after);
}

/// An item that is hashed by its length and its first bytes, where identifiers stand, and compared whole.
#[derive(PartialEq, Eq)]
struct Item<'a>(&'a str);

impl Hash for Item<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let bytes = self.0.as_bytes();
        state.write_usize(bytes.len());
        state.write(&bytes[..bytes.len().min(64)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(items: &str) -> Page {
        Page::parse(format!("{{\"items\":[{items}]}}").into_bytes()).unwrap()
    }

    fn check(items: &str, frame: Frame) -> String {
        let framed = frame_page(&page(items), None, &frame, |_, _| true);
        format!("{}({} records, {} empty)", String::from_utf8(framed.lines).unwrap(), framed.records, framed.empty)
    }

    #[test]
    fn a_record_is_what_the_api_sent_byte_for_byte() {
        let odd = r#"{"z":1.10,"a":12345678901234567890123,"a":-0.0,"e":1E+2,"s":"\u2028\ud83d\ude00\/ \\\" ","n":null,"deep":[[{}]]}"#;
        insta::assert_snapshot!(check(odd, Frame::bare(None)), @r#"
        {"z":1.10,"a":12345678901234567890123,"a":-0.0,"e":1E+2,"s":"\u2028\ud83d\ude00\/ \\\" ","n":null,"deep":[[{}]]}
        (1 records, 0 empty)
        "#);
        insta::assert_snapshot!(check(odd, Frame::airbyte("sessions", 7)), @r#"
        {"type":"RECORD","record":{"stream":"sessions","data":{"z":1.10,"a":12345678901234567890123,"a":-0.0,"e":1E+2,"s":"\u2028\ud83d\ude00\/ \\\" ","n":null,"deep":[[{}]]},"emitted_at":7}}
        (1 records, 0 empty)
        "#);
    }

    #[test]
    fn a_pretty_printed_answer_still_makes_one_line_a_record() {
        insta::assert_snapshot!(check("\n  {\r\n    \"a\": \"x \u{2028} y\",\n    \"b\": [\n      1\n    ]\n  },\n  {\n  }\n", Frame::bare(None)), @r#"
        {"a":"x   y","b":[1]}
        (1 records, 1 empty)
        "#);
    }

    #[test]
    fn a_label_comes_first() {
        insta::assert_snapshot!(check(r#"{ "a":1}"#, Frame::bare(Some("secrets"))), @r#"
        {"_stream":"secrets","a":1}
        (1 records, 0 empty)
        "#);
    }

    #[test]
    fn a_message_gets_its_session_where_it_does_not_say() {
        let messages = r#"{"event_id":"e1"},{"event_id":"e2","session_id": null ,"x":1},{"session_id":"other"}"#;
        insta::assert_snapshot!(check(messages, Frame::bare(None).of_session("s\"1")), @r#"
        {"session_id":"s\"1","event_id":"e1"}
        {"event_id":"e2","session_id":"s\"1","x":1}
        {"session_id":"other"}
        (3 records, 0 empty)
        "#);
    }

    #[test]
    fn an_item_of_the_page_before_is_written_once() {
        let first = page(r#"{"a":1},{"a":2},{"a":2}"#);
        let second = page(r#"{"a":2},{"a":2.0},{"a":3}"#);
        let framed = frame_page(&second, Some(&first), &Frame::bare(None), |_, _| true);
        insta::assert_snapshot!(String::from_utf8(framed.lines).unwrap(), @r#"
        {"a":2.0}
        {"a":3}
        "#);
    }
}
