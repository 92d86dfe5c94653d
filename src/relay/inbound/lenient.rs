//! JSON as some senders write it, made fit for a parser. Pure.

/// How deep objects and lists may nest; what is deeper becomes `null`.
const DEPTH: usize = 100;

/// The text with `null` for what nests too deep, and with numbers beyond any range as texts.
pub fn tamed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut depth: usize = 0;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '"' => string(rest),
            '-' | '0'..='9' => number(rest),
            c => c.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        rest = after;
        if matches!(c, '{' | '[') {
            depth += 1;
            if depth == DEPTH + 1 {
                out.push_str("null");
            }
        }
        if depth <= DEPTH {
            if is_beyond(token) {
                out.push('"');
                out.push_str(token);
                out.push('"');
            } else {
                out.push_str(token);
            }
        }
        if matches!(c, '}' | ']') {
            depth = depth.saturating_sub(1);
        }
    }
    out
}

/// The length of the string that `text` begins with.
fn string(text: &str) -> usize {
    let mut is_escaped = false;
    let end = text.bytes().enumerate().skip(1).find(|(_, byte)| {
        let ends = *byte == b'"' && !is_escaped;
        is_escaped = *byte == b'\\' && !is_escaped;
        ends
    });
    end.map_or(text.len(), |(place, _)| place + 1)
}

fn number(text: &str) -> usize {
    text.find(|c: char| !c.is_ascii_digit() && !"+-.eE".contains(c)).unwrap_or(text.len())
}

/// Whether it is a number that no float holds.
fn is_beyond(token: &str) -> bool {
    token.starts_with(|c: char| c == '-' || c.is_ascii_digit()) && token.parse::<f64>().is_ok_and(f64::is_infinite)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_deep_or_too_large_does_not_cost_the_rest() {
        assert_eq!(
            tamed(r#"{"a": 1e999, "b": "1e999 \" {", "c": -1.5e3}"#),
            r#"{"a": "1e999", "b": "1e999 \" {", "c": -1.5e3}"#
        );
        let deep = format!(r#"{{"a": {}{}, "b": 1}}"#, "[".repeat(200), "]".repeat(200));
        let value: serde_json::Value = serde_json::from_str(&tamed(&deep)).unwrap();
        assert_eq!(value["b"], 1);
        assert_eq!(tamed("\"open"), "\"open");
    }
}
