//! Random texts, made of parts of all others or slightly changed: no text may end the program. `RANDOM_TEXTS=1000000` tries more.

use super::{GO, OWN, STAY, lines, redact};
use crate::{Redactor, is_secret, is_secret_name, is_secret_within, keeps_secrets, may_be_secret};

/// What stands between parts: what the rules look for, and characters of several bytes.
const BETWEEN: [&str; 28] = [
    "", " ", "\n", "é", "“", "→", "\u{200b}", "\"", "'", "`", "{", "[", "(", "<", "}", "]", ")", ", ", ": ", "=",
    "-> ", "\\", "\\\"", "%", "&", "\u{1b}[", "[é", "- ",
];

/// Numbers that look random and are always the same.
pub(super) struct Numbers(pub u64);

impl Numbers {
    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or(0) % end
    }

    /// A part of `text`, cut anywhere.
    fn part<'a>(&mut self, text: &'a str) -> &'a str {
        let (one, other) = (self.below(text.len() + 1), self.below(text.len() + 1));
        &text[text.floor_char_boundary(one.min(other))..text.floor_char_boundary(one.max(other))]
    }
}

#[test]
fn no_text_ends_the_program() {
    let mut numbers = Numbers(20_261_128);
    let rows: Vec<String> = lines(GO).into_iter().chain(lines(STAY)).map(|row| row.replace(['⟦', '⟧'], "")).collect();
    let redactor = Redactor::new([OWN]);
    for _ in 0..4_000 {
        let mut text = String::new();
        for _ in 0..=numbers.below(4) {
            let row = numbers.below(rows.len());
            text.push_str(numbers.part(&rows[row]));
            text.push_str(BETWEEN[numbers.below(BETWEEN.len())]);
        }
        let (name, value) = text.split_at(text.floor_char_boundary(text.len() / 2));
        let asked = [
            redact(&text).is_empty(),
            redactor.redact(&text).is_empty(),
            redactor.contains_secret(&text),
            redactor.redact_certain(&text).is_empty(),
            may_be_secret(&text),
            is_secret(name, value),
            is_secret("password", &text),
            is_secret("cookie", &text),
            is_secret_within("credentials", name, value),
            is_secret_name(name),
            keeps_secrets(name),
        ];
        std::hint::black_box(asked);
    }
}

/// What is put into texts: characters of several bytes where the rules expect others.
const ODD: [&str; 20] = [
    "é", "ß", "İ", "ſ", "ﬁ", "中", "ي", "ก", "д", "ａ", "😀", "\u{301}", "\u{a0}", "\u{200b}", "\u{fffd}", "—", "“",
    "；", "\\", "\0",
];

#[test]
fn no_text_that_is_slightly_changed_ends_the_program() {
    let mut numbers = Numbers(20_261_130);
    let rows: Vec<String> = lines(GO).into_iter().chain(lines(STAY)).map(|row| row.replace(['⟦', '⟧'], "")).collect();
    let texts = std::env::var("RANDOM_TEXTS").ok().and_then(|texts| texts.parse().ok()).unwrap_or(10_000);
    for _ in 0..texts {
        let mut text = rows[numbers.below(rows.len())].clone();
        for _ in 0..=numbers.below(3) {
            let at = text.floor_char_boundary(numbers.below(text.len() + 1));
            let end = text.ceil_char_boundary((at + numbers.below(2)).min(text.len()));
            text.replace_range(at..end, ODD[numbers.below(ODD.len())]);
        }
        std::hint::black_box(redact(&text).is_empty());
    }
}

/// Each of these has ended it.
#[test]
fn characters_of_several_bytes_where_the_rules_expect_others_end_no_program() {
    for text in [
        "é_pat x",
        "variable \"db_password\" { defaulté = \"x\" }",
        "resource \"kubernetes_secret\" \"app\" {\n  data = {\n    é = \"x\"\n  }\n}",
        "\"master_password\": ؛lemonade\", \"username\": \"root\"",
        "curl -H 'X-Admin-Key: 0a؛b2c3d4e5f071' http://acme.io",
        "echo aGVsG8gd29ybGQﬁ= | base64 -d",
    ] {
        std::hint::black_box(redact(text).is_empty());
    }
}
