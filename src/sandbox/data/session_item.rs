//! A session's JSON.

use super::session::{Creator, Session};
use super::words::{SERVICE_USERS, USERS};
use super::{Family, Organization, insight};
use crate::sandbox::json::{Json, push_hex};

/// Writes one session, as the lists and the detail reply have it.
pub fn write(json: &mut Json, organization: &Organization, session: &Session, with_insights: bool) {
    let id = organization.id(Family::Session, session.index);
    let mut url = String::with_capacity(72);
    url.push_str("https://app.devin.ai/sessions/");
    push_hex(&mut url, id);
    json.open('{');
    json.key("session_id").id("", id);
    json.key("url").text(&url);
    json.key("org_id").text(organization.id);
    json.key("status").text(session.status);
    json.key("status_detail").optional_text(session.status_detail);
    json.key("title").optional_text(session.title(organization).as_deref());
    json.key("tags").open('[');
    for tag in session.tags() {
        json.text(&tag);
    }
    json.close(']');
    json.key("created_at").number(session.created_at);
    json.key("updated_at").number(session.updated_at);
    json.key("acus_consumed").hundredths(session.acu_hundredths);
    json.key("pull_requests").open('[');
    for named in session.named_pull_requests(organization) {
        json.open('{');
        json.key("pr_url").text(&named.url);
        json.key("pr_state").optional_text(named.state);
        json.close('}');
    }
    json.close(']');
    let (user, service_user) = match session.creator {
        Creator::User(place) => (Some(USERS[place].id), None),
        Creator::ServiceUser(place) => (None, Some(SERVICE_USERS[place].id)),
    };
    json.key("user_id").optional_text(user);
    json.key("service_user_id").optional_text(service_user);
    write_id(json.key("playbook_id"), organization, Family::Playbook, session.playbook);
    write_id(json.key("automation_id"), organization, Family::Automation, session.automation);
    write_id(json.key("parent_session_id"), organization, Family::Session, session.parent);
    write_children(json.key("child_session_ids"), organization, session.index);
    json.key("is_archived").boolean(session.is_archived);
    json.key("origin").text(session.origin);
    json.key("category").optional_text(session.category);
    json.key("subcategory").optional_text(session.subcategory);
    json.key("devin_mode").optional_text(session.devin_mode);
    write_structured_output(json.key("structured_output"), session);
    json.key("security_profile").null();
    if with_insights {
        insight::write_fields(json, organization, session);
    }
    json.close('}');
}

fn write_id(json: &mut Json, organization: &Organization, family: Family, place: Option<u64>) {
    match place {
        Some(place) => json.id(family.prefix(), organization.id(family, place)),
        None => json.null(),
    }
}

fn write_children(json: &mut Json, organization: &Organization, index: u64) {
    let count = organization.children_of(index);
    if count == 0 {
        json.null();
        return;
    }
    json.open('[');
    for number in 1..=count {
        json.id("", organization.id(Family::Session, index - number));
    }
    json.close(']');
}

/// Sessions under a playbook with a schema answer in its shape once their work is over.
fn write_structured_output(json: &mut Json, session: &Session) {
    let has_schema = matches!(session.playbook, Some(0 | 3 | 6));
    if !has_schema || !session.has_ended() || session.status == "error" {
        json.null();
        return;
    }
    json.open('{');
    json.key("summary").text(session.task);
    json.key("confidence").hundredths(40 + session.acu_hundredths % 60);
    json.key("is_resolved").boolean(session.pull_requests > 0);
    json.key("repositories").open('[');
    json.text(session.repository);
    json.close(']');
    json.close('}');
}
