//! A store that an older program has written, with jobs under way in it: they go on. What stands in the rows is as the first program
//! with a store wrote it.

use serde_json::{Value, json};
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _, Executor as _};

use super::super::database::install_drivers;
use super::super::schema::{NEWEST, migrate_to};
use super::super::work::Dialect;
use super::super::{back_up, restore};
use super::*;
use crate::relay::job::{Action, Observation, step};

/// A job in a phase, as the first program wrote it.
fn old_job(id: &str, phase: &Value) -> Value {
    json!({
        "id": id, "dedupe_key": id,
        "request": {
            "names": {"alert_tag": format!("ar-{id}"), "attempt_tag": format!("ar-a-{id}"), "attempt": "0123456789abcdef"},
            "new": {"prompt": "Look into it.", "tags": ["alert-relay"]},
            "firing": {"reason": "first", "fingerprints": [], "latest_start": null, "message": "It fires."},
        },
        "policy": {
            "holds": {"cooldown": {"secs": 3600, "nanos": 0}, "while_pr_open": null},
            "new_attempt": false, "detach": false, "reconcile_window": {"secs": 600, "nanos": 0}, "create_again": true,
            "on_session_limit": "wait", "on_new_alerts": "message", "on_timeout": "leave",
            "poll_interval": {"secs": 30, "nanos": 0}, "max_polls": 120, "pr_grace": 2,
        },
        "phase": phase, "started_at": 1_700_000_000_000_i64, "intent_at": 1_700_000_000_000_i64, "by_title": false,
        "made": [], "creates": 1, "stands_beside": false, "unclear": null,
        "limited": {"tries": 0, "waited": 0, "session_limit_since": null}, "told": [], "messages_sent": 0,
    })
}

/// Each phase in which a job may be under way, its name, and what it is to do next.
fn phases() -> [(&'static str, Value, &'static str); 5] {
    let session = json!({
        "session_id": "devin-1", "status": "running", "status_detail": "working", "url": null, "title": null, "tags": [],
        "created_at": 1_700_000_000, "updated_at": null, "acus_consumed": 0.5, "pull_requests": [],
        "structured_output": null, "is_archived": false,
    });
    let watching = json!({
        "session": session, "origin": "ours", "seen": [], "polls": 3, "was_seen": true, "message_due": false,
        "task": "nothing", "next_poll": 1_700_000_000_000_i64, "rival_finds": [], "failed_finds": 0,
        "since": 1_700_000_000_000_i64, "requests": 0, "refusals": 0, "missing": 0, "blocked": 0, "blocked_since": null,
        "grace": 0, "last_state": null, "is_current": true,
    });
    let reconciling = json!({
        "by": "tag", "until": 1_700_000_000_000_i64, "wait": 2000, "waits_until": null, "has_looked": false,
        "failure": null, "is_cut_short": false,
    });
    [
        ("received", json!("received"), "Find(Tag(\"ar-received\"))"),
        ("finding", json!({"finding": {"by": "tag"}}), "Find(Tag(\"ar-finding\"))"),
        ("creating", json!({"creating": {"waits_until": null}}), "Find(Tag(\"ar-a-creating\"))"),
        ("reconciling", json!({"reconciling": reconciling}), "Find(Tag(\"ar-a-reconciling\"))"),
        ("watching", json!({"watching": watching}), "Poll { session_id: \"devin-1\" }"),
    ]
}

/// What the program of this version had in its store: a job in each phase, held by a process that is gone, news of one of them,
/// and one that has ended.
async fn write(address: &Address, version: i64) {
    install_drivers();
    let (dialect, url, hash) = match address {
        Address::Postgres(url) => (Dialect::Postgres, url.clone(), r"'\x00'"),
        Address::Sqlite(path) => (Dialect::Sqlite, format!("sqlite:{}?mode=rwc", path.display()), "x'00'"),
        Address::Memory => unreachable!("it would be gone"),
    };
    let hash = hash.replace("00", &"00".repeat(32));
    let mut connection = AnyConnection::connect(&url).await.unwrap();
    migrate_to(&mut connection, dialect, version).await.unwrap();
    let end = json!({"settled": {"outcome": "no_pr"}});
    let all = phases().into_iter().map(|(name, phase, _)| (name, phase)).chain([("settled", end)]);
    for (name, phase) in all {
        let job = old_job(name, &phase);
        let settled_at = if name == "settled" { "5" } else { "NULL" };
        for text in [
            format!(
                "INSERT INTO alerts (tag, dedupe_key, route, title, state, first_at, last_at, last_delivery, last_route, last_hash) \
                VALUES ('ar-{name}', '{name}', 'r', 't', 'firing', 1, 1, 'd', 'r', {hash})"
            ),
            format!(
                "INSERT INTO jobs (id, alert, integration, phase, job, created_at, due_at, settled_at, owner, epoch, lease_until, stepped_by) \
                VALUES ('{name}', 'ar-{name}', 'one', '{name}', '{job}', 1, 1, {settled_at}, 'gone', 3, 1, 'gone')"
            ),
        ] {
            connection.execute(AssertSqlSafe(text)).await.unwrap();
        }
    }
    let mut rest = vec![
        format!(
            "INSERT INTO deliveries (id, route, body_hash, body, received_at, verdict) VALUES ('d', 'r', {hash}, {hash}, 1, 'alerts')"
        ),
        format!(
            "INSERT INTO news (job, seq, follow_up) VALUES ('watching', 1, '{}')",
            old_job("next", &json!("received"))
        ),
        "INSERT INTO organizations (integration, org_id) VALUES ('one', 'org-1')".to_string(),
    ];
    if version >= 4 {
        let gates = json!({
            "rule": "default", "delay": {"secs": 0, "nanos": 0}, "min_occurrences": null,
            "max_wait": {"secs": 3600, "nanos": 0}, "storm": null,
            "limits": {"concurrent_sessions": null, "runs": [], "acu_per_day": null},
        });
        rest.push(format!("UPDATE jobs SET gates = '{gates}', ready_at = 1"));
        rest.push("UPDATE jobs SET started_at = 1 WHERE phase <> 'received'".to_string());
    }
    if version >= 7 {
        rest.push(
            "INSERT INTO outbox (id, target, alert, job, seq, at, event, notice, state, since, due_at, attempts) \
            VALUES ('n', 'chat', 'ar-watching', 'watching', 1, 1, 'created', '{}', 'waiting', 1, 1, 0)"
                .to_string(),
        );
    }
    for text in rest {
        connection.execute(AssertSqlSafe(text)).await.unwrap();
    }
    connection.close().await.unwrap();
}

/// Every job that was under way goes on from where it was.
async fn check_that_jobs_go_on(address: &Address, told: &str) {
    let store = Store::open(address).await.unwrap_or_else(|error| panic!("{told}: {error}"));
    let due = store.claim("one", "new", LEASE, 99).await.unwrap();
    assert!(due.unreadable.is_empty(), "{told}: {:?}", due.unreadable);
    let mut next: Vec<(String, String)> = Vec::new();
    for claimed in due.claimed {
        let (id, news) = (claimed.job.id.clone(), claimed.news.len());
        assert_eq!(news, usize::from(id == "watching"), "{told}: {id}");
        assert_eq!(claimed.stepped_by.as_deref(), Some("gone"), "{told}: {id}");
        let (_, actions) = step(claimed.job, Observation::Started, 1_700_000_100_000_i64);
        let action = actions.into_iter().find(|action| !matches!(action, Action::Report(_)));
        next.push((id, format!("{:?}", action.unwrap())));
    }
    next.sort();
    let mut expected: Vec<(String, String)> =
        phases().map(|(name, _, next)| (name.to_string(), next.to_string())).to_vec();
    expected.sort();
    assert_eq!(next, expected, "{told}");
    assert_eq!(store.organization("one").await.unwrap().as_deref(), Some("org-1"), "{told}");
    assert_eq!(store.alerts(99, None).await.unwrap().len(), 6, "{told}");
}

#[tokio::test]
async fn jobs_of_every_older_version_go_on() {
    for version in 1..=NEWEST {
        let directory = tempfile::tempdir().unwrap();
        let mut addresses = vec![Address::Sqlite(directory.path().join("relay.db"))];
        if let Ok(url) = std::env::var("RELAY_POSTGRES") {
            addresses.push(Address::Postgres(schema_of_its_own(&url).await));
        }
        for address in &addresses {
            write(address, version).await;
            let file = directory.path().join(format!("backup-{}", crate::relay::draw::drawn()));
            assert_eq!(back_up(address, &file).await.unwrap().version, version);
            check_that_jobs_go_on(address, &format!("version {version} in {address}")).await;
            let restored = Address::Sqlite(directory.path().join(format!("restored-{}", crate::relay::draw::drawn())));
            restore(&file, &restored).await.unwrap();
            check_that_jobs_go_on(&restored, &format!("a backup of version {version} from {address}")).await;
        }
    }
}
