//! Steps become requests, pages become lines. The only place that orders a stream's messages.
//!
//! Streams run side by side and share the client's pool. What a stream says goes through its [`Ledger`], which
//! counts; a STATE is said only when everything before it is on its way out.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::task::JoinSet;

use super::context::{Context, End};
use super::cursor::Bounds;
use super::deletions::{self, DELETED};
use super::emit::Ledger;
use super::identifier::Identified;
use super::list::{Listed, read_list};
use super::listing::{Kind as ListKind, Listing};
use super::messages;
use super::partition::PartitionList;
use super::pass::Pass;
use super::place::{Place, Slice};
use super::plan::Plan;
use super::progress::counted;
use super::readers::{Readers, Records};
use super::record::frame_page;
use super::slices;
use super::state::Known;
use super::state::StreamState;
use super::step::Step;
use super::streams::{Listing as Row, Stream, endpoints};
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
    // One organization after the other.
    let mut rounds: Vec<(String, Vec<Group>)> = Vec::new();
    for steps in plan.steps.chunk_by(|one, next| one.descriptor == next.descriptor) {
        let kept = plan.kept.get(&steps[0].descriptor).cloned().unwrap_or_default();
        let begins = steps.iter().map(|step| (step.organization.id.clone(), step.state.write())).collect();
        for (step, ledger) in steps.iter().zip(context.emitter.start(&steps[0].descriptor, begins, kept)) {
            ledgers.push(Arc::clone(&ledger));
            let of = &step.organization.id;
            let place = rounds.iter().position(|(org_id, _)| org_id == of).unwrap_or_else(|| {
                rounds.push((of.clone(), Vec::new()));
                rounds.len() - 1
            });
            add(&mut rounds[place].1, (step.clone(), ledger));
        }
    }
    let mut rounds = rounds.into_iter();
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
                ledgers.iter().filter(|ledger| ledger.is_first() && !ledger.is_over()).for_each(|ledger| context.emitter.progress(ledger));
                continue;
            }
            ended = running.join_next() => ended,
        };
        match ended {
            None => match rounds.next() {
                Some((_, groups)) => groups.into_iter().for_each(|group| {
                    running.spawn(run(Arc::clone(context), group, plan.leaves_out));
                }),
                None if ledgers.iter().any(|ledger| ledger.is_incomplete()) => return Ending::Failed,
                None => return ending,
            },
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

/// Streams that need the same list.
#[derive(Default)]
struct Group {
    /// Those whose records it has.
    records: Vec<Reading>,
    /// Those that are read below the sessions of the list.
    below: Vec<Reading>,
}

impl Group {
    /// Whether its list is the one of sessions, which several streams may need.
    fn lists_sessions(&self) -> bool {
        self.records.first().is_none_or(|(step, _)| step.stream.is_of_sessions())
    }
}

/// Adds a stream to the group that it shares a list with, or makes one for it.
fn add(groups: &mut Vec<Group>, reading: Reading) {
    let is_below = reading.0.stream.listing == Row::PerSession;
    let shares = is_below || reading.0.stream.is_of_sessions();
    let place = groups.iter().position(|group| shares && group.lists_sessions()).unwrap_or_else(|| {
        groups.push(Group::default());
        groups.len() - 1
    });
    let group = &mut groups[place];
    if is_below { group.below.push(reading) } else { group.records.push(reading) }
}

/// One list from STARTED, which has been said, to COMPLETE or INCOMPLETE of the streams that need it.
async fn run(context: Arc<Context>, group: Group, leaves_out: bool) -> Ending {
    let Group { records, below } = group;
    if let [(step, ledger)] = records.as_slice()
        && context.has_been_read(step)
    {
        let outcome = match context.write_merged(step, ledger).await {
            Ok(()) => Ok(step.state.clone()),
            Err(closed) => Err(closed.into()),
        };
        return end(&context, step, ledger, outcome);
    }
    if let [(step, ledger)] = records.as_slice()
        && below.is_empty()
        && step.stream.has_many_lists()
    {
        let mut outcome = slices::read(&context, step, ledger).await;
        if context.write_merged(step, ledger).await.is_err() {
            outcome = Err(End::Closed);
        }
        match &outcome {
            Err(End::Refused(error)) if leaves_out => return leave_out(&context, (step, ledger), step.stream, error),
            Err(End::Lacks(other, error)) if leaves_out => return leave_out(&context, (step, ledger), other, error),
            _ => {}
        }
        return end(&context, step, ledger, outcome);
    }
    let mut partitions: Vec<PartitionList> = below.iter().map(|(step, _)| PartitionList::new(step)).collect();
    let outcome = list(&context, &records, &below, &mut partitions).await;
    let mut endings = Vec::new();
    for (place, (step, ledger)) in records.iter().enumerate() {
        if context.write_merged(step, ledger).await.is_err() {
            endings.push(Ending::Closed);
            break;
        }
        let state = outcome.as_ref().map(|(_, states)| states[place].clone());
        if let (Err(End::Refused(error)), true) = (&state, leaves_out && !step.stream.is_essential) {
            endings.push(leave_out(&context, (step, ledger), step.stream, error));
            continue;
        }
        endings.push(end(&context, step, ledger, state.map_err(Clone::clone)));
    }
    for ((step, ledger), partitions) in below.iter().zip(partitions) {
        if endings.contains(&Ending::Closed) {
            break;
        }
        let outcome = match &outcome {
            Ok((listing, _)) => messages::read(&context, step, ledger, partitions, listing).await,
            Err(end) => Err(end.clone()),
        };
        endings.push(end(&context, step, ledger, outcome));
    }
    let of = |wanted: Ending| endings.contains(&wanted).then_some(wanted);
    of(Ending::Closed).or(of(Ending::Failed)).unwrap_or(Ending::Complete)
}

/// Lists what some streams need, and answers with the list and the states of those whose records it has.
async fn list(
    context: &Arc<Context>,
    records: &[Reading],
    below: &[Reading],
    partitions: &mut [PartitionList],
) -> Result<(Listing, Vec<StreamState>), End> {
    let (step, ledger) = records.first().or(below.first()).expect("a list is for somebody");
    let is_whole = records.first().is_some_and(|(step, _)| step.stream.listing == Row::Whole);
    let kind = if is_whole { ListKind::Whole } else { ListKind::Sessions };
    let place = if records.is_empty() {
        Place::of_sessions(&step.organization.id)
    } else {
        Place::of(step.stream, &step.organization.id, None)
    };
    // Whoever needs the most says from when on; each takes what is its own.
    let of_records = records.iter().map(|(step, _)| step.bounds.since);
    let needs = of_records.chain(below.iter().map(|(step, _)| step.sessions_since()));
    let bounds = Bounds { since: needs.min().flatten(), ..step.bounds };
    let mut passes: Vec<Pass> = records.iter().map(|(step, _)| Pass::new(step)).collect();
    let mut readers = Readers {
        records: records
            .iter()
            .zip(&mut passes)
            .map(|((step, ledger), pass)| Records {
                step,
                ledger,
                pass,
                of: Slice::default(),
                identified: Identified::default(),
            })
            .collect(),
        partitions: partitions.iter_mut().collect(),
    };
    let tell = context.teller(ledger);
    let Listed { listing, path } = read_list(context, &place, kind, bounds, step.now, &tell, &mut readers).await?;
    context.answered_at(step.stream, path);
    for ((step, ledger), pass) in records.iter().zip(&mut passes) {
        report(context, step, ledger, &pass.gone(&listing)).await?;
    }
    let states = records.iter().zip(&passes).map(|((step, _), pass)| {
        pass.warnings().into_iter().for_each(|warning| context.warn_of(step.stream, Some(warning)));
        pass.state(&listing)
    });
    let states = states.collect();
    Ok((listing, states))
}

/// Emits a record for each item that is gone.
async fn report(context: &Context, step: &Step, ledger: &Ledger, gone: &Known) -> Result<(), End> {
    if gone.is_empty() {
        return Ok(());
    }
    let items = counted(gone.len() as u64, "item is", "items are");
    let text = format!("stream {}: {items} gone from the list: reported with {DELETED}", step.descriptor);
    context.emitter.log(Level::Info, &text);
    let (page, frame) = (deletions::page(step.stream, gone), context.frame(step, &Slice::default()));
    let framed = frame_page(&page, &frame, &step.stream.reading(), |_, _| true);
    Ok(context.emitter.records(ledger, framed).await?)
}

/// Leaves out a stream because the key, or the API, does not have the list of `refused`. Whether another organization has it is known
/// at the end of the read.
fn leave_out(context: &Context, (step, ledger): (&Step, &Ledger), refused: &Stream, error: &Error) -> Ending {
    context.emitter.left_out(ledger, step.name(), refusal(refused, error));
    Ending::Complete
}

/// What a stream's refusal means.
fn refusal(stream: &Stream, error: &Error) -> Advice {
    if error.kind != Kind::Status(404) || stream.is_usual {
        return advise(error, stream.permission);
    }
    Advice {
        message: format!(
            "{error}. This API does not offer the stream (it was looked for at {}), or the organization has nothing of the kind: leave the stream out.",
            endpoints(stream).join(", ")
        ),
        failure_type: FailureType::ConfigError,
    }
}

/// Says how a stream has ended.
fn end(context: &Context, step: &Step, ledger: &Ledger, outcome: Result<StreamState, End>) -> Ending {
    let emitter = &context.emitter;
    let name = step.name();
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
        Err(End::Refused(error)) => refusal(step.stream, &error),
        Err(End::Lacks(other, error)) => refusal(other, &error),
        Err(End::Tag(tag, error)) => Advice {
            message: format!("{error}. The API refuses the tag {tag:?}, in whatever letter case: check tags"),
            failure_type: FailureType::ConfigError,
        },
        Err(End::Request(error)) => advise(&error, step.stream.permission),
        Err(End::Gone(error)) => Advice {
            message: format!(
                "{error}, and no other session gave its {things} either, although the list has them. Run again; if it stays so, the key may list sessions but not read them ({})",
                step.stream.permission,
                things = step.stream.below_session()
            ),
            failure_type: FailureType::ConfigError,
        },
        Err(End::Partial { error, stuck, untried, all }) => {
            let things = step.stream.below_session();
            partial(advise(&error, step.stream.permission), &error, things, (stuck, untried, all))
        }
        Err(End::Data(message)) => Advice { message, failure_type: FailureType::SystemError },
    };
    emitter.error(&format!("stream {name}: {}", advice.message), advice.failure_type, Some(&step.descriptor));
    emitter.incomplete(ledger);
    Ending::Failed
}

/// What to say when `things`, such as the messages, of some sessions could not be read; `advice` is that of the last one's error.
fn partial(advice: Advice, error: &Error, things: &str, (stuck, untried, all): (usize, usize, usize)) -> Advice {
    let message = if untried == 0 {
        format!(
            "{error}. The {things} of {stuck} of {all} sessions could not be read; those of the others have been. Run again, which tries them once more; if it stays so, ask Devin's support about these sessions."
        )
    } else {
        format!(
            "{} The {things} of {stuck} of {all} sessions could not be read, and {untried} have not been tried.",
            advice.message
        )
    };
    Advice { message, ..advice }
}
