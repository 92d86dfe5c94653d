//! One list, page by page, with the next page already under way while the last one is written.

use std::sync::Arc;

use tokio::task::JoinHandle;

use super::context::{Context, Tell};
use crate::devin::{Error, Page, Request, Trail};

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
