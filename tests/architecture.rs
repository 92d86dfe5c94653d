//! Who may name whom: the design's arrows, read off the sources.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What each part may name of the others. The redactor is a crate of its own, so it cannot name any. `cli.rs`, `main.rs` and `lib.rs` hold everything together.
const ARROWS: [(&str, &[&str]); 9] = [
    ("airbyte", &[]),
    ("config", &["devin"]),
    ("devin", &[]),
    ("failure", &["airbyte", "devin"]),
    ("output", &["devin"]),
    ("relay", &["config", "devin", "failure", "output"]),
    ("sandbox", &[]),
    ("source", &["airbyte", "config", "devin", "failure", "output"]),
    ("stop", &[]),
];

/// Who may name a library whose use is confined. `devin/` and `sandbox/` stand for every file below.
const LIBRARIES: [(&str, &[&str]); 13] = [
    ("clap", &["cli.rs", "cli/", "main.rs"]),
    ("maud", &["relay/serve/page/"]),
    ("minijinja", &["relay/"]),
    // Of this project: all that may meet a secret.
    ("redact", &["cli/", "config/", "devin/", "output.rs", "output/", "relay/"]),
    // SNS's messages name the certificate that they are signed with; commands ask a bridge that runs; people are told by it.
    ("reqwest", &["devin/", "relay/remote.rs", "relay/serve/notify/", "relay/serve/sns.rs"]),
    // Signatures of senders and for receivers, and hashes of fields.
    ("ring", &["relay/serve/auth/", "relay/serve/notify/webhook.rs", "source/redaction.rs", "source/redaction/"]),
    ("webpki", &["relay/serve/auth/sns.rs"]),
    // The HTTP client does not tell a connection that was closed from a senseless answer, nor which proxy it goes
    // through; what is under it does.
    ("hyper", &["devin/connection.rs", "relay/serve/http/", "sandbox/"]),
    ("hyper_util", &["devin/connection.rs", "relay/serve/http/", "sandbox/"]),
    ("listenfd", &["relay/serve/systemd.rs"]),
    ("sqlx", &["relay/serve/store/"]),
    ("rustls_platform_verifier", &["relay/serve/notify/smtp.rs"]),
    ("tokio_rustls", &["relay/serve/http/tls.rs", "relay/serve/notify/smtp.rs"]),
];

/// Who may write to the terminal.
const DOORS: [&str; 4] = ["output.rs", "output/stderr.rs", "output/stdout.rs", "main.rs"];

/// Every source file: its path below `src/`, and its lines without comments and without what only tests use. The files of
/// the redactor's crate are those of a part `redact`.
fn sources() -> BTreeMap<String, Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut found, mut redactor) = (BTreeMap::new(), BTreeMap::new());
    collect(&root.join("src"), &root.join("src"), &mut found);
    collect(&root.join("crates/redact/src"), &root.join("crates/redact/src"), &mut redactor);
    assert!(found.len() > 30 && redactor.len() > 30, "the sources are there");
    found.extend(redactor.into_iter().map(|(name, source)| (format!("redact/{name}"), source)));
    found
}

struct Source {
    text: String,
    code: String,
}

fn collect(root: &Path, directory: &Path, found: &mut BTreeMap<String, Source>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_string();
        if path.is_dir() {
            if !name.ends_with("tests") {
                collect(root, &path, found);
            }
        } else if name.ends_with(".rs") && !name.ends_with("/tests.rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            // The tests of a file are its last item.
            let (code, _) = text.split_once("#[cfg(test)]\nmod tests {").unwrap_or((&text, ""));
            let lines = code.lines().map(|line| line.split_once("//").map_or(line, |(code, _)| code));
            let code = lines.collect::<Vec<_>>().join("\n");
            found.insert(name, Source { text, code });
        }
    }
}

/// The part a file belongs to: `source` for `source/read.rs`, `config` for `config.rs`.
fn part(name: &str) -> &str {
    name.split('/').next().unwrap().trim_end_matches(".rs")
}

/// The parts that a file names by a path from the crate's root, also in `crate::{a, b}` and through several `super`.
fn named(name: &str, code: &str) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    let flat: String = code.split_whitespace().collect::<Vec<_>>().join(" ");
    let depth = name.split('/').count() - usize::from(name.ends_with("mod.rs"));
    for root in ["crate::".to_string(), "source_devin_ai::".to_string(), "super::".repeat(depth)] {
        for (at, _) in flat.match_indices(&root) {
            if flat[..at].ends_with("::") || flat[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
                continue;
            }
            let rest = &flat[at + root.len()..];
            if let Some(group) = rest.strip_prefix('{') {
                named.extend(heads(group));
            } else {
                named.insert(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
            }
        }
    }
    named
}

/// The first words of a use group's members: `a` and `b` in `a::{c, d}, b}`.
fn heads(group: &str) -> Vec<String> {
    let (mut heads, mut head, mut depth) = (Vec::new(), String::new(), 0);
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => heads.push(std::mem::take(&mut head)),
            _ if depth == 0 => head.push(c),
            _ => {}
        }
    }
    heads.push(head);
    heads.iter().map(|head| head.trim().split("::").next().unwrap_or("").to_string()).collect()
}

/// Whether code names a library: `name::` as the beginning of a path.
fn names_library(code: &str, library: &str) -> bool {
    let path = format!("{library}::");
    code.match_indices(&path).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') || code[..at].ends_with(" ::")
    }) || code.contains(&format!("use {library} "))
        || code.contains(&format!("use {library};"))
}

#[test]
fn every_part_names_only_those_it_may() {
    let parts: BTreeSet<&str> = ARROWS.iter().map(|(part, _)| *part).collect();
    let mut wrong = Vec::new();
    for (name, source) in sources() {
        let part = part(&name);
        if ["cli", "main", "lib", "redact"].contains(&part) {
            continue;
        }
        let Some((_, allowed)) = ARROWS.iter().find(|(known, _)| *known == part) else {
            wrong.push(format!("{name}: the part {part} has no arrows in this test"));
            continue;
        };
        for other in named(&name, &source.code) {
            let is_part = parts.contains(other.as_str()) || ["cli", "main"].contains(&other.as_str());
            if is_part && other != part && !allowed.contains(&other.as_str()) {
                wrong.push(format!("{name} names {other}"));
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
}

/// An arrow that nobody follows would let the test above pass for the wrong reason.
#[test]
fn every_arrow_is_followed_somewhere() {
    let sources = sources();
    for (from, others) in ARROWS {
        for other in others {
            let is_followed =
                sources.iter().any(|(name, source)| part(name) == from && named(name, &source.code).contains(*other));
            assert!(is_followed, "{from} names no {other}: the arrow can go");
        }
    }
}

#[test]
fn libraries_are_named_where_they_belong_and_nowhere_else() {
    let sources = sources();
    for (library, places) in LIBRARIES {
        let namers: Vec<&String> =
            sources.iter().filter(|(_, source)| names_library(&source.code, library)).map(|(name, _)| name).collect();
        for name in &namers {
            assert!(places.iter().any(|place| name.starts_with(place)), "{name} names {library}");
        }
        for place in places {
            assert!(
                namers.iter().any(|name| name.starts_with(place)),
                "{place} names no {library}: it need not be allowed"
            );
        }
    }
}

#[test]
fn only_the_door_writes_to_the_terminal() {
    for (name, source) in sources() {
        // Asking whether stderr is a terminal writes nothing.
        let code = source.code.replace("stderr().is_terminal()", "");
        let writes = ["stdout()", "stderr()", "println!", "eprint", "print!(", "dbg!("];
        let writes: Vec<&&str> = writes.iter().filter(|word| code.contains(**word)).collect();
        assert!(writes.is_empty() || DOORS.contains(&name.as_str()), "{name} has {writes:?}");
    }
}

#[test]
fn the_protocol_knows_no_product_and_the_client_no_protocol() {
    for (name, source) in sources() {
        let code = source.code.to_lowercase();
        match part(&name) {
            "airbyte" => assert!(!code.contains("devin"), "{name} speaks of Devin"),
            "devin" | "relay" => assert!(!code.contains("airbyte"), "{name} speaks of Airbyte"),
            _ => {}
        }
    }
}

/// Time, chance, the environment and the world come in as arguments.
#[test]
fn what_says_that_it_is_pure_asks_nobody() {
    const WORLD: [&str; 8] =
        ["std::fs", "std::env", "TcpStream", "std::process", "::now()", "tokio::", "fastrand::", "async "];
    let mut pure = 0;
    for (name, source) in sources() {
        let opening: Vec<&str> = source.text.lines().take_while(|line| line.starts_with("//!")).collect();
        if !opening.join(" ").contains("Pure.") {
            continue;
        }
        pure += 1;
        let asked: Vec<&&str> = WORLD.iter().filter(|word| source.code.contains(**word)).collect();
        assert!(asked.is_empty(), "{name} has {asked:?}");
    }
    assert!(pure > 30, "{pure} files say so");
}

#[test]
fn every_file_opens_with_what_it_is_for() {
    for (name, source) in sources() {
        assert!(source.text.starts_with("//! "), "{name}");
    }
}

/// Rules for secrets are many and small: one that needs another which needs it cannot be understood alone. Nor can a room of
/// them.
#[test]
fn the_redactors_files_and_rooms_know_each_other_one_way_only() {
    let sources = sources();
    let files: BTreeMap<String, &Source> = sources
        .iter()
        .filter_map(|(name, source)| Some((name.strip_prefix("redact/")?.strip_suffix(".rs")?, source)))
        .filter(|(name, _)| *name != "lib")
        .map(|(name, source)| (name.to_string(), source))
        .collect();
    let room_of = |name: &str| name.split_once('/').map_or(name, |(room, _)| room).to_string();
    let known_files: BTreeMap<String, BTreeSet<String>> = files
        .iter()
        .filter(|(name, _)| !name.ends_with("/mod"))
        .map(|(name, source)| {
            let known = members(&source.code, "crate::").into_iter().map(|path| path.replacen("::", "/", 1));
            let beside = members(&source.code, "super::").into_iter().map(|path| {
                let file = path.split("::").next().unwrap_or_default();
                format!("{}/{file}", room_of(name))
            });
            let known = known.map(|path| path.split("::").next().unwrap_or_default().to_string());
            (name.clone(), known.chain(beside).filter(|known| files.contains_key(known)).collect())
        })
        .collect();
    let named: usize = known_files.values().map(BTreeSet::len).sum();
    assert!(known_files.len() > 60 && named > 200, "{} files name {named}", known_files.len());
    let mut known_rooms: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, known) in &known_files {
        let rooms = known.iter().map(|known| room_of(known)).filter(|room| *room != room_of(name));
        known_rooms.entry(room_of(name)).or_default().extend(rooms);
    }
    assert_eq!(in_circles(known_files), [""; 0], "files know each other in a circle, or one of these");
    assert_eq!(in_circles(known_rooms), [""; 0], "rooms know each other in a circle, or one of these");
}

/// Who is left when those go who know nobody that is left.
fn in_circles(mut known: BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    while let Some((lowest, _)) = known.iter().find(|(_, names)| !names.iter().any(|name| known.contains_key(name))) {
        let lowest = lowest.clone();
        known.remove(&lowest);
    }
    known.into_keys().collect()
}

/// What code names behind `root`, each as a path: `a::b` and `a::c` for `root::a::{b, c::D}` (and what is behind them).
fn members(code: &str, root: &str) -> Vec<String> {
    let flat: String = code.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut members = Vec::new();
    for (at, _) in flat.match_indices(root) {
        let path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
        let rest = &flat[at + root.len()..];
        let first: String = rest.chars().take_while(|c| path(*c)).collect();
        match rest[first.len()..].strip_prefix('{') {
            Some(group) => members.extend(heads(group).iter().map(|head| format!("{first}{head}"))),
            None => members.push(first),
        }
    }
    members
}
