//! The program's own key in every spelling, in every context: whatever stays visible of it tells nothing.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};

use super::random::Numbers;
use crate::own::key::OwnKey;
use crate::own::ring::KeyRing;
use crate::{Redactor, masked};

/// So many letters and digits of a key in a row may stay.
const MOST_VISIBLE: usize = 7;

/// What a log puts before each line.
const LOG: &str = "2026-11-29T10:00:01Z pod-7 app/";

/// A part of a spelling, and which characters of the key it tells.
type Piece = (String, std::ops::Range<usize>);

fn each(key: &[Piece], write: impl Fn(char) -> String) -> Vec<Piece> {
    let characters = key.iter().flat_map(|(text, told)| text.chars().map(move |c| (c, told.clone())));
    characters.map(|(c, told)| (write(c), told)).collect()
}

fn bytes(key: &[Piece], write: impl Fn(u8) -> String) -> Vec<Piece> {
    let bytes = key.iter().flat_map(|(text, told)| text.bytes().map(move |byte| (byte, told.clone())));
    bytes.map(|(byte, told)| (write(byte), told)).collect()
}

/// Groups of so many bytes of the key, written in one piece.
fn grouped(key: &[Piece], size: usize, write: impl Fn(&[u8]) -> String) -> Vec<Piece> {
    let bytes: Vec<_> =
        key.iter().flat_map(|(text, told)| text.bytes().map(move |byte| (byte, told.clone()))).collect();
    let group = |group: &[(u8, std::ops::Range<usize>)]| {
        let told = group.iter().map(|(_, told)| told);
        let (first, last) = (told.clone().map(|told| told.start).min(), told.map(|told| told.end).max());
        let bytes: Vec<u8> = group.iter().map(|(byte, _)| *byte).collect();
        (write(&bytes), first.unwrap_or(0)..last.unwrap_or(0))
    };
    bytes.chunks(size).map(group).collect()
}

fn base64(key: &[Piece]) -> Vec<Piece> {
    grouped(key, 3, |bytes| BASE64_STANDARD.encode(bytes))
}

fn base32(key: &[Piece]) -> Vec<Piece> {
    grouped(key, 5, |bytes| {
        let bits: String = bytes.iter().map(|byte| format!("{byte:08b}")).collect();
        let digit = |bits: &[u8]| {
            let bits = format!("{:0<5}", std::str::from_utf8(bits).unwrap_or_default());
            let digit = usize::from_str_radix(&bits, 2).unwrap_or(0);
            char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[digit])
        };
        bits.as_bytes().chunks(5).map(digit).collect()
    })
}

fn hex(key: &[Piece]) -> Vec<Piece> {
    bytes(key, |byte| format!("{byte:02x}"))
}

/// Lines of so many pieces, each behind what `begin` says of its number.
fn in_lines(pieces: Vec<Piece>, size: usize, begin: impl Fn(usize) -> String) -> Vec<Piece> {
    let lines = pieces.chunks(size).enumerate();
    lines
        .flat_map(|(nth, line)| {
            let prefix = format!("{}{}", if nth == 0 { "" } else { "\n" }, begin(nth));
            std::iter::once((prefix, 0..0)).chain(line.iter().cloned())
        })
        .collect()
}

/// The hexadecimal column of a dump, with the column of characters behind.
fn dump(key: &[Piece], group: usize, is_turned: bool, begin: impl Fn(usize) -> String, shows: bool) -> Vec<Piece> {
    let write = |bytes: &[u8]| {
        let mut digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        if is_turned {
            digits.reverse();
        }
        digits.concat() + " "
    };
    let shown: String = key.iter().map(|(text, _)| text.as_str()).collect();
    let groups = grouped(key, group, write);
    let per_line = 16 / group;
    let mut out = in_lines(groups, per_line, begin);
    if shows {
        let lines = shown.len().div_ceil(16);
        let mut ends: Vec<usize> =
            out.iter().enumerate().filter(|(_, piece)| piece.0.starts_with('\n')).map(|(at, _)| at).collect();
        ends.push(out.len());
        for nth in (0..lines).rev() {
            let column: String = shown.chars().skip(16 * nth).take(16).collect();
            out.insert(ends[nth], (format!(" |{column}|"), 0..0));
        }
    }
    out
}

fn alphabet(c: char, upper: u32, lower: u32, zero: u32) -> String {
    let at = |first: u32, zero: char| char::from_u32(first + u32::from(c) - u32::from(zero)).unwrap_or(c).to_string();
    match c {
        'A'..='Z' => at(upper, 'A'),
        'a'..='z' => at(lower, 'a'),
        '0'..='9' if zero > 0 => at(zero, '0'),
        _ => c.to_string(),
    }
}

fn rot13(c: char) -> String {
    let turn = |first: u8| char::from((u8::try_from(c).unwrap_or(first) - first + 13) % 26 + first).to_string();
    match c {
        'A'..='Z' => turn(b'A'),
        'a'..='z' => turn(b'a'),
        _ => c.to_string(),
    }
}

fn alike(c: char) -> String {
    let pairs = "aаeеoоpрcсxхyуiіsѕjјAАBВEЕKКMМHНOОPРCСTТXХ";
    pairs.chars().collect::<Vec<_>>().chunks(2).find(|pair| pair[0] == c).map_or(c, |pair| pair[1]).to_string()
}

fn small(c: char) -> String {
    let pairs = "aᴀbʙcᴄdᴅeᴇgɢhʜiɪjᴊkᴋlʟmᴍnɴoᴏpᴘrʀtᴛuᴜvᴠwᴡyʏzᴢ0⁰1¹2²3³4⁴5⁵6⁶7⁷8⁸9⁹";
    pairs.chars().collect::<Vec<_>>().chunks(2).find(|pair| pair[0] == c).map_or(c, |pair| pair[1]).to_string()
}

/// All spellings of a key.
fn spellings(key: &str) -> Vec<(&'static str, Vec<Piece>)> {
    let key: &[Piece] = &key.chars().enumerate().map(|(at, c)| (c.to_string(), at..at + 1)).collect::<Vec<_>>();
    // The first line begins as the context does.
    let log = |nth: usize| if nth == 0 { String::new() } else { format!("{LOG}{nth}: ") };
    let none = |_: usize| String::new();
    let percent = |key: &[Piece]| bytes(key, |byte| format!("%{byte:02X}"));
    vec![
        ("plain", key.to_vec()),
        ("in lines", in_lines(key.to_vec(), 11, none)),
        ("in lines of a log", in_lines(key.to_vec(), 11, log)),
        ("upper", each(key, |c| c.to_uppercase().to_string())),
        ("reversed", key.iter().rev().cloned().collect()),
        ("rot13", each(key, rot13)),
        ("percent", percent(key)),
        ("percent twice", bytes(key, |byte| format!("%25{byte:02x}"))),
        ("json", bytes(key, |byte| format!("\\u{byte:04x}"))),
        ("json twice", bytes(key, |byte| format!("\\\\u{byte:04X}"))),
        ("json braces", bytes(key, |byte| format!("\\u{{{byte:x}}}"))),
        ("bytes", bytes(key, |byte| format!("\\x{byte:02x}"))),
        ("octal", bytes(key, |byte| format!("\\{byte:03o}"))),
        ("octal numbers", bytes(key, |byte| format!("{byte:03o} "))),
        ("binary", bytes(key, |byte| format!("{byte:08b} "))),
        ("decimal", bytes(key, |byte| format!("{byte}, "))),
        ("entities", bytes(key, |byte| format!("&#{byte};"))),
        ("entities open", bytes(key, |byte| format!("&#{byte}"))),
        ("entities hex", bytes(key, |byte| format!("&#x{byte:X};"))),
        ("nbsp", each(key, |c| format!("{c}&nbsp;"))),
        ("shy", each(key, |c| format!("{c}&shy;"))),
        ("bold", each(key, |c| format!("<b>{c}</b>"))),
        ("span", each(key, |c| format!("<span class=\"c1\">{c}</span>"))),
        ("wbr", each(key, |c| format!("{c}<wbr>"))),
        ("zero width", each(key, |c| format!("{c}\u{200b}"))),
        ("zero width entity", each(key, |c| format!("{c}&#8203;"))),
        ("zero width json", each(key, |c| format!("{c}\\u200b"))),
        ("joiner", each(key, |c| format!("{c}\u{2060}\u{34f}"))),
        ("struck", each(key, |c| format!("{c}\u{336}"))),
        ("color", each(key, |c| format!("\u{1b}[31m{c}\u{1b}[0m"))),
        ("cyrillic", each(key, alike)),
        (
            "cyrillic json",
            each(key, |c| {
                alike(c)
                    .chars()
                    .map(|c| if c.is_ascii() { c.to_string() } else { format!("\\u{:04x}", u32::from(c)) })
                    .collect()
            }),
        ),
        (
            "cyrillic percent",
            each(key, |c| {
                alike(c)
                    .bytes()
                    .map(|byte| if byte.is_ascii() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
                    .collect()
            }),
        ),
        ("small", each(key, small)),
        ("wide", each(key, |c| alphabet(c, 0xff21, 0xff41, 0xff10))),
        ("bold letters", each(key, |c| alphabet(c, 0x1d400, 0x1d41a, 0x1d7ce))),
        ("encircled", each(key, |c| alphabet(c, 0x24b6, 0x24d0, 0))),
        ("squared", each(key, |c| alphabet(c.to_ascii_uppercase(), 0x1f130, 0, 0))),
        ("filled squares", each(key, |c| alphabet(c.to_ascii_uppercase(), 0x1f170, 0, 0))),
        ("filled circles", each(key, |c| alphabet(c.to_ascii_uppercase(), 0x1f150, 0, 0))),
        ("flags", each(key, |c| alphabet(c.to_ascii_uppercase(), 0x1f1e6, 0, 0) + " ")),
        ("hex", hex(key)),
        ("hex of utf-16", bytes(key, |byte| format!("{byte:02x}00"))),
        ("utf-16", each(key, |c| format!("{c}\0"))),
        ("utf-16 dots", each(key, |c| format!("{c}."))),
        ("utf-16 spelled", each(key, |c| format!("{c}\\0"))),
        ("utf-16 bytes", each(key, |c| format!("{c}\\x00"))),
        ("quoted-printable", bytes(key, |byte| format!("={byte:02X}"))),
        (
            "quoted-printable marks",
            bytes(key, |byte| {
                if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("={byte:02X}") }
            }),
        ),
        (
            "soft breaks",
            in_lines(key.to_vec(), 9, none).into_iter().map(|(text, told)| (text.replace('\n', "=\n"), told)).collect(),
        ),
        ("base64", base64(key)),
        ("base64 in lines", in_lines(base64(key), 5, none)),
        ("base64 in lines of a log", in_lines(base64(key), 5, log)),
        ("base64 of base64", base64(&base64(key))),
        ("base64 of base64 of base64", base64(&base64(&base64(key)))),
        ("base64 of hex", base64(&hex(key))),
        ("hex of base64", hex(&base64(key))),
        ("hex of hex", hex(&hex(key))),
        ("percent of base64", percent(&base64(key))),
        ("base64 of percent", base64(&percent(key))),
        ("base64 of utf-16", base64(&each(key, |c| format!("{c}\0")))),
        ("base64 for addresses", grouped(key, 3, |bytes| BASE64_URL_SAFE_NO_PAD.encode(bytes))),
        ("base32", base32(key)),
        ("base32 of hex", base32(&hex(key))),
        ("base32 lower", each(&base32(key), |c| c.to_lowercase().to_string())),
        ("base64 of base32", base64(&base32(key))),
        ("hex in lines of a log", in_lines(hex(key), 16, log)),
        ("hexdump -C", dump(key, 1, false, |nth| format!("{:08x}  ", 16 * nth), true)),
        ("hexdump -C of a log", dump(key, 1, false, |nth| format!("{}{:08x}  ", log(nth), 16 * nth), true)),
        (
            "hexdump -C shifted",
            dump(
                key,
                1,
                false,
                |nth| if nth == 0 { "00000000  6b 3d ".to_string() } else { format!("{:08x}  ", 16 * nth) },
                false,
            ),
        ),
        ("hexdump", dump(key, 2, true, |nth| format!("{:07x} ", 16 * nth), false)),
        ("xxd", dump(key, 2, false, |nth| format!("{:08x}: ", 16 * nth), true)),
        ("xxd -e", dump(key, 4, true, |nth| format!("{:08x}: ", 16 * nth), true)),
        ("od -tx1", dump(key, 1, false, |nth| format!("{:07o} ", 16 * nth), false)),
        ("od -b", in_lines(bytes(key, |byte| format!("{byte:03o} ")), 16, |nth| format!("{:07o} ", 16 * nth))),
        (
            "od",
            in_lines(
                grouped(key, 2, |pair| {
                    format!("{:06o} ", u32::from(pair[0]) | u32::from(*pair.get(1).unwrap_or(&0)) << 8)
                }),
                8,
                |nth| format!("{:07o} ", 16 * nth),
            ),
        ),
        ("od -c", in_lines(each(key, |c| format!("  {c}")), 16, |nth| format!("{:07o} ", 16 * nth))),
        ("xxd -b", in_lines(bytes(key, |byte| format!("{byte:08b} ")), 6, |nth| format!("{:08x}: ", 6 * nth))),
        ("gdb", dump(key, 1, false, |nth| format!("0x7ffe{:04x}: ", 16 * nth), false)),
    ]
}

/// A random key: `cog_` and letters and digits, with a dash or an underscore perhaps.
fn key(numbers: &mut Numbers) -> String {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let length = 20 + numbers.below(30);
    let mut key: String = (0..length).map(|_| char::from(alphabet[numbers.below(alphabet.len())])).collect();
    if numbers.below(2) == 0 {
        key.replace_range(8..9, ["-", "_"][numbers.below(2)]);
    }
    format!("cog_{key}")
}

/// How many characters of the key in a row are told by what is not masked.
fn visible(key: &str, pieces: &[Piece], begin: usize, secrets: &[std::ops::Range<usize>]) -> usize {
    let mut is_hidden = vec![false; key.len()];
    let mut at = begin;
    for (text, told) in pieces {
        let end = at + text.len();
        let is_masked = secrets.iter().any(|secret| secret.start < end && at < secret.end);
        told.clone().filter(|_| is_masked).for_each(|told| is_hidden[told] = true);
        at = end;
    }
    // The beginning, which all keys share, tells nothing.
    let letters = key.char_indices().skip(4).filter(|(_, c)| c.is_ascii_alphanumeric());
    let hidden: Vec<bool> = letters.map(|(at, _)| is_hidden[at]).collect();
    hidden.split(|is_hidden| *is_hidden).map(<[bool]>::len).max().unwrap_or(0)
}

#[test]
fn nothing_telling_of_the_own_key_stays_in_any_spelling() {
    let contexts = ["⟦⟧", "the key is ⟦⟧, twice", "{\"a\": \"key=⟦⟧&c=d\"}", "it failed:\n⟦⟧\nand ended"];
    let mut numbers = Numbers(20_261_129);
    let mut wrong = std::collections::BTreeMap::new();
    for _ in 0..6 {
        let key = key(&mut numbers);
        let redactor = Redactor::new([key.as_str()]);
        let mut own = KeyRing::default();
        own.add(OwnKey::new(&key));
        let cases = spellings(&key)
            .into_iter()
            .flat_map(|(name, pieces)| contexts.map(|context| (name, pieces.clone(), context)));
        for (name, mut pieces, context) in cases {
            // The ends of lines as they are, of Windows, and of JSON.
            let end = ["\n", "\r\n", "\\n"][numbers.below(3)];
            pieces.iter_mut().for_each(|(text, _)| *text = text.replace('\n', end));
            let context = if name.ends_with("of a log") { format!("{LOG}0: {context}") } else { context.to_string() };
            let context = context.replace('\n', end);
            let begin = context.find('⟦').unwrap_or(0);
            let spelled: String = pieces.iter().map(|(text, _)| text.as_str()).collect();
            let text = context.replace("⟦⟧", &spelled);
            let secrets = redactor.secrets(&text);
            let stays = visible(&key, &pieces, begin, &secrets);
            let own = own.find(&text);
            let is_outside = |part: &std::ops::Range<usize>| part.start < begin || part.end > begin + spelled.len();
            if own.iter().any(is_outside) {
                wrong.entry(name).or_insert_with(|| format!("words go, too: {}", masked(&text, &own)));
            }
            if stays > MOST_VISIBLE {
                wrong.entry(name).or_insert_with(|| format!("{stays} of {key} stay: {}", masked(&text, &secrets)));
            }
        }
    }
    let told: Vec<String> = wrong.iter().map(|(name, told)| format!("{name}: {told}")).collect();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), told.join("\n"));
}

#[test]
fn every_one_of_several_own_keys_goes_wherever_it_overlaps_another() {
    let keys = ["Qz7Kw2Xv9Lp4Rt6Bn8Mc1", "Lp4Rt6Bn8Mc1Hd3Js5Fg7", "hunter2", "p@ss-Word-9", "a.b.c.d.e.f.g.h"];
    let redactor = Redactor::new(keys);
    let check = |text: &str| redactor.redact(text).into_owned();
    assert_eq!(check("Qz7Kw2Xv9Lp4Rt6Bn8Mc1Hd3Js5Fg7"), "****");
    assert_eq!(
        check("first Qz7Kw2Xv9Lp4Rt6Bn8Mc1, then Lp4Rt6Bn8Mc1Hd3Js5Fg7, then hunter2"),
        "first ****, then ****, then ****"
    );
    assert_eq!(check("cEBzcy1Xb3JkLTk= and a.b.c.d.e.f.g.h"), "****= and ****");
    assert_eq!(check("nothing of hunter22 or a.b.c"), "nothing of hunter22 or a.b.c");
}
