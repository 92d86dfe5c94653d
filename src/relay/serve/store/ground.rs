//! Where a store is to be made or is found: whether the database is one for it, and holds nobody else's tables. Only looks.

use sqlx::{AnyConnection, Row as _};

use super::trouble::StoreError;
use super::work::Dialect;

/// The first PostgreSQL that knows what it is asked, as it numbers itself.
const OLDEST_POSTGRES: u32 = 9_06_00;

/// Sees whether a store is here or can be made here: what another program keeps is not mixed with it.
///
/// # Errors
/// A sentence: whose tables there are, or that none may be made.
pub async fn see_that_it_is_ours(connection: &mut AnyConnection, dialect: Dialect) -> Result<(), StoreError> {
    let (columns, others) = match dialect {
        Dialect::Sqlite => (
            "SELECT type FROM pragma_table_info('relay_store') WHERE name = 'version'",
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' AND name <> 'relay_mark' ORDER BY name",
        ),
        Dialect::Postgres => (
            "SELECT CAST(data_type AS TEXT) FROM information_schema.columns \
            WHERE table_schema = current_schema() AND table_name = 'relay_store' AND column_name = 'version'",
            // What an extension has made is its own, and in nobody's way.
            "SELECT CAST(relname AS TEXT) FROM pg_class WHERE relkind IN ('r', 'p', 'f') AND relname <> 'relay_mark' \
            AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema()) AND NOT EXISTS \
            (SELECT 1 FROM pg_depend WHERE classid = CAST('pg_class' AS regclass) AND objid = pg_class.oid AND deptype = 'e') \
            ORDER BY relname",
        ),
    };
    let column = sqlx::query(columns).fetch_optional(&mut *connection).await?;
    if let Some(column) = column
        && column.try_get::<String, _>(0)?.eq_ignore_ascii_case("bigint")
    {
        return Ok(());
    }
    let rows = sqlx::query(others).fetch_all(&mut *connection).await?;
    let names = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<String>, _>>()?;
    if !names.is_empty() {
        return Err(StoreError(of_another_program(dialect, &names)));
    }
    match dialect {
        Dialect::Sqlite => Ok(()),
        Dialect::Postgres => see_that_tables_may_be_made(connection).await,
    }
}

/// That there are these tables of another program, and what to do.
fn of_another_program(dialect: Dialect, names: &[String]) -> String {
    let shown = names.iter().take(3).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = if names.len() > 3 { format!(" and {} more", names.len() - 3) } else { String::new() };
    let remedy = match dialect {
        Dialect::Sqlite => "name a file that is not there yet, or the store of a bridge",
        Dialect::Postgres => {
            "make a database for the store (createdb --owner=ROLE DATABASE), or a schema, and end its address with ?options=-csearch_path%3DSCHEMA"
        }
    };
    format!("another program keeps its tables there ({shown}{more}), and nothing was changed: {remedy}")
}

async fn see_that_tables_may_be_made(connection: &mut AnyConnection) -> Result<(), StoreError> {
    let text = "SELECT current_schema()::text, COALESCE(has_schema_privilege(current_schema(), 'CREATE'), FALSE)::int::bigint, \
        current_user::text";
    let row = sqlx::query(text).fetch_one(connection).await?;
    let (schema, may_create, role): (Option<String>, i64, String) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    match schema {
        None => Err(StoreError(format!(
            "the search_path of the role {role} names no schema that is there: create it, or name another one"
        ))),
        Some(schema) if may_create == 0 => Err(StoreError(format!(
            "the role {role} may make no tables in the schema {schema}: give it a database of its own (createdb --owner={role} DATABASE), or the right: GRANT CREATE ON SCHEMA {schema} TO {role}"
        ))),
        Some(_) => Ok(()),
    }
}

/// Sees whether a PostgreSQL knows what it is asked: `SKIP LOCKED`, `to_regclass` of a text and the end of idle transactions.
///
/// # Errors
/// A sentence: that it is too old.
pub async fn see_that_it_is_new_enough(connection: &mut AnyConnection) -> Result<(), StoreError> {
    let row = sqlx::query("SELECT current_setting('server_version_num'), current_setting('server_version')");
    let row = row.fetch_one(connection).await?;
    new_enough(row.try_get(0)?, row.try_get(1)?)
}

fn new_enough(number: &str, version: &str) -> Result<(), StoreError> {
    if number.parse().is_ok_and(|number: u32| number < OLDEST_POSTGRES) {
        return Err(StoreError(format!(
            "it is PostgreSQL {version}, and the store needs 9.6 or a newer one: upgrade it"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_postgresql_that_is_too_old_is_told() {
        let said = |number: &str, version: &str| new_enough(number, version).err().map(|error| error.0);
        assert_eq!(said("150005", "15.5"), None);
        assert_eq!(said("90600", "9.6.0"), None);
        let old = said("90524", "9.5.24").unwrap();
        assert_eq!(old, "it is PostgreSQL 9.5.24, and the store needs 9.6 or a newer one: upgrade it");
    }

    #[test]
    fn tables_of_another_program_are_named_but_not_all() {
        let names = ["a", "b", "c", "d", "e"].map(str::to_string);
        assert!(of_another_program(Dialect::Sqlite, &names).contains("(a, b, c and 2 more)"));
        assert!(of_another_program(Dialect::Sqlite, &names[..1]).contains("(a)"));
    }
}
