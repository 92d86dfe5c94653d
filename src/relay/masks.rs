//! Secrets that a person names, so that they are never sent or shown, whatever stands around them: one on each line. Pure.

use redact::{Redactor, is_found_in_any_spelling, is_of_words};

/// So many are looked for; more would be a whole store of secrets.
const MOST: usize = 1_000;

/// Names of variables are no longer, and have no more digits.
const LONGEST_NAME: usize = 64;
const MOST_DIGITS: usize = 3;

/// What is masked, and what is odd about it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Masks {
    pub secrets: Vec<String>,
    /// One sentence each, without a secret.
    pub warnings: Vec<String>,
}

/// Reads secrets, one on each line. Empty lines and the first and last lines of PEM are none.
///
/// # Errors
/// What about them cannot be, without a secret.
pub fn masks(bytes: &[u8]) -> Result<Masks, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "holds bytes that are not UTF-8 text".to_string())?;
    let text = text.trim_start_matches('\u{feff}');
    let mut masks = Masks::default();
    let mut of_words = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let secret = line.trim();
        if secret.is_empty() || is_line_of_pem(secret) {
            continue;
        }
        if secret.contains(char::is_control) {
            return Err(format!("has control characters (line {number}): write one secret on each line"));
        }
        if !is_found_in_any_spelling(secret) {
            return Err(format!(
                "has a secret with fewer than 8 Latin letters and digits (line {number}): it could not be told from other text"
            ));
        }
        if is_setting(secret) {
            return Err(format!("has NAME=value (line {number}): write the value alone"));
        }
        if is_of_words(secret) {
            of_words.push(number);
        }
        masks.secrets.push(secret.to_string());
    }
    if masks.secrets.is_empty() {
        return Err("has no secret: write one on each line".to_string());
    }
    if masks.secrets.len() > MOST {
        return Err(format!("has {} secrets; {MOST} can be masked", masks.secrets.len()));
    }
    if let Some(first) = of_words.first() {
        let more = match of_words.len() {
            1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        masks.warnings.push(format!(
            "has a secret that is made of words (line {first}{more}): **** stands for them in all that is sent or shown"
        ));
    }
    Ok(masks)
}

/// Whether a line begins or ends what PEM keeps between such lines.
fn is_line_of_pem(line: &str) -> bool {
    ["-----BEGIN ", "-----END "].iter().any(|begin| line.starts_with(begin)) && line.ends_with("-----")
}

/// Whether a line is one of a file of settings, whose value alone is a secret.
fn is_setting(line: &str) -> bool {
    let setting = line.strip_prefix("export ").unwrap_or(line).split_once('=');
    setting.is_some_and(|(name, value)| {
        let is_name = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        name.starts_with(|c: char| c.is_ascii_uppercase())
            && name.bytes().all(is_name)
            && !value.trim_start_matches('=').is_empty()
    })
}

/// Whether a name is written as variables are, and not as secrets, which somebody may have given in its place: few digits, no
/// lowercase letters.
pub fn is_name_of_variable(name: &str) -> bool {
    let digits = name.bytes().filter(u8::is_ascii_digit).count();
    let is_name = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    name.len() <= LONGEST_NAME
        && digits <= MOST_DIGITS
        && name.bytes().all(is_name)
        && !Redactor::default().contains_secret(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> String {
        match masks(text.as_bytes()) {
            Ok(masks) => format!("{} {}", masks.secrets.join("|"), masks.warnings.join(" ")),
            Err(problem) => format!("error: {problem}"),
        }
    }

    #[test]
    fn each_line_is_a_secret() {
        insta::assert_snapshot!(check("\u{feff}S3cr3t-of-db1\r\n\n  Tr0ub4dor=&3 # mine  \n"), @"S3cr3t-of-db1|Tr0ub4dor=&3 # mine");
        insta::assert_snapshot!(check("-----BEGIN X-----\nMIIEvQ1BADANBgkq\n-----END X-----\n-----S3cr3t-of-db1\nUVdFUlRZMTIzNDU2Nzg5MA=="), @"MIIEvQ1BADANBgkq|-----S3cr3t-of-db1|UVdFUlRZMTIzNDU2Nzg5MA==");
    }

    #[test]
    fn what_cannot_be_masked_is_said_without_it() {
        let texts = [
            " \n\n",
            "S3cr3t-of-db1\nab1-cd2",
            "Grüße12",
            "密码密码",
            "S3cr3t-of-db1\rS3cr3t-of-db2\r",
            "S3cr3t-of-db1\nexport DB_PASSWORD=S3cr3t-of-db2",
            "S3cr3t-of-db1\nproduction\nstaging-eu",
            &"S3cr3t-of-db1\n".repeat(1_001),
        ];
        insta::assert_snapshot!(texts.map(check).join("\n"), @r"
        error: has no secret: write one on each line
        error: has a secret with fewer than 8 Latin letters and digits (line 2): it could not be told from other text
        error: has a secret with fewer than 8 Latin letters and digits (line 1): it could not be told from other text
        error: has a secret with fewer than 8 Latin letters and digits (line 1): it could not be told from other text
        error: has control characters (line 1): write one secret on each line
        error: has NAME=value (line 2): write the value alone
        S3cr3t-of-db1|production|staging-eu has a secret that is made of words (line 2 and 1 more): **** stands for them in all that is sent or shown
        error: has 1001 secrets; 1000 can be masked
        ");
        assert_eq!(masks(b"\xff\xfe"), Err("holds bytes that are not UTF-8 text".to_string()));
    }

    #[test]
    fn a_secret_in_the_place_of_a_name_is_none() {
        let names = ["DB_PASSWORD", "PIN", "KEY_2", "Sommerhaus22", "X=Sommerhaus22", "SOMMER48213", "a"];
        assert_eq!(names.map(is_name_of_variable), [true, true, true, false, false, false, false]);
    }
}
