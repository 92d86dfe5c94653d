//! Records that several lists may have, each once: what a later list knows more of it is added to what an earlier one has said.
//! Pure.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::devin::Page;
use crate::devin::walk::Walker;

/// So many records are written at once.
const A_PAGE: usize = 500;

/// Records in the order in which they came first.
#[derive(Debug, Default)]
pub struct Merged {
    records: Vec<String>,
    places: HashMap<String, usize>,
}

impl Merged {
    /// Takes a record, an object as text without white space. Without an identifier, only its like is the same.
    pub fn add(&mut self, id: Option<&str>, record: &str) {
        match self.places.entry(id.unwrap_or(record).to_string()) {
            Entry::Vacant(place) => {
                place.insert(self.records.len());
                self.records.push(record.to_string());
            }
            Entry::Occupied(place) => {
                let known = &mut self.records[*place.get()];
                *known = both(known, record);
            }
        }
    }

    /// Takes all records out, some at a time.
    pub fn pages(&mut self) -> Vec<Page> {
        let records = std::mem::take(self).records;
        let page = |records: &[String]| format!("{{\"items\":[{}]}}", records.join(",")).into_bytes();
        records.chunks(A_PAGE).map(|some| Page::parse(page(some)).expect("records make a page")).collect()
    }
}

/// A record with what another one of the same thing says more: fields that it lacks or has null, and elements of lists. Where they
/// contradict each other, the first is right.
fn both(first: &str, second: &str) -> String {
    let mut fields: Vec<(&str, String)> =
        fields(first).into_iter().map(|(name, value)| (name, value.to_string())).collect();
    for (name, value) in self::fields(second) {
        match fields.iter_mut().find(|(known, _)| *known == name) {
            None => fields.push((name, value.to_string())),
            Some((_, known)) if known == "null" => *known = value.to_string(),
            Some((_, known)) => {
                if let Some(joined) = joined(known, value) {
                    *known = joined;
                }
            }
        }
    }
    let fields: Vec<String> = fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", fields.join(","))
}

/// The fields of an object: the names as they stand between the quotation marks, and the values.
fn fields(record: &str) -> Vec<(&str, &str)> {
    let (walker, mut found) = (Walker::new(record), Vec::new());
    // What is broken has been refused with its page.
    let _ = walker.object(walker.start(), |key, at| {
        let end = walker.value(at)?;
        found.push((&record[key], &record[at..end]));
        Ok(end)
    });
    found
}

/// A list with the elements of another one that it lacks; `None` when one of them is no list.
fn joined(first: &str, second: &str) -> Option<String> {
    let elements = |list| serde_json::from_str::<Vec<&RawValue>>(list).ok();
    let mut all: Vec<&str> = elements(first)?.into_iter().map(RawValue::get).collect();
    // The order of an object's fields says nothing.
    let read = |element: &str| serde_json::from_str::<Value>(element).ok();
    let known: Vec<Option<Value>> = all.iter().map(|element| read(element)).collect();
    for element in elements(second)?.into_iter().map(RawValue::get) {
        if !known.contains(&read(element)) {
            all.push(element);
        }
    }
    Some(format!("[{}]", all.join(",")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(records: &[(Option<&str>, &str)]) -> String {
        let mut merged = Merged::default();
        records.iter().for_each(|(id, record)| merged.add(*id, record));
        let pages = merged.pages();
        let items: Vec<&str> = pages.iter().flat_map(|page| page.items()).collect();
        items.join("\n")
    }

    #[test]
    fn a_record_has_what_any_list_says_of_it() {
        insta::assert_snapshot!(check(&[
            (Some("u"), r#"{"id":"u","name":null,"n":1.10,"roles":[{"role":"a","in":2}],"more":["x"]}"#),
            (Some("v"), r#"{"id":"v"}"#),
            (Some("u"), r#"{"id":"u","name":"N","n":2,"roles":[{"role":"b","in":1},{"in":2,"role":"a"}],"more":null,"idp":[{"role":"c"}]}"#),
        ]), @r#"
        {"id":"u","name":"N","n":1.10,"roles":[{"role":"a","in":2},{"role":"b","in":1}],"more":["x"],"idp":[{"role":"c"}]}
        {"id":"v"}
        "#);
    }

    #[test]
    fn what_cannot_be_told_apart_is_the_same_only_where_it_is() {
        assert_eq!(check(&[(None, r#"{"a":1}"#), (None, r#"{"a":2}"#), (None, r#"{"a":1}"#)]), "{\"a\":1}\n{\"a\":2}");
    }

    #[test]
    fn many_records_make_several_pages() {
        let mut merged = Merged::default();
        (0..=A_PAGE).for_each(|n| merged.add(None, &format!("{{\"n\":{n}}}")));
        assert_eq!(merged.pages().iter().map(|page| page.items().len()).collect::<Vec<_>>(), [A_PAGE, 1]);
        assert!(merged.pages().is_empty());
    }
}
