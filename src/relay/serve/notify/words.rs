//! What a message says, whatever the target: few lines, each text of others on one line, cut, and without secrets. Pure.

use super::notice::Notice;
use crate::relay::text::{clean_line, link};
use redact::Redactor;

/// The most of a title, of a reason, and of any other text of others, in bytes.
const TITLE: usize = 200;
const REASON: usize = 600;
const OTHER: usize = 120;

/// A message in words. The texts of others in it are safe to be shown as they stand, and for nothing else: each target quotes
/// them in its own way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// This program's own.
    pub headline: &'static str,
    /// Of others.
    pub title: String,
    /// This program's own names, with what others say.
    pub facts: Vec<(&'static str, String)>,
    /// This program's own names, with addresses of web pages.
    pub links: Vec<(&'static str, String)>,
    pub is_test: bool,
}

impl Words {
    /// Puts a notice into words.
    pub fn of(notice: &Notice, redactor: &Redactor) -> Words {
        let safe = |text: &str, most: usize| clean_line(&redactor.redact(text), most);
        let mut facts = Vec::new();
        let mut fact = |name, text: Option<&str>, most| {
            facts.extend(text.filter(|text| !text.is_empty()).map(|text| (name, safe(text, most))));
        };
        fact("Reason", notice.reason.as_deref(), REASON);
        fact("Severity", notice.severity.as_deref(), OTHER);
        fact("Alert", Some(&notice.dedupe_key), OTHER);
        fact("Rule", Some(&notice.rule), OTHER);
        fact("Job", Some(&notice.job_id), OTHER);
        let page = |url: &Option<String>| link(&redactor.redact(url.as_deref()?));
        let links = [("Pull request", page(&notice.pr_url)), ("Session", page(&notice.session_url))];
        Words {
            headline: notice.event.headline(),
            title: safe(&notice.title, TITLE),
            facts,
            links: links.into_iter().filter_map(|(name, url)| Some((name, url?))).collect(),
            is_test: notice.is_test,
        }
    }

    /// What stands first, this program's own words.
    pub fn opening(&self) -> String {
        if self.is_test { "TEST of alert-relay: nothing has happened".to_string() } else { self.headline.to_string() }
    }

    /// All of it as lines of plain text.
    pub fn plain(&self) -> String {
        let mut text = format!("{}: {}\n", self.opening(), self.title);
        for (name, value) in self.facts.iter().chain(&self.links) {
            text.push_str(&format!("{name}: {value}\n"));
        }
        text
    }
}
