//! A page's bytes become record lines, byte for byte. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::facts::{Facts, Field};
use super::redaction::Rules;
use super::shape::Shape;
use crate::airbyte::StreamDescriptor;
use crate::airbyte::line::compact_into;
use crate::airbyte::message::record_frame;
use crate::devin::{Item, Page};

/// What stands around and inside a record on its line.
#[derive(Debug, Default)]
pub struct Frame {
    before: Vec<u8>,
    after: Vec<u8>,
    /// A first field, with its comma, that every record gets.
    label: Vec<u8>,
    /// Whether control characters are spelled out that a terminal would obey; JSON lets those above ASCII stand in texts.
    is_for_people: bool,
    /// The session a message belongs to, as JSON, for messages that do not say so themselves.
    session: Option<String>,
    /// What is left out of a record, or hashed.
    redacted: Option<Arc<Rules>>,
    /// What the schema declares, which the first item of a page is held against.
    declared: Option<&'static Shape>,
}

impl Frame {
    /// Airbyte's RECORD around each item.
    pub fn airbyte(stream: &StreamDescriptor, emitted_at_ms: i64) -> Frame {
        let (before, after) = record_frame(stream, emitted_at_ms);
        Frame { before, after, ..Frame::default() }
    }

    /// The bare item, with a `_stream` field first when `label` is given.
    pub fn bare(label: Option<&str>) -> Frame {
        let label = label.map(|stream| format!("\"_stream\":{},", Value::from(stream)).into_bytes());
        Frame { after: b"\n".to_vec(), label: label.unwrap_or_default(), is_for_people: true, ..Frame::default() }
    }

    /// The same for a page whose first item is held against a schema.
    pub fn declared(mut self, shape: Option<&'static Shape>) -> Frame {
        self.declared = shape;
        self
    }

    /// The same for records of which some fields are left out or hashed.
    pub fn redacted(mut self, rules: Option<Arc<Rules>>) -> Frame {
        self.redacted = rules;
        self
    }

    /// The same for the messages of one session.
    pub fn of_session(mut self, session_id: &str) -> Frame {
        self.session = Some(Value::from(session_id).to_string());
        self
    }
}

impl Frame {
    /// How many bytes a line has at most beside its item.
    fn most_added(&self) -> usize {
        let session = self.session.as_ref().map_or(0, |session| session.len() + "\"session_id\":,".len());
        self.before.len() + self.label.len() + session + self.after.len()
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
    /// Sentences about how the first item differs from the schema, by field.
    pub differences: BTreeMap<String, String>,
}

/// Frames the items of `page` that `wanted` admits; each is told from others by the field `id_field`.
pub fn frame_page(page: &Page, frame: &Frame, id_field: &str, mut wanted: impl FnMut(&str, &Facts) -> bool) -> Framed {
    let room = page.noted().map(|item| item.text.len() + frame.most_added()).sum();
    let mut framed = Framed { lines: Vec::with_capacity(room), ..Framed::default() };
    if let (Some(shape), Some(first)) = (frame.declared, page.items().next()) {
        framed.differences = shape.differences(first);
    }
    for item in page.noted() {
        if is_empty(item.text) {
            framed.empty += 1;
            continue;
        }
        let facts = Facts::noted(item, id_field);
        if wanted(item.text, &facts) {
            let begin = framed.lines.len();
            write_line(frame, item, facts.session_id, &mut framed.lines);
            if let Some(rules) = &frame.redacted {
                redact_line(frame, rules, begin, &mut framed.lines);
            }
            framed.records += 1;
        }
    }
    framed
}

/// Edits the record on the line that begins at `begin`.
fn redact_line(frame: &Frame, rules: &Rules, begin: usize, lines: &mut Vec<u8>) {
    let line = lines.split_off(begin);
    let (from, to) = (frame.before.len(), line.len() - frame.after.len());
    // A line is made of texts, so it is one.
    let record = str::from_utf8(&line[from..to]).unwrap_or_default();
    lines.extend_from_slice(&line[..from]);
    lines.extend_from_slice(rules.edited(record).as_bytes());
    lines.extend_from_slice(&line[to..]);
}

/// Whether an item is `{}`.
pub fn is_empty(item: &str) -> bool {
    item[1..].trim_start().starts_with('}')
}

fn write_line(frame: &Frame, item: Item, session_id: Field, out: &mut Vec<u8>) {
    // Most items have no white space: then a record is a copy.
    let append = |json: &str, out: &mut Vec<u8>| {
        if item.has_space { compact_into(json, out) } else { out.extend_from_slice(json.as_bytes()) }
    };
    let (item, begin) = (item.text, out.len());
    out.extend_from_slice(&frame.before);
    out.push(b'{');
    out.extend_from_slice(&frame.label);
    match (&frame.session, session_id.0) {
        (Some(session), None) => {
            out.extend_from_slice(b"\"session_id\":");
            out.extend_from_slice(session.as_bytes());
            out.push(b',');
            append(&item[1..], out);
        }
        (Some(session), Some(null)) if null == "null" => {
            let at = null.as_ptr() as usize - item.as_ptr() as usize;
            append(&item[1..at], out);
            out.extend_from_slice(session.as_bytes());
            append(&item[at + null.len()..], out);
        }
        _ => append(&item[1..], out),
    }
    out.extend_from_slice(&frame.after);
    if frame.is_for_people {
        spell_controls(out, begin);
    }
}

/// Spells out the control characters from U+0080 to U+009F in what was written since `begin`: some terminals take them for
/// escapes. To a program, the text means the same.
fn spell_controls(out: &mut Vec<u8>, begin: usize) {
    let is_control = |out: &[u8], at: usize| out.get(at + 1).is_some_and(|next| (0x80..=0x9f).contains(next));
    let Some(first) = memchr::memchr_iter(0xc2, &out[begin..]).map(|at| begin + at).find(|at| is_control(out, *at))
    else {
        return;
    };
    let rest = out.split_off(first);
    let mut from = 0;
    for at in memchr::memchr_iter(0xc2, &rest).filter(|at| is_control(&rest, *at)) {
        out.extend_from_slice(&rest[from..at]);
        out.extend_from_slice(format!("\\u{:04x}", rest[at + 1]).as_bytes());
        from = at + 2;
    }
    out.extend_from_slice(&rest[from..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(items: &str) -> Page {
        Page::parse(format!("{{\"items\":[{items}]}}").into_bytes()).unwrap()
    }

    fn check(items: &str, frame: Frame) -> String {
        let framed = frame_page(&page(items), &frame, "id", |_, _| true);
        format!("{}({} records, {} empty)", String::from_utf8(framed.lines).unwrap(), framed.records, framed.empty)
    }

    #[test]
    fn a_record_is_what_the_api_sent_byte_for_byte() {
        let odd = r#"{"z":1.10,"a":12345678901234567890123,"a":-0.0,"e":1E+2,"s":"\u2028\ud83d\ude00\/ \\\" ","n":null,"deep":[[{}]]}"#;
        insta::assert_snapshot!(check(odd, Frame::bare(None)), @r#"
        {"z":1.10,"a":12345678901234567890123,"a":-0.0,"e":1E+2,"s":"\u2028\ud83d\ude00\/ \\\" ","n":null,"deep":[[{}]]}
        (1 records, 0 empty)
        "#);
        insta::assert_snapshot!(check(odd, Frame::airbyte(&StreamDescriptor::of("sessions"), 7)), @r#"
        {"type":"RECORD","record":{"stream":"sessions","data":{"z":1.10,"a":12345678901234567890123,"a":-0.0,"e":1E+2,"s":"\u2028\ud83d\ude00\/ \\\" ","n":null,"deep":[[{}]]},"emitted_at":7}}
        (1 records, 0 empty)
        "#);
    }

    #[test]
    fn a_bare_record_spells_out_what_a_terminal_would_obey() {
        let odd = "{\"a\":\"x\u{9b}31m \u{a0}\u{80}é\u{85}\u{c2}温\",\"b\":\"\u{9f}\"}";
        let bare = check(odd, Frame::bare(Some("s")));
        let spelled = "{\"_stream\":\"s\",\"a\":\"x\\u009b31m \u{a0}\\u0080é\\u0085\u{c2}温\",\"b\":\"\\u009f\"}\n";
        assert_eq!(bare, format!("{spelled}(1 records, 0 empty)"));
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(read(spelled)["a"], read(odd)["a"]);
        // A platform gets the bytes that the API sent.
        assert!(check(odd, Frame::airbyte(&StreamDescriptor::of("sessions"), 7)).contains(odd));
        assert_eq!(check("{\"a\":\"é ° ß\"}", Frame::bare(None)), "{\"a\":\"é ° ß\"}\n(1 records, 0 empty)");
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
}
