//! Whatever a server says back, the key never shows: not on stdout outside record data, not on stderr.

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use clap::{Command, CommandFactory as _};
use common::{Answer, Api, Library, ORG, Program, Ran, program};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use source_devin_ai::cli::Arguments;
use source_devin_ai::config::Config;

/// Keys as they are, and as nobody should make them: what JSON, HTML and URLs escape.
const KEYS: [&str; 4] = [
    "cog_s3cr3tK3y0fTh3Org42",
    r#"cog_"q\uote/dK3y<&>'0rNot%th3End"#,
    "cog_+=/~p1us.-_|k3y$(x)`{}m0re+1etters",
    "apk_user_b2xkLWtpbmQtb2Yta2V5OjQyNDI0Mg==",
];

/// The key in every spelling that a server could give it.
fn spellings(key: &str) -> Vec<(&'static str, String)> {
    let json = Value::from(key).to_string();
    let each = |write: &dyn Fn(u8) -> String| key.bytes().map(write).collect::<String>();
    vec![
        ("plain", key.to_string()),
        ("without its prefix", key.split_once('_').unwrap().1.to_string()),
        ("escaped for JSON", json[1..json.len() - 1].to_string()),
        ("slashes escaped for JSON", json[1..json.len() - 1].replace('/', "\\/")),
        ("escaped by Rust", key.escape_debug().to_string()),
        ("escaped by Rust, ASCII", key.escape_default().to_string()),
        ("as code points", key.chars().map(|c| format!("\\u{:04x}", c as u32)).collect()),
        ("percent-encoded", utf8_percent_encode(key, NON_ALPHANUMERIC).to_string()),
        ("percent-encoded, small", utf8_percent_encode(key, NON_ALPHANUMERIC).to_string().to_lowercase()),
        ("percent-encoded, every byte", each(&|byte| format!("%{byte:02X}"))),
        (
            "percent-encoded twice",
            utf8_percent_encode(&utf8_percent_encode(key, NON_ALPHANUMERIC).to_string(), NON_ALPHANUMERIC).to_string(),
        ),
        ("hexadecimal", each(&|byte| format!("{byte:02x}"))),
        ("HTML", each(&|byte| format!("&#{byte};"))),
        ("HTML, hexadecimal", each(&|byte| format!("&#x{byte:x};"))),
        ("base64", base64(key.as_bytes())),
        ("base64 of the header", base64(format!("Bearer {key}").as_bytes())),
        ("base64 as of basic authentication", base64(format!("user:{key}").as_bytes())),
        ("capitals", key.to_uppercase()),
        ("with blanks", key.chars().map(|c| format!("{c} ")).collect()),
        ("with dashes", key.chars().map(|c| format!("{c}-")).collect()),
        ("with zero-width characters", key.chars().map(|c| format!("{c}\u{200b}")).collect()),
        ("the first half", key.chars().take(key.chars().count() / 2 + 3).collect()),
        ("the second half", key.chars().skip(key.chars().count() / 2 - 3).collect()),
    ]
}

/// Spellings that stand for the key wherever they turn up in the output. The halves are looked for as such.
fn assert_hidden(ran: &Ran, key: &str, what: &str) {
    // Record data is the API's and passes through.
    let ours: String =
        ran.text().lines().filter(|line| !line.contains(r#""type":"RECORD""#)).collect::<Vec<_>>().join("\n");
    for (place, text) in [("stdout", ours.as_str()), ("stderr", ran.stderr.as_str())] {
        for (spelling, secret) in spellings(key) {
            assert!(!text.contains(&secret), "{what}: the key ({spelling}) shows on {place}:\n{text}");
            // A message is JSON: what stands in it is escaped once more.
            let escaped = Value::from(secret).to_string();
            assert!(
                !text.contains(&escaped[1..escaped.len() - 1]),
                "{what}: the key ({spelling}, escaped) shows on {place}:\n{text}"
            );
        }
        assert!(!text.contains("Bearer"), "{what}: the header shows on {place}:\n{text}");
    }
    assert!(!ran.stderr.contains("panicked") && !ran.stderr.contains("backtrace"), "{what}: {}", ran.stderr);
}

fn with_key(api: &Api, key: &str) -> Program {
    let config = json!({"api_token": key, "org_id": ORG, "api_url": api.url()});
    program().file("config.json", config.to_string()).catalog(&["secrets"])
}

/// Everything a server can say with a secret in it, each in one answer.
fn echoes(status: u16, secret: &str) -> Vec<(&'static str, Answer)> {
    let quoted = Value::from(secret).to_string();
    // Inside a JSON text as it stands, which need not be JSON any more.
    let raw = |body: &str| body.replace("SECRET", secret);
    // Characters that no header can carry would break the test's server, not the program.
    let header: String = secret.chars().filter(|c| c.is_ascii_graphic()).collect();
    vec![
        ("problem", Answer::problem(status, &format!("bad key {secret} given"))),
        (
            "problem title",
            Answer::status(status, "application/problem+json", format!(r#"{{"title":{quoted},"status":{status}}}"#)),
        ),
        (
            "problem errors",
            Answer::status(
                status,
                "application/problem+json",
                format!(r#"{{"title":"x","errors":[{{"detail":{quoted}}}]}}"#),
            ),
        ),
        ("detail", Answer::status(status, "application/json", format!(r#"{{"detail":{quoted}}}"#))),
        ("detail as it stands", Answer::status(status, "application/json", raw(r#"{"detail":"key SECRET"}"#))),
        (
            "detail list",
            Answer::status(
                status,
                "application/json",
                format!(r#"{{"detail":[{{"loc":["header",{quoted}],"msg":{quoted}}}]}}"#),
            ),
        ),
        (
            "detail in parts",
            Answer::status(
                status,
                "application/json",
                json!({"detail": secret.chars().map(|c| c.to_string()).collect::<Vec<_>>()}).to_string(),
            ),
        ),
        ("page", Answer::status(status, "text/html", raw("<html>SECRET</html>"))),
        ("text", Answer::status(status, "text/plain", secret)),
        (
            "headers",
            Answer::status(status, "application/json", "{}")
                .header("www-authenticate", format!("Bearer error={header}"))
                .header("x-echo", header.clone()),
        ),
        ("wait", Answer::status(status, "application/json", "{}").header("retry-after", header.clone())),
        (
            "location",
            Answer::status(status, "text/html", "").header("location", format!("http://127.0.0.1:9/{header}")),
        ),
    ]
}

/// All echoes of all spellings, each with its name.
fn all_echoes(status: u16, key: &str) -> Vec<(String, Answer)> {
    let of = |(spelling, secret): (&'static str, String)| {
        echoes(status, &secret).into_iter().map(move |(name, answer)| (format!("{status} {name} {spelling}"), answer))
    };
    spellings(key).into_iter().flat_map(of).collect()
}

#[test]
fn a_refused_key_that_is_echoed_stays_hidden() {
    let key = KEYS[1];
    let (names, answers): (Vec<String>, Vec<Answer>) = all_echoes(401, key).into_iter().unzip();
    let turn = AtomicUsize::new(0);
    let api = Api::open(move |_| answers[turn.fetch_add(1, Ordering::Relaxed)].clone());
    let program = with_key(&api, key);
    for name in &names {
        let ran = program.run("read --config config.json --catalog catalog.json --debug");
        assert_hidden(&ran, key, name);
        assert_eq!(ran.exit(), "exit 1", "{name}");
    }
    assert_eq!(api.asked().len(), names.len(), "each answer has been given once");
}

#[test]
fn a_check_that_echoes_the_key_keeps_it_hidden() {
    for key in KEYS {
        for (spelling, secret) in spellings(key) {
            let answer = Answer::problem(401, &format!("bad key {secret} given"));
            let api = Api::open(move |_| answer.clone());
            let ran = with_key(&api, key).run("check --config config.json --debug");
            assert_hidden(&ran, key, spelling);
            assert!(ran.text().contains("FAILED"), "{spelling}");
        }
    }
}

/// In process, because most of these are tried again; and without the mask over everything that is written, so that
/// what a server says is withheld where it comes in.
#[tokio::test]
async fn whatever_status_an_echo_has_it_is_withheld_where_it_comes_in() {
    for key in KEYS {
        let statuses: &[u16] = if key == KEYS[0] { &[200, 302, 429, 500] } else { &[403] };
        for &status in statuses {
            let (names, answers): (Vec<String>, Vec<Answer>) = all_echoes(status, key).into_iter().unzip();
            let count = answers.len();
            let turn = AtomicUsize::new(0);
            let api = Api::open(move |_| answers[turn.fetch_add(1, Ordering::Relaxed) % count].clone());
            let library = Library::with(Config::of_sandbox(key, ORG, &api.url()));
            let mut from = 0;
            while from < count {
                let (_, told) = library.read(&["secrets"], "[]").await;
                let until = api.asks().len();
                assert!(until > from, "the server has been asked");
                let names: Vec<&String> = (from..until).map(|place| &names[place % count]).collect();
                let text = told.lines();
                for (spelling, secret) in spellings(key) {
                    assert!(!text.contains(&secret), "{names:?}: the key ({spelling}) shows in\n{text}");
                }
                assert_eq!(told.errors().len(), 1, "{names:?}");
                from = until;
            }
        }
    }
}

#[test]
fn a_key_in_the_data_passes_through() {
    let key = KEYS[0];
    let api = Api::open(move |_| Answer::list(&[&json!({"secret_id": "s", "note": key}).to_string()]));
    let ran = with_key(&api, key).read();
    assert_eq!(ran.told().records("secrets"), [&json!({"secret_id": "s", "note": key})]);
}

#[test]
fn a_key_that_the_data_puts_elsewhere_is_hidden() {
    // A session's identifier stands in paths, warnings and states.
    let key = KEYS[0];
    let api = Api::open(move |ask| match ask.list.as_str() {
        "sessions" if !ask.parameters("session_ids").is_empty() => Answer::list(&[]),
        "sessions" => {
            Answer::list(&[&json!({"session_id": key, "status": "running"}).to_string(), r#"{"session_id":"b"}"#])
        }
        "sessions/devin-b/messages" => Answer::list(&[]),
        _ => Answer::unknown(),
    });
    let ran = with_key(&api, key).run("read --config config.json --streams session_messages --debug");
    assert_hidden(&ran, key, "identifier");
    assert_eq!(ran.told().logs("WARN").len(), 1);
}

#[test]
fn a_key_in_the_wrong_field_is_not_quoted_back() {
    let key = KEYS[0];
    for field in ["org_id", "start_date", "api_url", "lookback_window", "concurrency"] {
        let mut config = json!({"api_token": key, "org_id": ORG});
        config[field] = Value::from(key);
        let program = program().file("config.json", config.to_string()).catalog(&["secrets"]);
        for ran in [program.check(), program.read()] {
            assert_hidden(&ran, key, field);
            assert!(ran.text().contains(field), "{field} is named");
        }
    }
}

#[test]
fn a_broken_settings_file_is_not_quoted_back() {
    let key = KEYS[0];
    for text in [
        format!(r#"{{"api_token": "{key}" oops"#),
        format!(r#"{{"api_token": {key}}}"#),
        format!("api_token: {key}"),
        format!(r#"["{key}"]"#),
        format!("\"{key}\""),
    ] {
        let program = program().file("config.json", &text).catalog(&["secrets"]);
        for ran in [program.check(), program.read(), program.run("discover --config config.json")] {
            assert_hidden(&ran, key, &text);
            assert_eq!(ran.exit(), "exit 1", "{text}");
        }
    }
}

#[test]
fn a_key_that_no_header_can_carry_is_refused_without_showing_it() {
    for key in ["cog_s3cr3t\u{7f}k3y", "cog_s3cr3t\nk3y", "cog_s3cr3t\u{0}k3y"] {
        let config = json!({"api_token": key, "org_id": ORG, "api_url": "http://127.0.0.1:9"});
        let program = program().file("config.json", config.to_string()).catalog(&["secrets"]);
        for ran in [program.check(), program.read()] {
            for part in ["s3cr3t", "k3y"] {
                assert!(!ran.text().contains(part) && !ran.stderr.contains(part), "{}{}", ran.text(), ran.stderr);
            }
        }
    }
}

#[test]
fn a_key_from_the_environment_is_hidden_too() {
    let key = KEYS[0];
    let answer = Answer::problem(401, &format!("bad key {key}"));
    let api = Api::open(move |_| answer.clone());
    let program =
        program().variable("DEVIN_API_KEY", key).variable("DEVIN_ORG_ID", ORG).variable("DEVIN_API_URL", &api.url());
    assert_hidden(&program.run("check --debug"), key, "check");
    assert_hidden(&program.run("read --debug --streams secrets --format records"), key, "read");
    // A mistake on the command line may quote what was typed.
    assert_hidden(&program.run(&format!("read --sandbox --streams {key}")), key, "typed");
}

fn base64(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}

/// A key that holds something that looks like an escape: only its decoded reading is searched.
#[test]
fn a_part_of_a_key_that_looks_like_an_escape_stays_hidden() {
    let api = Api::open(|_| Answer::problem(401, "bad key cog_k3y%41k3y%42k3y%43k3y"));
    let config = json!({"api_token": "cog_k3y%41k3y%42k3y%43k3y%44", "org_id": ORG, "api_url": api.url()});
    let ran = program().file("config.json", config.to_string()).check();
    assert!(!ran.text().contains("k3y%42"), "{}", ran.story());
}

#[test]
fn a_key_that_is_typed_in_the_wrong_place_is_not_repeated() {
    for arguments in ["alert-relay watch cog_s3cr3t-k3y/x", "cog_s3cr3t-k3y", "read --format cog_s3cr3t-k3y"] {
        let ran = program().run(arguments);
        assert_eq!(ran.exit(), "exit 2", "{arguments}");
        assert!(!ran.stderr.is_empty() && !ran.stderr.contains("s3cr3t"), "{}", ran.stderr);
    }
}

/// A secret of no known shape, after every option of every command.
#[test]
fn no_option_repeats_a_secret_that_it_does_not_take() {
    const SECRET: &str = "hunter2Zq9";
    fn calls(command: &Command, path: &str, out: &mut Vec<String>) {
        for inner in command.get_subcommands() {
            calls(inner, &format!("{path} {}", inner.get_name()), out);
        }
        let options = command.get_arguments().filter(|argument| argument.get_action().takes_values());
        for option in options.filter_map(|option| option.get_long()) {
            out.extend([format!("{path} --{option} {SECRET}"), format!("{path} --{option}={SECRET}")]);
        }
        out.push(format!("{path} {SECRET}"));
    }
    let mut all = Vec::new();
    calls(&Arguments::command(), "", &mut all);
    assert!(all.len() > 100, "{}", all.len());
    let program = program();
    // It takes the name of a file, which it writes and names.
    let is_taken = |call: &str| call == format!(" alert-relay init {SECRET}");
    for call in all.into_iter().filter(|call| !is_taken(call)) {
        let ran = program.run(call.trim());
        assert!(!ran.text().contains(SECRET) && !ran.stderr.contains(SECRET), "{call}: {}", ran.story());
    }
}

/// A key that is no setting of this run, typed or written where something else belongs.
#[test]
fn a_key_in_the_wrong_place_is_not_repeated() {
    let key = KEYS[0];
    let catalog = common::catalog(&[(key, "full_refresh")]);
    let program = program()
        .file("catalog.json", catalog)
        .file("template.txt", format!("{{{{ {key} }}}}"))
        .file("alert.json", r#"{"title":"disk full","status":"firing"}"#);
    let wrong = [
        format!("read --sandbox --streams {key}"),
        format!("read --sandbox --streams sessions,{key}x{key}"),
        format!("read --sandbox --catalog {key}"),
        format!("read --sandbox --state {key}"),
        format!("read --sandbox --state-out missing/{key}"),
        "read --sandbox --catalog catalog.json".to_string(),
        format!("check --config {key}"),
        format!("alert-relay prompt --alert {key}"),
        format!("alert-relay prompt --alert alert.json --prompt-template {key}"),
        "alert-relay prompt --alert alert.json --prompt-template template.txt".to_string(),
        format!("alert-relay prompt --alert alert.json --structured-output-schema {key}"),
        format!("man --out catalog.json/{key}"),
    ];
    for arguments in wrong {
        assert_hidden(&program.run(&arguments), key, &arguments);
    }
}

#[test]
fn a_key_in_a_usage_error_is_masked_with_the_whole_word_around_it() {
    let program = program().variable("DEVIN_API_KEY", "sk_live_s3cr3tKey0f");
    for word in ["cog_s3c'r3tKey0f", "COG_S3CR3TKEY0F", "x=cog_s3cr3tKey0f", "sk_live_s3cr3tKey0f"] {
        for arguments in [format!("check {word}"), format!("read --sandbox --format {word}"), word.to_string()] {
            let ran = program.run(&arguments);
            assert_eq!(ran.exit(), "exit 2", "{arguments}");
            let told = ran.stderr.to_lowercase();
            assert!(!told.contains("s3c") && !told.contains("r3tkey"), "{arguments}: {told}");
        }
    }
}

/// What would go to Devin with a session.
#[test]
fn a_key_among_what_goes_to_devin_is_refused_and_nothing_is_created() {
    let key = KEYS[0];
    let api = Api::open(|_| Answer::list(&[]));
    let config = json!({"api_token": key, "org_id": ORG, "api_url": api.url()}).to_string();
    let program =
        program().file("config.json", config).file("alert.json", r#"{"title":"disk full","status":"firing"}"#);
    for (wrong, exit) in [
        (format!("--tag {key}"), "exit 2"),
        (format!("--title {key}"), "exit 2"),
        (format!("--dedupe-key {key}"), "exit 2"),
        (format!("--playbook {key}"), "exit 2"),
        (format!("--repo {key}"), "exit 2"),
        (format!("--knowledge {key}"), "exit 2"),
        (format!("--secret {key}"), "exit 2"),
        (format!("--devin-mode {key}"), "exit 2"),
        ("--structured-output-schema config.json".to_string(), "exit 1"),
        ("--prompt-template config.json".to_string(), "exit 1"),
    ] {
        let ran = program.run(&format!("alert-relay run --config config.json --alert alert.json {wrong}"));
        assert_eq!(ran.exit(), exit, "{wrong}");
        assert!(ran.stderr.contains("holds an API key"), "{wrong}: {}", ran.stderr);
        assert_hidden(&ran, key, &wrong);
    }
    assert_eq!(api.asked(), [""; 0]);
}

/// A key of no known shape, which only the settings tell, encoded as well.
#[test]
fn a_key_of_no_known_shape_is_refused_in_an_option_and_names_it() {
    let key = "plain-0wn-s3cr3t-of-the-0rg";
    let api = Api::open(|_| Answer::list(&[]));
    let config = json!({"api_token": key, "org_id": ORG, "api_url": api.url()}).to_string();
    let program = program()
        .file("config.json", config)
        .file("alert.json", r#"{"title":"disk full","severity":"high"}"#)
        .file("template.txt", format!("{{{{ title }}}} {}", base64(key.as_bytes())));
    for (option, text) in [
        ("--title", key.to_string()),
        ("--playbook", key.to_uppercase()),
        ("--tag", base64(key.as_bytes())),
        ("--prompt-template", "template.txt".to_string()),
    ] {
        let ran = program.run(&format!("alert-relay run --config config.json --alert alert.json {option} {text}"));
        assert_eq!(ran.exit(), "exit 1", "{option}: {}", ran.story());
        assert!(ran.stderr.contains(&format!("{option} holds an API key")), "{option}: {}", ran.stderr);
    }
    assert_eq!(api.asked(), [""; 0]);
}

/// What an alert says is not refused: the alert is worth more than the words around a key in it.
#[test]
fn a_key_in_an_alert_is_cut_out_of_the_prompt_in_every_spelling() {
    let key = KEYS[0];
    for (spelling, secret) in spellings(key) {
        if ["the first half", "the second half", "without its prefix"].contains(&spelling) {
            continue;
        }
        let alert = json!({"title": format!("disk full {secret}"), "description": format!("log:\\n{secret}\\n end")});
        let program = program().variable("DEVIN_API_KEY", key).file("alert.json", alert.to_string());
        let ran = program.run("alert-relay prompt --alert alert.json");
        assert_eq!(ran.exit(), "exit 0", "{spelling}");
        assert!(!ran.text().contains(&secret), "{spelling}: {}", ran.text());
        assert!(ran.text().contains("****"), "{spelling}: {}", ran.text());
    }
}
