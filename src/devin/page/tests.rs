//! Pages as they come, and what follows each.

use super::*;

fn check(body: &str) -> String {
    match Page::parse(body.as_bytes().to_vec()) {
        Ok(page) => {
            let items: Vec<&str> = page.items().collect();
            format!("{items:?} then {:?}, total {:?}", page.next, page.total)
        }
        Err(invalid) => format!("invalid: {invalid}"),
    }
}

#[test]
fn what_follows_a_page_is_read_from_whatever_the_envelope_says() {
    insta::assert_snapshot!(check(r#"{"items":[{"a":1}],"end_cursor":"x=","has_next_page":true,"total":7}"#), @r#"["{\"a\":1}"] then After("x="), total Some(7)"#);
    insta::assert_snapshot!(check(r#"{"items":[],"end_cursor":"x","has_next_page":false}"#), @"[] then End, total None");
    insta::assert_snapshot!(check(r#"{"items":[],"end_cursor":"x"}"#), @r#"[] then After("x"), total None"#);
    insta::assert_snapshot!(check(r#"{"items":[],"end_cursor":null,"has_next_page":null,"total":null}"#), @"[] then End, total None");
    insta::assert_snapshot!(check(r#"{"items":[]}"#), @"[] then End, total None");
    insta::assert_snapshot!(check(r#"{"items":[],"total":"many","unknown":{"a":[1]}}"#), @"[] then End, total None");
}

#[test]
fn what_cannot_be_a_page_is_an_error_and_never_an_end() {
    insta::assert_snapshot!(check(r#"{"items":[],"has_next_page":true}"#), @"invalid: it promises a next page without a cursor for it");
    insta::assert_snapshot!(check(r#"{"items":[],"has_next_page":true,"end_cursor":""}"#), @"invalid: it promises a next page without a cursor for it");
    insta::assert_snapshot!(check(r#"{"detail":"maintenance"}"#), @"invalid: it has no list of items");
    insta::assert_snapshot!(check(r#"{"items":null}"#), @"invalid: it has no list of items");
    insta::assert_snapshot!(check(r#"{"items":{}}"#), @"invalid: it is not the JSON of a list (line 1, column 9)");
    insta::assert_snapshot!(check(r#"{"items":[{"a":1},3]}"#), @"invalid: item 1 is not an object");
    insta::assert_snapshot!(check(r#"{"items":[{"a":1},null]}"#), @"invalid: item 1 is not an object");
    insta::assert_snapshot!(check(r#"{"items":[{"a":1}"#), @"invalid: it is not the JSON of a list (line 1, column 17)");
    insta::assert_snapshot!(check("<html>"), @"invalid: it is not the JSON of a list (line 1, column 1)");
    insta::assert_snapshot!(check(""), @"invalid: it is not the JSON of a list (line 1, column 0)");
    insta::assert_snapshot!(check("{\"items\":[{\"a\":\"\u{0}\"}]}"), @"invalid: it is not the JSON of a list (line 1, column 16)");
    insta::assert_snapshot!(check("null"), @"invalid: it is not the JSON of a list (line 1, column 4)");
    insta::assert_snapshot!(check("[]"), @"invalid: it has no list of items");
    assert_eq!(
        Page::parse(b"{\"items\":[{\"a\":\"\xff\"}]}".to_vec()).unwrap_err().to_string(),
        "it is not UTF-8 text"
    );
    insta::assert_snapshot!(check(r#"[[{"a":1}],null,false,null]"#), @"invalid: it has no list of items");
}

fn page_of(items: &str, cursor: &str) -> Page {
    let body = format!(r#"{{"items":[{items}],"end_cursor":"{cursor}"}}"#);
    Page::parse(body.into_bytes()).unwrap()
}

fn page(cursor: &str) -> Page {
    page_of("", cursor)
}

#[test]
fn a_cursor_that_stands_still_or_comes_round_again_is_an_error() {
    let mut trail = Trail::default();
    for cursor in ["a", "b", "c"] {
        assert_eq!(trail.check(&page(cursor)), Ok(()));
        trail.advance(&page(cursor));
    }
    assert_eq!(trail.check(&page("c")), Err(Invalid::CursorRepeated), "stands still");
    assert_eq!(trail.check(&page("a")), Err(Invalid::CursorRepeated), "comes round");
    assert_eq!(trail.check(&page("d")), Ok(()));
    assert_eq!(trail.after(), Some("c"), "checking moves nothing");
}

#[test]
fn a_list_without_anything_new_ends_in_an_error() {
    let pages_of = |items: &str| {
        let mut trail = Trail::default();
        let sound = |n: &usize| {
            let page = page_of(items, &n.to_string());
            let sound = trail.check(&page).is_ok();
            trail.advance(&page);
            sound
        };
        (0usize..).take_while(sound).count()
    };
    assert_eq!(pages_of(""), MOST_BARREN_PAGES as usize - 1);
    assert_eq!(pages_of(r#"{"a":1},{"a":2}"#), MOST_BARREN_PAGES as usize, "the first one was new");
}

#[test]
fn the_end_is_reached_only_by_a_page_that_says_so() {
    let mut trail = Trail::default();
    trail.advance(&page("a"));
    assert!(!trail.has_ended());
    trail.advance(&Page::parse(br#"{"items":[]}"#.to_vec()).unwrap());
    assert!(trail.has_ended());
}
