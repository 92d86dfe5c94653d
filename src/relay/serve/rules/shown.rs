//! Keys of a rules file as far as they can be shown: somebody may have put a secret where a key belongs. Pure.

use redact::Redactor;

/// A key of a file as far as it can be shown, else what stands in its place.
pub fn shown(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-. ".contains(c);
    let is_shown = name.len() <= 40
        && name.chars().all(is_plain)
        && !is_random(name)
        && !Redactor::default().contains_secret(name);
    if is_shown { name.to_string() } else { A_KEY.to_string() }
}

/// What stands in the place of a key that is not shown.
pub const A_KEY: &str = "(a key)";

/// Whether letters of both cases and digits take turns as they do in no word.
fn is_random(name: &str) -> bool {
    let class = |byte: u8| (byte.is_ascii_lowercase(), byte.is_ascii_uppercase(), byte.is_ascii_digit());
    let turns = name.as_bytes().windows(2).filter(|pair| class(pair[0]) != class(pair[1])).count();
    name.len() >= 10 && name.bytes().any(|byte| byte.is_ascii_digit()) && turns * 4 > name.len()
}
