//! A list's pages in the other order: what the sandbox lists newest first, oldest first.

use anyhow::Result;
use source_devin_ai::devin::Page;

/// The bodies of a whole list, with its items the other way round. What stands around the items stays, so that each page
/// still leads to the next.
pub fn reversed(bodies: &[Vec<u8>]) -> Result<Vec<Vec<u8>>> {
    let pages: Vec<(Page, &str)> = bodies
        .iter()
        .map(|body| Ok((Page::parse(body.clone()).map_err(anyhow::Error::msg)?, std::str::from_utf8(body)?)))
        .collect::<Result<_>>()?;
    let mut items = pages.iter().rev().flat_map(|(page, _)| page.items().rev());
    let reversed = pages.iter().map(|(page, body)| {
        let (Some(first), Some(last)) = (page.items().next(), page.items().next_back()) else {
            return body.as_bytes().to_vec();
        };
        let here: Vec<&str> = items.by_ref().take(page.items().len()).collect();
        // Items are told from each other by their identifiers, so each stands in a body once.
        let start = body.find(first).expect("the item is in its page");
        let end = body.rfind(last).expect("the item is in its page") + last.len();
        [&body[..start], &here.join(","), &body[end..]].concat().into_bytes()
    });
    Ok(reversed.collect())
}
