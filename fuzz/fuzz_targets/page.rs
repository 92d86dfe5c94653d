//! Whatever a server answers, a page is refused or becomes whole lines that say what it said.

#![no_main]

mod oracle;
#[path = "../../tests/common/page_oracle.rs"]
mod page_oracle;

use std::borrow::Cow;
use std::fmt;

use libfuzzer_sys::fuzz_target;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use source_devin_ai::airbyte::StreamDescriptor;
use source_devin_ai::devin::surrogate::replace_halves;
use source_devin_ai::devin::{Page, Trail};
use source_devin_ai::source::facts::Reading;
use source_devin_ai::source::record::{Frame, frame_page};

const SESSION: &str = "s\"1";
const SESSION_JSON: &str = r#""s\"1""#;

fuzz_target!(|data: &[u8]| {
    check(data.to_vec());
    check([b"{\"items\":[", data, b"]}"].concat());
});

fn check(mut body: Vec<u8>) {
    page_oracle::compare(&body);
    // As the client does with every body.
    replace_halves(&mut body);
    page_oracle::compare(&body);
    let Ok(page) = Page::parse(body) else { return };
    let mut trail = Trail::default();
    if trail.check(&page).is_ok() {
        trail.advance(&page);
        assert_eq!(trail.has_ended(), !page.has_next());
        assert!(trail.has_ended() || trail.check(&page).is_err(), "its cursor must not be taken twice");
    }
    let items: Vec<Vec<u8>> = page.items().map(|item| oracle::without_white_space(item.as_bytes())).collect();

    let bare = lines(&page, &Frame::bare(None));
    assert_eq!(bare, expected(&items, spelled));

    let before = br#"{"type":"RECORD","record":{"stream":"sessions","data":"#;
    let airbyte = lines(&page, &Frame::airbyte(&StreamDescriptor::of("sessions"), 7));
    assert_eq!(airbyte, expected(&items, |item| [before, item, b",\"emitted_at\":7}}"].concat()));

    let labeled = lines(&page, &Frame::bare(Some("notes")));
    assert_eq!(labeled, expected(&items, |item| spelled(&[b"{\"_stream\":\"notes\",", &item[1..]].concat())));

    let of_session = lines(&page, &Frame::bare(None).of_session(SESSION));
    assert_eq!(of_session, expected(&items, |item| spelled(&with_session(item))));
}

/// The page's lines, each without its line feed.
fn lines(page: &Page, frame: &Frame) -> Vec<Vec<u8>> {
    let framed = frame_page(page, frame, &Reading { id: "id", cursor: None }, |_, _| true);
    let mut lines: Vec<Vec<u8>> = framed.lines.split(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
    assert_eq!(lines.pop().as_deref(), Some(&b""[..]), "the last line is whole");
    assert_eq!(lines.len() as u64, framed.records);
    assert_eq!(framed.records + framed.empty, page.items().len() as u64);
    for line in &lines {
        assert!(oracle::is_json(line), "no JSON: {}", String::from_utf8_lossy(line));
    }
    lines
}

fn expected(items: &[Vec<u8>], line: impl Fn(&[u8]) -> Vec<u8>) -> Vec<Vec<u8>> {
    items.iter().filter(|item| *item != b"{}").map(|item| line(item)).collect()
}

/// For people, the control characters from U+0080 to U+009F are spelled out.
fn spelled(item: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(item).unwrap().chars().map(|letter| match letter {
        '\u{80}'..='\u{9f}' => format!("\\u{:04x}", u32::from(letter)),
        letter => letter.to_string(),
    });
    text.collect::<String>().into_bytes()
}

/// An item, which has no white space, with its session: put in front where the item has no such field, put in its
/// place where it is null. Of a repeated field the last one counts; a key that is spelled with escapes is another one.
fn with_session(item: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(item).unwrap();
    let fields = fields(text).unwrap();
    match fields.iter().rev().find(|(key, _)| matches!(&key.0, Cow::Borrowed("session_id"))) {
        None => [b"{\"session_id\":", SESSION_JSON.as_bytes(), b",", &item[1..]].concat(),
        Some((_, value)) if value.get() == "null" => {
            let at = value.get().as_ptr() as usize - text.as_ptr() as usize;
            [&item[..at], SESSION_JSON.as_bytes(), &item[at + 4..]].concat()
        }
        Some(_) => item.to_vec(),
    }
}

/// A key, borrowed where it is spelled without escapes.
#[derive(serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// An object's fields in their order, repeated ones too.
fn fields(object: &str) -> Result<Vec<(Key<'_>, &RawValue)>, serde_json::Error> {
    struct Fields;
    impl<'de> Visitor<'de> for Fields {
        type Value = Vec<(Key<'de>, &'de RawValue)>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut fields = Vec::new();
            while let Some(field) = map.next_entry()? {
                fields.push(field);
            }
            Ok(fields)
        }
    }
    serde_json::Deserializer::from_str(object).deserialize_map(Fields)
}
