//! Secrets in tables: below a name in the head, in the same column. Of databases' clients, Markdown and files of values. Pure.

use std::ops::Range;

use super::names::{Kind, Name};
use super::pair::may_matter;
use super::scan::{is_strong, looked_at, looks_random};

/// What divides the cells of a line.
const DIVIDERS: [char; 4] = ['|', '\t', ',', ';'];

/// The longest line, and the most cells, of a table.
const LONGEST_LINE: usize = 2048;
const MOST_CELLS: usize = 64;

/// All secrets below the names of a head.
pub(super) fn below_names(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut head: Option<Head> = None;
    let mut at = 0;
    for line in text.split('\n') {
        looked_at(line.len());
        let is_rule = !line.is_empty() && line.bytes().all(|byte| b"+-|=: \r".contains(&byte));
        match &head {
            _ if is_rule => {}
            Some(known) if known.has_row(line) => {
                found.extend(known.secrets(line).map(|cell| at + cell.start..at + cell.end));
            }
            _ => head = Head::of(line),
        }
        at += line.len() + 1;
    }
    found
}

/// The line of a table that names its columns.
struct Head {
    divider: char,
    cells: usize,
    /// The columns that keep secrets.
    columns: Vec<(usize, Kind)>,
}

impl Head {
    fn of(line: &str) -> Option<Head> {
        let divider =
            DIVIDERS.into_iter().find(|divider| line.contains(*divider)).filter(|_| line.len() <= LONGEST_LINE)?;
        let cells: Vec<&str> = line.split(divider).map(bare).take(MOST_CELLS + 1).collect();
        let is_name = |cell: &&str| cell.len() <= 40 && cell.chars().all(|c| c.is_alphanumeric() || "_-. ".contains(c));
        if cells.len() > MOST_CELLS || !cells.iter().all(|cell| is_name(&cell)) {
            return None;
        }
        let kind = |cell: &str| {
            Name::of(cell).filter(|name| may_matter(cell) && name.kind >= Kind::Token).map(|name| name.kind)
        };
        let columns: Vec<_> = cells.iter().enumerate().filter_map(|(nth, cell)| Some((nth, kind(cell)?))).collect();
        (!columns.is_empty()).then_some(Head { divider, cells: cells.len(), columns })
    }

    fn has_row(&self, line: &str) -> bool {
        line.len() <= LONGEST_LINE && line.split(self.divider).count() == self.cells
    }

    fn secrets(&self, line: &str) -> impl Iterator<Item = Range<usize>> {
        self.columns.iter().filter_map(move |(nth, kind)| {
            let cell = line.split(self.divider).nth(*nth)?;
            let begin =
                line.split(self.divider).take(*nth).map(|cell| cell.len() + self.divider.len_utf8()).sum::<usize>();
            let value = bare(cell);
            let is_secret = is_strong(value) || *kind == Kind::Password && looks_random(value, 6);
            let at = begin + cell.find(value)?;
            (is_secret && !value.contains(' ')).then(|| at..at + value.len())
        })
    }
}

/// What a cell says, without what decorates it.
fn bare(cell: &str) -> &str {
    cell.trim_matches(|c: char| c.is_whitespace() || "\"'`*".contains(c))
}
