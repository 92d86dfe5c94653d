//! By what an alert is recognized when it comes again: the dedupe key, and the tag made of it. Pure.

use sha2::{Digest, Sha256};

use super::{Alert, Pairs};

/// Labels that change while the trouble stays the same, so that they are left out of an alert's hashed labels. Beside
/// `pod` or `container`, so is `instance`, which is then the pod's address; elsewhere it is the machine that is in trouble.
pub const CHURNING_LABELS: [&str; 3] = ["pod", "endpoint", "uid"];

/// Hexadecimal digits of a hash in a key and in a tag: 104 bits, and a tag of 29 characters.
const HASH_DIGITS: usize = 26;

/// The longest of the sender's own keys that is shown as it is.
const LONGEST_OWN_KEY: usize = 200;

/// What tells an alert from others. The time it began is never part of it: it moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// The sender's own stable key, in parts, the kind of key first where the sender has several kinds.
    Own(Vec<String>),
    /// The receiver's name with the labels that the user grouped by, all of which count.
    Group { receiver: String, labels: Pairs },
    /// The receiver's name with the labels of one alert, of which those that churn are left out.
    Labels { receiver: String, labels: Pairs },
    /// The title with the alert's labels, and whatever else names the source.
    Title { source: String, title: String },
}

/// The dedupe tag of the alert with this key in the default namespace: `ar-` and 26 hexadecimal digits.
pub fn tag(key: &str) -> String {
    format!("ar-{}", digits(&Sha256::digest(key.as_bytes())))
}

/// The dedupe tag of the alert with this key in a namespace, the default one being empty: alerts of different namespaces
/// have different sessions.
pub fn tag_in(namespace: &str, key: &str) -> String {
    // A NUL stands in no namespace and in no key, so that no two pairs are hashed alike.
    if namespace.is_empty() { tag(key) } else { tag(&format!("{namespace}\0{key}")) }
}

/// The tag of one attempt to make the session of the alert with this tag: `ar-a-` and 26 hexadecimal digits.
pub fn attempt_tag(alert_tag: &str, attempt: &str) -> String {
    tag(&format!("{alert_tag}\0{attempt}")).replacen("ar-", "ar-a-", 1)
}

/// What stands for a member of a group whose sender gives it no fingerprint.
pub fn fingerprint(labels: &Pairs) -> String {
    let labels: Vec<_> = labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    hash([], &labels)
}

/// See [`Alert::dedupe_key`].
pub(super) fn dedupe_key(alert: &Alert, ignored_labels: &[String]) -> String {
    let format = alert.format;
    match &alert.identity {
        Identity::Own(parts) => format!("{format}:{}", own_key(parts)),
        Identity::Group { receiver, labels } => {
            let hash = hash([receiver.as_str()], &unignored(labels, |name| is_among(name, ignored_labels)));
            format!("{format}:{}:{hash}", readable(receiver))
        }
        Identity::Labels { receiver, labels } => {
            let hash = hash([receiver.as_str()], &lasting(labels, ignored_labels));
            format!("{format}:{}:{hash}", readable(receiver))
        }
        Identity::Title { source, title } => {
            let title = without_measures(title);
            format!("{format}:{}", hash([source.as_str(), &title], &lasting(&alert.labels, ignored_labels)))
        }
    }
}

/// The parts with `#` between them, or their hash where they are long or would be ambiguous. Whether something in them
/// looks like a secret does not count: better rules for secrets must not change a key. Whoever shows a key redacts it.
fn own_key(parts: &[String]) -> String {
    let joined = parts.join("#");
    let is_plain = |part: &String| part.bytes().all(|byte| (byte.is_ascii_graphic() && byte != b'#') || byte == b' ');
    if !joined.is_empty() && joined.len() <= LONGEST_OWN_KEY && parts.iter().all(is_plain) {
        return joined;
    }
    format!("sha256-{}", hash(parts.iter().map(String::as_str), &[]))
}

/// See [`Alert::shown_key`].
pub(super) fn shown_key(alert: &Alert, key: &str, redacted: &dyn Fn(&str) -> String) -> String {
    let (Identity::Group { receiver, .. } | Identity::Labels { receiver, .. }) = &alert.identity else {
        return redacted(key);
    };
    // A secret in the receiver's name can be told by its shape in the name only, not in what the key has of it.
    let clean = redacted(receiver);
    let start = format!("{}:{}:", alert.format, readable(receiver));
    match key.strip_prefix(&start) {
        Some(rest) if clean != *receiver => format!("{}:{}:{}", alert.format, readable(&clean), redacted(rest)),
        _ => redacted(key),
    }
}

/// A receiver's name for the eye; the hash after it tells names apart.
fn readable(receiver: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' };
    receiver.chars().take(60).map(plain).collect()
}

/// A title without what changes each time it is measured: decimals, and numbers with a unit. Codes and identifiers stay.
fn without_measures(title: &str) -> String {
    const UNITS: [&str; 27] = [
        "%", "percent", "ms", "s", "sec", "secs", "second", "seconds", "m", "min", "mins", "minute", "minutes", "h",
        "hour", "hours", "d", "day", "days", "b", "kb", "mb", "gb", "tb", "gib", "mib", "msec",
    ];
    let trimmed = |word: &str| word.trim_matches(|c: char| "()[],;:.".contains(c)).to_ascii_lowercase();
    let is_unit = |word: &str| UNITS.contains(&trimmed(word).as_str());
    let is_number = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    let is_decimal = |word: &str| word.split_once('.').is_some_and(|(whole, part)| is_number(whole) && is_number(part));
    let words: Vec<&str> = title.split_whitespace().collect();
    let is_measure = |(place, word): (usize, &str)| {
        let word = trimmed(word);
        let end = word.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(word.len());
        let (number, unit) = word.split_at(end);
        is_decimal(number) && (unit.is_empty() || is_unit(unit))
            || is_number(number)
                && (is_unit(unit) || unit.is_empty() && words.get(place + 1).is_some_and(|next| is_unit(next)))
    };
    let kept = words.iter().enumerate().filter(|(place, word)| !is_measure((*place, word))).map(|(_, word)| *word);
    kept.collect::<Vec<_>>().join(" ")
}

/// The labels that stay; all of them when none would.
fn lasting<'a>(labels: &'a Pairs, ignored_labels: &[String]) -> Vec<(&'a str, &'a str)> {
    let is_pod = labels.contains_key("pod") || labels.contains_key("container");
    let is_churning = |name: &str| CHURNING_LABELS.contains(&name) || name == "instance" && is_pod;
    unignored(labels, |name| is_churning(name) || is_among(name, ignored_labels))
}

/// The labels that are not ignored; all of them when every one is, lest all alerts get one key.
fn unignored(labels: &Pairs, is_ignored: impl Fn(&str) -> bool) -> Vec<(&str, &str)> {
    let all = || labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let kept: Vec<_> = all().filter(|(name, _)| !is_ignored(name)).collect();
    if kept.is_empty() { all().collect() } else { kept }
}

fn is_among(name: &str, labels: &[String]) -> bool {
    labels.iter().any(|label| label == name)
}

/// Whether `--ignore-label` names all labels that the alert's key is made of, so that they count after all.
pub(super) fn ignores_all(alert: &Alert, ignored_labels: &[String]) -> bool {
    let labels = match &alert.identity {
        Identity::Own(_) => return false,
        Identity::Group { labels, .. } | Identity::Labels { labels, .. } => labels,
        Identity::Title { .. } => &alert.labels,
    };
    !labels.is_empty() && labels.keys().all(|name| is_among(name, ignored_labels))
}

/// A hash over texts and labels, each with its length, so that no two lists run together to the same bytes.
fn hash<'a>(texts: impl IntoIterator<Item = &'a str>, labels: &[(&str, &str)]) -> String {
    let mut hasher = Sha256::new();
    let mut add = |text: &str| {
        hasher.update(format!("{}:", text.len()));
        hasher.update(text);
    };
    texts.into_iter().for_each(&mut add);
    for (name, value) in labels {
        add(name);
        add(value);
    }
    digits(&hasher.finalize())
}

fn digits(hash: &[u8]) -> String {
    hash.iter().take(HASH_DIGITS / 2).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relay::alert::{Format, State};

    fn pairs(text: &str) -> Pairs {
        text.split_whitespace().filter_map(|pair| pair.split_once('=')).map(|(k, v)| (k.into(), v.into())).collect()
    }

    fn own(parts: &[&str]) -> Identity {
        Identity::Own(parts.iter().map(ToString::to_string).collect())
    }

    fn labels(receiver: &str, labels: &str) -> Identity {
        Identity::Labels { receiver: receiver.to_string(), labels: pairs(labels) }
    }

    fn check(identity: Identity, ignored: &[&str]) -> String {
        let ignored: Vec<String> = ignored.iter().map(ToString::to_string).collect();
        let mut alert = Alert::new(Format::Generic, State::Firing, "title".to_string(), identity);
        alert.labels = pairs("service=checkout pod=checkout-1");
        alert.dedupe_key(&ignored)
    }

    #[test]
    fn a_key_shows_the_senders_own_key_unless_it_is_odd() {
        let keys = [
            own(&["PABC"]),
            own(&["cycle", "123"]),
            own(&["a#b"]),
            own(&["a", "b"]),
            own(&["two\nlines"]),
            own(&["ligne\u{e9}"]),
            own(&["token=hunter2hunter2"]),
            own(&["x".repeat(201).as_str()]),
        ];
        let keys: Vec<String> = keys.into_iter().map(|identity| check(identity, &[])).collect();
        insta::assert_snapshot!(keys.join("\n"), @"
        generic:PABC
        generic:cycle#123
        generic:sha256-880a18d513996b6db539b11634
        generic:a#b
        generic:sha256-bfee9ce3be1d858e3c4a3714c3
        generic:sha256-d69bc44d68fc206255847db468
        generic:token=hunter2hunter2
        generic:sha256-6d4e7b95acf681d4fe1ffb3d0a
        ");
    }

    #[test]
    fn labels_that_churn_do_not_count_and_others_do() {
        let key = check(labels("ops", "alertname=Down service=a"), &[]);
        insta::assert_snapshot!(key, @"generic:ops:aca32f6ca24a25694bc3b78b1f");
        assert_eq!(key, check(labels("ops", "service=a alertname=Down pod=p1 instance=i uid=7 endpoint=e"), &[]));
        assert_eq!(key, check(labels("ops", "service=a alertname=Down build=9"), &["build"]));
        assert_ne!(key, check(labels("ops", "service=a alertname=Down build=9"), &[]));
        assert_ne!(key, check(labels("ops", "service=b alertname=Down"), &[]));
        assert_ne!(key, check(labels("dev", "service=a alertname=Down"), &[]));
    }

    #[test]
    fn a_receivers_name_is_made_readable_and_still_tells_apart() {
        insta::assert_snapshot!(check(labels("Devin relay: \u{e9}", ""), &[]), @"generic:Devin-relay---:b3fb70cd65656797d76f6c720b");
        assert_ne!(check(labels("a b", ""), &[]), check(labels("a-b", ""), &[]));
    }

    #[test]
    fn labels_that_are_all_ignored_count_after_all() {
        assert_ne!(check(labels("ops", "pod=a"), &[]), check(labels("ops", "pod=b"), &[]));
        assert_ne!(check(labels("ops", "instance=a"), &[]), check(labels("ops", ""), &[]));
        assert_ne!(check(labels("ops", "a=1"), &["a"]), check(labels("ops", "a=2"), &["a"]));
        let group = |text: &str| Identity::Group { receiver: "ops".to_string(), labels: pairs(text) };
        assert_ne!(check(group("a=1"), &["a"]), check(group("a=2"), &["a"]));
        assert_eq!(check(group("a=1 b=1"), &["a"]), check(group("a=2 b=1"), &["a"]));
    }

    #[test]
    fn names_and_values_do_not_run_together() {
        assert_ne!(check(labels("ops", "a=bc"), &[]), check(labels("ops", "ab=c"), &[]));
        assert_ne!(check(labels("ops", "a=b"), &[]), check(labels("opsab", ""), &[]));
    }

    #[test]
    fn without_a_key_the_title_and_the_labels_count() {
        let title = |title: &str| Identity::Title { source: "cron".to_string(), title: title.to_string() };
        assert_eq!(check(title("disk  full"), &[]), check(title("disk full"), &[]));
        assert_ne!(check(title("disk full"), &[]), check(title("disk fine"), &[]));
    }

    #[test]
    fn instance_tells_machines_apart_and_pods_not() {
        assert_ne!(check(labels("ops", "a=b instance=x"), &[]), check(labels("ops", "a=b instance=y"), &[]));
        assert_eq!(
            check(labels("ops", "a=b pod=p instance=x"), &[]),
            check(labels("ops", "a=b pod=q instance=y"), &[])
        );
    }

    #[test]
    fn what_the_user_grouped_by_always_counts() {
        let group = |text: &str| Identity::Group { receiver: "ops".to_string(), labels: pairs(text) };
        assert_ne!(check(group("a=b pod=x"), &[]), check(group("a=b pod=y"), &[]));
        assert_eq!(check(group("a=b pod=x"), &["pod"]), check(group("a=b pod=y"), &["pod"]));
    }

    #[test]
    fn a_measured_value_in_a_title_does_not_count_and_a_code_does() {
        let title = |title: &str| check(Identity::Title { source: String::new(), title: title.to_string() }, &[]);
        assert_eq!(title("CPU is 97.3 %"), title("CPU is 98.1 %"));
        assert_eq!(title("p99 is 450ms"), title("p99 is 1200ms"));
        assert_eq!(title("late by 5 minutes"), title("late by 7 minutes"));
        assert_ne!(title("HTTP 500"), title("HTTP 502"));
        assert_ne!(title("db-1 is down"), title("db-2 is down"));
        assert_ne!(title("build 12"), title("build 13"));
    }

    #[test]
    fn a_tag_is_short_and_plain() {
        insta::assert_snapshot!(tag("pagerduty:PABC"), @"ar-0cfabd5d14533a8fed701313ce");
        assert_eq!(tag("x").len(), 29);
    }
}
