//! The documents say what the program does: tables that are made from the code stand in them as they are.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use source_devin_ai::relay::alert::key_table;
use source_devin_ai::relay::error_report::Code;
use source_devin_ai::relay::inbound::senders;
use source_devin_ai::relay::prompt::VARIABLES;
use source_devin_ai::relay::serve::metrics;
use source_devin_ai::sandbox::{FaultKind, scenarios};
use source_devin_ai::source::streams::{self, STREAMS};

/// The first cell of each row of the tables below a heading, without its marks.
fn first_cells<'a>(page: &'a str, heading: &str) -> Vec<&'a str> {
    let (_, section) = page.split_once(heading).unwrap_or_else(|| panic!("{heading} has gone"));
    let rows = section.lines().skip(1).take_while(|line| !line.starts_with('#'));
    rows.filter_map(|line| line.strip_prefix("| `")?.split_once('`')).map(|(cell, _)| cell).collect()
}

/// The pages of the relay, one after another.
fn relay_pages() -> String {
    [
        include_str!("../docs/alert-relay.md"),
        include_str!("../docs/alert-relay-reference.md"),
        include_str!("../docs/alerts.md"),
    ]
    .concat()
}

fn properties() -> serde_json::Map<String, serde_json::Value> {
    let spec: serde_json::Value = serde_json::from_str(include_str!("../schemas/spec.json")).unwrap();
    spec["connectionSpecification"]["properties"].as_object().unwrap().clone()
}

/// The names of all settings, in the order of the alphabet.
fn settings() -> Vec<String> {
    let mut names: Vec<String> = properties().keys().cloned().collect();
    names.sort_unstable();
    names
}

/// What a platform's form calls the settings.
fn titles() -> Vec<String> {
    properties().values().map(|property| property["title"].as_str().unwrap().to_string()).collect()
}

#[test]
fn the_relays_pages_have_the_tables_of_the_code() {
    let page = relay_pages();
    assert!(page.contains(&key_table()), "the table of dedupe keys has changed:\n{}", key_table());
    let variables: Vec<String> = VARIABLES.iter().map(|name| format!("`{name}`")).collect();
    // Lines of the page are broken where they are full.
    let flat = page.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains(&variables.join(", ")), "the variables of a template have changed: {}", variables.join(", "));
    let rows: Vec<String> = scenarios().map(|(name, what)| format!("| `{name}` | {what} |")).collect();
    assert!(page.contains(&rows.join("\n")), "the scenarios have changed:\n{}", rows.join("\n"));
}

/// `UPDATE_DOCS=1 cargo test --test documents` writes the table anew.
#[test]
fn the_senders_page_is_made_from_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/senders.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, _) = page.split_once("| Name |").expect("the table is there");
    let made = format!("{before}{}", senders::in_markdown());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    assert!(page == made, "the table of senders has changed: run UPDATE_DOCS=1 cargo test --test documents");
}

#[test]
fn the_page_of_metrics_is_made_from_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/serve-metrics.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, _) = page.split_once("| Metric |").expect("the table is there");
    let made = format!("{before}{}", metrics::in_markdown());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    assert!(page == made, "the table of metrics has changed: run UPDATE_DOCS=1 cargo test --test documents");
}

#[test]
fn the_relays_pages_have_every_error_code() {
    let rows: Vec<String> = Code::ALL
        .iter()
        .map(|(code, what)| format!("| `{}` | {what} |", serde_json::to_value(code).unwrap().as_str().unwrap()))
        .collect();
    let page = relay_pages();
    assert!(page.contains(&rows.join("\n")), "the codes have changed:\n{}", rows.join("\n"));
}

#[test]
fn the_streams_page_is_made_from_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/streams.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once("| Stream | Endpoint |").expect("the table is there");
    let (_, after) = rest.split_once("\n\n").expect("something follows the table");
    let made = format!("{before}{}\n{after}", streams::in_markdown());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    assert!(page == made, "the table of streams has changed: run UPDATE_DOCS=1 cargo test --test documents");
}

/// Each stream is in one row of the table of incremental reads, by its name or by what its name begins with.
#[test]
fn the_streams_page_says_of_every_stream_what_an_incremental_read_requests() {
    let page = include_str!("../docs/streams.md");
    let (_, table) = page.split_once("| Stream | What an incremental read requests |").expect("the table is there");
    let rows: Vec<&str> = table.lines().skip(2).take_while(|line| !line.is_empty()).collect();
    for stream in STREAMS {
        let is_meant =
            |word: &str| word.strip_suffix('…').map_or(word == stream.name, |start| stream.name.starts_with(start));
        let is_its_own = |row: &&&str| row.split('|').nth(1).is_some_and(|cell| cell.split('`').any(is_meant));
        let found: Vec<&&str> = rows.iter().filter(is_its_own).collect();
        assert_eq!(found.len(), 1, "{} is in {found:#?}", stream.name);
        assert_eq!(found[0].contains("full refresh only"), stream.cursor.is_none(), "{}", stream.name);
    }
}

#[test]
fn the_lists_that_can_report_deletions_are_named_in_the_settings_and_on_the_connectors_page() {
    let names: Vec<&str> =
        STREAMS.iter().filter(|stream| stream.can_report_deletions()).map(|stream| stream.name).collect();
    let (last, others) = names.split_last().unwrap();
    let description = properties()["report_deletions"]["description"].as_str().unwrap().to_string();
    let sentence = format!("gone from {} or {last}. ", others.join(", "));
    assert!(description.contains(&sentence), "schemas/spec.json: {sentence}");
    // Lines of the page are broken where they are full.
    let page = include_str!("../docs/devin-ai.md").split_whitespace().collect::<Vec<_>>().join(" ");
    let sentence = format!("an incremental read of `{}` or `{last}` remembers", others.join("`, `"));
    assert!(page.contains(&sentence), "docs/devin-ai.md: {sentence}");
}

/// The recipe for a stream is the stream that was added last.
#[test]
fn the_recipe_for_a_stream_shows_the_last_row_of_the_table() {
    let rows = include_str!("../src/source/streams/rows.rs");
    let last = rows.rsplit_once("    Stream {\n").map(|(_, last)| last.trim_end().trim_end_matches("];")).unwrap();
    let shown = format!("```rust\n    Stream {{\n{last}```");
    assert!(include_str!("../CONTRIBUTING.md").contains(&shown), "the last row is another one:\n{shown}");
}

#[test]
fn the_readme_has_every_setting_and_every_fault() {
    let readme = include_str!("../README.md");
    let mut rows = first_cells(readme, "## Settings");
    rows.sort_unstable();
    assert_eq!(rows, settings());
    for kind in FaultKind::ALL {
        assert!(readme.contains(&format!("`{}`", kind.name())), "{}", kind.name());
    }
}

#[test]
fn the_connectors_page_has_every_stream_and_every_setting() {
    let page = include_str!("../docs/devin-ai.md");
    for stream in STREAMS.iter().filter(|stream| stream.is_usual) {
        let permission = format!("| `{}` | `{}` |", stream.name, stream.permission);
        assert!(page.contains(&permission), "{permission}");
        let key: Vec<String> = stream.primary_key.iter().map(|name| format!("`{name}`")).collect();
        let cursor = stream.cursor.expect("every stream that is read as a rule has one").field;
        let row = format!("| `{}` | {} | `{cursor}` |", stream.name, key.join(", "));
        assert!(page.contains(&row), "{row}");
    }
    for stream in STREAMS.iter().filter(|stream| !stream.is_usual) {
        assert!(page.contains(&format!("`{}`", stream.name)), "{} is not mentioned", stream.name);
    }
    for title in titles() {
        assert!(page.contains(&format!("**{title}**")), "{title}");
    }
    assert_eq!(first_cells(page, "## Configuration reference").len(), settings().len());
    for name in settings() {
        assert!(first_cells(page, "## Configuration reference").contains(&name.as_str()), "{name}");
    }
}

/// What people search for when they see it must be what the program says.
#[test]
fn the_messages_under_troubleshooting_are_the_programs_own() {
    let sources = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let messages = first_cells(include_str!("../docs/devin-ai.md"), "### Troubleshooting");
    assert!(messages.len() > 10, "{messages:?}");
    for message in messages {
        for part in message.split('…').flat_map(|part| part.split(". ")).map(|part| part.trim_matches([' ', '.'])) {
            // The status and its name are put in when it is said.
            let part = part
                .strip_prefix("answered ")
                .filter(|rest| rest.contains(" ("))
                .map_or(part, |_| "answered {status} ({name})");
            assert!(part.len() < 6 || sources.contains(part), "{part:?} of {message:?} is said nowhere");
        }
    }
}

/// Where DuckDB guesses columns, it takes identifiers for UUIDs, and one odd value fails the load.
#[test]
fn every_load_into_duckdb_declares_its_columns() {
    let mut loads = 0;
    for page in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")).unwrap() {
        let path = page.unwrap().path();
        let text = std::fs::read(&path).map(|text| String::from_utf8_lossy(&text).into_owned()).unwrap_or_default();
        for load in text.split("read_json(").skip(1) {
            let arguments = load.split([')', '{']).next().unwrap();
            assert!(arguments.contains("columns = "), "{}: read_json({arguments}", path.display());
            loads += 1;
        }
    }
    assert!(loads > 1, "only {loads} were found");
}

/// Links to files and headings of this repository lead somewhere.
#[test]
fn every_link_to_a_file_or_a_heading_leads_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages: Vec<PathBuf> = ["README", "CHANGELOG", "CONTRIBUTING", "SECURITY"]
        .iter()
        .map(|name| root.join(name).with_extension("md"))
        .chain(std::fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path()))
        .collect();
    pages.retain(|page| page.extension().is_some_and(|extension| extension == "md"));
    let mut links = 0;
    for page in pages {
        let text = std::fs::read_to_string(&page).unwrap();
        for target in targets(&text) {
            let (file, heading) =
                target.split_once('#').map_or((target, None), |(file, heading)| (file, Some(heading)));
            let there = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            assert!(there.exists(), "{target} in {} leads nowhere", page.display());
            if let Some(heading) = heading {
                let found = anchors(&std::fs::read_to_string(&there).unwrap());
                assert!(found.iter().any(|anchor| anchor == heading), "{target} in {}: {found:?}", page.display());
            }
            links += 1;
        }
    }
    assert!(links > 40, "only {links} links were found");
}

/// The lines of a page that are no code.
fn prose(page: &str) -> impl Iterator<Item = &str> {
    let mut is_code = false;
    page.lines().filter(move |line| {
        let is_fence = line.starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}

/// Where the links and pictures of a page lead, without those to elsewhere.
fn targets(page: &str) -> Vec<&str> {
    let after = prose(page).flat_map(|line| line.split("](").skip(1));
    after.map(|rest| rest.split(')').next().unwrap()).filter(|target| !target.contains("://")).collect()
}

/// The anchors that a forge gives the headings of a page.
fn anchors(page: &str) -> Vec<String> {
    let mut seen = HashMap::new();
    let headings = prose(page).filter(|line| line.starts_with('#'));
    headings
        .map(|line| {
            let heading = line.trim_start_matches('#').trim().to_lowercase();
            let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
            let anchor: String = kept.map(|c| if c == ' ' { '-' } else { c }).collect();
            let count = seen.entry(anchor.clone()).and_modify(|count| *count += 1).or_insert(0);
            if *count == 0 { anchor } else { format!("{anchor}-{count}") }
        })
        .collect()
}

/// All sources below a folder as one text.
fn sources(folder: &Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text += &sources(&path);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text += &std::fs::read_to_string(path).unwrap();
        }
    }
    text
}
