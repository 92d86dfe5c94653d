//! Secrets that a person names, so that they are never sent or shown, whatever stands around them: one on each line. Pure.

use redact::is_of_words;

/// So many are looked for; more would be a whole store of secrets.
const MOST: usize = 1_000;

/// A shorter one would be found in words.
const SHORTEST: usize = 4;

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
        if secret.is_empty() || secret.starts_with("-----") {
            continue;
        }
        if secret.chars().count() < SHORTEST {
            return Err(format!(
                "holds a secret of fewer than {SHORTEST} characters (line {number}), which words may hold, too"
            ));
        }
        if is_of_words(secret) {
            of_words.push(number);
        }
        masks.secrets.push(secret.to_string());
    }
    if masks.secrets.is_empty() {
        return Err("holds no secret: write one on each line".to_string());
    }
    if masks.secrets.len() > MOST {
        return Err(format!("holds {} secrets; {MOST} can be masked", masks.secrets.len()));
    }
    if let Some(first) = of_words.first() {
        let more = match of_words.len() {
            1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        masks.warnings.push(format!(
            "holds a secret that is made of words (line {first}{more}): **** stands for them in all that is sent or shown"
        ));
    }
    Ok(masks)
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
        insta::assert_snapshot!(check("-----BEGIN X-----\nMIIEvQ1BADANBgkq\n-----END X-----"), @"MIIEvQ1BADANBgkq");
    }

    #[test]
    fn what_cannot_be_masked_is_said_without_it() {
        insta::assert_snapshot!(check(" \n\n"), @"error: holds no secret: write one on each line");
        insta::assert_snapshot!(check("S3cr3t-of-db1\nab1"), @"error: holds a secret of fewer than 4 characters (line 2), which words may hold, too");
        insta::assert_snapshot!(check(&"S3cr3t-of-db1\n".repeat(1_001)), @"error: holds 1001 secrets; 1000 can be masked");
        insta::assert_snapshot!(check("S3cr3t-of-db1\nproduction\nstaging"), @"S3cr3t-of-db1|production|staging holds a secret that is made of words (line 2 and 1 more): **** stands for them in all that is sent or shown");
        assert_eq!(masks(b"\xff\xfe"), Err("holds bytes that are not UTF-8 text".to_string()));
    }
}
