//! What is wrong with a file that is not YAML, in the words of somebody who writes one: what to write instead. Nothing of the
//! file is quoted. Pure.

/// Parts of what the parser says, and what they mean; the first that fits.
const MEANINGS: [(&[&str], &str); 15] = [
    (&["recursion", "depth"], "nests too deep"),
    (&["tab"], TAB),
    (
        &["expected '-' indicator", "block sequence"],
        "does not line up with the list above: begin each of its items with - in the same column",
    ),
    (
        &["escape", "hexadecimal", "surrogate"],
        "has a backslash in double quotes that YAML does not know: put the text in single quotes",
    ),
    (
        &["quoted scalar", "unexpected end of stream"],
        "has a quote that is opened and not closed: close it, or put a text that holds one in quotes of the other kind",
    ),
    (
        &["flow sequence", "']'", "bracket '['"],
        "has a list in [ ] that is not closed, or lacks a comma: write [one, two]",
    ),
    (
        &["flow mapping", "'}'", "bracket '{'"],
        "has a mapping in { } that is not closed, or lacks a comma: write {one: 1, two: 2}",
    ),
    (&["unclosed bracket", "bracket"], "has a bracket that is not closed, or closes one that is not open"),
    (
        &["mapping values", "expected ':'", "simple key"],
        "has a colon where no key is: put a text that holds a colon and a blank in quotes, or indent the lines below a key",
    ),
    (
        &["did not find expected key", "block mapping"],
        "does not line up with the keys above: begin the keys of one mapping in the same column, and write each as key: value",
    ),
    (&["block scalar"], "has a text after | or > whose lines are not indented alike"),
    (
        &["unexpected character", "cannot start any token"],
        "begins a value with a character that YAML keeps for itself, such as @, ` or %: put the value in quotes",
    ),
    (
        &["anchor", "alias"],
        "has an anchor (&NAME) or its use (*NAME) that is not complete: put a text that begins with & or * in quotes",
    ),
    (
        &["tag", "handle"],
        "has a tag (!NAME), which means nothing in a rules file: put a text that begins with ! in quotes",
    ),
    (&["directive"], "has a line that begins with %, which YAML keeps for itself: put the text in quotes"),
];

const TAB: &str = "has a tab where blanks belong: indent with blanks only";

const TEMPLATE: &str =
    "has a template without quotes, which YAML takes for a mapping: write it as \"{{ labels.service }}\"";

const OTHERWISE: &str = "cannot be read here: look at the indentation, at quotes, and at colons without a blank";

/// What a person did, by what the parser says and the line where it stopped.
pub fn meaning(said: &str, line: &str) -> &'static str {
    let value = line.split_once(": ").map_or(line, |(_, value)| value).trim_start_matches(['-', ' ', '[']);
    if value.starts_with("{{") {
        return TEMPLATE;
    }
    let indent = &line[..line.len() - line.trim_start().len()];
    if indent.contains('\t') {
        return TAB;
    }
    let fits = |parts: &[&str]| parts.iter().any(|part| said.contains(part));
    MEANINGS.iter().find(|(parts, _)| fits(parts)).map_or(OTHERWISE, |(_, meaning)| meaning)
}
