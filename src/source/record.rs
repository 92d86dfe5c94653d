//! A page's bytes become record lines, byte for byte. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::elements;
use super::facts::{Facts, Field, Reading, field_of};
use super::identifier::{IdPart, ROOM_FOR_AN_ID, made};
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
    /// Fields, with their values as JSON, that a record gets which does not say so itself.
    added: Vec<(&'static str, String)>,
    /// Those of them that may be null.
    nullable: Vec<&'static str>,
    /// What the field `id` is made of, where no field of the API is a key.
    id: Option<Vec<IdPart>>,
    /// The field whose elements are the records, instead of the items.
    projects: Option<&'static str>,
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

    /// The bare item as it is, on a line of its own.
    pub fn plain() -> Frame {
        Frame { after: b"\n".to_vec(), ..Frame::default() }
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
    pub fn of_session(self, session_id: &str) -> Frame {
        self.with("session_id", Value::from(session_id).to_string())
    }

    /// The same for records that get this field where they lack it or have null; `value` is JSON.
    pub fn with(mut self, name: &'static str, value: String) -> Frame {
        self.added.push((name, value));
        self
    }

    /// The same for records that get this field only where they lack it: null stays.
    pub fn with_where_absent(mut self, name: &'static str, value: String) -> Frame {
        self.nullable.push(name);
        self.with(name, value)
    }

    /// The same for records that get the field `id`, made of these parts.
    pub fn identified_by(mut self, parts: Vec<IdPart>) -> Frame {
        self.id = Some(parts);
        self
    }

    /// The same for records that are the elements of this field of the items.
    pub fn projecting(mut self, field: Option<&'static str>) -> Frame {
        self.projects = field;
        self
    }

    /// How many bytes a line has at most beside its item.
    fn most_added(&self) -> usize {
        let added: usize = self.added.iter().map(|(name, value)| name.len() + value.len() + "\"\":,".len()).sum();
        let id = if self.id.is_some() { ROOM_FOR_AN_ID } else { 0 };
        self.before.len() + self.label.len() + added + id + self.after.len()
    }

    /// Whether a field is null in an item and something else in its record.
    fn replaces(&self, item: Item, id: Option<&str>, field: &str) -> bool {
        let is_added = self.added.iter().any(|(name, _)| *name == field && !self.nullable.contains(name))
            || (field == "id" && id.is_some());
        is_added && field_of(item, field).0 == Some("null")
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

/// Frames the items of `page` that `wanted` admits; `reading` says which of their fields tell what.
pub fn frame_page(
    page: &Page,
    frame: &Frame,
    reading: &Reading,
    mut wanted: impl FnMut(&str, &Facts) -> bool,
) -> Framed {
    let room = page.noted().map(|item| item.text.len() + frame.most_added()).sum();
    let mut framed = Framed { lines: Vec::with_capacity(room), ..Framed::default() };
    let mut declared = frame.declared;
    for item in page.noted() {
        if is_empty(item.text) {
            framed.empty += 1;
            continue;
        }
        let mut facts = Facts::noted(item, reading);
        if let Some(cursor) = reading.cursor.filter(|cursor| cursor.is_of_its_own()) {
            let added = frame.added.iter().find(|(name, _)| *name == cursor.field);
            added.iter().for_each(|(_, value)| facts.complete_cursor(value));
        }
        let id = frame.id.as_ref().and_then(|parts| made(parts, item, &facts, reading.cursor));
        if frame.id.is_some() && frame.projects.is_none() {
            facts.id = Field(id.as_deref());
        }
        if let Some(shape) = declared.take_if(|_| frame.projects.is_none()) {
            framed.differences = shape.differences(item.text);
            // A null that gives way to what is added is no difference of the record.
            framed.differences.retain(|field, _| !frame.replaces(item, id.as_deref(), field));
        }
        if wanted(item.text, &facts) {
            let begin = framed.lines.len();
            if let Some(field) = frame.projects {
                write_elements(frame, item, field, &mut declared, &mut framed);
            } else {
                write_line(frame, item, id.as_deref(), &mut framed.lines);
                framed.records += 1;
            }
            if let Some(rules) = &frame.redacted {
                redact_lines(frame, rules, begin, &mut framed.lines);
            }
        }
    }
    framed
}

/// Edits the records on the lines from `begin` on.
fn redact_lines(frame: &Frame, rules: &Rules, begin: usize, lines: &mut Vec<u8>) {
    for line in lines.split_off(begin).split_inclusive(|byte| *byte == b'\n') {
        let (from, to) = (frame.before.len(), line.len() - frame.after.len());
        // A line is made of texts, so it is one.
        let record = str::from_utf8(&line[from..to]).unwrap_or_default();
        lines.extend_from_slice(&line[..from]);
        lines.extend_from_slice(rules.edited(record).as_bytes());
        lines.extend_from_slice(&line[to..]);
    }
}

/// Whether an item is `{}`.
pub fn is_empty(item: &str) -> bool {
    item[1..].trim_start().starts_with('}')
}

fn write_line(frame: &Frame, item: Item, id: Option<&str>, out: &mut Vec<u8>) {
    // Most items have no white space: then a record is a copy.
    let append = |json: &str, out: &mut Vec<u8>| {
        if item.has_space { compact_into(json, out) } else { out.extend_from_slice(json.as_bytes()) }
    };
    let begin = out.len();
    out.extend_from_slice(&frame.before);
    out.push(b'{');
    out.extend_from_slice(&frame.label);
    // Where the item has null for a field that is added, and what goes there.
    let mut in_place: Vec<(usize, &str)> = Vec::new();
    let made = id.map(|id| ("id", id));
    for (name, value) in made.into_iter().chain(frame.added.iter().map(|(name, value)| (*name, value.as_str()))) {
        match field_of(item, name).0 {
            None => {
                out.extend_from_slice(format!("\"{name}\":").as_bytes());
                out.extend_from_slice(value.as_bytes());
                out.push(b',');
            }
            Some(null) if null == "null" && !frame.nullable.contains(&name) => {
                in_place.push((null.as_ptr() as usize - item.text.as_ptr() as usize, value))
            }
            Some(_) => {}
        }
    }
    in_place.sort_unstable();
    let mut from = 1;
    for (at, value) in in_place {
        append(&item.text[from..at], out);
        out.extend_from_slice(value.as_bytes());
        from = at + "null".len();
    }
    append(&item.text[from..], out);
    out.extend_from_slice(&frame.after);
    if frame.is_for_people {
        spell_controls(out, begin);
    }
}

/// Writes a line for each element of a field of a session, the first of which is held against what is `declared`.
fn write_elements(
    frame: &Frame,
    item: Item,
    field: &str,
    declared: &mut Option<&'static Shape>,
    Framed { lines: out, differences, records, .. }: &mut Framed,
) {
    *records += elements::of_session(item, field, |record| {
        if let Some(shape) = declared.take() {
            *differences = shape.differences(&format!("{{{}", String::from_utf8_lossy(record)));
        }
        let begin = out.len();
        out.extend_from_slice(&frame.before);
        out.push(b'{');
        out.extend_from_slice(&frame.label);
        out.extend_from_slice(record);
        out.extend_from_slice(&frame.after);
        if frame.is_for_people {
            spell_controls(out, begin);
        }
    });
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
        let framed = frame_page(&page(items), &frame, &Reading { id: "id", cursor: None }, |_, _| true);
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

    #[test]
    fn two_items_that_lack_what_tells_them_apart_get_no_identifier() {
        let parts = vec![IdPart::Of("o".into()), IdPart::Field("git"), IdPart::FirstOf(&["n", "path"])];
        let frame = Frame::bare(None).identified_by(parts);
        insta::assert_snapshot!(check(r#"{"git":"g","n":7,"path":"a"},{"git":"g","path":"b"},{"git":"g","n":null,"path":""},{"path":"c"}"#, frame), @r#"
        {"id":"o/g/7","git":"g","n":7,"path":"a"}
        {"id":"o/g/b","git":"g","path":"b"}
        {"git":"g","n":null,"path":""}
        {"id":"o//c","path":"c"}
        (4 records, 0 empty)
        "#);
    }

    #[test]
    fn a_null_that_is_filled_in_differs_from_no_schema() {
        let check = |items: &str, frame: Frame, stream: &str| {
            let frame = frame.declared(Shape::of_stream(stream));
            let framed = frame_page(&page(items), &frame, &Reading { id: "id", cursor: None }, |_, _| true);
            framed.differences.into_values().collect::<Vec<_>>().join("; ")
        };
        let messages = || Frame::bare(None).of_session("s1");
        assert_eq!(check(r#"{"event_id":"e1","session_id":null}"#, messages(), "session_messages"), "");
        assert_eq!(check(r#"{"id":null,"scope":"org"}"#, identified(), "acu_limits"), "");
        // What is left as it was sent is told.
        insta::assert_snapshot!(check(r#"{},{"event_id":null,"session_id":7}"#, messages(), "session_messages"), @"event_id is null, and the schema declares string; session_id is integer, and the schema declares string");
        insta::assert_snapshot!(check(r#"{"id":null,"cycle_acu_limit":1}"#, identified(), "acu_limits"), @"id is null, and the schema declares string");
    }

    fn identified() -> Frame {
        Frame::bare(None).identified_by(vec![IdPart::Of("org-1".into()), IdPart::Field("scope")])
    }

    #[test]
    fn an_item_gets_what_it_does_not_say() {
        let frame = || Frame::bare(None).with("org_id", r#""org-1""#.into()).with("window_start", "5".into());
        insta::assert_snapshot!(check(r#"{"a":1},{"window_start": null,"b":2,"org_id":null},{"org_id":"org-2","window_start":6}"#, frame()), @r#"
        {"org_id":"org-1","window_start":5,"a":1}
        {"window_start":5,"b":2,"org_id":"org-1"}
        {"org_id":"org-2","window_start":6}
        (3 records, 0 empty)
        "#);
    }

    #[test]
    fn an_identifier_is_made_of_what_an_item_has() {
        let parts = vec![IdPart::Of("org-1".into()), IdPart::Field("scope"), IdPart::Field("n"), IdPart::Field("user")];
        let frame = Frame::bare(None).identified_by(parts);
        insta::assert_snapshot!(check(r#"{"scope":"user","user":"a|\"b","n":7},{"scope":"org","user":null},{"other":1},{"id":null,"n":1},{"id":"own","n":1}"#, frame), @r#"
        {"id":"org-1/user/7/a|\"b","scope":"user","user":"a|\"b","n":7}
        {"id":"org-1/org","scope":"org","user":null}
        {"other":1}
        {"id":"org-1//1","n":1}
        {"id":"own","n":1}
        (5 records, 0 empty)
        "#);
    }
}
