//! The commands `run` and `watch`: every alert of a payload, or one session, is taken to its end in this process.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch::{Receiver, Sender};

use super::options::{Run, Watch};
use super::orders::Prepared;
use super::place::{Loaded, identify, load, place};
use super::{fail, jobs, nothing_to_do, presenter, received};
use crate::cli::{Exit, FAILURE, SUCCESS};
use crate::output::Output;
use crate::relay::draw::drawn;
use crate::relay::error_report::Code;
use crate::relay::job::Job;
use crate::relay::report::Presenter;
use crate::relay::run::{Relay, RunEnd, goes_on};
use crate::stop::{Signals, deadline};

/// What is said when asked to stop before there is anything to leave running.
const NOTHING_CREATED: &str = "stopped before a session was created";

/// Takes all alerts to their ends. A first signal lets a create that is under way have its answer, so that no session
/// is started unseen; a second one does not.
pub async fn run_orders(
    run: &Run,
    orders: Vec<Prepared>,
    loaded: Option<Loaded>,
    output: &Output,
    shown: Presenter,
) -> Exit {
    let (tell, stop) = tokio::sync::watch::channel(None);
    let at_once =
        "stopped at once: a create that was under way may have started a session; run the same alert again to adopt it";
    until_stopped(take(run, orders, loaded, output, shown, stop), &tell, output, at_once).await
}

async fn take(
    run: &Run,
    orders: Vec<Prepared>,
    loaded: Option<Loaded>,
    output: &Output,
    shown: Presenter,
    stop: Receiver<Option<i32>>,
) -> Exit {
    let (mut firing, mut ended): (Vec<_>, Vec<_>) = orders.into_iter().partition(|order| order.alert.state.is_firing());
    if firing.len() > run.max_sessions {
        let message = format!(
            "the payload holds {} alerts that fire, and --max-sessions allows {}; nothing was created",
            firing.len(),
            if run.max_sessions == 1 { "1 session".to_string() } else { format!("{} sessions", run.max_sessions) }
        );
        return fail(&shown, Code::TooManyAlerts, &message);
    }
    let is_sandbox = run.sandbox.sandbox;
    for order in &mut ended {
        if let Err(problem) = order.keep_back(&output.redactor()) {
            return fail(&shown, Code::BadInput, &format!("{problem:#}"));
        }
    }
    let place = if firing.is_empty() { None } else { Some(place(&run.access, loaded, output, &shown).await) };
    let namespace = &run.input.namespace;
    ended.iter().for_each(|order| {
        received(order, namespace, &shown);
        nothing_to_do(order, &shown);
    });
    let place = match place {
        None => return SUCCESS,
        Some(Ok(place)) => place,
        Some(Err(exit)) => return exit,
    };
    for order in &mut firing {
        if let Err(problem) = order.keep_back(&output.redactor()) {
            return fail(&shown, Code::BadInput, &format!("{problem:#}"));
        }
    }
    firing.iter().for_each(|order| received(order, namespace, &shown));
    let identified = match identify(&place, &shown, stop.clone(), NOTHING_CREATED).await {
        Ok(identified) => match identified.lack() {
            Some(message) => return fail(&shown, Code::MissingPermission, &message),
            None => identified,
        },
        Err(exit) => return exit,
    };
    let policy = jobs::policy(run);
    let relay = Arc::new(Relay {
        client: place.client,
        org_id: identified.org_id,
        create_timeout: run.create_timeout,
        access: (!is_sandbox).then(|| run.access.words()),
        output: output.clone(),
        presenter: shown,
        stop,
    });
    let mut runs = Vec::new();
    for order in &firing {
        let request = jobs::request(order, namespace, &drawn());
        let job = Job::new(format!("job-{}", drawn()), order.shown_key.clone(), request, policy.clone());
        let relay = Arc::clone(&relay);
        runs.push(tokio::spawn(async move { relay.run(job).await }));
    }
    let mut exit = SUCCESS;
    // In the order of the payload, so that the exit code does not depend on which session ends first.
    for run_of_one in runs {
        let end = run_of_one.await.unwrap_or_else(|failed| std::panic::resume_unwind(failed.into_panic()));
        exit = worse(exit, exit_of(end, run.polling.require_pr));
    }
    exit
}

/// Watches a session that exists to its end.
pub async fn watch_one(watch: &Watch, output: &Output) -> Exit {
    let (tell, stop) = tokio::sync::watch::channel(None);
    let left_running = format!("stopped; {}", goes_on(&watch.session, Some(&watch.access.words())));
    let watching = async {
        let shown = presenter(watch.access.output, output, watch.polling.require_pr);
        let place = match place(&watch.access, Some(load(&watch.access, "", output)), output, &shown).await {
            Ok(place) => place,
            Err(exit) => return exit,
        };
        let identified = match identify(&place, &shown, stop.clone(), &left_running).await {
            Ok(identified) => identified,
            Err(exit) => return exit,
        };
        let relay = Relay {
            client: place.client,
            org_id: identified.org_id,
            create_timeout: Duration::ZERO,
            access: Some(watch.access.words()),
            output: output.clone(),
            presenter: shown,
            stop,
        };
        let (id, now) = (format!("job-{}", drawn()), relay.client.now_ms());
        let job = Job::watching(id, watch.session.clone(), jobs::watch_policy(&watch.polling), now);
        exit_of(relay.run(job).await, watch.polling.require_pr)
    };
    until_stopped(watching, &tell, output, &left_running).await
}

/// Runs `work` to its end, telling it of a first signal; a second one ends it where it stands, saying `at_once`.
async fn until_stopped(
    work: impl Future<Output = Exit>,
    tell: &Sender<Option<i32>>,
    output: &Output,
    at_once: &str,
) -> Exit {
    let mut signals = Signals::listen_with_hang_up();
    tokio::pin!(work);
    let exit = loop {
        tokio::select! {
            exit = &mut work => break exit,
            signal = signals.next() => {
                if tell.borrow().is_some() {
                    output.note(at_once);
                    return Exit::Signal(signal);
                }
                let _ = tell.send(Some(signal));
            }
        }
    };
    // A reader that stands still is waited for, until a signal asks to stop, or for a moment after one has.
    let stopped = async {
        match *tell.borrow() {
            Some(signal) => {
                tokio::time::sleep_until(deadline().into()).await;
                signal
            }
            None => signals.next().await,
        }
    };
    tokio::select! {
        () = output.written() => exit,
        signal = stopped => Exit::Signal(signal),
    }
}

fn exit_of(end: RunEnd, require_pr: bool) -> Exit {
    match end {
        RunEnd::Outcome(kind) => Exit::Code(kind.exit_code(require_pr)),
        RunEnd::Detached => SUCCESS,
        RunEnd::Failed => FAILURE,
        RunEnd::Stopped(signal) => Exit::Signal(signal),
    }
}

/// Of several alerts, the first in the payload that did not go well speaks for all; being stopped comes before everything.
fn worse(one: Exit, other: Exit) -> Exit {
    match (one, other) {
        (Exit::Signal(_), _) => one,
        (_, Exit::Signal(_)) => other,
        _ if one == SUCCESS => other,
        _ => one,
    }
}
