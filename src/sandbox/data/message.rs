//! The messages of a session: a conversation about its task.

use std::fmt::Write;

use super::dice::{Dice, Topic, mix};
use super::session::{Creator, Session};
use super::words::{SERVICE_USERS, USERS};
use super::{Family, Organization};
use crate::sandbox::json::{Json, push_hex};

#[rustfmt::skip]
const REPLIES: [&str; 10] = [
    "Looks good, please open the pull request.",
    "Yes.",
    "Can you also cover the empty case? A customer from „Möbel Krüger“ ran into it.",
    "Why this way? 🤔 I'd have expected the check to be in the \"gateway\".",
    "On Windows the output is in C:\\builds\\out, please use that.",
    "Please keep the old name for one release:\n- mark it deprecated\n- log a warning\n- mention it in the changelog",
    "The reviewer asked for smaller commits.",
    "很好，继续。",
    "No, wait. Staging still runs last week's version.",
    "Merge it when the checks are green ✅",
];

#[rustfmt::skip]
const PROGRESS: [&str; 8] = [
    "I read through the code. The value is rounded twice: once when the line is priced and again when the refund is made. I'll keep the unrounded amount and round only at the end.",
    "Here is the change:\n\n```rust\nfn total(lines: &[Line]) -> Money {\n    lines.iter().map(Line::amount).sum::<Money>().rounded()\n}\n```\n\nAll 214 tests pass. Shall I open a pull request?",
    "The build failed with `error[E0382]: use of moved value`. I'm fixing it now.",
    "I need a decision: there are two callers of this function, and one relies on the old behavior.\n\n1. Change both.\n2. Add a second function.\n\nI recommend the first. Which one shall I take?",
    "Done so far:\n\n* reproduced the problem with a test\n* found the commit that brought it\n* wrote the fix\n\nStill to do: the changelog and the documentation. I noticed that the nightly job takes eleven minutes, nine of which are spent waiting for the same lock; that is worth a task of its own, but I leave it alone here.",
    "The checks are green 🎉",
    "I ran the migration against a copy of the data:\n\n```\nrows read      1 204 331\nrows changed      18 007\nrows refused           0\nseconds             41.7\n```\n\nThe longest lock was held for 0.3 s.",
    "I'm waiting for the pipeline \"build/test (ubuntu)\" to finish.",
];

/// Whether the message at this place comes from a person: two of every five do, the first among them.
pub fn is_from_user(place: u64) -> bool {
    matches!(place % 5, 0 | 3)
}

/// Writes the message at this place; `text` is room to compose it in.
pub fn write(json: &mut Json, organization: &Organization, session: &Session, place: u64, text: &mut String) {
    let is_from_user = is_from_user(place);
    compose(text, organization, session, place);
    let span = session.updated_at - session.created_at;
    let since = span * place as i64 / session.messages as i64;
    json.open('{');
    json.key("event_id").id("event-", event_id(organization, session, place));
    json.key("source").text(if is_from_user { "user" } else { "devin" });
    json.key("message").text(text);
    json.key("created_at").number(session.created_at + since);
    // The older part of the sessions is from before these fields existed.
    if session.index < organization.sessions.div_ceil(2) {
        let (user_id, name) = match session.creator {
            Creator::User(place) => (Some(USERS[place].id), USERS[place].name),
            Creator::ServiceUser(place) => (None, SERVICE_USERS[place].name),
        };
        json.key("origin").optional_text(is_from_user.then_some(session.origin));
        json.key("user_id").optional_text(user_id.filter(|_| is_from_user));
        json.key("username").optional_text(is_from_user.then_some(name));
    }
    json.close('}');
}

fn event_id(organization: &Organization, session: &Session, place: u64) -> u128 {
    let session_id = organization.id(Family::Session, session.index);
    let low = mix((session_id as u64).wrapping_add(place));
    u128::from(mix(low ^ (session_id >> 64) as u64)) << 64 | u128::from(low)
}

fn compose(text: &mut String, organization: &Organization, session: &Session, place: u64) {
    let dice = &mut Dice::new(organization.seed ^ mix(session.index), Topic::Message, place);
    text.clear();
    if place == 0 {
        push(text, format_args!("{} in {}.\n\n", session.task, session.repository));
        text.push_str(
            "Please write a test that fails first, keep the change small, and tell me if anything is unclear.",
        );
        return;
    }
    if is_from_user(place) {
        text.push_str(dice.pick(&REPLIES));
    } else if place + 1 == session.messages && session.pull_requests > 0 {
        let url = session.pull_request_url(organization, 0);
        push(text, format_args!("I opened {url} for \"{}\".", session.task));
    } else {
        text.push_str(dice.pick(&PROGRESS));
    }
    if dice.percent(6) {
        let file = dice.pick(&["screenshot.png", "build.log", "Größenvergleich.csv"]);
        let size = 900 + dice.below(800_000);
        text.push_str("\n\nATTACHMENT:{\"url\":\"https://app.devin.ai/attachments/");
        push_hex(text, event_id(organization, session, place));
        push(text, format_args!("/{file}\",\"fileSize\":{size}}}"));
    }
}

fn push(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.write_fmt(arguments).expect("a String takes all that is written");
}
