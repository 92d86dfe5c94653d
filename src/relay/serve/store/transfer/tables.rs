//! Which tables and columns a store of a version has: what its migrations make, so that no second list of them can be wrong.

use sqlx::{AnyConnection, AssertSqlSafe, Connection as _, Row as _};

use super::super::database::install_drivers;
use super::super::schema::migrate_to;
use super::super::trouble::StoreError;
use super::super::work::Dialect;

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub name: String,
    pub columns: Vec<Column>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub kind: Kind,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Integer,
    Real,
    Bytes,
}

/// The tables of a store of this version, by name, but for the one that says the version.
///
/// # Errors
/// The database's.
pub async fn tables(version: i64) -> Result<Vec<Table>, StoreError> {
    install_drivers();
    let mut scratch = AnyConnection::connect("sqlite::memory:").await?;
    migrate_to(&mut scratch, Dialect::Sqlite, version).await?;
    let text = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'relay_store' ORDER BY name";
    let mut tables = Vec::new();
    for row in sqlx::query(text).fetch_all(&mut scratch).await? {
        let name: String = row.try_get(0)?;
        let text = format!("SELECT name, type FROM pragma_table_info('{name}') ORDER BY cid");
        let rows = sqlx::query(AssertSqlSafe(text)).fetch_all(&mut scratch).await?;
        let column = |row: &sqlx::any::AnyRow| {
            let kind = kind(&row.try_get::<String, _>(1)?)?;
            Ok(Column { name: row.try_get(0)?, kind })
        };
        let columns = rows.iter().map(column).collect::<Result<_, StoreError>>()?;
        tables.push(Table { name, columns });
    }
    scratch.close().await?;
    Ok(tables)
}

fn kind(declared: &str) -> Result<Kind, StoreError> {
    match declared {
        "TEXT" => Ok(Kind::Text),
        "BIGINT" => Ok(Kind::Integer),
        "DOUBLE PRECISION" => Ok(Kind::Real),
        "BLOB" => Ok(Kind::Bytes),
        other => Err(StoreError(format!("a column of type {other} cannot be copied"))),
    }
}
