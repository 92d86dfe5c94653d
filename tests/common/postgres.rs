//! Stores in the PostgreSQL that `tests/postgres/with` runs.

use std::process::Command;

/// The address of a store in a schema of its own, which must not be there yet; `None` where there is no database.
pub fn store(schema: &str) -> Option<String> {
    let url = std::env::var("RELAY_POSTGRES").ok()?;
    let create = format!("CREATE SCHEMA {schema}");
    let status = Command::new("psql").args([&url, "--quiet", "--command", &create]).status().unwrap();
    assert!(status.success(), "{create}");
    Some(format!("{url}&options=-c%20search_path%3D{schema}"))
}

/// Whether a store answers this question, which it does not where what is asked for is not there.
pub fn answers(store: &str, question: &str) -> bool {
    let mut psql = Command::new("psql");
    let output = psql.args([store, "--quiet", "--tuples-only", "--command", question]).output().unwrap();
    output.status.success() && !output.stdout.trim_ascii().is_empty()
}
