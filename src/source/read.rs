//! Steps become requests, pages become lines. The only place that orders a stream's messages.
//!
//! Streams run side by side and share the client's pool. What a stream says goes through its [`Ledger`], which
//! counts; a STATE is said only when everything before it is on its way out.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::task::JoinSet;

use super::context::{Context, End};
use super::cursor::Bounds;
use super::emit::Ledger;
use super::list::{Readers, Records, read_list};
use super::listing::{Kind as ListKind, Listing};
use super::messages;
use super::partition::PartitionList;
use super::pass::Pass;
use super::plan::{Plan, Step};
use super::state::StreamState;
use super::streams;
use crate::airbyte::{FailureType, Level, StreamStatus};
use crate::devin::{Error, Kind};
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
    let (mut lists, mut messages) = (Vec::new(), Vec::new());
    for step in plan.steps {
        let ledger = context.emitter.start(&step.descriptor, step.state.write());
        ledgers.push(Arc::clone(&ledger));
        let is_messages = step.stream.listing == streams::Listing::PerSession;
        if is_messages { messages.push((step, ledger)) } else { lists.push((step, ledger)) }
    }
    // The messages need the list of sessions, too: one listing serves both.
    for listed in lists {
        let with = if listed.0.stream.path == ["sessions"] { messages.pop() } else { None };
        running.spawn(run(Arc::clone(context), Some(listed), with));
    }
    for messages in messages {
        running.spawn(run(Arc::clone(context), None, Some(messages)));
    }
    let mut ending = if plan.refused.is_empty() { Ending::Complete } else { Ending::Failed };
    tokio::pin!(stop);
    let mut progress = tokio::time::interval(context.emitter.progress_every());
    progress.tick().await;
    loop {
        let ended = tokio::select! {
            // In this order, so that a read can be told again.
            biased;
            () = context.emitter.closed() => return Ending::Closed,
            signal = &mut stop => {
                running.shutdown().await;
                let text = format!("stopped by {} before the end: {}", name(signal), context.emitter.how_to_go_on());
                context.emitter.log(Level::Warn, &text);
                ledgers.iter().for_each(|ledger| context.emitter.incomplete(ledger));
                return Ending::Stopped(signal);
            }
            _ = progress.tick() => {
                ledgers.iter().filter(|ledger| !ledger.has_ended()).for_each(|ledger| context.emitter.progress(ledger));
                continue;
            }
            ended = running.join_next() => ended,
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

/// What a person calls a signal.
fn name(signal: i32) -> String {
    match signal {
        2 => "Ctrl-C".to_string(),
        15 => "SIGTERM".to_string(),
        other => format!("signal {other}"),
    }
}

/// A stream that is to be read, and its account.
type Reading = (Step, Arc<Ledger>);

/// One list from STARTED, which has been said, to COMPLETE or INCOMPLETE of the stream whose records it holds; and of the
/// messages, which are read below the sessions of that list.
async fn run(context: Arc<Context>, listed: Option<Reading>, messages: Option<Reading>) -> Ending {
    let mut ending = Ending::Complete;
    let mut partitions = messages.as_ref().map(|(step, _)| PartitionList::new(step));
    let outcome = list(&context, listed.as_ref(), messages.as_ref(), partitions.as_mut()).await;
    if let Some((step, ledger)) = &listed {
        let state = outcome.as_ref().map(|(_, state)| state.clone().unwrap_or_default());
        ending = end(&context, step, ledger, state.map_err(Clone::clone));
    }
    if let (Some((step, ledger)), Some(partitions)) = (&messages, partitions)
        && ending != Ending::Closed
    {
        let outcome = match outcome {
            Ok((listing, _)) => messages::read(&context, step, ledger, partitions, &listing).await,
            Err(end) => Err(end),
        };
        ending = match (ending, end(&context, step, ledger, outcome)) {
            (Ending::Complete, of_messages) => of_messages,
            (of_list, Ending::Complete) => of_list,
            (_, of_messages) => of_messages,
        };
    }
    ending
}

/// Lists what a stream or the messages need, and answers with the list and the stream's state.
async fn list(
    context: &Arc<Context>,
    listed: Option<&Reading>,
    messages: Option<&Reading>,
    partitions: Option<&mut PartitionList>,
) -> Result<(Listing, Option<StreamState>), End> {
    let (step, ledger) = listed.or(messages).expect("a list is for somebody");
    let kind = if listed.is_some_and(|(step, _)| step.stream.listing == streams::Listing::Whole) {
        ListKind::Whole
    } else {
        ListKind::Sessions
    };
    let path = listed.map_or(&["sessions"][..], |(step, _)| step.stream.path);
    // Whoever needs the most says from when on; each takes what is its own.
    let needs = [listed.map(|(step, _)| step.bounds.since), messages.map(|(step, _)| step.sessions_since())];
    let bounds = Bounds { since: needs.into_iter().flatten().min().flatten(), ..step.bounds };
    let mut pass = listed.map(|(step, _)| Pass::new(step));
    let records = listed.zip(pass.as_mut()).map(|((step, ledger), pass)| Records { step, ledger, pass });
    let tell = context.teller(ledger);
    let listing = read_list(context, path, kind, bounds, step.now, &tell, &mut Readers { records, partitions }).await?;
    let state = pass.map(|pass| {
        pass.warnings().into_iter().for_each(|warning| context.warn_of(step.stream, Some(warning)));
        pass.state(&listing)
    });
    Ok((listing, state))
}

/// Says how a stream has ended.
fn end(context: &Context, step: &Step, ledger: &Ledger, outcome: Result<StreamState, End>) -> Ending {
    let emitter = &context.emitter;
    let name = &step.descriptor;
    let advice = match outcome {
        Ok(state) => {
            emitter.complete(ledger, state.write());
            return Ending::Complete;
        }
        Err(End::Closed) => return Ending::Closed,
        Err(End::Request(error))
            if error.kind == Kind::Status(401) && context.is_key_refused.swap(true, Ordering::Relaxed) =>
        {
            Advice {
                message: "the API key is not accepted, see above".to_string(),
                failure_type: FailureType::ConfigError,
            }
        }
        Err(End::Request(error)) => advise(&error, step.stream.permission),
        Err(End::Gone(error)) => Advice {
            message: format!(
                "{error}, and no other session gave its messages either, although the list has them. Run again; if it stays so, the key may list sessions but not read them ({})",
                step.stream.permission
            ),
            failure_type: FailureType::ConfigError,
        },
        Err(End::Partial { error, stuck, untried, all }) => {
            partial(advise(&error, step.stream.permission), &error, stuck, untried, all)
        }
        Err(End::Data(message)) => Advice { message, failure_type: FailureType::SystemError },
    };
    emitter.error(&format!("stream {name}: {}", advice.message), advice.failure_type, Some(&step.descriptor));
    emitter.incomplete(ledger);
    Ending::Failed
}

/// What to say when the messages of some sessions could not be read; `advice` is that of the last one's error.
fn partial(advice: Advice, error: &Error, stuck: usize, untried: usize, all: usize) -> Advice {
    let message = if untried == 0 {
        format!(
            "{error}. The messages of {stuck} of {all} sessions could not be read; those of the others have been. Run again, which tries them once more; if it stays so, ask Devin's support about these sessions."
        )
    } else {
        format!(
            "{} The messages of {stuck} of {all} sessions could not be read, and {untried} have not been tried.",
            advice.message
        )
    };
    Advice { message, ..advice }
}
