//! Secrets that are only masked, as a file names them.

use super::*;

fn with_mask(mask: &str) -> String {
    let mut world = world();
    world.files.push(("several", b"Zq7wz3kfH5x2\n\nmt9Vbn4c8dj6\n"));
    world.files.push(("short", b"Zq7wz3kfH5x2\nab1\n"));
    world.files.push(("nothing", b"\n"));
    match check(&format!("{INTEGRATIONS}{ROUTES}mask: {mask}\n"), Devin::Api, &world) {
        Ok(rules) => {
            let warnings = rules.warnings.iter().map(|warning| format!("; warning: {warning}"));
            format!("{} masked{}", rules.masked.len(), warnings.collect::<String>())
        }
        Err(problems) => problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("; "),
    }
}

#[test]
fn what_is_named_is_masked_and_what_cannot_be_used_is_a_problem() {
    let masks = [
        "{file: several}",
        "[{file: several}, {env: OTHER}, {env: LINES}]",
        "{env: WORDS}",
        "[]",
        "{file: short}",
        "{file: nothing}",
        "{file: binary}",
        "{env: NOBODY}",
        "{file: nobody.txt}",
        "Zq7wz3kfH5x2mt9Vbn4c8dj6",
        "[[{env: OTHER}]]",
        "{env: SHORT}",
    ];
    let lines: Vec<String> = masks.map(|mask| format!("{mask}: {}", with_mask(mask))).into();
    insta::assert_snapshot!(lines.join("\n"), @r"
    {file: several}: 2 masked
    [{file: several}, {env: OTHER}, {env: LINES}]: 5 masked; warning: line 7, column 39: mask[2] has a secret that is made of words (line 1 and 1 more): **** stands for them in all that is sent or shown
    {env: WORDS}: 1 masked; warning: line 7, column 1: mask has a secret that is made of words (line 1): **** stands for them in all that is sent or shown
    []: line 7, column 1: mask is an empty list: give {env: NAME} or {file: PATH}
    {file: short}: line 7, column 1: mask has a secret with fewer than 8 Latin letters and digits (line 2): it could not be told from other text
    {file: nothing}: line 7, column 1: mask has no secret: write one on each line
    {file: binary}: line 7, column 1: mask holds bytes that are not UTF-8 text
    {env: NOBODY}: line 7, column 1: mask names the environment variable NOBODY, which is not set
    {file: nobody.txt}: line 7, column 1: mask names a file that cannot be read: it does not exist
    Zq7wz3kfH5x2mt9Vbn4c8dj6: line 7, column 1: mask holds the secret itself, which does not belong in this file: put it into an environment variable or a file, write {env: NAME} or {file: PATH} here, and replace the secret if others could read this file
    [[{env: OTHER}]]: line 7, column 8: mask[0] is a list in a list: give {env: NAME} or {file: PATH}
    {env: SHORT}: line 7, column 1: mask has a secret with fewer than 8 Latin letters and digits (line 1): it could not be told from other text
    ");
}

#[test]
fn a_masked_secret_in_what_goes_to_devin_is_a_problem() {
    let yaml = format!(
        "{INTEGRATIONS}{ROUTES}default: {{title: 'Disk Hx8dk2PqLw9vTz4rNc6bYm1s', tag: [a]}}\nmask: {{env: OTHER}}\n"
    );
    insta::assert_snapshot!(said(&yaml), @"line 7, column 11: default.title holds one of the secrets that this file names, which would be sent to Devin");
}
