//! The state that a title begins with: `[RESOLVED] disk full`, `Problem: disk full`, `Monitor is DOWN: shop`. Pure.

use crate::relay::alert::State;

/// Lights that chat messages begin with; `:red_circle:` is how Slack writes one.
const LIGHTS: [&str; 4] = ["\u{1f534}", "\u{1f6a8}", ":red_circle:", ":rotating_light:"];

/// Words that are a state where a title begins with them in capitals.
const CAPITALS: [&str; 9] =
    ["ALERT", "CRITICAL", "DOWN", "FIRING", "PROBLEM", "RECOVERED", "RECOVERY", "RESOLVED", "TRIGGERED"];

/// Words before a state at the end of what stands before a colon, or of a whole title.
pub const VERBS: [&str; 9] = ["is", "are", "was", "has", "have", "been", "went", "now", "back"];

/// The state that stands first, and what comes after it.
pub fn split(text: &str) -> Option<(State, &str)> {
    let plain = undecorated(text);
    bracketed(plain)
        .or_else(|| before_colon(plain))
        .or_else(|| in_capitals(plain))
        .or_else(|| LIGHTS.iter().find_map(|light| Some((State::Firing, text.trim_start().strip_prefix(light)?))))
}

/// The state in the first of several brackets that hold one; those before it may hold something else.
fn bracketed(text: &str) -> Option<(State, &str)> {
    let mut rest = text;
    while let Some((inside, after)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        let word = inside.split([':', '(', ',']).next().unwrap_or_default();
        rest = after.trim_start();
        if let Some(state) = State::known(word).filter(|_| word.len() > 1) {
            return Some((state, rest));
        }
    }
    None
}

/// `Problem: x`, Zabbix's `Resolved in 5m: x`, and `Monitor is DOWN: x`.
fn before_colon(text: &str) -> Option<(State, &str)> {
    let (before, after) = text.split_once(':')?;
    let words: Vec<&str> = before.split_whitespace().collect();
    let word = match words[..] {
        [word] | [word, "in", ..] => word,
        [_, .., verb, word] if VERBS.contains(&verb) => word,
        _ => return None,
    };
    let state = State::known(word).filter(|_| word.len() > 1 && words.len() <= 6)?;
    // Shops and meetings are open, too.
    let is_clear = words.len() < 3 || state == State::Resolved || State::is_alarm(word);
    is_clear.then(|| (state, after.trim_start()))
}

fn in_capitals(text: &str) -> Option<(State, &str)> {
    let length = text.find(|c: char| !c.is_ascii_uppercase())?;
    let (word, after) = text.split_at(length);
    let is_whole = !after.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    let state = State::known(word).filter(|_| is_whole && CAPITALS.contains(&word))?;
    Some((state, after.trim_start_matches(|c: char| !c.is_alphanumeric() && c != '[')))
}

/// Without emoji and asterisks at its beginning.
fn undecorated(text: &str) -> &str {
    let mut rest = text.trim_start();
    loop {
        let emoji = rest.strip_prefix(':').and_then(|rest| rest.split_once(':'));
        let is_emoji =
            |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        rest = match emoji {
            Some((name, after)) if is_emoji(name) => after,
            _ => match rest.chars().next() {
                Some(c) if !c.is_alphanumeric() && c != '[' => &rest[c.len_utf8()..],
                _ => return rest,
            },
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_split_at_the_state_that_it_begins_with() {
        for (text, state, rest) in [
            ("[RESOLVED] disk full", State::Resolved, "disk full"),
            ("[P1] [FIRING:2] disk full", State::Firing, "disk full"),
            ("Problem: disk full", State::Firing, "disk full"),
            ("Resolved in 1h 2m 3s: disk full", State::Resolved, "disk full"),
            ("Monitor is DOWN: shop", State::Firing, "shop"),
            ("\u{2705} Monitor is UP: shop", State::Resolved, "shop"),
            (":red_circle: *ALERT* CPU is high", State::Firing, "CPU is high"),
            ("*RESOLVED* - CPU", State::Resolved, "CPU"),
            ("\u{1f534} shop", State::Firing, " shop"),
        ] {
            assert_eq!(split(text), Some((state, rest)), "{text}");
        }
        for text in [
            "disk full",
            "[db-1] disk full",
            "it is open: come in today",
            "Error in a.py",
            "ALERTS of today",
            "A: b",
            "",
        ] {
            assert_eq!(split(text), None, "{text}");
        }
    }
}
