//! Steps become requests, pages become lines. The only place that orders a stream's messages.
//!
//! Streams run side by side and share the client's pool. What a stream says goes through its [`Ledger`], which
//! counts; a STATE is said only when everything before it is on its way out.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::context::{CLOCK_DOUBT_S, Context, End};
use super::cursor::Checkpoint;
use super::emit::{Ledger, now_ms};
use super::messages;
use super::pages::{Pages, by_name};
use super::pass::Pass;
use super::plan::{Plan, Step};
use super::record::frame_page;
use super::streams::Listing;
use crate::airbyte::{FailureType, Level, StreamStatus};
use crate::devin::{Error, Page};
use crate::failure::{Advice, advise};

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    Complete,
    /// At least one stream failed; each said why.
    Failed,
    /// The reader of stdout has gone.
    Closed,
    /// A signal with this number asked to stop.
    Stopped(i32),
}

/// Reads everything planned, each stream to its end or its error, until `stop` says with which signal to stop.
pub async fn read(context: &Arc<Context>, plan: Plan, stop: impl Future<Output = i32>) -> Ending {
    for warning in &plan.warnings {
        context.emitter.log(Level::Warn, warning);
    }
    for note in &plan.notes {
        context.emitter.log(Level::Info, note);
    }
    for (stream, reason) in &plan.refused {
        context.emitter.error(reason, FailureType::ConfigError, Some(stream));
        context.emitter.status(stream, StreamStatus::Incomplete, false);
    }
    let mut ledgers = Vec::new();
    let mut running = JoinSet::new();
    for step in plan.steps {
        let ledger = context.emitter.start(step.stream, step.checkpoint.write(step.stream.cursor_field));
        ledgers.push(Arc::clone(&ledger));
        running.spawn(run(Arc::clone(context), step, ledger));
    }
    let mut ending = if plan.refused.is_empty() { Ending::Complete } else { Ending::Failed };
    tokio::pin!(stop);
    let mut progress = tokio::time::interval(context.emitter.progress_every());
    progress.tick().await;
    loop {
        let ended = tokio::select! {
            _ = progress.tick() => {
                ledgers.iter().filter(|ledger| !ledger.has_ended()).for_each(|ledger| context.emitter.progress(ledger));
                continue;
            }
            ended = running.join_next() => ended,
            () = context.emitter.closed() => return Ending::Closed,
            signal = &mut stop => {
                running.shutdown().await;
                context.emitter.log(Level::Warn, &format!("stopped by signal {signal} before the end"));
                ledgers.iter().for_each(|ledger| context.emitter.incomplete(ledger));
                return Ending::Stopped(signal);
            }
        };
        match ended {
            None => return ending,
            Some(Ok(Ending::Complete)) => {}
            Some(Ok(Ending::Closed)) => return Ending::Closed,
            Some(Ok(_)) => ending = Ending::Failed,
            Some(Err(failed)) => std::panic::resume_unwind(failed.into_panic()),
        }
    }
}

/// One stream from STARTED, which has been said, to COMPLETE or INCOMPLETE.
async fn run(context: Arc<Context>, step: Step, ledger: Arc<Ledger>) -> Ending {
    let outcome = match step.stream.listing {
        Listing::PerSession => messages::read(&context, &step, &ledger).await,
        Listing::Sessions | Listing::Whole => list(&context, &step, &ledger).await,
    };
    let emitter = &context.emitter;
    let name = step.stream.name;
    let advice = match outcome {
        Ok(checkpoint) => {
            emitter.complete(&ledger, checkpoint.write(step.stream.cursor_field));
            return Ending::Complete;
        }
        Err(End::Closed) => return Ending::Closed,
        Err(End::Request(error)) => advise(&error, step.stream.permission),
        Err(End::Gone(error)) => Advice {
            message: format!(
                "{error}, and so did every other session asked for, although the list of sessions has them. Run again; if it stays so, the key may list sessions but not read them ({})",
                step.stream.permission
            ),
            failure_type: FailureType::ConfigError,
        },
        Err(End::Partial { error, stuck, untried, all }) => {
            partial(advise(&error, step.stream.permission), &error, stuck, untried, all)
        }
        Err(End::Data(message)) => Advice { message, failure_type: FailureType::SystemError },
    };
    emitter.error(&format!("stream {name}: {}", advice.message), advice.failure_type, Some(name));
    emitter.incomplete(&ledger);
    Ending::Failed
}

/// What to say when the messages of some sessions could not be read; `advice` is that of the last one's error.
fn partial(advice: Advice, error: &Error, stuck: usize, untried: usize, all: usize) -> Advice {
    let message = if untried == 0 {
        format!(
            "{error}. The messages of {stuck} of {all} sessions could not be read and those of the others have been: run again, which tries these once more; if it stays so, ask Devin's support about these sessions."
        )
    } else {
        format!(
            "{} The messages of {stuck} of {all} sessions could not be read, and {untried} have not been tried.",
            advice.message
        )
    };
    Advice { message, ..advice }
}

/// Reads a stream that is one list, and what the list's filter could have kept back.
async fn list(context: &Arc<Context>, step: &Step, ledger: &Arc<Ledger>) -> Result<Checkpoint, End> {
    let stream = step.stream;
    let filters = if stream.listing == Listing::Sessions { step.bounds.filters() } else { Vec::new() };
    let mut pass = Pass::new(step, now_ms() / 1000 - CLOCK_DOUBT_S);
    let tell = context.teller(ledger);
    let mut pages = Pages::start(context, context.list(stream.path, filters), &tell);
    let mut previous: Option<Page> = None;
    while let Some(page) = pages.next().await? {
        if previous.is_none() {
            pass.begin(&page);
            // Of a list that the server does not filter, only the changed part is emitted.
            let is_whole = stream.listing == Listing::Sessions || step.bounds.since.is_none();
            if let Some(total) = page.total.filter(|_| is_whole) {
                context.emitter.estimate(ledger, total);
            }
        }
        context.emitter.running(ledger);
        let frame = context.emitter.frame(stream.name);
        let framed =
            frame_page(&page, previous.as_ref(), &frame, |item, facts| pass.wants(stream, &step.bounds, item, facts));
        previous = Some(page);
        context.emitter.records(ledger, framed).await?;
    }
    if stream.listing == Listing::Sessions {
        let mut unseen = pass.unseen();
        while let Some(ids) = unseen.pop() {
            for page in by_name(context, stream.path, &tell, &ids, &mut unseen).await? {
                let frame = context.emitter.frame(stream.name);
                let framed = frame_page(&page, None, &frame, |item, facts| {
                    ids.contain(facts) && pass.wants_again(stream, &step.bounds, item, facts)
                });
                context.emitter.records(ledger, framed).await?;
            }
        }
    }
    context.warn_of(stream, pass.forgotten());
    Ok(pass.checkpoint())
}
