//! The rows of a table, from one database into another, in the order in which they were written, and their checksum.

use sha2::{Digest as _, Sha256};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Executor as _, Row as _};

use super::super::trouble::StoreError;
use super::super::work::Dialect;
use super::tables::{Kind, Table};

/// So many rows are in memory at once, and of those that may hold a body of 2 MiB so many.
const MOST_ROWS: usize = 64;
const MOST_BODIES: usize = 8;

/// A database that is in a transaction.
pub struct Side<'c> {
    pub connection: &'c mut AnyConnection,
    pub dialect: Dialect,
}

/// One value. `None` where there is none.
#[derive(Debug, PartialEq, PartialOrd)]
enum Value {
    Text(Option<String>),
    Integer(Option<i64>),
    /// In digits: sqlx gives PostgreSQL another type where there is none.
    Real(Option<String>),
    Bytes(Option<Vec<u8>>),
}

/// What a table holds, in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sum {
    pub rows: i64,
    /// SHA-256 in hexadecimal, over every value of every row in their order: the same in every database.
    pub digest: String,
}

/// Copies a table, and answers with what was read.
///
/// # Errors
/// A database's, with the name of the table.
pub async fn copy(from: &mut Side<'_>, into: &mut Side<'_>, table: &Table) -> Result<Sum, StoreError> {
    read_all(from, Some(into), table)
        .await
        .map_err(|error| StoreError(format!("the table {} cannot be copied: {error}", table.name)))
}

/// Reads a table, and answers with what it holds.
///
/// # Errors
/// The database's.
pub async fn sum(from: &mut Side<'_>, table: &Table) -> Result<Sum, StoreError> {
    read_all(from, None, table).await
}

async fn read_all(from: &mut Side<'_>, mut into: Option<&mut Side<'_>>, table: &Table) -> Result<Sum, StoreError> {
    let mut reader = Reader::new(from, table).await?;
    let (mut count, mut digest) = (0, Sha256::new());
    loop {
        let rows = reader.next().await?;
        if rows.is_empty() {
            reader.end().await?;
            let digest = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
            return Ok(Sum { rows: count, digest });
        }
        rows.iter().flatten().for_each(|value| value.digest_into(&mut digest));
        if let Some(into) = into.as_deref_mut() {
            insert(into, table, &rows).await?;
        }
        count += i64::try_from(rows.len()).unwrap_or(i64::MAX);
    }
}

impl Value {
    /// Adds its kind, its length, and itself, so that no two rows look alike.
    fn digest_into(&self, digest: &mut Sha256) {
        let (kind, bytes) = match self {
            Value::Text(Some(text)) => (b't', text.as_bytes()),
            Value::Integer(Some(number)) => (b'i', &number.to_be_bytes()[..]),
            Value::Real(Some(digits)) => (b'r', digits.as_bytes()),
            Value::Bytes(Some(bytes)) => (b'b', &bytes[..]),
            Value::Text(None) | Value::Integer(None) | Value::Real(None) | Value::Bytes(None) => (b'n', &[][..]),
        };
        digest.update([kind]);
        digest.update((bytes.len() as u64).to_be_bytes());
        digest.update(bytes);
    }
}

/// How many rows a table has.
///
/// # Errors
/// The database's.
pub async fn count(connection: &mut AnyConnection, table: &Table) -> Result<i64, StoreError> {
    let text = format!("SELECT COUNT(*) FROM {}", table.name);
    Ok(sqlx::query(AssertSqlSafe(text)).fetch_one(connection).await?.try_get(0)?)
}

/// Reads a table part by part.
struct Reader<'s, 'c, 't> {
    from: &'s mut Side<'c>,
    table: &'t Table,
    most: usize,
    /// The last row that was read, in SQLite's own numbers.
    last: i64,
}

impl<'s, 'c, 't> Reader<'s, 'c, 't> {
    async fn new(from: &'s mut Side<'c>, table: &'t Table) -> Result<Self, StoreError> {
        let has_bodies = table.columns.iter().any(|column| column.kind == Kind::Bytes);
        if from.dialect == Dialect::Postgres {
            // Each has a name of its own: what a statement with the same words once had for columns is remembered.
            let text = format!("DECLARE copy_{0} NO SCROLL CURSOR FOR SELECT {1} FROM {0}", table.name, names(table));
            from.connection.execute(AssertSqlSafe(text)).await?;
        }
        Ok(Reader { from, table, most: if has_bodies { MOST_BODIES } else { MOST_ROWS }, last: i64::MIN })
    }

    async fn next(&mut self) -> Result<Vec<Vec<Value>>, StoreError> {
        let (most, table) = (self.most, self.table);
        let text = match self.from.dialect {
            Dialect::Sqlite => format!(
                "SELECT {}, rowid FROM {} WHERE rowid > $1 ORDER BY rowid LIMIT {most}",
                names(table),
                table.name
            ),
            Dialect::Postgres => format!("FETCH {most} FROM copy_{}", table.name),
        };
        let query = sqlx::query(AssertSqlSafe(text));
        let query = if self.from.dialect == Dialect::Sqlite { query.bind(self.last) } else { query };
        let rows = query.fetch_all(&mut *self.from.connection).await?;
        if let (Dialect::Sqlite, Some(last)) = (self.from.dialect, rows.last()) {
            self.last = last.try_get(table.columns.len())?;
        }
        rows.iter().map(|row| values(row, table)).collect()
    }

    async fn end(self) -> Result<(), StoreError> {
        if self.from.dialect == Dialect::Postgres {
            let text = format!("CLOSE copy_{}", self.table.name);
            self.from.connection.execute(AssertSqlSafe(text)).await?;
        }
        Ok(())
    }
}

fn names(table: &Table) -> String {
    table.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ")
}

fn values(row: &AnyRow, table: &Table) -> Result<Vec<Value>, StoreError> {
    let value = |(place, column): (usize, &super::tables::Column)| {
        Ok(match column.kind {
            Kind::Text => Value::Text(row.try_get(place)?),
            Kind::Integer => Value::Integer(row.try_get(place)?),
            Kind::Real => Value::Real(row.try_get::<Option<f64>, _>(place)?.map(|number| number.to_string())),
            Kind::Bytes => Value::Bytes(row.try_get(place)?),
        })
    };
    table.columns.iter().enumerate().map(value).collect()
}

async fn insert(into: &mut Side<'_>, table: &Table, rows: &[Vec<Value>]) -> Result<(), StoreError> {
    let width = table.columns.len();
    let row = |number: usize| {
        let place = |(place, column): (usize, &super::tables::Column)| match column.kind {
            Kind::Real => format!("CAST(${} AS DOUBLE PRECISION)", number * width + place + 1),
            _ => format!("${}", number * width + place + 1),
        };
        let places: Vec<String> = table.columns.iter().enumerate().map(place).collect();
        format!("({})", places.join(", "))
    };
    let places: Vec<String> = (0..rows.len()).map(row).collect();
    let text = format!("INSERT INTO {} ({}) VALUES {}", table.name, names(table), places.join(", "));
    let mut query = sqlx::query(AssertSqlSafe(text));
    for value in rows.iter().flatten() {
        query = match value {
            Value::Text(text) | Value::Real(text) => query.bind(text.as_deref()),
            Value::Integer(number) => query.bind(*number),
            Value::Bytes(bytes) => query.bind(bytes.as_deref()),
        };
    }
    query.execute(&mut *into.connection).await?;
    Ok(())
}

/// The rows of a table in words, sorted.
///
/// # Panics
/// When it cannot be read.
#[cfg(test)]
pub async fn told(from: &mut Side<'_>, table: &Table) -> Vec<String> {
    let mut reader = Reader::new(from, table).await.unwrap();
    let mut told = Vec::new();
    loop {
        let rows = reader.next().await.unwrap();
        if rows.is_empty() {
            reader.end().await.unwrap();
            told.sort();
            return told;
        }
        let row = |row: &Vec<Value>| {
            let names = table.columns.iter().map(|column| column.name.as_str());
            let pairs: Vec<_> = names.zip(row).filter(|(name, _)| *name != "lease_until").collect();
            format!("{}: {pairs:?}", table.name)
        };
        told.extend(rows.iter().map(row));
    }
}
