//! The walk over a page against serde_json: the same pages are refused, with the same words, and the others hold the same.

#[path = "common/page_oracle.rs"]
mod page_oracle;

use std::panic::catch_unwind;
use std::time::{Duration, Instant};

use fastrand::Rng;
use page_oracle::compare;

/// What is cut, joined and sprinkled.
const SEEDS: &[&str] = &[
    r#"{"items":[{"session_id":"a","created_at":1,"updated_at":2.5e3,"status":"running","tags":["x",{}],"title":null}],"end_cursor":"b=","has_next_page":true,"total":12}"#,
    "{ \"items\" : [\r\n\t{ \"event_id\" : \"e\" , \"x\" : [ [ ] , { \"session_id\" : false } ] } , { } ] , \"end_cursor\" : null }",
    r#"{"items":[],"has_next_page":false,"total":null,"unknown":[-0,0.0,1E+2,true,{"a":{"b":"\u2028\ud83d\ude00\/\\\""}}]}"#,
    r#"{"items":[{"note_id":"é😀 and more than eight bytes","note_id":"\ud83d","\u0061_id":1},{"status":"\n"}],"end_cursor":"\u0041"}"#,
    r#"[[{"a":1}],null,false,null]"#,
];

const TOKENS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    " ",
    "\n",
    "\u{c}",
    "null",
    "true",
    "false",
    "0",
    "-",
    "1",
    ".",
    "e",
    "E+",
    "{}",
    "[]",
    "\"\"",
    "\"a\":1,",
    "\"items\":",
    "\"items\":[],",
    "\"it\\u0065ms\":[]",
    "\"end_cursor\":\"x\",",
    "\"has_next_page\":true,",
    "\"total\":1,",
    "\"session_id\":\"s\",",
    "\\u00",
    "\\ud83d",
    "\\ude00",
    "\\x",
    "\u{0}",
    "\u{1f}",
    "\u{7f}",
    "\u{feff}",
    "é",
    "😀",
    "\u{fffd}",
    "12345678",
    "\"x_id\" :\t7 ,",
    "[[[[[[[[",
    "]]]]]]]]",
];

#[test]
fn a_page_is_what_serde_json_makes_of_it() {
    assert!(SEEDS[..4].iter().all(|seed| compare(seed.as_bytes())), "the first four are pages");
    let first = std::env::var("PAGE_SEED").ok().map(|seed| seed.parse().expect("PAGE_SEED is a number"));
    let began = Instant::now();
    let (mut seed, mut pages, mut refused) = (first.unwrap_or_else(|| fastrand::u64(..u64::MAX / 2)), 0u64, 0u64);
    while began.elapsed() < Duration::from_secs(2) {
        let body = mutated(&mut Rng::with_seed(seed));
        let outcome = catch_unwind(|| compare(&body));
        let is_page = outcome.unwrap_or_else(|_| panic!("see above; to try it again: PAGE_SEED={seed}"));
        *(if is_page { &mut pages } else { &mut refused }) += 1;
        seed += 1;
    }
    println!("{pages} pages and {refused} refused, up to PAGE_SEED={seed}");
    assert!(pages > 100 && refused > 100, "{pages} pages, {refused} refused");
}

/// Some page with a few things wrong, or right in an unusual way.
fn mutated(random: &mut Rng) -> Vec<u8> {
    let mut body = random.choice(SEEDS).expect("there are some").as_bytes().to_vec();
    for _ in 0..random.usize(1..4) {
        let at = random.usize(..=body.len());
        let end = random.usize(at..=body.len().min(at + 20));
        match random.u8(..6) {
            0 => drop(body.drain(at..end)),
            1 => {
                let part = body[at..end].to_vec();
                let to = random.usize(..=body.len());
                drop(body.splice(to..to, part));
            }
            2 if at < body.len() => body[at] ^= 1 << random.u8(..8),
            3 => body.truncate(at.max(body.len() / 2)),
            _ => {
                let token = random.choice(TOKENS).expect("there are some");
                drop(body.splice(at..at, token.bytes()));
            }
        }
    }
    body
}
