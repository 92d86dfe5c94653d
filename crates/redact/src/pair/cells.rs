//! Secrets in the tables of pages: in the column of a name, and beside it. Pure.

use std::ops::Range;

use super::table::{Columns, Rows, bare};
use crate::text::place::{boundary, looked_at};

/// How far the end of a tag is looked for, how many tags a cell has around its text, and how many cells a row.
const TAG: usize = 200;
const MOST_TAGS: usize = 4;
const MOST_CELLS: usize = 64;

/// All secrets of the tables of a page.
pub(crate) fn secrets(text: &str) -> Vec<Range<usize>> {
    let mut page = Page { text, row: Vec::new(), open: None, columns: None, rows: Rows::default(), found: Vec::new() };
    looked_at(text.len());
    for (at, _) in text.match_indices('<') {
        let tag = &text[at + 1..];
        let name = &tag[..tag
            .bytes()
            .take("/table".len() + 1)
            .take_while(|byte| byte.is_ascii_alphabetic() || *byte == b'/')
            .count()];
        let is_one_of = |known: &[&str]| known.iter().any(|known| known.eq_ignore_ascii_case(name));
        if is_one_of(&["td", "th", "/td", "/th", "tr", "/tr", "table", "/table"]) {
            page.close(at);
        }
        if is_one_of(&["td", "th"]) {
            let near = &tag[..boundary(tag, TAG)];
            page.open = near.find('>').map(|end| at + 1 + end + 1);
        } else if is_one_of(&["tr", "/tr", "table", "/table"]) {
            page.end_row();
            if is_one_of(&["table", "/table"]) {
                (page.columns, page.rows) = (None, Rows::default());
            }
        }
    }
    page.end_row();
    page.found.sort_by_key(|cell| cell.start);
    page.found
}

/// What is known of a page up to a tag.
struct Page<'a> {
    text: &'a str,
    /// The cells of a row up to there.
    row: Vec<Range<usize>>,
    /// Where the cell begins that is open.
    open: Option<usize>,
    columns: Option<Columns>,
    rows: Rows,
    found: Vec<Range<usize>>,
}

impl Page<'_> {
    fn close(&mut self, at: usize) {
        if let Some(begin) = self.open.take().filter(|begin| *begin <= at && self.row.len() <= MOST_CELLS) {
            self.row.push(inner(self.text, begin..at));
        }
    }

    fn end_row(&mut self) {
        let row = std::mem::take(&mut self.row);
        let cells: Vec<&str> = row.iter().map(|cell| &self.text[cell.clone()]).collect();
        if cells.is_empty() {
            return;
        }
        match &self.columns {
            Some(columns) if columns.count == cells.len() => {
                self.found.extend(columns.secrets(&cells).map(|nth| row[nth].clone()));
            }
            _ => self.columns = Columns::of(&cells),
        }
        match cells[..] {
            [name, value] => self.rows.take(name.trim_end_matches(':'), row[1].start, value, &mut self.found),
            _ => self.rows = Rows::default(),
        }
    }
}

/// What a cell says, without the tags and marks around it.
fn inner(text: &str, mut cell: Range<usize>) -> Range<usize> {
    for _ in 0..MOST_TAGS {
        let said = &text[cell.clone()];
        let open = said.len() - said.trim_start().len();
        cell.start += match said.trim_start().strip_prefix('<').and_then(|tag| tag[..boundary(tag, TAG)].find('>')) {
            Some(end) => open + end + 2,
            None => open,
        };
        let said = text[cell.clone()].trim_end();
        cell.end = cell.start + said.strip_suffix('>').and_then(|_| said.rfind("</")).unwrap_or(said.len());
    }
    let said = bare(&text[cell.clone()]);
    let begin = cell.start + text[cell].find(said).unwrap_or(0);
    begin..begin + said.len()
}
