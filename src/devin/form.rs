//! What the answers of a list look like, and how its next page is asked for. Pure.

use std::fmt;

use serde_json::Value;

/// Items asked for at once: the API's most.
const PAGE_SIZE: usize = 200;

/// So many names of an answer's fields are told.
const MOST_NAMES: usize = 8;

/// The form of a list. The default is that of most: an envelope with `items`, and a cursor for the next page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Form {
    pub paging: Paging,
    pub shape: Shape,
}

/// How the next page is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Paging {
    /// `first`, and `after` with the cursor that the page before has given.
    #[default]
    Cursor,
    /// `limit`, and `offset` with the number of items before it.
    Offset,
    /// There is none.
    Unpaged,
}

/// Where the items stand in an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Shape {
    /// In the common envelope.
    #[default]
    Items,
    /// The same under this name; what comes instead is told.
    In(&'static str),
    /// The answer is the list of them.
    Array,
    /// Either, as the pages of the API differ.
    ArrayOr(&'static str),
    /// The same under this name, beside sums. Where it is missing, sums that are all zero say that there is nothing.
    Sums(&'static str),
    /// The answer is the only item: an object of numbers. An empty one says that nothing was measured.
    Measures,
}

impl Form {
    /// How many items a page has at most.
    pub fn page_size(self) -> usize {
        PAGE_SIZE
    }

    /// The parameter that says how many items are wanted, `at_most`; `None` for a list that has no pages.
    pub fn size(self, at_most: usize) -> Option<(&'static str, String)> {
        let name = match self.paging {
            Paging::Cursor => "first",
            Paging::Offset => "limit",
            Paging::Unpaged => return None,
        };
        Some((name, at_most.min(PAGE_SIZE).to_string()))
    }

    /// The parameter that says where the next page begins.
    pub fn next(self) -> &'static str {
        if self.paging == Paging::Offset { "offset" } else { "after" }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shape::Items => formatter.write_str("an object with items"),
            Shape::In(name) | Shape::Sums(name) => write!(formatter, "an object with {name}"),
            Shape::Array => formatter.write_str("a list"),
            Shape::ArrayOr(name) => write!(formatter, "a list, or an object with {name}"),
            Shape::Measures => formatter.write_str("an object of numbers"),
        }
    }
}

/// What an answer of another shape is, for a message: the names of its fields, as far as they are names, and no value.
pub fn described(value: &Value) -> String {
    let fields = match value {
        Value::Array(_) => return "a list".to_string(),
        Value::Object(fields) if fields.is_empty() => return "an empty object".to_string(),
        Value::Object(fields) => fields,
        _ => return "neither a list nor an object".to_string(),
    };
    let is_name =
        |name: &&str| name.len() <= 40 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let names: Vec<&str> = fields.keys().map(String::as_str).filter(is_name).take(MOST_NAMES).collect();
    let more =
        if names.len() < fields.len() { format!(" and {} more", fields.len() - names.len()) } else { String::new() };
    format!("an object with {}{more}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::devin::{Page, Trail};

    fn read(shape: Shape, paging: Paging, body: &Value) -> String {
        match Page::parse_as(body.to_string().into_bytes(), Form { paging, shape }) {
            Ok(page) => {
                let mut trail = Trail::default();
                trail.advance(&page);
                format!("{} items, then {:?}", page.items().len(), trail.after())
            }
            Err(invalid) => format!("invalid: {invalid}"),
        }
    }

    #[test]
    fn items_are_found_where_their_list_has_them() {
        let told = [
            read(Shape::In("folders"), Paging::Unpaged, &json!({"folders": [{"a": 1}], "root_note_count": 2})),
            read(Shape::Array, Paging::Unpaged, &json!([{"a": 1}, {"a": 2}])),
            read(Shape::ArrayOr("items"), Paging::Unpaged, &json!([{"a": 1}])),
            read(Shape::ArrayOr("items"), Paging::Unpaged, &json!({"items": [{"a": 1}]})),
            read(Shape::Measures, Paging::Unpaged, &json!({"sessions_count": 0})),
            read(Shape::Measures, Paging::Unpaged, &json!({})),
            read(Shape::Sums("days"), Paging::Unpaged, &json!({"total": 1.5, "days": [{"a": 1}]})),
            read(Shape::Sums("days"), Paging::Unpaged, &json!({})),
            read(Shape::Sums("days"), Paging::Unpaged, &json!({"total_acus": 0})),
            read(Shape::Sums("days"), Paging::Unpaged, &json!({"total_acus": 0.0, "days": null})),
            read(Shape::In("items"), Paging::Cursor, &json!({"items": [], "end_cursor": "x"})),
        ];
        insta::assert_snapshot!(told.join("\n"));
    }

    #[test]
    fn another_shape_is_an_error_that_names_what_came() {
        let told = [
            read(Shape::In("folders"), Paging::Unpaged, &json!({"items": [], "total": 0})),
            read(Shape::In("folders"), Paging::Unpaged, &json!({"folders": [7]})),
            read(Shape::In("items"), Paging::Cursor, &json!({"detail": "maintenance", "cog secret": 1})),
            read(Shape::Array, Paging::Unpaged, &json!({"items": []})),
            read(Shape::ArrayOr("items"), Paging::Unpaged, &json!({"attachments": []})),
            read(Shape::Measures, Paging::Unpaged, &json!({"items": [], "total": 0})),
            read(Shape::Measures, Paging::Unpaged, &json!({"status": "ok"})),
            read(Shape::Measures, Paging::Unpaged, &json!({"message": "temporarily unavailable", "status": 503})),
            read(Shape::Measures, Paging::Unpaged, &json!({"error": {"code": "x"}})),
            read(Shape::Measures, Paging::Unpaged, &json!([])),
            read(Shape::Sums("days"), Paging::Unpaged, &json!({"total_acus": 5})),
            read(Shape::Sums("days"), Paging::Unpaged, &json!({"total_acus": 5, "days": null})),
            read(Shape::Sums("days"), Paging::Unpaged, &json!({"total_acus": 0, "items": []})),
            read(Shape::Sums("days"), Paging::Unpaged, &json!({"detail": null})),
            read(Shape::Sums("days"), Paging::Unpaged, &json!({"total_acus": "0"})),
            read(Shape::Sums("days"), Paging::Unpaged, &json!([])),
            read(Shape::In("folders"), Paging::Unpaged, &json!({})),
            read(Shape::In("items"), Paging::Unpaged, &json!({"items": [], "has_next_page": true})),
            read(Shape::Array, Paging::Unpaged, &json!(7)),
        ];
        insta::assert_snapshot!(told.join("\n"));
    }

    #[test]
    fn an_offset_moves_by_the_items_that_came() {
        let items = |many: usize| vec![json!({"a": 1}); many];
        let told = [
            json!({"items": items(200)}),
            json!({"items": items(200), "has_next_page": false}),
            json!({"items": items(199)}),
            json!({"items": items(50), "has_next_page": true}),
            json!({"items": [], "has_next_page": true}),
        ]
        .map(|body| read(Shape::In("items"), Paging::Offset, &body));
        insta::assert_snapshot!(told.join("\n"));
    }
}
