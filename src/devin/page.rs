//! One page of a list: the envelope, the items as the bytes that came, and what to ask for next.
//!
//! Pure: knows no connection and no clock. A page that cannot be what the API means is [`Invalid`], never an end.

mod envelope;

use std::collections::HashSet;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::form::{Form, Paging, Shape};
use super::memory::Share;
use super::walk::Refused;
use envelope::{walk, why_refused};

/// RFC 3986's unreserved characters pass; everything else in a path segment or a query value is percent-encoded.
pub const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// So many pages in a row without anything new, each with a fresh cursor, are taken for a list without an end.
const MOST_BARREN_PAGES: u32 = 1000;

/// The request for one page: a path and its flat query parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Path segments after the API's base, not yet percent-encoded: `["v3", "organizations", …]`.
    pub path: Vec<String>,
    /// Query parameters as they go on the wire; a list is a repeated key. Without `after`, which is the trail's.
    pub query: Vec<(&'static str, String)>,
    /// What its answers look like, and how the next one is asked for.
    pub form: Form,
}

impl Request {
    /// The path, each segment percent-encoded.
    pub fn encoded_path(&self) -> String {
        self.path.iter().map(|segment| format!("/{}", utf8_percent_encode(segment, RESERVED))).collect()
    }
}

/// A page whose envelope and items are sound.
#[derive(Debug)]
pub struct Page {
    body: String,
    items: Vec<Place>,
    fields: Vec<FieldPlace>,
    next: Next,
    /// Whether the page does not say itself whether another follows, in a list that is paged by offsets.
    is_silent: bool,
    is_past_the_end: bool,
    /// How many items the whole list has, when the API says so.
    pub total: Option<u64>,
    /// The server's clock when its query began, in Unix seconds: its `Date` header less the time the answer took.
    /// `None` without a readable `Date`.
    pub asked_at: Option<i64>,
    /// What it takes of the run's memory, as long as it is there.
    pub(super) _share: Option<Share>,
}

/// Where an item stands in a page's body, and what the walk over it has seen.
#[derive(Debug)]
struct Place {
    text: Range<usize>,
    /// Which of the page's fields are the item's.
    fields: Range<usize>,
    has_space: bool,
}

/// Where a field of an item stands in a page's body: the inside of its key, and its value.
#[derive(Debug, Clone)]
struct FieldPlace {
    noted: Noted,
    key: Range<usize>,
    value: Range<usize>,
}

/// An item as the API wrote it, and what is known of it without reading it again.
#[derive(Debug, Clone, Copy)]
pub struct Item<'a> {
    /// A JSON object, white space included.
    pub text: &'a str,
    /// Whether there is white space outside its strings.
    pub has_space: bool,
    body: &'a str,
    fields: &'a [FieldPlace],
}

impl<'a> Item<'a> {
    /// Those of its fields that the logic may want to read, in the order they stand in, repeated ones too: which each is, its
    /// key and its value as they are spelled.
    pub fn fields(&self) -> impl Iterator<Item = (Noted, &'a str, &'a str)> + use<'a> {
        let body = self.body;
        self.fields.iter().map(|field| (field.noted, &body[field.key.clone()], &body[field.value.clone()]))
    }
}

/// A field of an item that is noted when its page is walked over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noted {
    SessionId,
    CreatedAt,
    UpdatedAt,
    Status,
    /// Any other whose name ends with `_id`.
    OtherId,
}

impl Noted {
    /// The field of this name; `None` when the logic has no use for it.
    pub fn of(name: &[u8]) -> Option<Noted> {
        match name {
            b"session_id" => Some(Noted::SessionId),
            b"created_at" => Some(Noted::CreatedAt),
            b"updated_at" => Some(Noted::UpdatedAt),
            b"status" => Some(Noted::Status),
            _ if name.ends_with(b"_id") => Some(Noted::OtherId),
            _ => None,
        }
    }
}

/// What follows a page.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Next {
    End,
    After(String),
    /// So many items further on.
    Behind(usize),
}

/// Why a complete answer with status 200 is no page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Invalid {
    NotJson {
        line: usize,
        column: usize,
    },
    NoItems,
    /// It is built in another way than its list is said to be.
    OtherShape {
        wanted: Shape,
        found: String,
    },
    ItemNotAnObject {
        index: usize,
    },
    CursorMissing,
    CursorRepeated,
    NothingNew,
    TooLarge {
        limit: usize,
    },
    Unexpected(&'static str),
}

impl fmt::Display for Invalid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Invalid::NotJson { line, column } => {
                write!(formatter, "it is not the JSON of a list (line {line}, column {column})")
            }
            Invalid::NoItems => formatter.write_str("it has no list of items"),
            Invalid::OtherShape { wanted, found } => write!(formatter, "it should be {wanted}, and is {found}"),
            Invalid::ItemNotAnObject { index } => write!(formatter, "item {index} is not an object"),
            Invalid::CursorMissing => formatter.write_str("it promises a next page without a cursor for it"),
            Invalid::CursorRepeated => formatter.write_str("its cursor was given before, so the list would never end"),
            Invalid::NothingNew => write!(formatter, "{MOST_BARREN_PAGES} pages in a row held nothing new"),
            Invalid::TooLarge { limit } => write!(formatter, "it is larger than {} MiB", limit >> 20),
            Invalid::Unexpected(what) => write!(formatter, "{what}"),
        }
    }
}

/// What an envelope says beside its items.
#[derive(Debug, Default)]
struct Envelope {
    end_cursor: Option<String>,
    has_next_page: Option<bool>,
    total: Option<u64>,
}

impl Page {
    /// Reads an answer's body, which is the common envelope. Every item is checked to be an object before any of them can be used.
    ///
    /// # Errors
    /// [`Invalid`] when the body is not an envelope with `items`, or promises a page without a cursor.
    pub fn parse(body: Vec<u8>) -> Result<Page, Invalid> {
        Page::parse_as(body, Form::default())
    }

    /// The same of an answer in this form.
    ///
    /// # Errors
    /// [`Invalid`] when the body has another form, or promises a page that cannot be asked for.
    pub fn parse_as(body: Vec<u8>, form: Form) -> Result<Page, Invalid> {
        let body = String::from_utf8(body).map_err(|_| Invalid::Unexpected("it is not UTF-8 text"))?;
        let (mut items, mut fields) = (Vec::new(), Vec::new());
        let envelope =
            walk(&body, form.shape, &mut items, &mut fields).map_err(|Refused| why_refused(&body, form.shape))?;
        let cursor = envelope.end_cursor.filter(|cursor| !cursor.is_empty());
        if cursor.as_ref().is_some_and(|cursor| cursor.contains(char::REPLACEMENT_CHARACTER)) {
            return Err(Invalid::Unexpected("its cursor is damaged"));
        }
        let next = match (form.paging, envelope.has_next_page, cursor) {
            (Paging::Cursor, Some(true), None) => return Err(Invalid::CursorMissing),
            (Paging::Cursor, Some(true) | None, Some(cursor)) => Next::After(cursor),
            (Paging::Unpaged, Some(true), _) => {
                return Err(Invalid::Unexpected("it promises a next page, which this list is not known to have"));
            }
            (Paging::Offset, Some(true), _) if !items.is_empty() => Next::Behind(items.len()),
            (Paging::Offset, None, _) if items.len() >= form.page_size() => Next::Behind(items.len()),
            _ => Next::End,
        };
        let is_silent = form.paging == Paging::Offset && envelope.has_next_page.is_none();
        Ok(Page {
            body,
            items,
            fields,
            next,
            is_silent,
            is_past_the_end: false,
            total: envelope.total,
            asked_at: None,
            _share: None,
        })
    }

    /// The same page where it came for `trail`: another follows while the list's total is not reached, however few came at once.
    pub fn on(mut self, trail: &Trail) -> Page {
        let until = (trail.offset() + self.items.len()) as u64;
        if self.is_silent && !self.items.is_empty() && self.total.is_some_and(|total| total > until) {
            self.next = Next::Behind(self.items.len());
        }
        self.is_past_the_end = self.is_silent && self.items.is_empty() && trail.offset() > 0;
        self
    }

    /// Whether it is empty, and was asked for although no page had promised it.
    pub fn is_past_the_end(&self) -> bool {
        self.is_past_the_end
    }

    /// The items with what the walk over the page has noted of them.
    pub fn noted(&self) -> impl ExactSizeIterator<Item = Item<'_>> {
        self.items.iter().map(|place| Item {
            text: &self.body[place.text.clone()],
            has_space: place.has_space,
            body: &self.body,
            fields: &self.fields[place.fields.clone()],
        })
    }

    /// The items as the API wrote them, white space included, in its order.
    pub fn items(&self) -> impl DoubleEndedIterator<Item = &str> + ExactSizeIterator {
        self.items.iter().map(|place| &self.body[place.text.clone()])
    }

    /// Whether the list goes on after this page.
    pub fn has_next(&self) -> bool {
        self.next != Next::End
    }
}

/// The way through one list: where it stands, and which cursors it has seen.
#[derive(Debug, Default)]
pub struct Trail {
    after: Option<String>,
    seen: HashSet<u64>,
    /// Which items the last page held, by its first, its last and their number.
    last: Option<u64>,
    barren: u32,
    ended: bool,
}

impl Trail {
    /// The cursor to ask with; `None` for the first page.
    pub fn after(&self) -> Option<&str> {
        self.after.as_deref()
    }

    /// Whether the last page has been taken.
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// Whether `page` can stand at this place of the list. Changes nothing, so that the page can be asked again.
    ///
    /// # Errors
    /// [`Invalid`] when the cursor stands still or comes round again, or when page after page is empty.
    pub fn check(&self, page: &Page) -> Result<(), Invalid> {
        let cursor = match &page.next {
            Next::End => return Ok(()),
            Next::After(cursor) => cursor.clone(),
            Next::Behind(items) => self.behind(*items),
        };
        if self.after.as_deref() == Some(&*cursor) || self.seen.contains(&mark(&cursor)) {
            return Err(Invalid::CursorRepeated);
        }
        if self.is_barren(page) && self.barren + 1 >= MOST_BARREN_PAGES {
            return Err(Invalid::NothingNew);
        }
        Ok(())
    }

    /// The offset of what comes so many items further on.
    fn behind(&self, items: usize) -> String {
        (self.offset() + items).to_string()
    }

    /// How many items are before it, where a list is paged by their number.
    fn offset(&self) -> usize {
        self.after.as_deref().and_then(|before| before.parse().ok()).unwrap_or(0)
    }

    /// Whether `page` brings nothing that the page before did not.
    fn is_barren(&self, page: &Page) -> bool {
        page.items.is_empty() || self.last == Some(page.mark())
    }

    /// Steps past `page`, which [`Trail::check`] has accepted.
    pub fn advance(&mut self, page: &Page) {
        self.barren = if self.is_barren(page) { self.barren + 1 } else { 0 };
        self.last = Some(page.mark());
        let cursor = match &page.next {
            Next::End => {
                self.ended = true;
                return;
            }
            Next::After(cursor) => cursor.clone(),
            Next::Behind(items) => self.behind(*items),
        };
        self.seen.insert(mark(&cursor));
        self.after = Some(cursor);
    }
}

impl Page {
    fn mark(&self) -> u64 {
        let mut items = self.items();
        mark(&(items.len(), items.next(), items.next_back()))
    }
}

/// Eight bytes stand for a cursor, so that a list of a million items keeps kilobytes, not megabytes.
fn mark(what: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests;
