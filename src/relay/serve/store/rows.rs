//! Many rows in few statements. A statement costs a way to the database and back, whatever it does; a row costs little.

use sqlx::any::AnyArguments;
use sqlx::{Any, AssertSqlSafe};

use super::trouble::StoreError;
use super::work::Dialect;
use super::work::Work;

/// So many rows go into one statement at most.
const MOST_ROWS: usize = 64;

/// A statement whose parameters are being given.
pub type Bound<'q> = sqlx::query::Query<'q, Any, AnyArguments>;

/// Puts rows into a table, named with its `columns`; `after` is what follows the rows in the statement.
///
/// # Errors
/// The database's.
pub async fn insert<T>(
    work: &mut Work<'_>,
    (table, columns): (&str, &[&str]),
    after: &str,
    mut rows: &[T],
    bind: impl for<'q> Fn(Bound<'q>, &T) -> Bound<'q>,
) -> Result<(), StoreError> {
    while !rows.is_empty() {
        // As many as a power of two, so that few statements are ever prepared.
        let (these, rest) = rows.split_at(MOST_ROWS.min(1 << rows.len().ilog2()));
        let row = |number: usize| {
            let places: Vec<String> =
                (1..=columns.len()).map(|one| format!("${}", number * columns.len() + one)).collect();
            format!("({})", places.join(", "))
        };
        let values: Vec<String> = (0..these.len()).map(row).collect();
        let text = format!("INSERT INTO {table} ({}) VALUES {} {after}", columns.join(", "), values.join(", "));
        let bound = these.iter().fold(sqlx::query(AssertSqlSafe(text)), &bind);
        bound.execute(&mut *work.connection).await?;
        rows = rest;
    }
    Ok(())
}

/// A list as the one parameter of a statement that has [`Dialect::each`].
pub fn list<T: serde::Serialize>(rows: &[T]) -> Result<String, StoreError> {
    Ok(serde_json::to_string(rows)?)
}

impl Dialect {
    /// The first parameter, a list of lists, as a table `w` with the column `value`: `w.value ->> 0` is the first member.
    pub fn each(self) -> &'static str {
        match self {
            Dialect::Sqlite => "json_each($1) AS w",
            Dialect::Postgres => "json_array_elements(CAST($1 AS JSON)) AS w(value)",
        }
    }
}
