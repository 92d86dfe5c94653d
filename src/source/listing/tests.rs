//! Lists that move, end early, or have no end.

use super::*;

const NOW: i64 = 1_000_000;

/// Lists what `server` answers, page by page, until a decision ends it; the server gets the number of the listing, from when
/// on it is asked, and the number of the page, and answers with items (key, updated_at), a total, and whether more follow.
fn check(kind: Kind, server: impl Fn(u32, Option<i64>, usize) -> (Vec<(u64, i64)>, Option<u64>, bool)) -> String {
    let mut listing = Listing::new(kind, None, NOW);
    let (mut since, mut story) = (None, Vec::new());
    for number in 1.. {
        let mut seen = Vec::new();
        for page in 0.. {
            let (items, total, has_next) = server(number, since, page);
            for (key, at) in items {
                match listing.note(key, Times { created_at: None, updated_at: Some(at) }, || 0) {
                    Sight::New => seen.push(key.to_string()),
                    Sight::Changed => seen.push(format!("{key}'")),
                    Sight::Repeated => {}
                }
            }
            if let Err(endless) = listing.end_page(total, has_next) {
                story.push(endless);
                return story.join(" | ");
            }
            if !has_next {
                break;
            }
        }
        if seen.len() > 12 {
            seen = vec![format!("{} items", seen.len())];
        }
        story.push(format!("[{}]", seen.join(" ")));
        match listing.end() {
            Decision::ListAgain { since: again } => since = again,
            decision => {
                story.push(format!("{decision:?}"));
                break;
            }
        }
        story.push(since.map_or("all again".to_string(), |since| format!("since {since}")));
    }
    story.join(" | ")
}

/// Pages of two, the last changed first, of what is newer than `since`.
fn newest_first(items: &[(u64, i64)], since: Option<i64>, page: usize) -> (Vec<(u64, i64)>, Option<u64>, bool) {
    let mut items: Vec<_> = items.iter().copied().filter(|(_, at)| since.is_none_or(|since| *at >= since)).collect();
    items.sort_by_key(|(_, at)| -at);
    let total = items.len() as u64;
    (items.iter().copied().skip(page * 2).take(2).collect(), Some(total), total as usize > page * 2 + 2)
}

#[test]
fn one_page_is_complete_at_once_and_several_are_asked_again_from_the_newest_of_the_first() {
    let still = [(1, 10), (2, 20), (3, 30), (4, 40)];
    insta::assert_snapshot!(check(Kind::Sessions, |_, since, page| newest_first(&still[..2], since, page)), @"[2 1] | Complete { doubt: None }");
    insta::assert_snapshot!(check(Kind::Sessions, |_, since, page| newest_first(&still, since, page)), @"[4 3 2 1] | since 40 | [] | Complete { doubt: None }");
    let oldest_first = |_: u32, since: Option<i64>, page: usize| {
        let items: Vec<_> = still.into_iter().filter(|(_, at)| since.is_none_or(|since| *at >= since)).collect();
        (items.iter().copied().skip(page * 2).take(2).collect(), None, items.len() > page * 2 + 2)
    };
    insta::assert_snapshot!(check(Kind::Sessions, oldest_first), @"[1 2 3 4] | since 40 | [] | Complete { doubt: None }");
}

/// The oldest come first, and the first one moves to the end while the second page is read: the third slips to the first page.
#[test]
fn what_a_change_moves_up_is_found_where_nothing_says_how_many_there_are() {
    let moved = |total: Option<u64>| {
        check(Kind::Sessions, move |listing, since, page| {
            let mut items = vec![(1, 10), (2, 20), (3, 30), (4, 40), (5, 50), (6, 60)];
            if listing > 1 || page > 0 {
                items[0].1 = 70;
            }
            items.retain(|(_, at)| since.is_none_or(|since| *at >= since));
            items.sort_by_key(|(_, at)| *at);
            let all = items.len();
            let total = total.map(|_| all as u64);
            (items.into_iter().skip(page * 2).take(2).collect(), total, all > page * 2 + 2)
        })
    };
    insta::assert_snapshot!(moved(None), @"[1 2 4 5 6 1'] | all again | [3] | since 70 | [] | Complete { doubt: None }");
    insta::assert_snapshot!(moved(Some(6)), @"[1 2 4 5 6 1'] | all again | [3] | since 70 | [] | Complete { doubt: None }");
}

/// The third moves to the first page while the second one is read; then the second moves while the list is listed again.
#[test]
fn what_moves_behind_the_reader_is_found_however_often() {
    insta::assert_snapshot!(check(Kind::Sessions, |listing, since, page| {
        let mut items = vec![(1, 10), (2, 20), (3, 30), (4, 40), (5, 50)];
        if listing > 1 || page > 0 {
            items[0].1 = 60;
            items.extend([(6, 61), (7, 62)]);
        }
        if listing > 2 || listing == 2 && page > 0 {
            items[1].1 = 70;
        }
        newest_first(&items, since, page)
    }), @"[5 4 1 3 2] | since 50 | [7 6] | since 62 | [2'] | Complete { doubt: None }");
}

#[test]
fn a_list_that_ignores_the_filter_is_listed_twice() {
    let items = [(1, 10), (2, 20), (3, 30), (4, 40)];
    insta::assert_snapshot!(check(Kind::Sessions, |_, _, page| newest_first(&items, None, page)), @"[4 3 2 1] | since 40 | [] | Complete { doubt: None }");
}

#[test]
fn a_list_that_changes_faster_than_it_is_read_is_left_to_the_next_read() {
    let busy = |listing: u32, _: Option<i64>, page: usize| {
        let at = i64::from(listing) * 10 + page as i64;
        (vec![(u64::from(listing), at), (u64::from(listing) + 100, at - 1)], None, page == 0)
    };
    let story = check(Kind::Sessions, busy);
    assert!(story.ends_with("could follow\") }"), "{story}");
    assert_eq!(story.matches("since").count(), MOST_LISTINGS as usize - 1);
}

#[test]
fn a_time_that_cannot_be_true_bounds_nothing() {
    let items = [(1, NOW * 10), (2, 20), (3, 30), (4, 40)];
    insta::assert_snapshot!(check(Kind::Sessions, |_, since, page| newest_first(&items, since, page)), @"[1 4 3 2] | since 40 | [] | Complete { doubt: None }");
}

#[test]
fn a_total_is_a_hint_that_is_followed_up_once() {
    let of = |kind, total: fn(u32, usize) -> (usize, Option<u64>, bool)| {
        check(kind, move |listing, _, page| {
            let (items, total, has_next) = total(listing, page);
            ((0..items as u64).map(|n| (page as u64 * 10 + n, 5)).collect(), total, has_next)
        })
    };
    insta::assert_snapshot!(of(Kind::Sessions, |_, _| (2, Some(5), false)), @r#"[0 1] | all again | [] | Complete { doubt: Some("the API counts 5 items and lists 2, twice in a row") }"#);
    insta::assert_snapshot!(of(Kind::Sessions, |_, _| (2, Some(1), false)), @"[0 1] | Complete { doubt: None }");
    insta::assert_snapshot!(of(Kind::Append, |_, _| (2, None, false)), @"[0 1] | Complete { doubt: None }");
    insta::assert_snapshot!(of(Kind::Append, |listing, _| (listing as usize, Some(2), false)), @"[0] | all again | [1] | Complete { doubt: None }");
    insta::assert_snapshot!(of(Kind::Whole, |_, page| (2, Some(4), page == 0)), @"[0 1 10 11] | Complete { doubt: None }");
    insta::assert_snapshot!(of(Kind::Whole, |_, page| (2, None, page == 0)), @"[0 1 10 11] | all again | [] | Complete { doubt: None }");
    insta::assert_snapshot!(of(Kind::Whole, |listing, page| (2, Some(if listing == 1 && page == 0 { 5 } else { 4 }), page == 0)), @"[0 1 10 11] | all again | [] | Complete { doubt: None }");
}

#[test]
fn a_promised_page_that_comes_empty_is_asked_again_and_then_the_list_is_incomplete() {
    let cut = |mended_from: u32| {
        check(Kind::Sessions, move |listing, since, page| {
            let items = if since.is_none() && page < 2 { vec![(page as u64, 5 - page as i64)] } else { Vec::new() };
            let rest = if since.is_none() && page == 2 && listing >= mended_from { vec![(2, 3)] } else { items };
            (rest, Some(if since.is_none() { 3 } else { 0 }), page < 2 && since.is_none())
        })
    };
    insta::assert_snapshot!(cut(9), @r#"[0 1] | since 5 | [] | all again | [] | Incomplete { reason: "the list ended after 2 of 3 items although it had promised more, twice in a row" }"#);
    insta::assert_snapshot!(cut(3), @"[0 1] | since 5 | [] | all again | [2] | since 5 | [] | Complete { doubt: None }");
}

#[test]
fn a_list_without_end_ends() {
    insta::assert_snapshot!(check(Kind::Append, |_, _, _| (vec![(1, 5), (2, 5)], None, true)), @"20 pages in a row only repeated what earlier ones had, so the list has no end");
    let begins_again = |_: u32, _: Option<i64>, page: usize| (vec![(page as u64 % 4, 5)], None, true);
    insta::assert_snapshot!(check(Kind::Sessions, begins_again), @"20 pages in a row only repeated what earlier ones had, so the list has no end");
}
