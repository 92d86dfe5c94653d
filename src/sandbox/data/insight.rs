//! What the insights add to a session.

use super::Organization;
use super::dice::{Dice, Topic};
use super::message::is_from_user;
use super::session::Session;
use crate::sandbox::json::Json;

/// An observation of the analysis: what went wrong, what it cost, its label and what to do.
struct Issue {
    issue: &'static str,
    impact: &'static str,
    label: &'static str,
    action: &'static str,
    action_type: &'static str,
}

#[rustfmt::skip]
const ISSUES: [Issue; 5] = [
    Issue { issue: "The test database was missing from the machine", impact: "Twenty minutes went into setting it up by hand", label: "environment", action: "Install PostgreSQL on the machine snapshot", action_type: "machine_setup" },
    Issue { issue: "The linter's settings differ between CI and the repository", impact: "Two extra commits were needed", label: "configuration", action: "Use one settings file for both", action_type: "repo_config" },
    Issue { issue: "The request named no acceptance criteria", impact: "The first version solved \"another\" problem", label: "prompt", action: "Say when the task counts as done", action_type: "prompt_improvement" },
    Issue { issue: "Nothing told which service owns the currency table", impact: "The wrong service was changed first", label: "knowledge", action: "Write down who owns which table", action_type: "knowledge" },
    Issue { issue: "The package registry answered slowly 🐢", impact: "Every build took five minutes longer", label: "external", action: "Put a mirror in front of the registry", action_type: "external" },
];

/// The number of messages from people among the first `count` ones.
pub fn messages_from_users(count: u64) -> u64 {
    let rest = (0..count % 5).filter(|place| is_from_user(*place)).count();
    count / 5 * 2 + rest as u64
}

/// The size of a session that consumed this much.
pub fn size(acu_hundredths: u64) -> &'static str {
    match acu_hundredths {
        0..=200 => "xs",
        201..=500 => "s",
        501..=1_000 => "m",
        1_001..=2_000 => "l",
        _ => "xl",
    }
}

/// Writes the fields that only the insights have.
pub fn write_fields(json: &mut Json, organization: &Organization, session: &Session) {
    let from_users = messages_from_users(session.messages);
    json.key("num_user_messages").number(from_users);
    json.key("num_devin_messages").number(session.messages - from_users);
    json.key("session_size").text(size(session.acu_hundredths));
    let dice = &mut Dice::new(organization.seed, Topic::Insight, session.index);
    let is_analysed = session.has_ended() && dice.percent(60);
    json.key("analysis");
    if is_analysed {
        write_analysis(json, session, dice);
    } else {
        json.null();
    }
    json.key("analysis_status").optional_text(is_analysed.then_some("completed"));
    json.key("skill_usage").null();
}

fn write_analysis(json: &mut Json, session: &Session, dice: &mut Dice) {
    let first = dice.below(ISSUES.len() as u64) as usize;
    let count = dice.below(3) as usize;
    let issues = || (first..first + count).map(|place| (place - first + 1, &ISSUES[place % ISSUES.len()]));
    json.open('{');
    json.key("action_items").open('[');
    for (number, issue) in issues() {
        json.open('{');
        json.key("action_item").text(issue.action);
        json.key("type").text(issue.action_type);
        json.key("issue_id").plain(format_args!("issue-{number}"));
        json.close('}');
    }
    json.close(']');
    json.key("classification").open('{');
    json.key("category").text(session.work.name);
    json.key("confidence").hundredths(55 + dice.below(45));
    write_words(json, "programming_languages", &[dice.pick(&["Rust", "TypeScript", "Python", "Go", "C#"])]);
    write_words(json, "tools_and_frameworks", &["git", dice.pick(&["PostgreSQL", "React", "Terraform", "pytest"])]);
    json.close('}');
    json.key("issues").open('[');
    for (number, issue) in issues() {
        json.open('{');
        json.key("id").plain(format_args!("issue-{number}"));
        json.key("issue").text(issue.issue);
        json.key("impact").text(issue.impact);
        json.key("label").text(issue.label);
        json.close('}');
    }
    json.close(']');
    json.key("note_usage").open('{');
    write_words(json, "good_usages", &["The note about money types was followed"]);
    write_words(json, "bad_usages", &[]);
    json.close('}');
    json.key("suggested_prompt");
    if count == 0 {
        json.null();
    } else {
        write_suggested_prompt(json, session);
    }
    json.key("timeline").open('[');
    let steps = [("Read the code", "blue"), ("Made the change", "green"), ("Ran the tests", "orange")];
    for (title, color) in steps {
        json.open('{');
        json.key("title").text(title);
        json.key("description").text(session.task);
        json.key("color").text(color);
        json.key("issue_id").null();
        json.close('}');
    }
    json.close(']');
    json.close('}');
}

fn write_suggested_prompt(json: &mut Json, session: &Session) {
    json.open('{');
    json.key("original_prompt").text(session.task);
    json.key("suggested_prompt")
        .text("Name the repository, the expected result and the command that proves it.\nThen let Devin begin.");
    json.key("feedback_items").open('[');
    json.open('{');
    json.key("issue_id").text("issue-1");
    json.key("summary").text("Too little context");
    json.key("excerpt").text(session.task);
    json.key("details").text("The request leaves open how the result will be judged.");
    json.close('}');
    json.close(']');
    json.close('}');
}

fn write_words(json: &mut Json, name: &'static str, words: &[&str]) {
    json.key(name).open('[');
    for word in words {
        json.text(word);
    }
    json.close(']');
}
