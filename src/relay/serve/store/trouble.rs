//! What a database says, in words that tell a person what is wrong and what to do. Without the place, which whoever opens it adds.

use std::fmt;
use std::time::Duration;

use sqlx::postgres::PgDatabaseError;

use crate::failure::remedy_of_date;

/// What is left to do about a store that is damaged.
const RESTORE: &str = "stop the bridge, keep what is there, and make a new store of the newest backup, with `source-devin-ai alert-relay restore FILE --store STORE`";

/// How each error begins that another network, or another moment, may have none of.
const UNREACHABLE: &str = "the database cannot be reached";

const OF_FILE: &str = "the file is damaged";
const OF_DATABASE: &str = "the database is damaged";

/// Why the store could not do it: a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreError(pub String);

impl StoreError {
    /// That the writer answered something else.
    pub fn mixed_up() -> StoreError {
        StoreError("the store gave the answer to another question".to_string())
    }

    /// That a database has said nothing for so long.
    pub fn unanswered(patience: Duration) -> StoreError {
        StoreError(format!("{UNREACHABLE}: it does not answer within {} seconds", patience.as_secs()))
    }

    /// Whether nothing was heard of the database: it may not run at the moment, or be reached from elsewhere only.
    pub fn is_unreachable(&self) -> bool {
        self.0.contains(UNREACHABLE)
    }

    /// Whether what is kept can no longer be read as it was written. That does not pass.
    pub fn is_damage(&self) -> bool {
        self.0.contains(OF_FILE) || self.0.contains(OF_DATABASE)
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for StoreError {}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> StoreError {
        StoreError(error.to_string())
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> StoreError {
        StoreError(match &error {
            sqlx::Error::Database(said) => match said.try_downcast_ref::<PgDatabaseError>() {
                Some(said) => of_postgres(said.code(), said.message()),
                None => of_sqlite(said.code().and_then(|code| code.parse().ok()), said.message()),
            },
            sqlx::Error::Io(error) => of_connection(&error.to_string()),
            sqlx::Error::Tls(error) => of_encryption(&error.to_string()),
            _ => error.to_string(),
        })
    }
}

/// Why nothing was heard of PostgreSQL. A certificate that is refused does not pass by itself; the words that are looked for are rustls'.
fn of_connection(said: &str) -> String {
    if said.starts_with("No such file") {
        return format!(
            "{UNREACHABLE}: the socket in the folder after host= is not there, or the file that sslrootcert names is not there. See whether PostgreSQL runs on this machine, and whether both are right"
        );
    }
    if !said.contains("certificate") {
        return format!(
            "{UNREACHABLE}: {said}. See whether PostgreSQL runs there, and whether host and port are right; one on this machine may have a socket only: add ?host=/run/postgresql"
        );
    }
    if said.contains("not valid for name") {
        return format!(
            "its certificate is for another host ({said}): name that host, or ask for sslmode=verify-ca, which looks at no name"
        );
    }
    let remedy = remedy_of_date(said).unwrap_or(
        "The certificate is signed by nobody whom this machine trusts: name the file of the authority's certificate, &sslrootcert=FILE",
    );
    format!("its certificate is refused ({said}). {remedy}")
}

/// Why there is no TLS.
fn of_encryption(said: &str) -> String {
    if said.contains("does not support TLS") {
        return "it offers no TLS, for which sslmode (or PGSSLMODE) asks: set ssl=on there, or sslmode=prefer here; a socket of this machine needs none".to_string();
    }
    format!("TLS cannot be set up ({said}): see whether sslrootcert, sslcert and sslkey name files of certificates")
}

/// What SQLite says, by its code: the last eight bits are the kind of error.
fn of_sqlite(code: Option<u32>, message: &str) -> String {
    match code.map(|code| code & 0xff) {
        Some(5 | 6) => "another program holds the file locked: end that one, or wait for it".to_string(),
        Some(8) => "the file cannot be written to: have this user write to it and to its folder, or name another place"
            .to_string(),
        Some(10) => format!(
            "the disk is full or fails, or is none to keep a database on ({message}): make room, or name another place"
        ),
        Some(11) => format!("{OF_FILE}: {RESTORE}"),
        Some(13) => "the disk is full: make room on it".to_string(),
        Some(14) => {
            "the file, or its journal beside it, cannot be opened: have this user read and write both".to_string()
        }
        Some(26) => format!(
            "it is another kind of file: name one that is not there yet, or the store of a bridge. If it was one, {OF_FILE}: {RESTORE}"
        ),
        _ => format!("SQLite says: {message}"),
    }
}

/// What PostgreSQL says, by its code.
fn of_postgres(code: &str, message: &str) -> String {
    let remedy = match code {
        "28P01" => "the password comes from the URL, PGPASSWORD or PGPASSFILE",
        "28000" => {
            "name another role in the URL (postgres://ROLE@HOST/DATABASE), or create it: createuser --pwprompt ROLE. Who may come from where is in pg_hba.conf"
        }
        "3D000" => "name another one in the URL, or create it: createdb --owner=ROLE DATABASE",
        "42501" => {
            "the role has to be able to make and change tables: give it a database of its own (createdb --owner=ROLE DATABASE), or GRANT it the right"
        }
        "25006" => "the database may only be read, as a standby may: name one that can be written to",
        "53100" => "the disk of the database is full: make room there",
        "53300" => {
            "close connections of others, or raise the limit: max_connections, or that of the role or of the database"
        }
        "55P03" => "another process holds what is waited for here: pg_stat_activity says which, and since when",
        "XX001" | "XX002" => return format!("{OF_DATABASE} ({message}): {RESTORE}"),
        _ => return format!("PostgreSQL says: {message}"),
    };
    format!("{message}: {remedy}")
}

/// Why an address is none of PostgreSQL, without what it holds.
pub(super) fn of_address(error: &sqlx::Error) -> String {
    let said = error.to_string();
    if said.ends_with("empty host") {
        return "the host is missing: postgres://ROLE@HOST/DATABASE, or postgres://ROLE@localhost/DATABASE?host=/run/postgresql for a socket of this machine".to_string();
    }
    if said.contains("ssl_mode") {
        return "sslmode has an unknown value: disable, prefer, require, verify-ca and verify-full are known"
            .to_string();
    }
    let problem = if said.ends_with("invalid port number") {
        "the port is no number up to 65535"
    } else {
        "it is no address of PostgreSQL"
    };
    format!(
        "{problem}: expected postgres://ROLE:PASSWORD@HOST:PORT/DATABASE. In a name or password, write / ? # @ : % as %2F %3F %23 %40 %3A %25, or give the password in PGPASSWORD"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_database_says_is_told_with_what_to_do() {
        let sqlite = [5, 8, 10, 4874, 11, 267, 13, 14, 26, 1].map(|code| of_sqlite(Some(code), "in its words"));
        let codes = ["28P01", "28000", "3D000", "42501", "25006", "53100", "53300", "55P03", "XX001", "57P03"];
        let postgres = codes.map(|code| of_postgres(code, "in its words"));
        insta::assert_snapshot!(sqlite.into_iter().chain(postgres).collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn only_damage_is_damage() {
        let is_damage = |said: String| StoreError(said).is_damage();
        assert!(is_damage(of_sqlite(Some(11), "")) && is_damage(of_postgres("XX001", "")));
        assert!(!is_damage(of_sqlite(Some(13), "")) && !is_damage(of_postgres("53100", "")));
    }
}
