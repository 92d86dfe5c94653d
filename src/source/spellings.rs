//! Which spellings of the tags an API takes that refuses others.

use super::context::{Context, End, Tell};
use super::place::Place;
use crate::airbyte::Level;
use crate::devin::{Error, Kind, Trail};

/// Whether a list was refused because of what it was asked with.
pub fn is_refusal(error: &Error) -> bool {
    matches!(error.kind, Kind::Status(400 | 422))
}

/// The filters of the selection without the spellings of tags that the API refuses, each of which is asked for alone. `refusal` is
/// what it has answered to all of them.
///
/// # Errors
/// `refusal`, when no spelling alone is refused; [`End::Tag`] when a tag is refused however it is spelled; and a request's that
/// failed in another way.
pub async fn taken(
    context: &Context,
    place: &Place,
    tell: &Tell,
    refusal: Error,
) -> Result<Vec<(&'static str, String)>, End> {
    let (mut taken, mut refused) = (Vec::new(), Vec::new());
    for (tag, spellings) in context.selection.tags() {
        let (mut is_taken, mut last) = (false, None);
        for spelling in spellings {
            let place = place.clone().with(vec![("tags", spelling.clone())]);
            match context.client.page(&place.smallest(0), &Trail::default(), &**tell).await {
                Ok(_) => {
                    is_taken = true;
                    taken.push(spelling);
                }
                Err(error) if is_refusal(&error) => {
                    last = Some(error);
                    refused.push(spelling);
                }
                Err(error) => return Err(error.into()),
            }
        }
        if let Some(error) = last.filter(|_| !is_taken) {
            return Err(End::Tag(tag.to_string(), error));
        }
    }
    if refused.is_empty() {
        return Err(refusal.into());
    }
    let text = format!("the API refuses tags that it does not know, so it is not asked for {}", refused.join(", "));
    context.emitter.log(Level::Info, &text);
    Ok(context.selection.filters(taken))
}
