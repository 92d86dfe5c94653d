//! A stream that is read in slices, a list each: one for each window of time, each person, each word of its row. One after the
//! other, so that what has been read is a place to go on from.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::time::Instant;

use super::context::{Context, End, Tell, server_now};
use super::cursor::Bounds;
use super::emit::Ledger;
use super::facts::{Facts, Reading};
use super::identifier::Identified;
use super::list::{first_page, note, read_list, undated};
use super::listing::{Decision, Kind as ListKind, Listing as List};
use super::pages::Pages;
use super::pass::{Pass, next_mark};
use super::place::{Place, Slice};
use super::progress::counted;
use super::readers::{Readers, Records};
use super::record::is_empty;
use super::state::StreamState;
use super::step::Step;
use super::streams::{Each, FIRST_OF_ALL, Listing, Stream, Windows, endpoints, find};
use super::windows::{Window, midnight, windows};
use crate::airbyte::Level;
use crate::devin::{Error, Kind, Request};

/// Reads all lists of a stream.
///
/// # Errors
/// See [`End`]. What has been read by then, the emitter knows as the safe state.
pub async fn read(context: &Arc<Context>, step: &Step, ledger: &Arc<Ledger>) -> Result<StreamState, End> {
    let mut reader = SliceReader {
        context,
        step: step.clone(),
        ledger,
        tell: context.teller(ledger),
        pass: Pass::new(step),
        path: None,
        leads: None,
        unknown: BTreeMap::new(),
        has_answered: false,
    };
    let each = reader.each().await?;
    let row = match step.stream.listing {
        Listing::Windows(row) | Listing::Log(row) => row,
        _ => {
            reader.window(&each, None).await?;
            return reader.end(None);
        }
    };
    let Some((start, now)) = reader.time(&each).await? else { return Ok(reader.pass.state_at(None)) };
    let mut said = Instant::now();
    let mut mark = None;
    let last = step.bounds.end_date.map_or(now, |end| now.min(end.saturating_sub(1)));
    for window in windows(&row, start, last) {
        // A machine whose clock is ahead must not ask for days that are yet to come.
        let now = now.min(reader.pass.now());
        if row.is_of_days && window.from > now {
            break;
        }
        let window = window.ending(&row, step.bounds.end_date);
        reader.window(&each, Some((&row, window, now))).await?;
        mark = match step.stream.listing {
            Listing::Log(_) => next_mark(reader.step.state.cursor(), reader.pass.largest, None, now),
            _ => Some(window.last_day().min(midnight(now.min(reader.pass.now())))),
        };
        context.emitter.safe(ledger, reader.pass.state_at(mark).write());
        if said.elapsed() >= context.checkpoint_every {
            said = Instant::now();
            context.emitter.checkpoint(ledger);
        }
    }
    reader.end(mark)
}

/// The reading of one stream.
struct SliceReader<'a> {
    context: &'a Arc<Context>,
    /// What is to be read; from the beginning, where the state is of another list than the one that answers.
    step: Step,
    ledger: &'a Arc<Ledger>,
    tell: Tell,
    pass: Pass,
    /// Which of the row's paths has answered the first request.
    path: Option<usize>,
    /// The same of the first part of a union: the other parts need not be there.
    leads: Option<usize>,
    /// The lists that the API did not know, by what they are for.
    unknown: BTreeMap<Option<String>, Error>,
    has_answered: bool,
}

impl SliceReader<'_> {
    /// What there is a list for each of.
    async fn each(&self) -> Result<Vec<Option<String>>, End> {
        if self.step.stream.each == Each::Member {
            let row = find("members").expect("the table has a row for the people of an organization");
            let people = members(self.context, row, &self.step, &self.tell).await.map_err(|end| match end {
                End::Refused(error) => End::Lacks(row, error),
                end => end,
            })?;
            return Ok(people.into_iter().map(Some).collect());
        }
        Ok(self.step.stream.each.values().into_iter().map(|word| word.map(str::to_string)).collect())
    }

    fn place(&self, each: Option<&str>) -> Place {
        Place::of(self.step.stream, &self.step.organization.id, each).at(self.path).led_by(self.leads)
    }

    /// A list has answered at this path: the others will.
    fn answered_at(&mut self, path: usize) {
        if !self.has_answered {
            self.context.answered_at(self.step.stream, path);
        }
        self.has_answered = true;
        match self.step.stream.each {
            Each::Union(_) => self.leads = self.leads.or(Some(path)),
            _ => self.path = self.path.or(Some(path)),
        }
    }

    /// From when to when the lists are asked for; `None` when there is nothing. Without a mark or a start date, a log begins at
    /// its oldest entry.
    async fn time(&mut self, each: &[Option<String>]) -> Result<Option<(i64, i64)>, End> {
        let (now, stream) = (self.step.now, self.step.stream);
        let start = |step: &Step| step.bounds.since.max(step.bounds.start_date);
        if !matches!(stream.listing, Listing::Log(_)) {
            return Ok(start(&self.step).map(|start| (start, now)));
        }
        let place = self.place(each.first().cloned().flatten().as_deref());
        let (path, page) = first_page(&self.context.client, &place, &*self.tell).await?;
        self.answered_at(path);
        self.keep_to(path);
        if path > 0 {
            let text = "the enterprise's log is not there for this key, so only entries of this organization are read; once it is, it is read from the beginning";
            self.context.warn_of(stream, Some(text.to_string()));
        }
        let start = start(&self.step);
        let now = server_now(&page, now).max(start.unwrap_or(i64::MIN));
        let reading: Reading = stream.reading();
        let oldest = page.noted().find(|item| !is_empty(item.text));
        let Some(oldest) = oldest else { return Ok(None) };
        let Some(oldest) = Facts::noted(oldest, &reading).cursor(stream.cursor) else {
            return Err(End::Data(undated(stream, &page)));
        };
        let oldest = oldest.min(now);
        if start.is_some_and(|start| start >= oldest) || self.is_oldest(&place.at(Some(path)), oldest).await? {
            return Ok(Some((start.unwrap_or(oldest).max(oldest), now)));
        }
        let text = format!(
            "stream {}: the API does not list the oldest entries first, so all windows are read since the start date, or else since 2020",
            stream.name
        );
        self.context.emitter.log(Level::Warn, &text);
        self.pass.is_unordered();
        Ok(Some((start.unwrap_or(FIRST_OF_ALL), now)))
    }

    /// Keeps to the path that has answered: the state of another list says nothing of this one.
    fn keep_to(&mut self, path: usize) {
        let path = &endpoints(self.step.stream)[path];
        if let Some(warning) = self.step.state.other_path(path) {
            self.context.warn_of(self.step.stream, Some(warning));
            self.step = self.step.anew();
            self.pass = Pass::new(&self.step);
        }
        self.pass.set_path(path);
    }

    /// Whether the list begins with its oldest entries. An API that does not heed the order begins with the newest, which shows as soon
    /// as another moment comes; more of them may have come since `oldest` was the first.
    async fn is_oldest(&self, place: &Place, oldest: i64) -> Result<bool, End> {
        let reading = self.step.stream.reading();
        let mut first = None;
        let mut pages = Pages::start(self.context, place.request(0, Vec::new()), &self.tell);
        while let Some(page) = pages.next().await? {
            for at in page.noted().filter_map(|item| Facts::noted(item, &reading).cursor(reading.cursor)) {
                let first = *first.get_or_insert(at);
                if at != first || at < oldest {
                    return Ok(at > first);
                }
            }
        }
        Ok(true)
    }

    /// Reads the lists of one window, or all lists where there are no windows.
    async fn window(&mut self, each: &[Option<String>], window: Option<(&Windows, Window, i64)>) -> Result<(), End> {
        for each in each {
            let mut place = self.place(each.as_deref());
            if let Some((row, window, now)) = window {
                place = place.with(window.parameters(row, now));
            }
            let is_log = matches!(self.step.stream.listing, Listing::Log(_));
            let kind = if is_log { ListKind::Append } else { ListKind::Whole };
            let of = Slice { each: each.clone(), window: window.map(|(_, window, _)| window), ..Slice::default() };
            let records = Records {
                step: &self.step,
                ledger: self.ledger,
                pass: &mut self.pass,
                of,
                identified: Identified::default(),
            };
            let mut readers = Readers { records: vec![records], ..Readers::default() };
            match read_list(self.context, &place, kind, Bounds::default(), self.step.now, &self.tell, &mut readers)
                .await
            {
                Ok(listed) => self.answered_at(listed.path),
                Err(End::Refused(error)) if self.may_be_unknown(&error) => {
                    self.unknown.insert(each.clone(), error);
                }
                // A stream of which a part has been read is offered, and not whole.
                Err(End::Refused(error)) if self.has_answered => return Err(End::Request(error)),
                Err(end) => return Err(end),
            }
            self.pass.next_list();
        }
        Ok(())
    }

    /// Whether a list may not be there: the second and further parts of a union, and that of a person.
    fn may_be_unknown(&self, error: &Error) -> bool {
        let is_one_of_many = match self.step.stream.each {
            Each::Union(_) => self.has_answered,
            Each::Member => true,
            Each::One | Each::Kind(_) => false,
        };
        is_one_of_many && error.kind == Kind::Status(404)
    }

    /// A sentence for a WARN about people whose list is not there: if it comes later, its earlier days lie behind the mark.
    fn without_a_list(&self) -> Option<String> {
        let (_, error) = self.unknown.last_key_value().filter(|_| self.step.stream.each == Each::Member)?;
        let people = counted(self.unknown.len() as u64, "person is a member and has", "people are members and have");
        Some(format!(
            "{people} no list here ({error}), so there are no records of theirs. If it comes later, an incremental read gets its last days only: read the stream from the beginning then"
        ))
    }

    /// The state of what has been read up to this mark. Where no list at all was there, the stream is not.
    #[expect(clippy::result_large_err, reason = "it is made once a stream")]
    fn end(&mut self, mark: Option<i64>) -> Result<StreamState, End> {
        if !self.has_answered
            && let Some((_, error)) = self.unknown.pop_last()
        {
            return Err(End::Refused(error));
        }
        self.context.warn_of(self.step.stream, self.without_a_list());
        let warnings = self.pass.warnings();
        warnings.into_iter().for_each(|warning| self.context.warn_of(self.step.stream, Some(warning)));
        Ok(self.pass.state_at(mark))
    }
}

/// The identifiers of all people of the organization, each once.
async fn members(
    context: &Arc<Context>,
    stream: &'static Stream,
    step: &Step,
    tell: &Tell,
) -> Result<Vec<String>, End> {
    let (mut people, mut leads): (Vec<String>, _) = (Vec::new(), None);
    for (number, word) in stream.each.values().into_iter().enumerate() {
        let place = Place::of(stream, &step.organization.id, word).led_by(leads);
        let path = match first_page(&context.client, &place, &**tell).await {
            Ok((path, _)) => path,
            Err(End::Refused(error)) if number > 0 && error.kind == Kind::Status(404) => continue,
            Err(end) => return Err(end),
        };
        leads = leads.or(Some(path));
        add_members(context, (stream, step.now), place.request(path, Vec::new()), tell, &mut people).await?;
    }
    Ok(people)
}

/// Adds the people of one list, which is listed again until nobody can have moved behind the reader.
async fn add_members(
    context: &Arc<Context>,
    (stream, now): (&'static Stream, i64),
    request: Request,
    tell: &Tell,
    people: &mut Vec<String>,
) -> Result<(), End> {
    let mut listing = List::new(ListKind::Whole, None, now);
    loop {
        let mut pages = Pages::start(context, request.clone(), tell);
        while let Some(page) = pages.next().await? {
            for item in page.noted() {
                let facts = Facts::noted(item, &stream.reading());
                note(&mut listing, item.text, &facts);
                let id = facts.id.text().filter(|id| !id.is_empty());
                if let Some(id) = id.filter(|id| !people.iter().any(|known| known == id)) {
                    people.push(id.into_owned());
                }
            }
            if !page.is_past_the_end() {
                listing.end_page(page.total, page.has_next()).map_err(End::Data)?;
            }
        }
        match listing.end() {
            Decision::Complete { doubt } => {
                context.warn_of(stream, doubt);
                return Ok(());
            }
            Decision::ListAgain { .. } => {}
            Decision::Incomplete { reason } => return Err(End::Data(reason)),
        }
    }
}
