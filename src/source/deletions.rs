//! Which items of a short list are gone: what the list had before, against what it has now. Pure.
//!
//! The API does not say what has been deleted, and a list may lack an item for another reason. So an item is gone only where
//! two reads in a row have listed everything else, and what comes back is a record again.

use serde_json::{Value, json};

use super::state::{Known, StreamState};
use super::streams::Stream;
use crate::devin::Page;
use crate::devin::token::holds_key;

/// The field that says of a record that its item is gone.
pub const DELETED: &str = "_deleted";

/// At most so many items of a list are remembered; of a longer one, none.
pub const MOST: usize = 2000;

/// A longer identifier is not remembered.
const LONGEST_ID: usize = 200;

/// What a list has, while it is read.
#[derive(Debug)]
pub struct Deletions {
    /// What the list had when it was last read; `None` when that is not known.
    before: Option<Known>,
    /// What it had before that, and lacked then.
    missing: Known,
    now: Known,
    has_too_many: bool,
}

impl Deletions {
    /// Begins with what a state knows.
    pub fn new(state: &StreamState) -> Deletions {
        let (before, missing) = (state.known_items.clone(), state.missing_items.clone());
        Deletions { before, missing, now: Known::new(), has_too_many: false }
    }

    /// Notes an item of the list, and answers whether the destination may lack it, however old it is: it was not in the list
    /// the last time. `changed` is its cursor field as it stands there.
    pub fn note(&mut self, id: &str, changed: Option<&str>) -> bool {
        // A state must not show what is shaped like a key.
        if id.is_empty() || id.len() > LONGEST_ID || holds_key(id) {
            return false;
        }
        if self.now.len() < MOST || self.now.contains_key(id) {
            let changed = changed.and_then(|changed| serde_json::from_str(changed).ok()).unwrap_or_default();
            self.now.insert(id.to_string(), changed);
        } else {
            self.has_too_many = true;
        }
        self.before.as_ref().is_some_and(|before| !before.contains_key(id))
    }

    /// Ends the list, and answers with what is gone, each once. `is_exact` says whether the list was complete beyond doubt; then
    /// what it lacks counts, unless it is empty.
    pub fn end(&mut self, is_exact: bool) -> Known {
        let now = std::mem::take(&mut self.now);
        let counts = is_exact && !now.is_empty();
        let before = self.before.take();
        if self.has_too_many {
            self.missing.clear();
            return Known::new();
        }
        let mut missing = std::mem::take(&mut self.missing);
        missing.retain(|id, _| !now.contains_key(id));
        let lacking = before.iter().flatten().filter(|(id, _)| !now.contains_key(*id));
        let lacking: Known = lacking.map(|(id, changed)| (id.clone(), changed.clone())).collect();
        if counts {
            (self.before, self.missing) = (Some(now), lacking);
            return missing;
        }
        self.missing = missing;
        self.before = before.map(|_| now.into_iter().chain(lacking).collect());
        Known::new()
    }

    /// Writes what the next read needs into its state.
    pub fn write(&self, state: &mut StreamState) {
        (state.known_items, state.missing_items) = (self.before.clone(), self.missing.clone());
    }

    /// A sentence for a WARN when the list is too long.
    pub fn warning(&self) -> Option<String> {
        self.has_too_many
            .then(|| format!("the list has more than {MOST} items, so what is deleted from it is not reported"))
    }
}

/// A page of the records that say which items are gone: the key, the cursor as it was, so that the destination takes them for the
/// newer ones, and what says so.
pub fn page(stream: &Stream, gone: &Known) -> Page {
    let record = |(id, changed): (&String, &Value)| {
        let mut record = json!({stream.id_field(): id, DELETED: true});
        if let Some(cursor) = stream.cursor {
            record[cursor.field] = changed.clone();
        }
        record
    };
    let items: Vec<Value> = gone.iter().map(record).collect();
    Page::parse(json!({"items": items}).to_string().into_bytes()).expect("what is made here is a page")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plays reads of a list, each with its items and whether it was complete beyond doubt, and tells what each has to say.
    fn check(reads: &[(&[&str], bool)]) -> String {
        let mut state = StreamState::default();
        let told = reads.iter().map(|(items, is_exact)| {
            let mut deletions = Deletions::new(&state);
            let new: Vec<&str> = items.iter().copied().filter(|id| deletions.note(id, Some("5"))).collect();
            let gone: Vec<String> = deletions.end(*is_exact).into_keys().collect();
            deletions.write(&mut state);
            format!("new {new:?}, gone {gone:?}")
        });
        told.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn an_item_is_gone_when_two_complete_reads_in_a_row_lack_it() {
        insta::assert_snapshot!(check(&[(&["a", "b"], true), (&["a"], true), (&["a"], true), (&["a"], true)]), @r#"
        new [], gone []
        new [], gone []
        new [], gone ["b"]
        new [], gone []
        "#);
    }

    #[test]
    fn what_comes_back_is_a_record_again() {
        insta::assert_snapshot!(check(&[(&["a", "b"], true), (&["a"], true), (&["a", "b"], true), (&["a"], true), (&["a"], true), (&["a", "b"], false), (&["a"], true)]), @r#"
        new [], gone []
        new [], gone []
        new ["b"], gone []
        new [], gone []
        new [], gone ["b"]
        new ["b"], gone []
        new [], gone []
        "#);
    }

    #[test]
    fn an_empty_list_and_one_in_doubt_delete_nothing() {
        insta::assert_snapshot!(check(&[(&["a", "b"], true), (&[], true), (&[], true), (&["a"], false), (&["a"], false), (&["a"], true), (&[], true), (&["a"], true)]), @r#"
        new [], gone []
        new [], gone []
        new [], gone []
        new [], gone []
        new [], gone []
        new [], gone []
        new [], gone []
        new [], gone ["b"]
        "#);
        assert_eq!(check(&[(&["a"], false), (&["b"], false)]), "new [], gone []\nnew [], gone []");
    }

    #[test]
    fn of_a_list_that_is_too_long_nothing_is_remembered() {
        let many: Vec<String> = (0..=MOST).map(|n| format!("i{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        insta::assert_snapshot!(check(&[(&["a", "b"], true), (&["a"], true), (&many, true), (&["a"], true), (&["a", "c"], true)]).replace(&format!("{many:?}"), "[all]"), @r#"
        new [], gone []
        new [], gone []
        new [all], gone []
        new [], gone []
        new ["c"], gone []
        "#);
        let mut deletions = Deletions::new(&StreamState::default());
        assert!(many.iter().all(|id| !deletions.note(id, None)));
        assert!(deletions.warning().is_some());
        assert!(!deletions.note("cog_0123456789abcdef0123456789abcdef", None), "a state shows no key");
    }
}
