//! Secrets in tables: below a name in the head, in the same column. Of databases' clients, Markdown and files of values. Pure.

use std::ops::Range;

use super::ends::may_matter;
use super::names::{Kind, Name};
use super::place::looked_at;
use super::placeholder::is_placeholder;
use super::random::{is_strong, looks_random};
use super::speech::stands_in;

/// What divides the cells of a line.
const DIVIDERS: [char; 4] = ['|', '\t', ',', ';'];

/// What columns are called that say whose a password is.
const OWNERS: &str = "user username login name email mail account host hostname server url site realm client";

/// Other names of columns. A line that has nothing but such names is the head of a table.
const COLUMNS: &str = "id uid role group groups type status state active enabled created updated created_at updated_at last_login port \
    database db service env environment note notes comment";

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

/// What divides the cells of a table.
#[derive(Clone, Copy)]
enum Divider {
    Mark(char),
    /// Two blanks or more, as commands write tables with a head in capitals.
    Blanks,
    /// One blank, which a tab was: all words of the head are names of columns.
    Blank,
}

impl Divider {
    fn of(line: &str) -> Option<Divider> {
        let mark = DIVIDERS.into_iter().find(|divider| line.contains(*divider)).map(Divider::Mark);
        let is_head = || line.contains("  ") && !line.bytes().any(|byte| byte.is_ascii_lowercase());
        let names_columns = || {
            let is_column = |word: &str| {
                let is_known =
                    |table: &str| table.split_ascii_whitespace().any(|known| known.eq_ignore_ascii_case(word));
                is_known(OWNERS) || is_known(COLUMNS) || may_matter(word) && Name::of(word).is_some()
            };
            looked_at(line.len().min(LONGEST_LINE));
            line.len() <= LONGEST_LINE && line.contains(' ') && line.split(' ').all(is_column)
        };
        mark.or_else(|| is_head().then_some(Divider::Blanks)).or_else(|| names_columns().then_some(Divider::Blank))
    }

    /// The cells of a line, with where they begin.
    fn cells<'a>(self, line: &'a str) -> Vec<(usize, &'a str)> {
        let (mut at, width) = (
            0,
            match self {
                Divider::Mark(mark) => mark.len_utf8(),
                Divider::Blanks => 2,
                Divider::Blank => 1,
            },
        );
        let place = |cell: &'a str| {
            let begin = at;
            at += cell.len() + width;
            (begin, cell)
        };
        match self {
            Divider::Mark(mark) => line.split(mark).map(place).take(MOST_CELLS + 1).collect(),
            Divider::Blank => line.split(' ').map(place).take(MOST_CELLS + 1).collect(),
            Divider::Blanks => {
                line.split("  ").map(place).filter(|(_, cell)| !cell.is_empty()).take(MOST_CELLS + 1).collect()
            }
        }
    }
}

/// The line of a table that names its columns.
struct Head {
    divider: Divider,
    cells: usize,
    /// The columns that keep secrets.
    columns: Vec<(usize, Column)>,
    /// Whether another column says whose they are: then a word is a password, too.
    is_of_people: bool,
}

/// What a column keeps.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    Passwords,
    Tokens,
    /// Four to eight digits.
    Pins,
}

impl Column {
    fn of(name: &Name) -> Option<Column> {
        match name.kind {
            _ if name.core.ends_with("pin") => Some(Column::Pins),
            Kind::Password => Some(Column::Passwords),
            kind => (kind >= Kind::Token).then_some(Column::Tokens),
        }
    }
}

impl Head {
    fn of(line: &str) -> Option<Head> {
        let divider = Divider::of(line).filter(|_| line.len() <= LONGEST_LINE)?;
        let mut cells: Vec<&str> = divider.cells(line).into_iter().map(|(_, cell)| bare(cell)).collect();
        if let Some((_, name)) =
            cells.first().filter(|_| matches!(divider, Divider::Mark(','))).and_then(|first| first.rsplit_once(": "))
        {
            // `users.csv is invalid: id,name,password`
            cells[0] = name;
        }
        let is_name = |cell: &&str| cell.len() <= 40 && cell.chars().all(|c| c.is_alphanumeric() || "_-. ".contains(c));
        if cells.len() > MOST_CELLS || !cells.iter().all(is_name) {
            return None;
        }
        let kind = |cell: &str| Name::of(cell).filter(|_| may_matter(cell)).map(|name| Column::of(&name));
        let columns: Vec<_> = cells.iter().enumerate().filter_map(|(nth, cell)| Some((nth, kind(cell)??))).collect();
        let is_of_people = cells.iter().any(|cell| OWNERS.split(' ').any(|owner| owner.eq_ignore_ascii_case(cell)));
        let is_of_people = is_of_people && !matches!(divider, Divider::Blank);
        (!columns.is_empty() && (cells.len() > 2 || !matches!(divider, Divider::Blank))).then_some(Head {
            divider,
            cells: cells.len(),
            columns,
            is_of_people,
        })
    }

    fn has_row(&self, line: &str) -> bool {
        line.len() <= LONGEST_LINE && self.divider.cells(line).len() == self.cells
    }

    fn secrets(&self, line: &str) -> impl Iterator<Item = Range<usize>> {
        let cells = self.divider.cells(line);
        self.columns.iter().filter_map(move |(nth, column)| {
            let (begin, cell) = cells.get(*nth)?;
            let value = bare(cell);
            let is_word = || self.is_of_people && value.len() > 3 && !stands_in(value);
            let is_pin = || (4..=8).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_digit());
            let is_secret = match column {
                Column::Passwords => looks_random(value, 6) || is_word(),
                Column::Tokens => false,
                Column::Pins => self.is_of_people && is_pin(),
            } || is_strong(value);
            let at = begin + cell.find(value)?;
            (is_secret && !value.contains(' ') && !is_placeholder(value)).then(|| at..at + value.len())
        })
    }
}

/// What a cell says, without what decorates it.
fn bare(cell: &str) -> &str {
    cell.trim_matches(|c: char| c.is_whitespace() || "\"'`*".contains(c))
}
