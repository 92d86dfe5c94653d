//! No secret of an alert, of Devin's answers or of this program gets into what is sent or shown, whatever door it takes.

mod common;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use common::devin::{Devin, Said};
use common::events::events;
use common::own_key::{KEY, finished, inside_itself};
use common::{ORG, Program, Ran, program};
use serde_json::{Value, json};

const RUN: &str = "alert-relay run --config config.json --alert alert.json --poll-interval 1s --reconcile-window 1s";

fn with_key(devin: &Devin, alert: &Value) -> Program {
    let config = json!({"api_token": KEY, "org_id": ORG, "api_url": devin.url});
    program().file("config.json", config.to_string()).file("alert.json", alert.to_string())
}

/// What went to Devin beyond the header, and what came out.
fn all(devin: &Devin, ran: &Ran) -> [(&'static str, String); 3] {
    let sent = devin.heard().iter().map(|heard| format!("{} {:?} {}\n", heard.path, heard.query, heard.body)).collect();
    [("the requests", sent), ("stdout", ran.text().to_string()), ("stderr", ran.stderr.clone())]
}

fn assert_hidden(devin: &Devin, ran: &Ran, secrets: &[&str], what: &str) {
    for (place, text) in all(devin, ran) {
        for secret in secrets {
            assert!(!text.contains(secret), "{what}: {secret} shows in {place}:\n{text}");
        }
    }
}

#[test]
fn secrets_of_an_alert_reach_neither_devin_nor_the_output_by_any_field() {
    let key_in_base64 = BASE64_STANDARD.encode(KEY);
    let secrets = [
        KEY,
        &KEY.to_uppercase(),
        &key_in_base64,
        "hunter2-Xq9",
        concat!("ghp", "_16C7e42F292c6912E7710c838347Ae178B4a"),
    ];
    let said = secrets.join(" and ").replace("hunter2", "password=hunter2");
    let fields = [
        json!({"title": format!("disk {said}"), "status": "firing"}),
        json!({"title": "disk", "message": format!("log:\\n{said}\\n"), "status": "firing"}),
        json!({"title": "disk", "dedup_key": said, "source": said, "status": "firing"}),
        json!({"title": "disk", "status": said, "severity": said, "timestamp": said}),
        json!({"title": "disk", "labels": {"a": said, said.as_str(): "b"}, "status": "firing"}),
        json!({"title": "disk", "annotations": {"note": said}, "url": format!("https://a.example/{KEY}?x={KEY}")}),
        json!({"title": "disk", "metadata": {"deep": {"deeper": [said]}}, "status": "firing"}),
        json!({"title": "disk", "metadata": {"args": ["--password", "hunter2-Xq9"]}, "status": "firing"}),
        json!({"title": "disk", "status": "resolved", "message": said}),
        json!({"nothing": said, "status": said}),
    ];
    let template = "{{ data }} {{ title }} {{ dedupe_key }} {{ labels }} {{ annotations }} {{ links }} {{ state }}";
    let calls = [
        "--format generic --detach",
        "--format any --dry-run --output text",
        "--format any --dry-run --prompt-template t.txt",
        "--dry-run --dedupe-key {{title}}{{labels}}{{message}}",
        "--dry-run --per-alert",
    ];
    for alert in fields {
        for call in calls {
            let devin = finished();
            let ran = with_key(&devin, &alert).file("t.txt", template).run(&format!("{RUN} {call}"));
            assert_hidden(&devin, &ran, &secrets, &format!("{call} {alert}"));
        }
    }
}

#[test]
fn a_dedupe_key_that_is_made_of_a_secret_is_hashed_and_not_shown() {
    let template = "{{ dedupe_key }} {{ data }}";
    let alert = |password: &str| {
        let labels = json!({"alertname": "X", "db_password": password});
        let alerts = [json!({"status": "firing", "labels": labels, "startsAt": "2026-01-01T00:00:00Z"})];
        json!({"version": "4", "groupKey": "g", "status": "firing", "commonLabels": labels, "alerts": alerts})
    };
    let said = |password: &str| {
        let program = program().file("alert.json", alert(password).to_string()).file("t.txt", template);
        let ran = program.run("alert-relay prompt --alert alert.json --output json --prompt-template t.txt --dedupe-key x/{{labels.db_password}}");
        assert!(ran.status.success(), "{}", ran.stderr);
        assert!(!ran.text().contains(password) && !ran.stderr.contains(password), "{}{}", ran.text(), ran.stderr);
        let events = events(&ran);
        assert_eq!(events[0]["dedupe_key"], "x/****");
        events[0]["tag"].as_str().unwrap().to_string()
    };
    assert_ne!(said("hunter2Xq9"), said("grape77Yx"));
}

/// A key shows the receiver's name with other punctuation, in which a secret has lost its shape.
#[test]
fn a_secret_in_a_receivers_name_does_not_show_in_the_key() {
    let said = |name: &str| {
        let alerts = [json!({"status": "firing", "labels": {"alertname": "X"}})];
        let alert = json!({"version": "4", "groupKey": "g", "groupLabels": {"alertname": "X"}, "receiver": name, "alerts": alerts});
        let program = program().file("alert.json", alert.to_string());
        let ran = program.run("alert-relay prompt --alert alert.json --output json");
        assert!(ran.status.success(), "{}", ran.stderr);
        assert!(!ran.text().contains("hunter2") && !ran.stderr.contains("hunter2"), "{}{}", ran.text(), ran.stderr);
        let event = events(&ran)[0].clone();
        ["dedupe_key", "tag"].map(|field| event[field].as_str().unwrap().to_string())
    };
    let [key, tag] = said("hook password=hunter2-Xq9");
    assert!(key.starts_with("alertmanager:hook-password-"), "{key}");
    assert_ne!(said("hook password=hunter2-Xq8")[1], tag, "keys are hashed as they came");
}

#[test]
fn a_key_that_is_cut_in_two_does_not_show_either() {
    let devin = finished();
    // Ten characters of the key stand before the cut, and its form in base64 is none that is told by its shape.
    for (length, limit) in [(120, "a title"), (400, "a line")] {
        let title = format!("{} {KEY} end", "x".repeat(length - 13));
        for status in ["resolved", "firing"] {
            let alert = json!({"title": title, "status": status, "message": "m"});
            for format in ["json", "text"] {
                let ran = with_key(&devin, &alert).run(&format!("{RUN} --detach --output {format}"));
                assert_hidden(&devin, &ran, &[&KEY[..10]], &format!("{limit}, {status}, {format}"));
            }
        }
    }
}

/// What is left where a part of the key was taken out may be the key again.
#[test]
fn no_alert_is_lost_however_the_key_stands_in_it() {
    let (before, after) = KEY.split_at(9);
    let halves = json!({"title": "disk", "labels": {"a": before, "b": after}, "status": "firing"});
    let alerts = inside_itself().into_iter().map(|said| json!({"title": "disk", "message": said, "status": "firing"}));
    let alerts: Vec<Value> = alerts.chain([halves]).collect();
    for alert in alerts {
        for template in ["{{ data }}", "{{ labels.a | default }}{{ labels.b | default }} {{ message }} of {{ title }}"]
        {
            let devin = finished();
            let program = with_key(&devin, &alert).file("t.txt", template);
            let ran = program.run(&format!("{RUN} --detach --prompt-template t.txt"));
            assert!(ran.status.success(), "{alert}: {}", ran.stderr);
            let prompt = devin.creates()[0]["prompt"].as_str().unwrap().to_string();
            assert!(!letters(&prompt).contains(&letters(KEY)), "{alert}: {prompt}");
            assert!(
                prompt.contains("disk") && prompt.contains("****") | template.contains("data"),
                "{alert}: {prompt}"
            );
        }
    }
}

/// Letters and digits, in lower case: what is left of a key whatever stands between them.
fn letters(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

#[test]
fn a_secret_that_is_removed_is_said() {
    let devin = finished();
    let alert = json!({"title": "disk", "message": format!("password=hunter2-Xq9 {KEY}"), "status": "firing"});
    let ran = with_key(&devin, &alert).run(&format!("{RUN} --detach"));
    let warnings: Vec<String> = events(&ran)
        .iter()
        .filter(|event| event["event"] == "warning")
        .map(|event| event["message"].as_str().unwrap().to_string())
        .collect();
    assert_eq!(warnings, ["2 secrets were removed from what the alert says"]);
    let prompt = devin.creates()[0]["prompt"].as_str().unwrap().to_string();
    assert!(prompt.contains("Message: password=**** ****"), "{prompt}");
    assert!(prompt.contains("**** stands for a secret"), "{prompt}");
}

#[test]
fn a_secret_in_what_the_user_gives_refuses_the_run_and_names_the_option() {
    let alert = json!({"title": "disk", "status": "firing"});
    let options = [
        "--title",
        "--tag",
        "--playbook",
        "--repo",
        "--knowledge",
        "--secret",
        "--devin-mode",
        "--dedupe-key",
        "--namespace",
    ];
    let mut calls: Vec<(String, String)> =
        options.iter().map(|option| ((*option).to_string(), format!("{option} x-{KEY}"))).collect();
    calls.push(("--prompt-template".to_string(), "--prompt-template t.txt".to_string()));
    calls.push(("--prompt-template".to_string(), "--prompt-template joined.txt".to_string()));
    calls.push(("--structured-output-schema".to_string(), "--structured-output-schema s.json".to_string()));
    for (option, call) in calls {
        let devin = finished();
        let (first, last) = KEY.split_at(9);
        let ran = with_key(&devin, &alert)
            .file("t.txt", format!("Use {KEY}."))
            .file("joined.txt", format!("Use {{{{ '{first}' ~ '{last}' }}}}."))
            .file("s.json", json!({"title": KEY}).to_string())
            .run(&format!("{RUN} {call}"));
        assert_hidden(&devin, &ran, &[KEY], &call);
        assert_eq!((ran.exit().as_str(), devin.count("POST")), ("exit 1", 0), "{call}: {}", ran.stderr);
        assert!(ran.stderr.contains(&option), "{call}: {}", ran.stderr);
    }
}

#[test]
fn the_users_own_words_are_sent_as_they_are() {
    let devin = finished();
    let template = "Set password=hunter2-Xq9 as in the runbook.\n\n{{ data }}";
    let alert = json!({"title": "disk", "status": "firing"});
    let program = with_key(&devin, &alert).file("t.txt", template);
    let ran = program.run(&format!("{RUN} --detach --prompt-template t.txt --title token:abc123def"));
    let create = &devin.creates()[0];
    assert!(create["prompt"].as_str().unwrap().starts_with("Set password=hunter2-Xq9 as"), "{create}");
    assert!(create["title"].as_str().unwrap().starts_with("token:abc123def [ar-"), "{create}, {}", ran.stderr);
}

#[test]
fn what_devin_says_is_redacted_wherever_it_is_shown() {
    let secret = "hunter2-Xq9";
    let url = format!("https://app.devin.ai/sessions/x?token={secret}");
    let session = json!({
        "session_id": "s1", "url": url, "status": "running", "status_detail": format!("password={secret}"),
        "title": format!("password={secret}"), "tags": [], "created_at": common::devin::now(),
        "pull_requests": [{"pr_url": format!("https://bob:{secret}@git.example/pull/1"), "pr_state": format!("token={secret}")}],
    });
    let devin = Devin::start(move |heard| match (heard.method.as_str(), heard.path.as_str()) {
        ("GET", "sessions") => Said::list(&[]),
        ("GET", path) if path.starts_with("sessions/") => Said::json(&session),
        ("POST", "sessions") => Said::json(&session),
        _ => Said::json(
            &json!({"principal_type": format!("token={secret}"), "name": format!("password={secret}"), "org_id": ORG}),
        ),
    });
    for format in ["json", "text"] {
        let program = with_key(&devin, &json!({"title": "disk", "status": "firing"}));
        for call in ["--max-poll-attempts 2", "--detach"] {
            let ran = program.run(&format!("{RUN} --output {format} {call}"));
            assert_shown_without(&ran, secret);
        }
        let watch = "alert-relay watch s1 --config config.json --poll-interval 1s --max-poll-attempts 2";
        assert_shown_without(&program.run(&format!("{watch} --output {format}")), secret);
        assert_shown_without(
            &program.run(&format!("alert-relay check --config config.json --output {format}")),
            secret,
        );
    }
    for status in [400, 401, 403, 404, 422, 500] {
        let devin =
            Devin::start(move |_| Said::problem(status, &format!("cannot clone https://bob:{secret}@git.example")));
        let program = with_key(&devin, &json!({"title": "disk", "status": "firing"}));
        for format in ["json", "text"] {
            assert_shown_without(
                &program.run(&format!("alert-relay check --config config.json --output {format}")),
                secret,
            );
        }
    }
}

/// Every secret that the process holds: the one in use, the one that is not, and those of settings that cannot be used.
#[test]
fn a_run_knows_every_secret_that_it_holds() {
    const OTHER: &str = "an-0ther-kEy-Of-0rg-78";
    const PROXY: &str = "pr0xy-PassW-79";
    let devin = finished();
    let alert = json!({"title": format!("disk {OTHER} {KEY} {PROXY}"), "status": "firing"});
    let program = with_key(&devin, &alert)
        .variable("DEVIN_API_KEY", OTHER)
        .variable("ALL_PROXY", &format!("http://bob:{PROXY}@127.0.0.1:9"))
        .variable("NO_PROXY", "127.0.0.1");
    let ran = program.run(RUN);
    assert_eq!((ran.exit(), devin.creates().len()), ("exit 0".to_string(), 1), "{}", ran.stderr);
    assert_hidden(&devin, &ran, &[KEY, OTHER, PROXY], "a key that is not in use");
}

#[test]
fn a_resolved_alert_is_shown_without_the_key_of_settings_that_cannot_be_used() {
    let alert = json!({"title": format!("disk {KEY}"), "status": "resolved"}).to_string();
    let settings = [
        json!({"api_token": KEY, "org_id": "https://not.an/id"}).to_string(),
        json!({"api_tokn": KEY, "org_id": ORG}).to_string(),
        json!({"api_token": KEY, "org_id": 7}).to_string(),
        format!("{{\"api_token\": \"{KEY}\","),
        format!("DEVIN_API_KEY={KEY}\n"),
    ];
    for settings in settings {
        for more in ["", " --dry-run", " --output text", " --endpoint http://not.loopback/v3/organizations/o/sessions"]
        {
            let program = program().file("config.json", &settings).file("alert.json", &alert);
            assert_shown_without(&program.run(&format!("{RUN}{more}")), KEY);
        }
    }
}

#[test]
fn what_devin_calls_a_session_is_shown_without_the_key() {
    let session =
        json!({"session_id": format!("devin-{KEY}"), "url": null, "status": "exit", "tags": [], "created_at": 1});
    let devin = Devin::start(move |heard| match heard.path.as_str() {
        "/v3/self" => Said::json(&json!({"principal_type": "service_user", "org_id": ORG})),
        _ if heard.method == "POST" => Said::json(&session),
        path if path.contains("/sessions/") => Said::json(&session),
        _ => Said::json(&json!({"items": [], "has_next_page": false, "end_cursor": null, "total": 0})),
    });
    let program = with_key(&devin, &json!({"title": "disk", "status": "firing"}));
    for format in ["json", "text"] {
        let ran = program.run(&format!("{RUN} --output {format} --max-poll-attempts 1"));
        assert_shown_without(&ran, KEY);
    }
}

fn assert_shown_without(ran: &Ran, secret: &str) {
    assert!(!ran.text().is_empty() || !ran.stderr.is_empty());
    for text in [ran.text(), ran.stderr.as_str()] {
        assert!(!text.contains(secret), "{secret} shows:\n{text}");
    }
}

#[test]
fn a_template_that_fails_on_an_alert_is_an_error_that_names_line_and_variable() {
    let devin = finished();
    let program = with_key(&devin, &json!({"title": "disk", "status": "firing"}))
        .file("t.txt", "{{ title }}\n{{ labels.region }}")
        .file("large.txt", "x".repeat(40_000))
        .file("endless.txt", "{% for i in range(9999) %}{% for j in range(9999) %}{% endfor %}{% endfor %}");
    let said: Vec<String> = ["t.txt", "large.txt", "endless.txt"]
        .iter()
        .map(|file| {
            let ran = program.run(&format!("{RUN} --prompt-template {file}"));
            assert_eq!(ran.exit(), "exit 1");
            ran.stderr
        })
        .collect();
    assert_eq!(devin.count("POST"), 0);
    insta::assert_snapshot!(said.concat());
}

#[test]
fn a_secret_that_is_named_is_neither_sent_nor_shown_however_it_is_written() {
    let (word, pin, phrase) = ("Wintergarten", "48392017", "blue bell tower");
    let (in_hex, in_base64) = ("57696e74657267617274656e", BASE64_STANDARD.encode(format!("user={word}&x")));
    let spellings =
        [word, pin, phrase, "WINTERGARTEN", "W\\u0069ntergarten", "Winter%67arten", in_hex, &in_base64, "netragretniW"];
    let said = format!("we saw {} there", spellings.join(", then "));
    let alert = json!({"title": format!("disk {said}"), "message": said, "labels": {"a": said, said.as_str(): "b"}, "url": said,
        "dedup_key": said, "source": said, "status": "firing"});
    let devin = finished();
    let program = with_key(&devin, &alert).file("masks.txt", format!("{word}\n\n{phrase}\n")).variable("PIN", pin);
    for call in ["--detach", "--dry-run", "--dry-run --output text"] {
        let ran = program.run(&format!("{RUN} {call} --mask-file masks.txt --mask-env PIN"));
        assert!(ran.status.success(), "{}", ran.stderr);
        assert_hidden(&devin, &ran, &spellings, call);
        assert!(ran.text().contains("we saw ****, then ****"), "{}", ran.text());
    }
    assert_eq!(devin.heard().iter().filter(|heard| heard.method == "POST").count(), 1, "one create");
    let ran = program.run("alert-relay prompt --alert alert.json --output json --mask-file masks.txt --mask-env PIN");
    assert!(ran.status.success(), "{}", ran.stderr);
    assert_hidden(&devin, &ran, &spellings, "prompt");
}

#[test]
fn what_cannot_be_masked_creates_nothing_and_is_not_shown() {
    let devin = finished();
    let alert = json!({"title": "disk", "status": "firing"});
    let program = with_key(&devin, &alert).file("short.txt", "s3cr3t-of-db\nab1\n").file("empty.txt", "\n");
    let program = program.file("masks.txt", "s3cr3t-of-db\nproduction\n").variable("EMPTY", "");
    let said = |options: &str| {
        let ran = program.run(&format!("{RUN} --output text {options}"));
        assert_hidden(&devin, &ran, &["s3cr3t-of-db"], options);
        format!("{options}: {} {}", ran.status.code().unwrap(), ran.stderr.trim())
    };
    let calls = [
        "--mask-env NOBODY",
        "--mask-env s3cr3t-of-db",
        "--mask-env EMPTY",
        "--mask-file nobody.txt",
        "--mask-file short.txt",
        "--mask-file empty.txt",
        "--mask-file masks.txt --title s3cr3t-of-db",
        "--mask-file masks.txt --dry-run",
    ];
    insta::assert_snapshot!(calls.map(said).join("\n"), @r"
    --mask-env NOBODY: 1 error: --mask-env names an environment variable that is not set: NOBODY
    --mask-env s3cr3t-of-db: 1 error: --mask-env names an environment variable that is not set; it takes a name, not the secret itself
    --mask-env EMPTY: 1 error: --mask-env: the variable EMPTY has no secret: write one on each line
    --mask-file nobody.txt: 1 error: cannot read the secrets to mask in nobody.txt: No such file or directory (os error 2)
    --mask-file short.txt: 1 error: --mask-file: short.txt has a secret with fewer than 8 Latin letters and digits (line 2): it could not be told from other text
    --mask-file empty.txt: 1 error: --mask-file: empty.txt has no secret: write one on each line
    --mask-file masks.txt --title s3cr3t-of-db: 1 warning: --mask-file: masks.txt has a secret that is made of words (line 2): **** stands for them in all that is sent or shown
    error: --title holds an API key or another secret, which would be sent to Devin; nothing was created
    --mask-file masks.txt --dry-run: 0 warning: --mask-file: masks.txt has a secret that is made of words (line 2): **** stands for them in all that is sent or shown
    warning: 1 secret was removed from what the alert says
    ");
    assert_eq!(devin.heard().iter().filter(|heard| heard.method == "POST").count(), 0, "nothing is created");
}
