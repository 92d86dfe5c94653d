//! What is set up once: the principal, playbooks, secrets' metadata, knowledge notes and folders.

use super::calendar::END;
use super::words::{FOLDERS, USERS};
use super::{Family, Organization};
use crate::sandbox::json::Json;

/// How many playbooks there are.
pub const PLAYBOOKS: u64 = PLAYBOOK_ROWS.len() as u64;
/// How many secrets there are.
pub const SECRETS: u64 = SECRET_ROWS.len() as u64;

const DAY: i64 = 86_400;

struct Playbook {
    title: &'static str,
    macro_name: Option<&'static str>,
    body: &'static str,
    has_schema: bool,
}

const fn playbook(
    title: &'static str,
    macro_name: Option<&'static str>,
    has_schema: bool,
    body: &'static str,
) -> Playbook {
    Playbook { title, macro_name, body, has_schema }
}

#[rustfmt::skip]
const PLAYBOOK_ROWS: [Playbook; 9] = [
    playbook("Triage an error report", Some("!triage"), true, "## Procedure\n1. Reproduce the error with a test.\n2. Find the commit that brought it.\n3. Fix it, or say who can.\n\n## Forbidden\n- Never silence the error."),
    playbook("Upgrade dependencies", Some("!bump"), false, "Upgrade one package per commit.\nRun `make check` after each.\nLeave major versions for a session of their own."),
    playbook("Raise test coverage", Some("!cover"), false, "Pick the least covered module that changed in the last month.\nTest behavior, not lines."),
    playbook("Review a pull request", Some("!review"), true, "Read the description first, then the tests, then the code.\nAnswer with findings in the order of their weight."),
    playbook("Migrate a schema", Some("!migrate"), false, "Expand, backfill, contract: three deployments.\nNo statement may hold a lock for more than 2 s."),
    playbook("Refresh the documentation", Some("!docs"), false, "Run every command in the guide on a clean machine.\n\"It works for me\" is no proof."),
    playbook("Investigate an incident", Some("!incident"), true, "Collect the timeline from logs & traces.\nName the cause, the trigger and what would have caught it 🔍"),
    playbook("Repair a red pipeline", Some("!pipeline"), false, "Tell a flaky test from a broken one by ten runs.\nOn Windows agents look below C:\\agent\\_work."),
    playbook("Schreibe Übergabeprotokolle", None, false, "Eine Seite, höchstens: Stand, offene Fragen, nächste Schritte."),
];

struct Secret {
    key: Option<&'static str>,
    note: Option<&'static str>,
    secret_type: &'static str,
    is_personal: bool,
    update: Update,
}

/// What a secret tells about its last change: the two fields, nulls, or nothing at all.
enum Update {
    Told,
    Null,
    Absent,
}

const fn secret(
    key: Option<&'static str>,
    note: Option<&'static str>,
    secret_type: &'static str,
    is_personal: bool,
    update: Update,
) -> Secret {
    Secret { key, note, secret_type, is_personal, update }
}

#[rustfmt::skip]
const SECRET_ROWS: [Secret; 14] = [
    secret(Some("STAGING_DATABASE_URL"), Some("read only"), "key-value", false, Update::Told),
    secret(Some("NPM_TOKEN"), Some("for the private registry"), "key-value", false, Update::Told),
    secret(Some("SENTRY_AUTH_TOKEN"), None, "key-value", false, Update::Null),
    secret(Some("STRIPE_TEST_KEY"), Some("test mode, \"sandbox\" account"), "key-value", false, Update::Told),
    secret(Some("ADMIN_TOTP"), Some("second factor of the test administrator"), "totp", false, Update::Absent),
    secret(Some("STOREFRONT_SESSION"), Some("cookie of the demo shop"), "cookie", false, Update::Told),
    secret(None, None, "cookie", true, Update::Null),
    secret(Some("GITHUB_PACKAGES_TOKEN"), Some(""), "key-value", false, Update::Told),
    secret(Some("MAPS_API_KEY"), Some("für die Filialsuche"), "key-value", false, Update::Absent),
    secret(Some("SNOWFLAKE_PASSWORD"), Some("role REPORTER"), "key-value", false, Update::Told),
    secret(Some("VPN_TOTP"), Some("Jonas' phone is the other copy"), "totp", true, Update::Told),
    secret(Some("S3_ARTIFACTS_KEY"), Some("bucket northwind-artifacts"), "key-value", false, Update::Told),
    secret(Some("SLACK_WEBHOOK"), Some("#deployments"), "key-value", false, Update::Null),
    secret(Some("TRANSLATION_API_KEY"), Some("翻译服务"), "key-value", true, Update::Told),
];

/// A knowledge note.
pub struct Note {
    pub name: &'static str,
    pub body: &'static str,
    pub trigger: &'static str,
    folder: Option<usize>,
    pub pinned_repo: Option<&'static str>,
    macro_name: Option<&'static str>,
}

impl Note {
    /// The path of its folder; notes outside of every folder have `/`.
    pub fn folder_path(&self) -> &'static str {
        self.folder.map_or("/", |place| FOLDERS[place].1)
    }
}

const fn note(
    folder: Option<usize>,
    name: &'static str,
    trigger: &'static str,
    body: &'static str,
    pinned_repo: Option<&'static str>,
    macro_name: Option<&'static str>,
) -> Note {
    Note { name, body, trigger, folder, pinned_repo, macro_name }
}

const PAYMENTS: Option<&str> = Some("northwind-labs/payments-api");
const STOREFRONT: Option<&str> = Some("northwind-labs/storefront");
const INFRA: Option<&str> = Some("northwind-labs/infra");

#[rustfmt::skip]
pub const NOTE_ROWS: [Note; 24] = [
    note(Some(1), "Money types", "when amounts of money are computed", "Use `Money`, never a float. Round once, at the end.", PAYMENTS, None),
    note(Some(1), "Refund states", "when refunds are touched", "A refund is `asked`, `sent`, `settled` or `refused`; it never goes back.", PAYMENTS, None),
    note(Some(1), "Payment provider sandbox", "when testing payments", "Card 4242 4242 4242 4242 always works there.", PAYMENTS, Some("!cards")),
    note(Some(1), "Idempotency keys", "when calling the provider", "Derive the key from the order, not from the clock.", None, None),
    note(Some(0), "Who owns which table", "when the schema changes", "orders: order-service\ncurrencies: payments-api\nstock: warehouse-sync", None, Some("!tables")),
    note(Some(0), "Error codes", "when an endpoint can fail", "Codes are UPPER_SNAKE and are never reused.", None, None),
    note(Some(0), "Local database", "when setting up", "Run `make db`; it listens on port 54320.", None, None),
    note(Some(0), "Queue consumers", "when writing a consumer", "At least once: make it repeatable.", None, None),
    note(Some(0), "Feature flags", "when adding a flag", "Give each flag an owner and an end date.", None, None),
    note(Some(2), "Design tokens", "when styling", "No literal colors; take them from `tokens.css`.", STOREFRONT, None),
    note(Some(2), "Accessibility", "when building a form", "Every input has a label. \"Placeholder\" is none.", STOREFRONT, None),
    note(Some(2), "Snapshot tests", "when a snapshot changes", "Read it before you accept it.", STOREFRONT, None),
    note(Some(2), "Translations", "when adding a text", "Keys are English; de, fr & 中文 come from the translators.", None, None),
    note(Some(2), "Bundle budget", "when adding a package", "180 kB gzipped, checked in CI.", STOREFRONT, None),
    note(Some(3), "First five minutes", "when an alert fires", "1. Acknowledge.\n2. Look at the dashboard.\n3. Roll back before you debug.", None, Some("!first5")),
    note(Some(3), "Dashboards", "when looking for metrics", "grafana.northwind.example/d/overview", INFRA, None),
    note(Some(3), "Escalation", "when an incident lasts", "After 30 min call the second line ☎️", None, None),
    note(Some(3), "Known noise", "when an alert looks familiar", "DiskSlow on build agents heals by itself.", INFRA, None),
    note(Some(4), "Was wir bauen", "at the beginning of any task", "Ein Großhandel mit 40 000 Artikeln; Kunden sind Werkstätten.", None, None),
    note(Some(4), "Glossary", "when a word is unclear", "basket = open order; slip = delivery note; Retoure = return", None, Some("!words")),
    note(None, "Commit messages", "when committing", "Imperative, 72 columns, the ticket in the last line.", None, None),
    note(None, "Branches", "when pushing", "devin/<ticket>-<words>; never push to main.", None, None),
    note(None, "Windows builds", "when the installer is built", "Sources lie in C:\\src\\northwind; paths stay below 260 characters.", None, None),
    note(None, "Old wiki", "never", "Kept for reference. Do not follow.", None, None),
];

/// Whether a thing comes from the enterprise above, so that it belongs to no organization: the last playbook, and a folder with its
/// notes.
pub fn is_inherited(family: Family, place: u64) -> bool {
    const FOLDER: usize = 4;
    match family {
        Family::Playbook => place + 1 == PLAYBOOKS,
        Family::Note => NOTE_ROWS.get(place as usize).is_some_and(|note| note.folder == Some(FOLDER)),
        Family::Folder => place == FOLDER as u64,
        _ => false,
    }
}

/// Writes the playbook at this place.
pub fn write_playbook(json: &mut Json, organization: &Organization, place: u64) {
    let playbook = &PLAYBOOK_ROWS[place as usize];
    let is_inherited = is_inherited(Family::Playbook, place);
    json.open('{');
    let id = organization.id(Family::Playbook, place);
    json.key("playbook_id").id(Family::Playbook.prefix(), id);
    json.key("title").text(playbook.title);
    json.key("body").text(playbook.body);
    json.key("macro").optional_text(playbook.macro_name);
    json.key("created_by").text(creator(place));
    json.key("updated_by").text(creator(place / 2));
    write_times(json, place, 1);
    json.key("access_type").text(if is_inherited { "enterprise" } else { "org" });
    json.key("org_id").optional_text((!is_inherited).then_some(organization.id));
    json.key("structured_output_schema");
    if playbook.has_schema {
        write_schema(json);
    } else {
        json.null();
    }
    json.close('}');
}

fn write_schema(json: &mut Json) {
    let properties =
        [("summary", "string"), ("confidence", "number"), ("is_resolved", "boolean"), ("repositories", "array")];
    json.open('{');
    json.key("type").text("object");
    json.key("required").open('[');
    json.text("summary");
    json.close(']');
    json.key("properties").open('{');
    for (name, kind) in properties {
        json.key(name).open('{');
        json.key("type").text(kind);
        json.close('}');
    }
    json.close('}');
    json.close('}');
}

/// Writes what may be known of the secret at this place.
pub fn write_secret(json: &mut Json, organization: &Organization, place: u64) {
    let secret = &SECRET_ROWS[place as usize];
    let created_at = created_at(place, 9);
    json.open('{');
    let id = organization.id(Family::Secret, place);
    json.key("secret_id").id(Family::Secret.prefix(), id);
    json.key("key").optional_text(secret.key);
    json.key("note").optional_text(secret.note);
    json.key("is_sensitive").boolean(place % 5 != 3);
    json.key("created_by").text(creator(place));
    json.key("created_at").number(created_at);
    json.key("secret_type").text(secret.secret_type);
    json.key("access_type").text(if secret.is_personal { "personal" } else { "org" });
    match secret.update {
        Update::Told => {
            json.key("updated_at").number(created_at + DAY * place as i64);
            json.key("updated_by").text(creator(place + 1));
        }
        Update::Null => {
            json.key("updated_at").null();
            json.key("updated_by").null();
        }
        Update::Absent => {}
    }
    json.close('}');
}

/// Writes the knowledge note at this place.
pub fn write_note(json: &mut Json, organization: &Organization, place: u64) {
    let note = &NOTE_ROWS[place as usize];
    let is_inherited = is_inherited(Family::Note, place);
    json.open('{');
    let id = organization.id(Family::Note, place);
    json.key("note_id").id(Family::Note.prefix(), id);
    write_folder_id(json.key("folder_id"), organization, note.folder.map(|place| place as u64));
    json.key("folder_path").text(note.folder_path());
    json.key("name").text(note.name);
    json.key("body").text(note.body);
    json.key("trigger").text(note.trigger);
    json.key("is_enabled").boolean(note.trigger != "never");
    write_times(json, place, 5);
    json.key("access_type").text(if is_inherited { "enterprise" } else { "org" });
    json.key("org_id").optional_text((!is_inherited).then_some(organization.id));
    json.key("macro").optional_text(note.macro_name);
    json.key("pinned_repo").optional_text(note.pinned_repo);
    json.close('}');
}

/// Writes all folders; this list has no pages.
pub fn write_folders(json: &mut Json, organization: &Organization) {
    let notes_in = |folder| NOTE_ROWS.iter().filter(|note| note.folder == folder).count();
    json.open('{');
    json.key("folders").open('[');
    for (place, (name, path, parent)) in FOLDERS.iter().enumerate() {
        json.open('{');
        write_folder_id(json.key("folder_id"), organization, Some(place as u64));
        json.key("name").text(name);
        json.key("path").text(path);
        json.key("note_count").number(notes_in(Some(place)));
        write_folder_id(json.key("parent_folder_id"), organization, *parent);
        json.close('}');
    }
    json.close(']');
    json.key("root_note_count").number(notes_in(None));
    json.close('}');
}

fn write_folder_id(json: &mut Json, organization: &Organization, place: Option<u64>) {
    match place {
        Some(place) => {
            let id = organization.id(Family::Folder, place);
            json.id(Family::Folder.prefix(), id);
        }
        None => json.null(),
    }
}

fn write_times(json: &mut Json, place: u64, spread_days: i64) {
    let created_at = created_at(place, spread_days);
    json.key("created_at").number(created_at);
    json.key("updated_at").number(created_at + DAY * (place as i64 * 3 % 40));
}

/// The playbooks were set up before the first session; other things followed later.
fn created_at(place: u64, spread_days: i64) -> i64 {
    END - 190 * DAY + place as i64 * (spread_days * DAY + 4_321)
}

fn creator(place: u64) -> &'static str {
    USERS[place as usize % USERS.len()].id
}
