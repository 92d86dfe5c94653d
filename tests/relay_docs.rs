//! The documents say what the program does: tables that are made from the code stand in them as they are.

use source_devin_ai::relay::alert::key_table;
use source_devin_ai::relay::prompt::VARIABLES;
use source_devin_ai::sandbox::scenarios;

#[test]
fn the_relays_page_has_the_tables_of_the_code() {
    let page = include_str!("../docs/alert-relay.md");
    assert!(page.contains(&key_table()), "the table of dedupe keys has changed:\n{}", key_table());
    let variables: Vec<String> = VARIABLES.iter().map(|name| format!("`{name}`")).collect();
    // Lines of the page are broken where they are full.
    let flat = page.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains(&variables.join(", ")), "the variables of a template have changed: {}", variables.join(", "));
    let rows: Vec<String> = scenarios().map(|(name, what)| format!("| `{name}` | {what} |")).collect();
    assert!(page.contains(&rows.join("\n")), "the scenarios have changed:\n{}", rows.join("\n"));
}
