//! Cursors and the envelope around every paged list.
//!
//! A cursor holds the list it belongs to, the place of the next item and the count of matches, so that
//! a filtered list is counted once and not again for every page. To a client it is opaque base64, with
//! `+`, `/` and `=` in it as they come.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as STANDARD;
use hyper::StatusCode;

use super::data::dice::mix;
use super::json::Json;
use super::problem::{InvalidParameter, Problem};
use super::query::Query;

const DEFAULT_SIZE: usize = 100;
const GREATEST_SIZE: i64 = 200;
const BYTES_PER_ITEM: usize = 1024;

/// Which page of which list is asked.
#[derive(Debug)]
pub struct PageRequest {
    size: usize,
    list: u16,
    after: Option<String>,
    is_stuck: bool,
    /// The place of the first item that may be on the page.
    pub position: u64,
    /// The count of matches, when an earlier page has found it.
    pub total: Option<u64>,
}

impl PageRequest {
    /// Reads `first` and `after`; `path` is the list's own, so that its cursors open no other list.
    ///
    /// `is_stuck` breaks the page on purpose: it will point at itself for ever.
    ///
    /// # Errors
    /// 422 for a page size that is none, 400 for a cursor that this list never gave.
    pub fn new(query: &Query, path: &str, is_stuck: bool) -> Result<PageRequest, Problem> {
        let size = match query.integer("first")? {
            None => DEFAULT_SIZE,
            Some(first @ 1..=GREATEST_SIZE) => first as usize,
            Some(first) => return Err(size_out_of_range(first)),
        };
        let list = path.bytes().fold(0, |sum, byte| mix(sum ^ u64::from(byte))) as u16;
        let after = query.last("after").map(str::to_owned);
        let cursor = match &after {
            None => Cursor::default(),
            Some(after) => Cursor::decode(after, list)
                .ok_or_else(|| Problem::new(StatusCode::BAD_REQUEST, "the cursor is not one of this list"))?,
        };
        Ok(PageRequest { size, list, after, is_stuck, position: cursor.position, total: cursor.total })
    }

    /// Writes the envelope around the first items of `matches` that fit.
    ///
    /// `matches` gives the list's items from `position` on, each with its place.
    pub fn write<T>(
        &self,
        total: Option<u64>,
        mut matches: impl Iterator<Item = (u64, T)>,
        mut write_item: impl FnMut(&mut Json, T),
    ) -> String {
        let mut json = Json::with_capacity(self.size * BYTES_PER_ITEM);
        let mut next_position = None;
        json.open('{');
        json.key("items").open('[');
        for (position, item) in matches.by_ref().take(self.size) {
            write_item(&mut json, item);
            next_position = Some(position + 1);
        }
        json.close(']');
        let following = matches.next().map(|(position, _)| position);
        let cursor = following.or(next_position).map(|position| {
            let cursor = Cursor { position, total };
            cursor.encode(self.list)
        });
        let cursor = if self.is_stuck {
            let first_page = || Cursor::default().encode(self.list);
            Some(self.after.clone().unwrap_or_else(first_page))
        } else {
            cursor
        };
        json.key("end_cursor").optional_text(cursor.as_deref());
        json.key("has_next_page").boolean(self.is_stuck || following.is_some());
        match total {
            Some(total) => json.key("total").number(total),
            None => json.key("total").null(),
        }
        json.close('}');
        json.into_text()
    }
}

fn size_out_of_range(first: i64) -> Problem {
    let (kind, message) = if first < 1 {
        ("greater_than_equal", "greater than or equal to 1")
    } else {
        ("less_than_equal", "less than or equal to 200")
    };
    Problem::invalid(InvalidParameter {
        name: "first",
        input: first.to_string(),
        kind,
        message: format!("Input should be {message}"),
    })
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Cursor {
    position: u64,
    total: Option<u64>,
}

impl Cursor {
    fn encode(self, list: u16) -> String {
        let total = self.total.map(|total| total.to_string());
        let text = format!("{list:04x}.{}.{}", self.position, total.unwrap_or_default());
        STANDARD.encode(scramble(text.as_bytes()))
    }

    fn decode(text: &str, list: u16) -> Option<Cursor> {
        let text = String::from_utf8(scramble(&STANDARD.decode(text).ok()?)).ok()?;
        let mut parts = text.splitn(3, '.');
        if parts.next()? != format!("{list:04x}") {
            return None;
        }
        let position = parts.next()?.parse().ok()?;
        let total = match parts.next()? {
            "" => None,
            total => Some(total.parse().ok()?),
        };
        Some(Cursor { position, total })
    }
}

/// Makes the text look like nothing in particular; doing it twice undoes it.
fn scramble(bytes: &[u8]) -> Vec<u8> {
    let numbered = bytes.iter().zip(1_u64..);
    numbered.map(|(byte, number)| byte ^ mix(number) as u8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(question: &str, is_stuck: bool) -> String {
        let query = Query::parse(question);
        let request = match PageRequest::new(&query, "/numbers", is_stuck) {
            Ok(request) => request,
            Err(problem) => return problem.body("/numbers"),
        };
        let matches = (request.position..5).map(|number| (number, number));
        request.write(Some(5), matches, |json, number| json.number(number))
    }

    fn follow(after: &str) -> String {
        let after = after.replace('+', "%2B");
        page(&format!("first=2&after={after}"), false)
    }

    #[test]
    fn pages_join_to_the_list_and_the_last_one_says_so() {
        let mut told = vec![page("first=2", false)];
        for _ in 0..3 {
            let last: serde_json::Value = serde_json::from_str(told.last().unwrap()).unwrap();
            if let Some(after) = last["end_cursor"].as_str() {
                told.push(follow(after));
            }
        }
        insta::assert_snapshot!(told.join("\n"), @r#"
        {"items":[0,1],"end_cursor":"h+yUIPJeOt0=","has_next_page":true,"total":5}
        {"items":[2,3],"end_cursor":"h+yUIPJYOt0=","has_next_page":true,"total":5}
        {"items":[4],"end_cursor":"h+yUIPJZOt0=","has_next_page":false,"total":5}
        {"items":[],"end_cursor":null,"has_next_page":false,"total":5}
        "#);
    }

    #[test]
    fn a_stuck_page_points_at_itself() {
        let first = page("", true);
        insta::assert_snapshot!(first, @r#"{"items":[0,1,2,3,4],"end_cursor":"h+yUIPJcOg==","has_next_page":true,"total":5}"#);
        let told: serde_json::Value = serde_json::from_str(&first).unwrap();
        let after = told["end_cursor"].as_str().unwrap().replace('+', "%2B");
        assert_eq!(page(&format!("after={after}"), true), first);
    }

    #[test]
    fn a_size_or_cursor_that_is_none_is_refused() {
        let questions = ["first=0", "first=201", "first=", "after=nonsense!", "after=bm9uc2Vuc2U=", "after="];
        let told = questions.map(|question| page(question, false));
        insta::assert_snapshot!(told.join("\n"), @r#"
        {"type":"about:blank","title":"Unprocessable Entity","status":422,"detail":"the request has an invalid parameter","instance":"/numbers","errors":[{"loc":["query","first"],"msg":"Input should be greater than or equal to 1","type":"greater_than_equal","input":"0"}]}
        {"type":"about:blank","title":"Unprocessable Entity","status":422,"detail":"the request has an invalid parameter","instance":"/numbers","errors":[{"loc":["query","first"],"msg":"Input should be less than or equal to 200","type":"less_than_equal","input":"201"}]}
        {"type":"about:blank","title":"Unprocessable Entity","status":422,"detail":"the request has an invalid parameter","instance":"/numbers","errors":[{"loc":["query","first"],"msg":"Input should be a valid integer","type":"int_parsing","input":""}]}
        {"type":"about:blank","title":"Bad Request","status":400,"detail":"the cursor is not one of this list","instance":"/numbers"}
        {"type":"about:blank","title":"Bad Request","status":400,"detail":"the cursor is not one of this list","instance":"/numbers"}
        {"type":"about:blank","title":"Bad Request","status":400,"detail":"the cursor is not one of this list","instance":"/numbers"}
        "#);
    }

    #[test]
    fn cursors_come_back_whole_and_open_no_other_list() {
        let mut padded = 0;
        for position in (0..5_000_000).step_by(4_999) {
            let total = (position % 3 > 0).then_some(position * 7);
            let cursor = Cursor { position, total };
            let text = cursor.encode(9);
            padded += usize::from(text.ends_with('='));
            assert_eq!(Cursor::decode(&text, 9), Some(cursor));
            assert_eq!(Cursor::decode(&text, 8), None);
        }
        assert!(padded > 100, "{padded}");
    }
}
