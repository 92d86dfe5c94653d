//! By what a session is recognized as an alert's, and as the one that a certain attempt made: two tags, and a marker at the
//! end of the title. Pure.

use serde::{Deserialize, Serialize};

use super::alert::{attempt_tag, tag};
use super::job::{Firing, FiringReason};
use super::prompt::marked_title;
use crate::devin::session::{NewSession, Session};

/// The tag that every session of the relay carries beside its alert's own.
pub const RELAY_TAG: &str = "alert-relay";

/// The tag of a session that the relay itself has ended, or has tried to.
pub const ENDED_TAG: &str = "ar-ended";

/// How the tags begin that say what a session was told.
const TOLD: &str = "ar-t-";

/// The names of one attempt to make an alert's session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    /// `ar-` and 26 hexadecimal digits, made of a namespace and the dedupe key.
    pub alert_tag: String,
    /// `ar-a-` and 26 hexadecimal digits.
    pub attempt_tag: String,
    /// Hexadecimal digits, at least eight, drawn for this attempt.
    pub attempt: String,
}

/// What the answer to a create has kept of the names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    All,
    /// These tags are missing or changed, but the alert's is there: later runs find the session by it.
    AlertTag(Vec<String>),
    /// These tags are missing or changed, the alert's among them; the title has its marker.
    TitleOnly(Vec<String>),
    Nothing,
}

impl Names {
    /// The names of an attempt for the alert with this tag.
    pub fn new(alert_tag: String, attempt: String) -> Names {
        let attempt_tag = attempt_tag(&alert_tag, &attempt);
        Names { alert_tag, attempt_tag, attempt }
    }

    /// The tags that a session is created with, before the user's own.
    pub fn tags(&self) -> [&str; 3] {
        [RELAY_TAG, &self.alert_tag, &self.attempt_tag]
    }

    /// Names a session that is to be created: its tags and its title's marker.
    pub fn put_on(&self, new: &mut NewSession) {
        let own = new.tags.drain(..).filter(|tag| tag != RELAY_TAG).collect::<Vec<_>>();
        new.tags = self.tags().iter().map(ToString::to_string).chain(own).collect();
        new.title = Some(marked_title(new.title.as_deref().unwrap_or_default(), &self.alert_tag, &self.attempt));
    }

    /// Takes these names off again, for others to be put on.
    pub fn take_off(&self, new: &mut NewSession) {
        self.take_tags_off(new);
        let marker = marked_title("", &self.alert_tag, &self.attempt);
        if let Some(title) = &mut new.title
            && let Some(plain) = title.strip_suffix(&marker)
        {
            *title = plain.to_string();
        }
    }

    /// Takes the relay's tags off again, where an organization allows none.
    pub fn take_tags_off(&self, new: &mut NewSession) {
        new.tags.retain(|tag| !self.tags().contains(&tag.as_str()));
    }

    /// Whether a session is the alert's. Where the tag of another alert says whose it is, the title does not.
    pub fn is_of_alert(&self, session: &Session) -> bool {
        let is_titled = || marker_of(session).is_some_and(|(tag, _)| tag == self.alert_tag);
        has_tag(session, &self.alert_tag) || !has_alert_tag(session) && is_titled()
    }

    /// Whether a session was certainly made by this attempt.
    pub fn is_of_attempt(&self, session: &Session) -> bool {
        let digits: String = self.attempt.chars().take(8).collect();
        let is_titled = || marker_of(session) == Some((&self.alert_tag, &digits));
        has_tag(session, &self.attempt_tag) || self.is_of_alert(session) && is_titled()
    }

    /// Compares what a create was answered with to what was sent. `without_tags` where none were sent.
    pub fn kept(&self, session: &Session, without_tags: bool) -> Kept {
        let sent = self.tags();
        let is_missing = |tag: &&str| !session.tags.iter().any(|kept| kept == tag);
        let missing: Vec<String> = sent.iter().copied().filter(is_missing).map(str::to_string).collect();
        let digits: String = self.attempt.chars().take(8).collect();
        let has_marker = marker_of(session) == Some((&self.alert_tag, &digits));
        match (without_tags, has_marker) {
            (false, _) if missing.is_empty() => Kept::All,
            (false, _) if !missing.contains(&self.alert_tag) => Kept::AlertTag(missing),
            (true, true) => Kept::All,
            (false, true) => Kept::TitleOnly(missing),
            (_, false) => Kept::Nothing,
        }
    }
}

/// Whether a session carries a tag; letter case does not count, because the API may change it.
pub fn has_tag(session: &Session, name: &str) -> bool {
    session.tags.iter().any(|tag| tag.eq_ignore_ascii_case(name))
}

/// The tag of a session that was told of alerts which have joined its group: `ar-t-`, when the latest of them began, in
/// Unix seconds and hexadecimal digits, and eight digits that stand for them all.
pub fn told_tag(firing: &Firing) -> String {
    let mut fingerprints: Vec<&str> = firing.fingerprints.iter().map(String::as_str).collect();
    fingerprints.sort_unstable();
    let began = firing.latest_start.map_or(0, |began| began.div_euclid(1000).max(0));
    let hash = tag(&fingerprints.join("\0"));
    format!("{TOLD}{began:x}-{}", &hash["ar-".len()..][..8])
}

/// Whether a session's tags say that it was told of these alerts, or of others that began no earlier than the latest.
pub fn was_told(session: &Session, firing: &Firing) -> bool {
    if !firing.fingerprints.is_empty() && has_tag(session, &told_tag(firing)) {
        return true;
    }
    let began = |tag: &String| {
        let tag = tag.to_ascii_lowercase();
        i64::from_str_radix(tag.strip_prefix(TOLD)?.split_once('-')?.0, 16).ok()
    };
    let told = session.tags.iter().filter_map(began).max();
    let is_counted = firing.reason == FiringReason::First;
    is_counted && firing.latest_start.zip(told).is_some_and(|(latest, told)| latest.div_euclid(1000) <= told)
}

/// Whether a session carries the tag of any alert.
fn has_alert_tag(session: &Session) -> bool {
    session.tags.iter().any(|tag| is_tag(&tag.to_ascii_lowercase()))
}

/// The alert's tag and the attempt's digits in a title's marker: at its end, where no stranger's words stand.
fn marker_of(session: &Session) -> Option<(&str, &str)> {
    let title = session.title.as_deref()?.trim_end();
    let (tag, attempt) = title.strip_suffix(']')?.rsplit_once('[')?.1.split_once('/')?;
    (is_tag(tag) && attempt.len() == 8 && is_hex(attempt)).then_some((tag, attempt))
}

fn is_tag(text: &str) -> bool {
    text.strip_prefix("ar-").is_some_and(|digits| digits.len() == 26 && is_hex(digits))
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relay::alert::tag_in;

    fn names() -> Names {
        Names::new(tag("key"), "0123456789abcdef".to_string())
    }

    fn session(title: &str, tags: &[&str]) -> Session {
        Session {
            title: Some(title.to_string()),
            tags: tags.iter().map(ToString::to_string).collect(),
            ..Session::default()
        }
    }

    #[test]
    fn both_tags_fit_the_strictest_rule_known() {
        let names = names();
        for tag in names.tags() {
            assert!(
                tag.len() <= 32 && tag.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-'),
                "{tag}"
            );
        }
        assert_ne!(names.attempt_tag, Names::new(tag("key"), "1123456789abcdef".to_string()).attempt_tag);
        assert_eq!(tag_in("", "key"), tag("key"));
        assert_ne!(tag_in("a", "key"), tag_in("b", "key"));
        assert_ne!(tag_in("a", "key"), tag("key"));
    }

    #[test]
    fn a_session_says_by_its_tags_what_it_was_told() {
        let firing = |reason, fingerprints: &[&str], latest_start| Firing {
            reason,
            fingerprints: fingerprints.iter().map(ToString::to_string).collect(),
            latest_start,
            message: "m".to_string(),
        };
        let first = firing(FiringReason::First, &["a", "b"], Some(1_800_000_000_999));
        let told = told_tag(&first);
        assert!(told.starts_with("ar-t-6b49d200-") && told.len() == 22, "{told}");
        assert_eq!(told, told_tag(&firing(FiringReason::NewAlerts, &["b", "a"], Some(1_800_000_000_000))));
        let knows = |tag: &str, firing: &Firing| was_told(&session("t", &["x", tag]), firing);
        assert!(knows(&told, &first) && knows(&told.to_uppercase(), &first));
        // Of fewer alerts, none of which is new; and of one that began later.
        assert!(knows(&told, &firing(FiringReason::First, &["a"], Some(1_799_999_999_000))));
        assert!(!knows(&told, &firing(FiringReason::First, &["a", "b", "c"], Some(1_800_000_001_000))));
        // Who says that alerts have joined is believed unless these very ones were told.
        assert!(knows(&told, &firing(FiringReason::NewAlerts, &["a", "b"], Some(1_800_000_000_000))));
        assert!(!knows(&told, &firing(FiringReason::NewAlerts, &["a", "c"], Some(1_700_000_000_000))));
        assert!(!knows("ar-t-x", &first) && !knows("ar-t-zz-00000000", &first) && !knows(&tag("key"), &first));
        assert!(!knows(
            &told_tag(&firing(FiringReason::NewAlerts, &[], None)),
            &firing(FiringReason::NewAlerts, &[], None)
        ));
    }

    #[test]
    fn a_session_is_the_alerts_by_tag_or_by_the_marker_at_the_end_of_its_title() {
        let names = names();
        let mut new =
            NewSession { title: Some("x".repeat(500)), tags: vec!["mine".to_string()], ..NewSession::default() };
        names.put_on(&mut new);
        let titled = session(new.title.as_deref().unwrap(), &[]);
        assert!(names.is_of_alert(&titled) && names.is_of_attempt(&titled), "{:?}", new.title);
        assert!(names.is_of_alert(&session("", &[&names.alert_tag.to_uppercase()])));
        assert!(!names.is_of_attempt(&session("", &[&names.alert_tag])));
        assert!(names.is_of_attempt(&session("", &[&names.attempt_tag])));
        let (ours, other) = (&names.alert_tag, tag("other"));
        assert!(!names.is_of_alert(&session(&format!("[{ours}] what a stranger wrote"), &[])));
        // A tag of another alert says whose a session is; a tag of no alert says nothing.
        let title = new.title.as_deref().unwrap();
        for (tag, is_ours) in [(other.clone(), false), (other.to_uppercase(), false), ("ar-ended".to_string(), true)] {
            let tagged = session(title, &[&tag]);
            assert_eq!((names.is_of_alert(&tagged), names.is_of_attempt(&tagged)), (is_ours, is_ours), "{tag}");
        }
        // What strangers write stands before the marker, and makes no session another alert's.
        assert!(!names.is_of_alert(&session(&format!("[{ours}] boo [{other}/00000000]"), &[])));
        assert!(!names.is_of_alert(&session(&format!("boo [{ours}/00000000] [{other}/00000000]"), &[])));
        assert!(!names.is_of_alert(&session(&format!("boo {ours}"), &[])));
    }

    #[test]
    fn what_an_answer_has_kept_of_the_names_is_compared_with_what_was_sent() {
        let names = names();
        let mut new = NewSession::default();
        names.put_on(&mut new);
        let (title, sent) = (new.title.unwrap(), names.tags());
        let upper = sent.map(str::to_uppercase);
        let upper: Vec<&str> = upper.iter().map(String::as_str).collect();
        assert_eq!(names.kept(&session("", &sent), false), Kept::All);
        assert_eq!(names.kept(&session(&title, &sent[..2]), false), Kept::AlertTag(vec![names.attempt_tag.clone()]));
        assert_eq!(names.kept(&session("", &sent[1..]), false), Kept::AlertTag(vec![RELAY_TAG.to_string()]));
        let without_the_alerts = [sent[0], sent[2]];
        assert_eq!(
            names.kept(&session(&title, &without_the_alerts), false),
            Kept::TitleOnly(vec![names.alert_tag.clone()])
        );
        assert_eq!(names.kept(&session("", &without_the_alerts), false), Kept::Nothing);
        assert_eq!(names.kept(&session(&title, &[]), true), Kept::All);
        assert_eq!(names.kept(&session("", &upper), false), Kept::Nothing);
        assert_eq!(names.kept(&session("", &[]), true), Kept::Nothing);
    }
}
