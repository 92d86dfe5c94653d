//! Which entries are accepted, and edited records against serde_json.

use fastrand::Rng;
use serde_json::{Map, json};

use super::*;
use crate::devin::Token;

const KEY: &str = "0123456789abcdef-key";

fn config(fields: &[&str], key: Option<&str>) -> Config {
    let redact_fields = fields.iter().map(ToString::to_string).collect();
    let sandbox = Config::of_sandbox("cog_x", "org-1", "http://127.0.0.1");
    Config { redact_fields, redact_key: key.map(Token::new), ..sandbox }
}

fn redactions(fields: &[&str]) -> Redactions {
    Redactions::of(&config(fields, Some(KEY))).unwrap()
}

fn edited(stream: &str, fields: &[&str], record: &str) -> String {
    redactions(fields).of_stream(stream).map_or_else(|| record.to_string(), |rules| rules.edited(record))
}

#[test]
fn what_is_named_wrongly_is_told_all_at_once() {
    let wrong = [
        "titel",
        "sessions.titel",
        "sessions.pull_requests.url",
        "pull_requests.pr_url",
        "consumption_daily_users.user_id",
        "sessions.title.first",
        "sessions",
        "session_id",
        "sessions.session_id",
        "created_at",
        "session_messages.created_at",
        "playbooks.created_at",
        "org_id",
        "title:sha1",
        "is_archived:hash",
        "sessions..title",
        "structured_output:hash",
        "structured_output.a",
        "",
    ];
    insta::assert_snapshot!(Redactions::of(&config(&wrong, Some(KEY))).unwrap_err().join("\n"), @r#"
    redact_fields names "titel", which no stream has: did you mean "title"?
    redact_fields names "sessions.titel", which sessions does not have: did you mean "title"?
    redact_fields names "sessions.pull_requests.url", which sessions.pull_requests does not have
    redact_fields names "pull_requests.pr_url", by which records are told apart in pull_requests, so it must stay; for the field of another stream write stream.field
    redact_fields names "consumption_daily_users.user_id", by which records are told apart in consumption_daily_users, so it must stay; for the field of another stream write stream.field
    redact_fields names "sessions.title.first", but nothing is below title in sessions
    redact_fields names "sessions", which is a stream: write sessions.field, or leave the stream out of the read
    redact_fields names "session_id", by which records are told apart in sessions, so it must stay; for the field of another stream write stream.field
    redact_fields names "sessions.session_id", by which records are told apart in sessions, so it must stay; for the field of another stream write stream.field
    redact_fields names "created_at", by which a newer record is told from an older one in session_messages, so it must stay; for the field of another stream write stream.field
    redact_fields names "session_messages.created_at", by which a newer record is told from an older one in session_messages, so it must stay; for the field of another stream write stream.field
    redact_fields names "playbooks.created_at", by which a newer record is told from an older one in playbooks, so it must stay; for the field of another stream write stream.field
    redact_fields names "org_id", which says whose a record is in sessions, so it must stay; for the field of another stream write stream.field
    redact_fields names "title:sha1", but what stands behind the colon must be drop or hash
    redact_fields names "is_archived:hash", which holds no text in sessions, so there is nothing to hash: drop it
    redact_fields names "sessions..title", which is no field: write field, stream.field or stream.field.below
    redact_fields names "structured_output.a", but structured_output is to be hashed as a whole: name it or what is below, not both
    redact_fields names "", which is no field: write field, stream.field or stream.field.below
    "#);
    insta::assert_snapshot!(Redactions::of(&config(&["title:hash"], None)).unwrap_err().join("\n"), @r#"redact_fields names "title:hash", but there is no redact_key to hash with: set one, or drop the field"#);
}

#[test]
fn no_key_and_no_cursor_of_any_stream_can_be_named() {
    for stream in STREAMS {
        let cursor = stream.cursor.iter().flat_map(|cursor| [cursor.field].into_iter().chain(cursor.fallback));
        let named = stream.primary_key.iter().copied().chain(cursor);
        for name in named {
            for entry in [format!("{}.{name}", stream.name), format!("{}.{name}:hash", stream.name), name.to_string()] {
                assert!(Redactions::of(&config(&[&entry], Some(KEY))).is_err(), "{entry}");
            }
        }
    }
}

#[test]
fn a_field_is_dropped_or_hashed_and_the_rest_stays_as_it_was() {
    let record = r#"{"session_id":"a","title":"Pay\u0020roll","acus_consumed":1.10,"t\u0069tle":"again","tags":["x","y"],"pull_requests":[{"pr_url":"u","pr_state":"open"},null,[{"pr_url":"v"}]],"structured_output":{"a":["b",1,true,null],"c":{"d":"e"}}}"#;
    let check = |fields: &[&str]| edited("sessions", fields, record);
    insta::assert_snapshot!(check(&["title"]), @r#"{"session_id":"a","acus_consumed":1.10,"tags":["x","y"],"pull_requests":[{"pr_url":"u","pr_state":"open"},null,[{"pr_url":"v"}]],"structured_output":{"a":["b",1,true,null],"c":{"d":"e"}}}"#);
    insta::assert_snapshot!(check(&["sessions.title:hash", "tags:hash"]), @r#"{"session_id":"a","title":"90e277678ad49ffe134c2401fd8524b469794881f332272171667db0194948ec","acus_consumed":1.10,"t\u0069tle":"49679b979e7e934c35b7d1130e973885feec35fa76c2e55e557344b40411413d","tags":["871f1cb3ff699b070100a40e7ce0149b1eff7a69a6146cd23ddf489342a81c16","2b59408a727dc9c2f1b352286189ee3f234770adb41e78d8845f857a747331fc"],"pull_requests":[{"pr_url":"u","pr_state":"open"},null,[{"pr_url":"v"}]],"structured_output":{"a":["b",1,true,null],"c":{"d":"e"}}}"#);
    insta::assert_snapshot!(check(&["sessions.pull_requests.pr_url", "structured_output:hash"]), @r#"{"session_id":"a","title":"Pay\u0020roll","acus_consumed":1.10,"t\u0069tle":"again","tags":["x","y"],"pull_requests":[{"pr_state":"open"},null,[{}]],"structured_output":{"a":["8c4206c713440cedbb8cb03672d9faec0276df2b28fbb433f9f093f02d1cf42c",null,null,null],"c":{"d":"db831fa13b520317926632946e7a01f122c7f169625b47babaea6ebcaeca07a7"}}}"#);
    insta::assert_snapshot!(check(&["sessions.structured_output.c.d", "title:hash", "title:drop"]), @r#"{"session_id":"a","acus_consumed":1.10,"tags":["x","y"],"pull_requests":[{"pr_url":"u","pr_state":"open"},null,[{"pr_url":"v"}]],"structured_output":{"a":["b",1,true,null],"c":{}}}"#);
    assert_eq!(check(&["session_messages.message", "playbooks.title"]), record);
}

/// RFC 4231, test case 2, and what `openssl dgst -sha256 -hmac` makes of it.
#[test]
fn a_hash_is_hmac_sha_256_of_the_text() {
    let key = Arc::new(hmac::Key::new(hmac::HMAC_SHA256, b"Jefe"));
    let fields = Fields::from([("title".to_string(), Node::Act(Action::Hash))]);
    let rules = Rules { fields, key };
    let expected = r#"{"title":"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"}"#;
    assert_eq!(rules.edited(r#"{"title":"what do ya want for nothing?"}"#), expected);
    assert_eq!(rules.edited(r#"{"title":"what do ya w\u0061nt for nothing?"}"#), expected);
}

#[test]
fn a_hundred_thousand_brackets_are_not_too_deep() {
    for record in [
        format!(r#"{{"structured_output":{}"a"{}}}"#, "[".repeat(100_000), "]".repeat(100_000)),
        format!(r#"{{"structured_output":{}1{}}}"#, r#"{"a":"#.repeat(100_000), "}".repeat(100_000)),
    ] {
        for entry in ["structured_output:hash", "structured_output.a", "structured_output"] {
            assert!(!edited("sessions", &[entry], &record).contains("\"a\"]"), "{entry}");
        }
    }
}

/// A value as serde_json has it, without or with hashes for what is named.
fn expected(value: &Value, fields: &Fields, key: &hmac::Key) -> Value {
    match value {
        Value::Array(values) => values.iter().map(|value| expected(value, fields, key)).collect(),
        Value::Object(members) => {
            let kept = members.iter().filter_map(|(name, value)| {
                let value = match fields.get(name) {
                    None => value.clone(),
                    Some(Node::Act(Action::Drop)) => return None,
                    Some(Node::Act(Action::Hash)) => hashed(value, key),
                    Some(Node::Below(fields)) => expected(value, fields, key),
                };
                Some((name.clone(), value))
            });
            Value::Object(kept.collect())
        }
        other => other.clone(),
    }
}

fn hashed(value: &Value, key: &hmac::Key) -> Value {
    match value {
        Value::String(text) => {
            let tag = hmac::sign(key, text.as_bytes());
            Value::from(tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<String>())
        }
        Value::Array(values) => values.iter().map(|value| hashed(value, key)).collect(),
        Value::Object(members) => {
            Value::Object(members.iter().map(|(name, value)| (name.clone(), hashed(value, key))).collect())
        }
        _ => Value::Null,
    }
}

const NAMES: [&str; 8] = ["a", "b", "c", "title", "ti\u{e9}", "q\"uote", "back\\slash", ""];

fn any_value(random: &mut Rng, depth: usize) -> Value {
    match random.u8(..if depth == 0 { 5 } else { 8 }) {
        0 => Value::Null,
        1 => random.bool().into(),
        2 => random.i32(..).into(),
        3 => json!(random.f64()),
        4 => NAMES[random.usize(..NAMES.len())].repeat(random.usize(..4)).into(),
        5 | 6 => Value::Object(any_object(random, depth - 1)),
        _ => (0..random.usize(..4)).map(|_| any_value(random, depth - 1)).collect(),
    }
}

fn any_object(random: &mut Rng, depth: usize) -> Map<String, Value> {
    let member = |random: &mut Rng| (NAMES[random.usize(..NAMES.len())].to_string(), any_value(random, depth));
    (0..random.usize(..6)).map(|_| member(random)).collect()
}

fn any_fields(random: &mut Rng, depth: usize) -> Fields {
    let mut fields = Fields::new();
    for _ in 0..random.usize(1..4) {
        let node = match random.u8(..if depth == 0 { 2 } else { 3 }) {
            0 => Node::Act(Action::Drop),
            1 => Node::Act(Action::Hash),
            _ => Node::Below(any_fields(random, depth - 1)),
        };
        fields.insert(NAMES[random.usize(..NAMES.len())].to_string(), node);
    }
    fields
}

/// Some characters of a JSON text spelled as escapes, which mean the same.
fn spelled(text: &str, random: &mut Rng) -> String {
    let mut is_in_string = false;
    let mut is_escaped = false;
    let mut out = String::new();
    for c in text.chars() {
        let was_escaped = std::mem::take(&mut is_escaped);
        match c {
            '"' if !was_escaped => is_in_string = !is_in_string,
            '\\' if is_in_string && !was_escaped => is_escaped = true,
            c if is_in_string && !was_escaped && random.u8(..8) == 0 => {
                let mut units = [0; 2];
                out.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
                continue;
            }
            ',' | ':' | '{' if !is_in_string && random.u8(..8) == 0 => {
                out.push(c);
                out.push(' ');
                continue;
            }
            _ => {}
        }
        out.push(c);
    }
    out
}

/// `REDACTION_SEED=SEED` begins with that one.
#[test]
fn an_edited_record_is_what_serde_json_makes_of_it() {
    let first = std::env::var("REDACTION_SEED").ok().and_then(|seed| seed.parse().ok());
    let first: u64 = first.unwrap_or_else(|| fastrand::u64(..u64::MAX / 2));
    for seed in first..first + 5_000 {
        let mut random = Rng::with_seed(seed);
        let text = spelled(&Value::Object(any_object(&mut random, 4)).to_string(), &mut random);
        // Read again, because serde_json does not read every number that it writes to the last digit.
        let record: Value = serde_json::from_str(&text).unwrap();
        let key = Arc::new(hmac::Key::new(hmac::HMAC_SHA256, KEY.as_bytes()));
        let rules = Rules { fields: any_fields(&mut random, 3), key };
        let edited = rules.edited(&text);
        let read: Value = serde_json::from_str(&edited).unwrap_or_else(|error| panic!("{seed}: {error}: {edited}"));
        assert_eq!(read, expected(&record, &rules.fields, &rules.key), "REDACTION_SEED={seed}: {text}");
    }
}
