//! All who need one list, and what each takes of its pages: the records of streams, and the sessions below which others are read.

use std::borrow::Cow;
use std::sync::Arc;

use serde::Deserialize;

use super::context::{Context, End};
use super::emit::Ledger;
use super::facts::{Facts, Reading};
use super::fingerprint::fingerprint;
use super::identifier::Identified;
use super::list::undated;
use super::listing::Sight;
use super::open::InVain;
use super::partition::PartitionList;
use super::pass::Pass;
use super::place::Slice;
use super::record::{Frame, frame_page};
use super::step::Step;
use super::streams::{FIRST_OF_ALL, Listing as Row};
use crate::airbyte::Level;
use crate::devin::Page;

/// No day begins so far ahead of all clocks.
const MOST_AHEAD_S: i64 = 2 * 86_400;

/// Which fields of a session tell what.
const OF_SESSIONS: Reading = Reading { id: "session_id", cursor: None };

/// Who needs the list.
#[derive(Default)]
pub struct Readers<'a> {
    /// The streams whose records they are.
    pub records: Vec<Records<'a>>,
    /// The sessions below which streams are to be read, for each of these.
    pub partitions: Vec<&'a mut PartitionList>,
}

/// The records of one stream.
pub struct Records<'a> {
    pub step: &'a Step,
    pub ledger: &'a Arc<Ledger>,
    pub pass: &'a mut Pass,
    /// What this list is for, of several.
    pub of: Slice,
    /// What has come under each identifier that is made here.
    pub identified: Identified,
}

impl Records<'_> {
    /// Whether an item is a record to be emitted. `lost` is set where its time must be known and is not.
    fn wants(&mut self, item: &str, facts: &Facts, sight: Sight, is_by_name: bool, lost: &mut bool) -> bool {
        if let Some(window) = &self.of.window {
            match facts.cursor(self.step.stream.cursor) {
                Some(at) if self.step.stream.is_of_days() && !self.can_be(at) => *lost = true,
                Some(at) if !window.admits(at) => return false,
                None if self.step.stream.is_of_days() => *lost = true,
                _ => {}
            }
        }
        if let Some(id) = facts.id.0.filter(|_| self.step.stream.is_identified_here()) {
            self.identified.note(id, item);
        }
        if is_by_name {
            return self.pass.wants_again(item, facts, sight);
        }
        self.pass.wants(item, facts, sight) && !self.is_of_others(item, facts)
    }

    /// Whether another organization's list has had it already.
    fn is_of_others(&self, item: &str, facts: &Facts) -> bool {
        let Step { stream, organization, .. } = self.step;
        if !organization.is_one_of_many || !stream.may_be_shared() || self.step.is_merged() {
            return false;
        }
        let Some(id) = facts.id.text().filter(|id| !id.is_empty()) else { return false };
        let owner = owner(item);
        if matches!(stream.listing, Row::Log(_)) && owner.is_some() {
            // A log is long, and what says whose it is need not be kept in mind.
            return false;
        }
        // Two that say of themselves that they are of different organizations are two, whatever their identifier.
        let key = fingerprint(format!("{id}\n{}", owner.unwrap_or_default()).as_bytes());
        !self.ledger.wants(key, fingerprint(item.as_bytes()))
    }

    /// Whether a number can be the time of something that has been measured.
    fn can_be(&self, at: i64) -> bool {
        let now = self.step.now.max(self.pass.now());
        (FIRST_OF_ALL..now.saturating_add(MOST_AHEAD_S)).contains(&at)
    }
}

/// Whose an item says it is; `None` where it says nothing, or is of the whole enterprise.
fn owner(item: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Owned {
        org_id: Option<String>,
    }
    serde_json::from_str(item).ok().and_then(|Owned { org_id }| org_id)
}

impl Readers<'_> {
    /// The first answer is there.
    pub fn begin(&mut self, context: &Context, first: &Page, now: i64) {
        for records in &mut self.records {
            records.pass.begin(now);
            // Of a list that the server does not filter, only the changed part is emitted.
            let stream = records.step.stream;
            let is_whole = records.step.bounds.since.is_none() && records.of.is_only();
            let is_filtered = stream.listing == Row::Sessions;
            let is_one_each = stream.projects.is_none();
            if let Some(total) = first.total.filter(|_| is_one_each && (is_whole || is_filtered)) {
                context.emitter.estimate(records.ledger, total);
            }
        }
        for partitions in &mut self.partitions {
            partitions.begin(now);
        }
    }

    /// Takes a page's items; `sight` says what is known of each.
    pub async fn take(
        &mut self,
        context: &Context,
        page: &Page,
        mut sight: impl FnMut(&str, &Facts) -> Option<Sight>,
        is_by_name: bool,
    ) -> Result<(), End> {
        let Readers { records, partitions } = self;
        let is_of_sessions = records.iter().all(|records| records.step.stream.heeds_selection());
        let mut sights = Vec::with_capacity(page.items().len());
        let mut note = |item: &str, facts: &Facts| {
            // What is not wanted counts as seen all the same: the list is complete with it.
            let sight = sight(item, facts).filter(|_| !is_of_sessions || context.selection.admits(item));
            if let Some(sight) = sight {
                partitions.iter_mut().for_each(|partitions| partitions.take(item, facts, sight, is_by_name));
            }
            sights.push(sight);
            sight
        };
        let Some((first, others)) = records.split_first_mut() else {
            frame_page(page, &Frame::default(), &OF_SESSIONS, |item, facts| {
                note(item, facts);
                false
            });
            return Ok(());
        };
        let (mut lost, is_merged) = (false, first.step.is_merged());
        let frame = match is_merged {
            true => context.plain_frame(first.step, &first.of),
            false => context.frame(first.step, &first.of),
        };
        let mut ids = Vec::new();
        let mut framed = frame_page(page, &frame, &first.step.stream.reading(), |item, facts| {
            let is_wanted =
                note(item, facts).is_some_and(|sight| first.wants(item, facts, sight, is_by_name, &mut lost));
            if is_wanted && is_merged {
                ids.push(facts.id.text().filter(|id| !id.is_empty()).map(Cow::into_owned));
            }
            is_wanted
        });
        if lost {
            return Err(End::Data(undated(first.step.stream, page)));
        }
        context.emitter.running(first.ledger);
        if is_merged {
            framed.records = 0;
            let lines = String::from_utf8(std::mem::take(&mut framed.lines)).expect("a page is text");
            ids.iter().zip(lines.lines()).for_each(|(id, record)| first.ledger.merge(id.as_deref(), record));
        }
        context.emitter.records(first.ledger, framed).await?;
        for other in others {
            let mut sights = sights.iter();
            let frame = context.frame(other.step, &other.of);
            let framed = frame_page(page, &frame, &other.step.stream.reading(), |item, facts| {
                let sight = sights.next().copied().flatten();
                sight.is_some_and(|sight| other.wants(item, facts, sight, is_by_name, &mut lost))
            });
            context.emitter.running(other.ledger);
            context.emitter.records(other.ledger, framed).await?;
        }
        Ok(())
    }

    /// A page has been taken: of a list that is ordered, it is a place to go on from.
    pub fn end_page(&self, context: &Context) {
        for Records { step, ledger, pass, .. } in &self.records {
            if let Some(state) = matches!(step.stream.listing, Row::Log(_)).then(|| pass.so_far()).flatten() {
                context.emitter.safe(ledger, state.write());
                context.emitter.checkpoint(ledger);
            }
        }
    }

    /// What to say of a stream that cannot tell its records apart, one of which would be lost at the destination; `None` of one
    /// that can.
    pub fn not_told_apart(&self) -> Option<String> {
        self.records.iter().find_map(|records| records.identified.refusal(records.step.stream))
    }

    /// Every session that a reader would ask for by name.
    pub fn to_reread(&self) -> Vec<String> {
        let mut ids: Vec<String> = Vec::new();
        let of_records = self.records.iter().flat_map(|records| records.pass.open.to_reread());
        for id in of_records.chain(self.partitions.iter().flat_map(|partitions| partitions.to_reread())) {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        ids
    }

    /// These sessions were asked for in vain, as far as they have not come: the next read asks again, and after that nobody does.
    pub fn defer(&mut self, context: &Context, ids: &[String], reason: &str) {
        let (mut stay, mut go) = (0, 0);
        for id in ids {
            self.partitions.iter_mut().for_each(|partitions| partitions.defer(id));
            for records in &mut self.records {
                match records.pass.open.defer(id) {
                    Some(InVain::Kept(_)) => stay += 1,
                    Some(InVain::Dropped) => go += 1,
                    None => {}
                }
            }
        }
        let then = match (stay, go) {
            (0, 0) => "the next read asks again",
            (_, 0) => "the next read asks again for what has not come",
            _ => "what has not come, for the second time, is not asked for anymore",
        };
        context.emitter.log(Level::Warn, &format!("{reason}; {then}"));
    }

    /// Nobody can be asked for by name.
    pub fn carry(&mut self) {
        self.records.iter_mut().for_each(|records| records.pass.open.carry());
        self.partitions.iter_mut().for_each(|partitions| partitions.carry());
    }

    /// Says a warning of the list's first reader, if there is one.
    pub fn warn(&self, context: &Context, warning: Option<String>) {
        let stream = self.records.first().map_or("session_messages", |records| records.step.stream.name);
        if let Some(warning) = warning {
            context.emitter.log(Level::Warn, &format!("stream {stream}: {warning}"));
        }
    }
}
