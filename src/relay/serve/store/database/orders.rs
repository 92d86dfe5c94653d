//! What is done of each order, within the transaction of all that waited with it.

use super::super::trouble::StoreError;
use super::super::work::Dialect;
use super::super::work::Work;
use super::super::{
    Answered, NewDelivery, Order, Reply, Taken, actions, admission, by_hand, decisions, intake, late, outbox, pruning,
    queue, suppressions, view,
};

/// So many bytes are written to see whether any can be: the size of a common delivery.
const PROBE: usize = 32 << 10;

/// Does a run of orders: deliveries, which are taken in together, or one of any other kind.
///
/// # Errors
/// What kept it from being done.
pub async fn perform(work: &mut Work<'_>, run: &[Order]) -> Result<Vec<Reply>, StoreError> {
    let [order, ..] = run else { return Ok(Vec::new()) };
    let reply = match order {
        Order::Accept(_) => {
            let deliveries: Vec<&NewDelivery> = run.iter().filter_map(Order::delivery).collect();
            return Ok(intake::accept(work, &deliveries).await?.into_iter().map(Reply::Receipt).collect());
        }
        Order::Claim { integration, owner, lease_ms, most } => {
            Reply::Due(queue::claim(work, integration, owner, *lease_ms, *most).await?)
        }
        Order::Save(save) => Reply::Saved(queue::save(work, save).await?),
        Order::Renew { held, lease_ms } => done(queue::renew(work, held, *lease_ms).await)?,
        Order::Release { owner } => done(queue::release(work, owner).await)?,
        Order::Active => Reply::Active(queue::active(work).await?),
        Order::Sight { attempt_tag, session } => done(queue::sight(work, attempt_tag, session).await)?,
        Order::Sightings { attempt_tag } => Reply::Sessions(queue::sightings(work, attempt_tag).await?),
        Order::KeepOrganization { integration, org_id } => {
            done(queue::keep_organization(work, integration, org_id).await)?
        }
        Order::Organization { integration } => Reply::Text(queue::organization(work, integration).await?),
        Order::See(question) => Reply::Seen(Box::new(view::see(work, question).await?)),
        Order::Admit(ask) => Reply::Admission(admission::admit(work, ask).await?),
        Order::Late { integration, most } => Reply::Late(late::due(work, integration, *most).await?),
        Order::Amend(amendment) => done(late::amend(work, amendment).await)?,
        Order::Decisions { filter, most, after } => {
            Reply::Decisions(decisions::decisions(work, filter, *most, after.as_ref()).await?)
        }
        Order::NoteAction(action) => done(actions::note(work, action).await)?,
        Order::Actions { most, after } => Reply::Actions(actions::actions(work, *most, after.as_ref()).await?),
        Order::Throw { switch, is_on } => done(decisions::throw(work, switch, *is_on).await)?,
        Order::AskSwitched => done(decisions::ask_switched(work).await)?,
        Order::ByHand { wish, by } => Reply::ByHand(by_hand::fulfill(work, wish, by).await?),
        Order::Suppressions => Reply::Suppressions(suppressions::all(work).await?),
        Order::Switches => Reply::Switches(decisions::switches(work).await?),
        Order::Prune(keep) => Reply::Pruned(pruning::prune(work, keep).await?),
        Order::Outbox(wish) => Reply::Outbox(outbox::fulfill(work, wish).await?),
        Order::Ping => done(probe(work).await)?,
    };
    Ok(vec![reply])
}

fn done(result: Result<(), StoreError>) -> Result<Reply, StoreError> {
    result.map(|()| Reply::Done)
}

/// Whether a job is due now that was not.
pub fn has_due_jobs(reply: &Reply) -> bool {
    match reply {
        Reply::Receipt(receipt) => {
            receipt.taken.iter().any(|taken| matches!(taken, Taken::Started { .. } | Taken::Joined { .. }))
        }
        Reply::ByHand(answered) => matches!(answered, Answered::Done { .. }),
        _ => false,
    }
}

/// Writes more than one page, other bytes each time: a disk that is full or cannot be written to any more is found by it.
async fn probe(work: &mut Work<'_>) -> Result<(), StoreError> {
    let text = match work.dialect {
        Dialect::Sqlite => {
            "INSERT INTO probes (id, at, padding) VALUES (1, $1, $2) \
            ON CONFLICT (id) DO UPDATE SET at = EXCLUDED.at, padding = EXCLUDED.padding"
        }
        // A row for each connection, so that no process waits for another.
        Dialect::Postgres => {
            "INSERT INTO probes (id, at, padding) VALUES (pg_backend_pid(), $1, $2) \
            ON CONFLICT (id) DO UPDATE SET at = EXCLUDED.at, padding = EXCLUDED.padding"
        }
    };
    let padding = vec![work.now.to_le_bytes()[0]; PROBE];
    sqlx::query(text).bind(work.now).bind(padding).execute(&mut *work.connection).await?;
    Ok(())
}
