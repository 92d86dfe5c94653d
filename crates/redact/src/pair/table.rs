//! Secrets in tables: below a name in the head, in the same column. Of databases' clients, Markdown and files of values. Pure.

use std::ops::Range;

use crate::text::place::looked_at;
use crate::value::speech::stands_in;
use crate::word::ends::may_matter;
use crate::word::names::{Kind, Name};
use crate::word::placeholder::is_placeholder;
use crate::word::predicate::{describes, is_state};
use crate::word::random::{is_strong, looks_random};

/// What divides the cells of a line.
const DIVIDERS: [char; 5] = ['|', FRAME, '\t', ',', ';'];

/// The mark of a frame, and others that are read as it: heads have them.
const FRAME: char = '│';
const FRAMES: [char; 3] = [FRAME, '┃', '║'];

/// What columns are called that say whose a password is.
const OWNERS: &str = "user username login name email mail account host hostname server url site realm client";

/// Other names of columns. A line that has nothing but such names is the head of a table.
const COLUMNS: &str = "id uid role group groups type status state active enabled created updated created_at updated_at last_login port \
    database db service env environment note notes comment";

/// The longest line, and the most cells, of a table.
const LONGEST_LINE: usize = 2048;
const MOST_CELLS: usize = 64;

/// All secrets below the names of a head.
pub(crate) fn below_names(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut head: Option<Head> = None;
    let mut at = 0;
    let mut rows = Rows::default();
    for line in text.split('\n') {
        looked_at(line.len());
        let is_frame = |c: char| ('\u{2500}'..='\u{257f}').contains(&c) && !FRAMES.contains(&c);
        let is_rule =
            !line.is_empty() && line.chars().all(|c| "+-|=: \r".contains(c) || is_frame(c) || FRAMES.contains(&c));
        match &head {
            _ if is_rule => {}
            Some(known) if known.has_row(line) => {
                found.extend(known.secrets(line).map(|cell| at + cell.start..at + cell.end));
            }
            _ => head = Head::of(line),
        }
        if !is_rule {
            rows.read(line, at, &mut found);
        }
        at += line.len() + 1;
    }
    found.sort_by_key(|cell| cell.start);
    found
}

/// The rows of a table that name their values before them: `| Password | … |` below `| User | … |`.
#[derive(Default)]
pub(crate) struct Rows {
    is_begun: bool,
    /// Whether the first one says that the others tell something about what they name.
    is_of_things: bool,
    /// Whether one has said whose the others are.
    is_of_people: bool,
    /// A password that counts if one does.
    doubtful: Option<Range<usize>>,
}

impl Rows {
    fn read(&mut self, line: &str, at: usize, found: &mut Vec<Range<usize>>) {
        match Rows::pair(line).filter(|_| line.len() <= LONGEST_LINE) {
            Some((name, begin, value)) => self.take(name, at + begin, value, found),
            None => *self = Rows::default(),
        }
    }

    /// A row of two cells, the second of which begins at `begin`.
    pub(crate) fn take(&mut self, name: &str, begin: usize, value: &str, found: &mut Vec<Range<usize>>) {
        if OWNERS.split(' ').any(|owner| owner.eq_ignore_ascii_case(name)) {
            self.is_of_people = true;
            found.extend(self.doubtful.take());
        }
        let is_about = |cell: &str| ABOUT.split_ascii_whitespace().any(|known| known.eq_ignore_ascii_case(cell));
        if is_about(value) && !self.is_begun {
            self.is_of_things = true;
        }
        self.is_begun = true;
        let named = Some(name).filter(|name| may_matter(name)).and_then(Name::of);
        let is_password = named.is_some_and(|name| name.kind == Kind::Password && !name.core.ends_with("key"));
        if is_password && is_word(value) && !value.contains(' ') && !is_placeholder(value) {
            let cell = begin..begin + value.len();
            match self.is_of_people || !self.is_of_things && may_stand_alone(value) {
                true => found.push(cell),
                false => self.doubtful = Some(cell),
            }
        }
    }

    /// The two cells of a row that has no others: what is named, and its value with where it stands.
    fn pair(line: &str) -> Option<(&str, usize, &str)> {
        let mark = Divider::of(line).filter(|divider| matches!(divider, Divider::Mark('|' | FRAME)))?;
        let mut cells = mark.cells(line).into_iter().filter(|(_, cell)| !cell.trim().is_empty());
        let (name, (begin, cell)) = (bare(cells.next()?.1), cells.next()?);
        let value = bare(cell);
        let begin = begin + cell.find(value)?;
        cells.next().is_none().then_some((name, begin, value))
    }
}

/// What the second column of a table is called that tells something about what the first one names.
const ABOUT: &str = "type types status state result results check outcome description required optional count error errors message \
    score rating severity level change changes note notes comment comments format default constraint validation rule \
    owner team time duration source kind count component";

/// What such tables tell, and what forms have, besides remarks.
const TOLD: &str = "string varchar char text passed pass failed fail skipped pending medium high low critical major minor severe \
    strict strong moderate vault bcrypt description optional input field type status result value passwords policy \
    hidden none good fair poor great excellent ready todo done open closed warning error info notice unit manual auto \
    automatic login form page user users admin email everyone nobody team teams daily weekly monthly quarterly yearly \
    never always sometimes often expires bearer basic digest token identity account okta keycloak auth0 cognito google github gitlab azure keepass bitwarden lastpass \
    administrator operator developer member owner staff root guest group role customer service frontend backend \
    environment production staging security authentication authorization platform database template example";

/// Whether a word beside the name of a password is one although nothing says whose it is: small letters, and nothing that tables tell.
fn may_stand_alone(value: &str) -> bool {
    let is_known = |word: &str| TOLD.split_ascii_whitespace().any(|known| known == word);
    let is_told = |word: &str| is_known(word) || is_known(word.trim_end_matches('s'));
    value.starts_with(|c: char| c.is_ascii_lowercase())
        && value.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
        && value.len() >= SHORTEST_ALONE
        && !value.split('-').any(|word| is_told(word) || is_state(word))
}

/// The shortest of these words.
const SHORTEST_ALONE: usize = 6;

/// Whether a word may be the password of somebody.
fn is_word(value: &str) -> bool {
    value.len() > 3 && !stands_in(value) && !is_state(value) && !describes("password", value)
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
        let has = |divider: &char| if *divider == FRAME { line.contains(FRAMES) } else { line.contains(*divider) };
        let mark = DIVIDERS.into_iter().find(has).map(Divider::Mark);
        let is_column = |word: &str| {
            let is_known = |table: &str| table.split_ascii_whitespace().any(|known| known.eq_ignore_ascii_case(word));
            is_known(OWNERS) || is_known(COLUMNS) || may_matter(word) && Name::of(word).is_some()
        };
        let is_head = || {
            let mut cells = line.split("  ").map(str::trim).filter(|cell| !cell.is_empty());
            line.contains("  ") && (!line.bytes().any(|byte| byte.is_ascii_lowercase()) || cells.all(is_column))
        };
        let names_columns = || {
            looked_at(line.len().min(LONGEST_LINE));
            line.len() <= LONGEST_LINE && line.contains(' ') && line.split(' ').all(is_column)
        };
        mark.or_else(|| is_head().then_some(Divider::Blanks)).or_else(|| names_columns().then_some(Divider::Blank))
    }

    /// The cells of a line, with where they begin.
    fn cells<'a>(self, line: &'a str) -> Vec<(usize, &'a str)> {
        // Jira doubles the marks of a head.
        let is_doubled =
            matches!(self, Divider::Mark('|')) && line.starts_with("||") && line.trim_end().ends_with("||");
        let width = match self {
            Divider::Mark(mark) => mark.len_utf8() * if is_doubled { 2 } else { 1 },
            Divider::Blanks => 2,
            Divider::Blank => 1,
        };
        let mut at = 0;
        let place = |cell: &'a str| {
            let begin = at;
            at += cell.len() + width;
            (begin, cell)
        };
        match self {
            Divider::Mark(_) if is_doubled => line.split("||").map(place).take(MOST_CELLS + 1).collect(),
            Divider::Mark(FRAME) => line.split(FRAMES).map(place).take(MOST_CELLS + 1).collect(),
            Divider::Mark(',') if line.contains('"') => {
                quoted_cells(line).into_iter().map(place).take(MOST_CELLS + 1).collect()
            }
            Divider::Mark(mark) => line.split(mark).map(place).take(MOST_CELLS + 1).collect(),
            Divider::Blank => line.split(' ').map(place).take(MOST_CELLS + 1).collect(),
            Divider::Blanks => {
                line.split("  ").map(place).filter(|(_, cell)| !cell.is_empty()).take(MOST_CELLS + 1).collect()
            }
        }
    }
}

/// What commas divide in a line, but not those in quotation marks: `db1,root,"a,b"`. A mark that nothing closes is one of the value.
fn quoted_cells(line: &str) -> Vec<&str> {
    let (mut cells, mut rest) = (Vec::new(), line);
    loop {
        let inner = rest.strip_prefix('"').and_then(|inner| inner.replace("\"\"", "..").find('"'));
        let closed = inner.map_or(0, |length| length + 2);
        let is_cell = closed == rest.len() || rest[closed..].starts_with([',', '\r']);
        let from = if is_cell { closed } else { 0 };
        let Some(comma) = rest[from..].find(',') else { break };
        cells.push(&rest[..from + comma]);
        rest = &rest[from + comma + 1..];
    }
    cells.push(rest);
    cells
}

/// The line of a table that names its columns.
struct Head {
    divider: Divider,
    columns: Columns,
}

/// The columns of a table.
pub(crate) struct Columns {
    pub count: usize,
    /// Those that keep secrets.
    kept: Vec<(usize, Column)>,
    /// Whether another one says whose they are: then a word is a password, too.
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
        let mut columns = Columns::of(&cells)?;
        let is_blank = matches!(divider, Divider::Blank);
        columns.is_of_people &= !is_blank;
        (columns.count > 2 || !is_blank).then_some(Head { divider, columns })
    }

    fn has_row(&self, line: &str) -> bool {
        line.len() <= LONGEST_LINE && self.divider.cells(line).len() == self.columns.count
    }

    fn secrets(&self, line: &str) -> impl Iterator<Item = Range<usize>> {
        let cells = self.divider.cells(line);
        self.columns.kept.iter().filter_map(move |(nth, column)| {
            let (begin, cell) = cells.get(*nth)?;
            let value = bare(cell);
            let at = begin + cell.find(value)?;
            self.columns.keeps(*column, value).then(|| at..at + value.len())
        })
    }
}

impl Columns {
    /// The columns whose names these cells are, if some keep secrets.
    pub fn of(cells: &[&str]) -> Option<Columns> {
        let is_name = |cell: &&str| cell.len() <= 40 && cell.chars().all(|c| c.is_alphanumeric() || "_-. ".contains(c));
        if cells.len() > MOST_CELLS || !cells.iter().all(is_name) {
            return None;
        }
        // `API Key`
        let named = |cell: &str| Name::of(cell).or_else(|| Name::of(&cell.replace(' ', "_")));
        let kind = |cell: &str| may_matter(cell).then(|| named(cell)).flatten().map(|name| Column::of(&name));
        let kept: Vec<_> = cells.iter().enumerate().filter_map(|(nth, cell)| Some((nth, kind(cell)??))).collect();
        let is_of_people = cells.iter().any(|cell| OWNERS.split(' ').any(|owner| owner.eq_ignore_ascii_case(cell)));
        (!kept.is_empty()).then_some(Columns { count: cells.len(), kept, is_of_people })
    }

    /// The places of a row whose values are secrets.
    pub fn secrets<'a>(&'a self, row: &'a [&str]) -> impl Iterator<Item = usize> + 'a {
        self.kept
            .iter()
            .filter(|(nth, column)| row.get(*nth).is_some_and(|value| self.keeps(*column, value)))
            .map(|kept| kept.0)
    }

    fn keeps(&self, column: Column, value: &str) -> bool {
        let is_word = || self.is_of_people && is_word(value);
        let is_pin = || (4..=8).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_digit());
        let is_secret = match column {
            Column::Passwords => looks_random(value, 6) || is_word(),
            Column::Tokens => false,
            Column::Pins => self.is_of_people && is_pin(),
        } || is_strong(value);
        is_secret && !value.contains(' ') && !is_placeholder(value)
    }
}

/// What a cell says, without what decorates it.
pub(crate) fn bare(cell: &str) -> &str {
    cell.trim_matches(|c: char| c.is_whitespace() || "\"'`*".contains(c))
}
