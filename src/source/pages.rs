//! One list, page by page, with the next page already under way while the last one is written; and the pages that hold
//! some sessions by name.

use std::sync::Arc;

use tokio::task::JoinHandle;

use super::context::{Context, Tell};
use super::pass::Ids;
use crate::airbyte::Level;
use crate::devin::{Error, Kind, Page, Request, Trail};

/// The pages of one list, in order.
pub struct Pages {
    context: Arc<Context>,
    request: Arc<Request>,
    tell: Tell,
    under_way: Option<JoinHandle<Result<(Page, Trail), Error>>>,
}

impl Pages {
    /// Begins to read the list that `request` asks for.
    pub fn start(context: &Arc<Context>, request: Request, tell: &Tell) -> Pages {
        let mut pages =
            Pages { context: Arc::clone(context), request: Arc::new(request), tell: Arc::clone(tell), under_way: None };
        pages.fetch(Trail::default());
        pages
    }

    /// The next page; `None` after the last one.
    ///
    /// # Errors
    /// The request's, when no try brought a sound page. The list cannot be continued after that.
    pub async fn next(&mut self) -> Result<Option<Page>, Error> {
        let Some(task) = &mut self.under_way else { return Ok(None) };
        let outcome = task.await;
        self.under_way = None;
        let (page, trail) = match outcome {
            Ok(outcome) => outcome?,
            // The task is aborted only together with this list; anything else is its panic.
            Err(failed) => std::panic::resume_unwind(failed.into_panic()),
        };
        if !trail.has_ended() {
            self.fetch(trail);
            // Lets the request go out before the page at hand is worked on.
            tokio::task::yield_now().await;
        }
        Ok(Some(page))
    }

    fn fetch(&mut self, mut trail: Trail) {
        let (context, request, tell) = (Arc::clone(&self.context), Arc::clone(&self.request), Arc::clone(&self.tell));
        self.under_way = Some(tokio::spawn(async move {
            let page = context.client.page(&request, &trail, &*tell).await?;
            trail.advance(&page);
            Ok((page, trail))
        }));
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        if let Some(task) = &self.under_way {
            task.abort();
        }
    }
}

/// Asks for sessions by name. Where the API refuses to because of one it no longer has, the halves are left in `rest`
/// to be asked for in turn, until that one is alone and is dropped: a state must not fail every later run.
pub async fn by_name(
    context: &Arc<Context>,
    path: &[&str],
    tell: &Tell,
    ids: &Ids,
    rest: &mut Vec<Ids>,
) -> Result<Vec<Page>, Error> {
    let mut pages = Pages::start(context, context.list(path, ids.filter()), tell);
    let mut found = Vec::new();
    loop {
        match pages.next().await {
            Ok(Some(page)) => found.push(page),
            Ok(None) => return Ok(found),
            Err(error) if matches!(error.kind, Kind::Status(400 | 404 | 422)) => {
                match ids.halves() {
                    Some(halves) => rest.extend(halves),
                    None => {
                        let text = format!("{error}; a session that had not ended before cannot be asked for any more");
                        context.emitter.log(Level::Warn, &text);
                    }
                }
                return Ok(Vec::new());
            }
            Err(error) => return Err(error),
        }
    }
}
