//! Who may see and act, as a file says it.

use super::*;
use crate::relay::serve::access::AccessToken;

fn with_access(access: &str) -> String {
    said(&format!("{INTEGRATIONS}{ROUTES}access: {access}\n"))
}

#[test]
fn tokens_and_hosts_are_taken_and_what_cannot_be_used_is_a_problem() {
    let yaml = format!(
        "{INTEGRATIONS}{ROUTES}access:\n  read_token: {{env: TOKEN}}\n  admin_token:\n    - {{env: OTHER}}\n    \
        - {{name: ops, token: {{file: secret}}}}\n  hosts: [Relay.Example.com., relay]\n"
    );
    let problems = check(&yaml, Devin::Api, &world()).unwrap_err();
    assert_eq!(problems.len(), 1, "the same token twice: {problems:?}");
    let yaml = yaml.replace("{env: TOKEN}", "{env: WHSEC}");
    let rules = check(&yaml, Devin::Api, &world()).unwrap();
    let names = |tokens: &[AccessToken]| tokens.iter().map(|token| token.name.clone()).collect::<Vec<_>>().join(", ");
    let access = &rules.access;
    assert_eq!(
        format!("{}; {}; {}", names(&access.read), names(&access.admin), access.hosts.join(", ")),
        "read_token; admin_token 1, ops; relay.example.com, relay"
    );
    assert_eq!(rules.secrets().count(), 3, "a redactor hears of them");
    let lines: Vec<String> = [
        "{}",
        "[]",
        "{read_token: []}",
        "{read_token: Zq7wz3kfH5x2mt9Vbn4c8dj6}",
        "{token: {env: TOKEN}}",
        "{read_token: {env: NOBODY}}",
        "{admin_token: {name: ops}}",
        "{admin_token: [{name: ops, token: {env: TOKEN}}, {name: ops, token: {env: OTHER}}]}",
        "{admin_token: {name: 'a\\\"b', token: {env: TOKEN}}}",
        "{admin_token: {env: SHORT}}",
        "{admin_token: {env: WORDS}}",
        "{hosts: ['https://relay.example.com']}",
        "{hosts: ['relay.example.com:80']}",
    ]
    .map(|access| format!("{access}: {}", with_access(access)))
    .into();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    {}: line 7, column 1: access is empty: give read_token or admin_token, each {env: NAME} or {file: PATH}
    []: line 7, column 1: access must be a mapping (read_token: …, admin_token: …, hosts: …), but is a list
    {read_token: []}: line 7, column 10: access.read_token is an empty list: give {env: NAME} or {file: PATH}
    {read_token: Zq7wz3kfH5x2mt9Vbn4c8dj6}: line 7, column 10: access.read_token holds the secret itself, which does not belong in this file: put it into an environment variable or a file, write {env: NAME} or {file: PATH} here, and replace the secret if others could read this file
    {token: {env: TOKEN}}: line 7, column 10: access.token is not known here: write read_token or admin_token
    {read_token: {env: NOBODY}}: line 7, column 10: access.read_token names the environment variable NOBODY, which is not set
    {admin_token: {name: ops}}: line 7, column 10: access.admin_token.token is missing: give {env: NAME} or {file: PATH}
    {admin_token: [{name: ops, token: {env: TOKEN}}, {name: ops, token: {env: OTHER}}]}: line 7, column 58: access.admin_token[1] has the name "ops", as another one does
    {admin_token: {name: 'a\"b', token: {env: TOKEN}}}: line 7, column 24: access.admin_token.name must be at most 64 letters, digits, spaces, and -_.@
    {admin_token: {env: SHORT}}: right
    line 7, column 10: access.admin_token leads to a secret of fewer than 16 characters, which can be guessed
    {admin_token: {env: WORDS}}: right
    line 7, column 10: access.admin_token leads to a secret that is made of words, which can be guessed; where an alert has these words, **** stands for them
    {hosts: ['https://relay.example.com']}: line 7, column 18: access.hosts[0] must be the name of a host, such as relay.example.com, without scheme, port and path
    {hosts: ['relay.example.com:80']}: line 7, column 18: access.hosts[0] must be the name of a host, such as relay.example.com, without scheme, port and path
    "#);
}
