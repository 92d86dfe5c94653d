//! Which sessions are wanted, by tag and by user. Pure.
//!
//! The API filters, but ignores filters that it does not know, so each session is looked at here too. A session that does not say
//! what is asked for is the API's decision.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::config::Config;

/// The sessions that are wanted; an empty list leaves none out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// One of these is enough, in whatever letter case.
    tags: Vec<String>,
    /// One of these has made the session.
    user_ids: Vec<String>,
}

/// What a session says about itself.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Session {
    /// Null is no tag; `None` where nothing is said of tags.
    #[serde(deserialize_with = "said")]
    tags: Option<Value>,
    user_id: Option<Value>,
}

/// What a field has, also null.
fn said<'de, D: Deserializer<'de>>(field: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(field).map(Some)
}

impl Selection {
    /// What the settings ask for.
    pub fn of(config: &Config) -> Selection {
        let sorted = |words: &[String]| {
            let mut words: Vec<String> = words.iter().map(|word| word.trim().to_string()).collect();
            words.sort_unstable();
            words.dedup();
            words
        };
        Selection { tags: sorted(&config.tags), user_ids: sorted(&config.user_ids) }
    }

    /// The server's filters. Whether the API heeds the case of a tag is not documented; one of the tags is enough for it, so it gets
    /// the usual spellings of each.
    pub fn all_filters(&self) -> Vec<(&'static str, String)> {
        self.filters(self.tags.iter().cloned().chain(self.tags.iter().flat_map(|tag| spellings(tag))))
    }

    /// The same with these spellings of the tags, each once.
    pub fn filters(&self, spellings: impl IntoIterator<Item = String>) -> Vec<(&'static str, String)> {
        let mut filters: Vec<(&str, String)> = Vec::new();
        for tag in spellings.into_iter().map(|tag| ("tags", tag)) {
            if !filters.contains(&tag) {
                filters.push(tag);
            }
        }
        filters.extend(self.of_users());
        filters
    }

    /// Each tag as it is written in the settings, with all spellings of it, that one first.
    pub fn tags(&self) -> impl Iterator<Item = (&str, Vec<String>)> {
        self.tags.iter().map(|tag| {
            let mut all = vec![tag.clone()];
            all.extend(spellings(tag).into_iter().filter(|other| other != tag));
            all.dedup();
            (tag.as_str(), all)
        })
    }

    fn of_users(&self) -> impl Iterator<Item = (&'static str, String)> {
        self.user_ids.iter().map(|user| ("user_ids", user.clone()))
    }

    /// Whether a session is wanted.
    pub fn admits(&self, session: &str) -> bool {
        if self.tags.is_empty() && self.user_ids.is_empty() {
            return true;
        }
        let Ok(Session { tags, user_id }) = serde_json::from_str(session) else { return true };
        let is_tagged = match &tags {
            Some(Value::Null) => self.tags.is_empty(),
            Some(Value::Array(tags)) if !self.tags.is_empty() => {
                let is_wanted = |tag: &str| self.tags.iter().any(|wanted| wanted.to_lowercase() == tag.to_lowercase());
                tags.iter().filter_map(Value::as_str).any(is_wanted)
            }
            _ => true,
        };
        let is_of_user = match &user_id {
            Some(user) if !self.user_ids.is_empty() => {
                user.as_str().is_some_and(|user| self.user_ids.iter().any(|wanted| wanted == user))
            }
            _ => true,
        };
        is_tagged && is_of_user
    }

    /// What a state says about it: a text that is the same for the same selection; `None` when nothing is left out.
    pub fn told(&self) -> Option<String> {
        let tags = self.tags.iter().map(|tag| ("tags", tag.clone()));
        let filters: Vec<String> = tags.chain(self.of_users()).map(|(name, value)| format!("{name}={value}")).collect();
        (!filters.is_empty()).then(|| filters.join("&"))
    }
}

/// A tag in small letters, with one capital at its beginning, with one at the beginning of each word, and in capitals alone.
fn spellings(tag: &str) -> [String; 4] {
    let small = tag.to_lowercase();
    let capitalized = |is_beginning: &dyn Fn(Option<char>) -> bool| {
        let mut before = None;
        let mut spelled = String::new();
        for letter in small.chars() {
            match is_beginning(before) {
                true => spelled.extend(letter.to_uppercase()),
                false => spelled.push(letter),
            }
            before = Some(letter);
        }
        spelled
    };
    let first = capitalized(&|before| before.is_none());
    let words = capitalized(&|before| before.is_none_or(|before: char| !before.is_alphanumeric()));
    [small.clone(), first, words, tag.to_uppercase()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection(tags: &[&str], user_ids: &[&str]) -> Selection {
        let owned = |words: &[&str]| words.iter().map(ToString::to_string).collect();
        let config = Config::of_sandbox("cog_x", "org-1", "http://127.0.0.1");
        Selection::of(&Config { tags: owned(tags), user_ids: owned(user_ids), ..config })
    }

    #[test]
    fn one_tag_and_one_user_are_enough() {
        let both = selection(&["b", "a", "a"], &["u"]);
        assert_eq!(both.told().as_deref(), Some("tags=a&tags=b&user_ids=u"));
        assert_eq!(selection(&["Ops", "ops"], &[]).all_filters().len(), 3);
        let asked: Vec<(&str, String)> = selection(&["Team:Ops"], &["U"]).all_filters();
        assert_eq!(
            format!("{asked:?}"),
            r#"[("tags", "Team:Ops"), ("tags", "team:ops"), ("tags", "Team:ops"), ("tags", "TEAM:OPS"), ("user_ids", "U")]"#
        );
        assert_eq!(selection(&["Ops"], &[]).told().as_deref(), Some("tags=Ops"), "as it is written in the settings");
        assert!(both.admits(r#"{"tags":["x","A"],"user_id":"u"}"#));
        assert!(!both.admits(r#"{"tags":["x"],"user_id":"u"}"#));
        assert!(!both.admits(r#"{"tags":[],"user_id":"u"}"#));
        assert!(!both.admits(r#"{"tags":null,"user_id":"u"}"#), "null is no tag");
        assert!(!both.admits(r#"{"tags":["a"],"user_id":"v"}"#));
    }

    #[test]
    fn what_a_session_does_not_say_is_up_to_the_api() {
        assert!(selection(&["a"], &[]).admits(r#"{"session_id":"1"}"#));
        assert!(selection(&["a"], &["u"]).admits(r#"{"tags":["a"],"user_id":null}"#));
        assert!(selection(&[], &["u"]).admits(r#"{"tags":null,"user_id":"u"}"#));
        assert!(selection(&["a"], &[]).admits(r#"{"title":"\ud800"}"#));
        assert!(selection(&[], &[]).admits(r#"{"tags":["x"]}"#));
        assert_eq!(selection(&[], &[]).told(), None);
    }
}
