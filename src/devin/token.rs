//! The API key: never printed, and recognized when somebody else prints it.
//!
//! A server may quote the key it refuses, whole or in part, plain or encoded. [`Token::is_quoted_in`] finds it
//! in foreign text before that text is used; `redact` is the last net under everything that is written.

use std::fmt;

use redact::MASK;

/// A quotation this long is no coincidence: so many characters of the key in a row.
const TELLING_LENGTH: usize = 8;

/// How the keys of the Devin API begin: those of today, and those of its retired versions.
const BEGINNINGS: [&str; 2] = ["cog_", "apk_"];

/// Whether a text holds the beginning of a key, in any letter case: for places where a key is none of their business.
pub fn holds_key(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    BEGINNINGS.iter().any(|beginning| text.contains(beginning))
}

/// An API key. `Debug` and `Display` print `****`.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Takes the key without the white space that comes along when it is pasted.
    pub fn new(text: &str) -> Token {
        Token(text.trim().to_string())
    }

    /// The key itself, for the `Authorization` header and for nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether `text` quotes the key or a telling part of it, in whatever encoding.
    ///
    /// Looks through percent, JSON, HTML, hexadecimal and base64 encoding, letter case, and separators.
    pub fn is_quoted_in(&self, text: &str) -> bool {
        let letters = |bytes: &[u8]| letters(bytes, self.0.is_ascii());
        let secret = letters(self.0.strip_prefix("cog_").unwrap_or(&self.0).as_bytes());
        if secret.len() < TELLING_LENGTH {
            return self.0.len() >= TELLING_LENGTH && text.contains(&self.0);
        }
        let mut readings = vec![text.as_bytes().to_vec(), unescaped(text), unescaped(&unescaped_text(text))];
        let is_coded = |c: char| c.is_ascii_alphanumeric() || "+/-_=".contains(c);
        let words = text.split(|c| !is_coded(c)).map(str::to_string);
        // What was broken into lines or pairs is read in one piece too.
        let whole =
            [text.chars().filter(char::is_ascii_hexdigit).collect(), text.chars().filter(|c| is_coded(*c)).collect()];
        for word in words.chain(whole) {
            readings.extend((0..2).filter_map(|skip| from_hex(word.get(skip..)?)));
            readings.extend((0..4).filter_map(|skip| from_base64(word.get(skip..)?)));
        }
        let readings: Vec<Vec<u8>> = readings.iter().map(|reading| letters(reading)).collect();
        secret.windows(TELLING_LENGTH).any(|part| readings.iter().any(|reading| contains(reading, part)))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(MASK)
    }
}

impl fmt::Display for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(MASK)
    }
}

/// Letters and digits only, in lower case, so that dashes, dots, blanks and invisible characters put in between hide
/// nothing.
fn letters(bytes: &[u8], is_ascii: bool) -> Vec<u8> {
    let counts = |byte: &&u8| byte.is_ascii_alphanumeric() || !(is_ascii || byte.is_ascii());
    bytes.iter().filter(counts).map(u8::to_ascii_lowercase).collect()
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

/// Resolves `%41`, `\u0041`, `\x41`, `&#65;` and `&#x41;`; anything else stays as it is.
fn unescaped(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let rest = &text.as_bytes()[at..];
        let coded = |prefix: &str, digits: usize| -> Option<(u32, usize)> {
            let code = rest.strip_prefix(prefix.as_bytes())?.get(..digits)?;
            let code = u32::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok()?;
            Some((code, prefix.len() + digits))
        };
        let entity = || -> Option<(u32, usize)> {
            let body = rest.strip_prefix(b"&#")?;
            let end = body.iter().take(9).position(|&byte| byte == b';')?;
            let body = std::str::from_utf8(&body[..end]).ok()?;
            let code = match body.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => body.parse(),
            };
            Some((code.ok()?, end + 3))
        };
        let decoded = coded("%", 2).or_else(|| coded("\\u", 4)).or_else(|| coded("\\x", 2)).or_else(entity);
        match decoded {
            Some((code, length)) if code < 256 => {
                out.push(code as u8);
                at += length;
            }
            _ => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    out
}

fn unescaped_text(text: &str) -> String {
    String::from_utf8_lossy(&unescaped(text)).into_owned()
}

fn from_hex(word: &str) -> Option<Vec<u8>> {
    if word.len() < 2 * TELLING_LENGTH {
        return None;
    }
    word.as_bytes().chunks_exact(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

/// Decodes base64 of either alphabet; `None` when the word is too short to tell anything.
fn from_base64(word: &str) -> Option<Vec<u8>> {
    if word.len() < TELLING_LENGTH {
        return None;
    }
    let mut out = Vec::new();
    let (mut bits, mut count) = (0u32, 0);
    for byte in word.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => break,
        };
        bits = (bits << 6) | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> Token {
        Token::new(" cog_s3cr3tKey0fTheOrg42\n")
    }

    #[test]
    fn a_token_never_prints_itself() {
        insta::assert_snapshot!(format!("{:?} {}", token(), token()), @"**** ****");
    }

    #[test]
    fn a_quotation_is_found_in_every_encoding() {
        let quoted = [
            "bad key cog_s3cr3tKey0fTheOrg42",
            "bad key COG_S3CR3TKEY0FTHEORG42",
            "bad key s3cr3tKe…",
            "bad key ...0fTheOrg42",
            "bad key %63%6f%67%5f%73%33%63%72%33%74%4b%65%79%30%66",
            "bad key %2563%256f%2567%255f%2573%2533%2563%2572%2533%2574%254b%2565%2579",
            "bad key \\u0073\\u0033\\u0063\\u0072\\u0033\\u0074\\u004b\\u0065\\u0079",
            "bad key &#115;&#51;&#99;&#114;&#51;&#116;&#75;&#101;&#x79;",
            "bad key s3cr3t-Key0f-TheOrg42",
            "Basic Y29nX3MzY3IzdEtleTBmVGhlT3JnNDI=",
            "Basic IGNvZ19zM2NyM3RLZXkwZlRoZU9yZzQyIA",
            "hex 636f675f73336372337444",
            "hex 636f675f733363723374 4b657930665468654",
            "hex 636f675f7333637233744b657930665468654f72673432",
            "hex 63:6f:67:5f:73:33:63:72:33:74:4b:65:79:30:66",
            "63 6f 67 5f 73 33 63 72 33 74 4b 65 79 30 66",
            "Y29nX3Mz Y3IzdEtl eTBmVGhl",
            "s3c\u{200b}r3t\u{ad}Key0f",
        ];
        let missed: Vec<_> = quoted.iter().filter(|text| !token().is_quoted_in(text)).collect();
        insta::assert_debug_snapshot!(missed, @r#"
        [
            "hex 636f675f73336372337444",
        ]
        "#);
    }

    #[test]
    fn ordinary_text_is_not_taken_for_a_quotation() {
        for text in
            ["permission ViewOrgSessions is missing", "cog_ keys only", "", "org-0123456789abcdef0123456789abcdef"]
        {
            assert!(!token().is_quoted_in(text), "{text}");
        }
    }
}
