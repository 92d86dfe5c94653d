//! Where a store is to be: how that is written, whether it can be there, as far as that can be seen without opening it, and who may listen on the
//! way to it. Leaves nothing behind.

use std::ffi::OsString;
use std::fmt;
use std::fs::OpenOptions;
use std::io::{Error, ErrorKind};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use percent_encoding::percent_decode_str;
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use super::trouble;
use super::trouble::StoreError;
use redact::MASK;

/// Where a store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// In this process, and gone with it.
    Memory,
    Sqlite(PathBuf),
    /// The whole URL, which may hold a password.
    Postgres(String),
}

impl Address {
    /// Sees whether a store can be there.
    ///
    /// # Errors
    /// A sentence with the place: why not.
    pub fn look(&self) -> Result<(), StoreError> {
        match self {
            Address::Sqlite(path) => look(path).map_err(|error| self.cannot_be_opened(&error)),
            Address::Memory | Address::Postgres(_) => Ok(()),
        }
    }

    /// As it is understood from every folder, without what may be a password.
    pub(super) fn in_full(&self) -> String {
        match self {
            Address::Sqlite(path) => {
                let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
                Address::Sqlite(path).to_string()
            }
            _ => self.to_string(),
        }
    }

    /// With the place, why there is no store.
    pub(super) fn cannot_be_opened(&self, error: &StoreError) -> StoreError {
        let said = self.explained(error).unwrap_or_else(|| error.to_string());
        StoreError(format!("cannot open the store {self}: {said}"))
    }

    /// What a database says, in words that help; `None` where its own do.
    fn explained(&self, error: &StoreError) -> Option<String> {
        let is_without_password = !self.to_string().contains(MASK) && std::env::var_os("PGPASSWORD").is_none();
        if error.0.contains("password authentication failed") && is_without_password {
            return Some(format!("{error}: {}", passed_over(std::env::var_os("PGPASSFILE"), std::env::home_dir())?));
        }
        None
    }

    /// Whether a database is asked over a network without making sure by its certificate that it is the right one: then it may also
    /// offer no TLS.
    pub fn is_unverified(&self) -> bool {
        let Address::Postgres(url) = self else { return false };
        // It knows PGSSLMODE, too.
        let mode = PgConnectOptions::from_str(url).map(|options| options.get_ssl_mode());
        if matches!(mode, Ok(PgSslMode::VerifyCa | PgSslMode::VerifyFull)) {
            return false;
        }
        let (place, query) = url.split_once('?').unwrap_or((url, ""));
        let place = place.split_once("://").map_or("", |(_, place)| place);
        let authority = place.rsplit_once('@').map_or(place, |(_, place)| place).split('/').next().unwrap_or_default();
        let named = query.split('&').filter_map(|pair| pair.split_once('='));
        let host = named.filter(|(name, _)| matches!(*name, "host" | "hostaddr")).map(|(_, host)| host).next_back();
        let host = host.unwrap_or_else(|| match authority.strip_prefix('[') {
            Some(address) => address.split(']').next().unwrap_or_default(),
            None => authority.split(':').next().unwrap_or_default(),
        });
        let host = percent_decode_str(host).decode_utf8_lossy();
        // Without a name, or with that of a folder, it is a socket of this machine.
        let is_here = host.is_empty()
            || host.starts_with('/')
            || host.eq_ignore_ascii_case("localhost")
            || host.parse().is_ok_and(|address: IpAddr| address.to_canonical().is_loopback());
        !is_here
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Address, String> {
        if text == "memory" {
            return Ok(Address::Memory);
        }
        // As a URL it may have two slashes before the path.
        let path = text.strip_prefix("sqlite:").map(|path| path.strip_prefix("//").unwrap_or(path));
        if path == Some(":memory:") {
            return Ok(Address::Memory);
        }
        if let Some(path) = path.filter(|path| !path.is_empty()) {
            return Ok(Address::Sqlite(PathBuf::from(path)));
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            PgConnectOptions::from_str(text).map_err(|error| trouble::of_address(&error))?;
            return Ok(Address::Postgres(text.to_string()));
        }
        Err("expected sqlite:FILE, postgres://HOST/DATABASE or memory".to_string())
    }
}

impl fmt::Display for Address {
    /// Without what may be a password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Memory => formatter.write_str("memory"),
            Address::Sqlite(path) => write!(formatter, "sqlite:{}", path.display()),
            Address::Postgres(url) => formatter.write_str(&without_password(url)),
        }
    }
}

/// The parameters of a PostgreSQL URL that hold no secret.
const SHOWN: [&str; 9] =
    ["host", "hostaddr", "port", "user", "dbname", "sslmode", "sslrootcert", "application_name", "options"];

/// A PostgreSQL URL as it can be shown, and used again by whoever has the password.
fn without_password(url: &str) -> String {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    // A password may hold anything, also what ends it elsewhere: the last sign counts.
    let (credentials, rest) = rest.rsplit_once('@').map_or((None, rest), |(before, rest)| (Some(before), rest));
    let user = credentials.map(|credentials| {
        let (user, password) =
            credentials.split_once(':').map_or((credentials, None), |(user, word)| (user, Some(word)));
        let is_plain = user.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~%+".contains(&byte));
        let user = if is_plain { user } else { MASK };
        if password.is_some() { format!("{user}:{MASK}@") } else { format!("{user}@") }
    });
    let (place, query) = rest.split_once('?').map_or((rest, None), |(place, query)| (place, Some(query)));
    let place = match place.split('/').next().and_then(|host| host.rsplit_once(':')) {
        // No port: a password, of whoever has left the host out.
        Some((host, port)) if !port.bytes().all(|byte| byte.is_ascii_digit()) && !port.ends_with(']') => {
            format!("{host}:{MASK}")
        }
        _ => place.to_string(),
    };
    let shown = |pair: &str| match pair.split_once('=') {
        Some((name, _)) if SHOWN.contains(&name) => pair.to_string(),
        Some((name, _)) => format!("{name}={MASK}"),
        None => MASK.to_string(),
    };
    let query = query.map(|query| format!("?{}", query.split('&').map(shown).collect::<Vec<_>>().join("&")));
    format!("postgres://{}{place}{}", user.unwrap_or_default(), query.unwrap_or_default())
}

/// A PostgreSQL URL by which the server's own lists show whose connection it is, unless the URL or the environment says so.
pub(super) fn with_name(url: &str) -> String {
    let is_named = url.contains("application_name=") || std::env::var_os("PGAPPNAME").is_some();
    let sign = if url.contains('?') { '&' } else { '?' };
    if is_named { url.to_string() } else { format!("{url}{sign}application_name={}", env!("CARGO_PKG_NAME")) }
}

/// Why the file with passwords of PostgreSQL is not used, which its driver does not say: the one that is named, or that of the home
/// folder. `None` where it is used, or there is none.
fn passed_over(named: Option<OsString>, home: Option<PathBuf>) -> Option<String> {
    let is_named = named.is_some();
    let path = named.map(PathBuf::from).or_else(|| home.map(|home| home.join(".pgpass")))?;
    let shown = path.display();
    match path.metadata() {
        Err(error) if is_named => Some(format!("PGPASSFILE names {shown}, which cannot be read: {error}")),
        #[cfg(unix)]
        Ok(file) if std::os::unix::fs::PermissionsExt::mode(&file.permissions()) & 0o077 != 0 => {
            Some(format!("{shown} is not used, because others than its owner may read it: chmod 600 {shown}"))
        }
        _ => None,
    }
}

/// Sees whether a database can be in this file, with its journal beside it.
///
/// # Errors
/// A sentence: why not.
pub(super) fn look(path: &Path) -> Result<(), StoreError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let problem = |problem: String| Err(StoreError(problem));
    if !folder.exists() {
        return problem(format!("there is no folder {}: make it, or name another place", folder.display()));
    }
    if folder.is_file() {
        return problem(format!("{} is a file and no folder: name another place", folder.display()));
    }
    if path.is_dir() {
        return problem("it is a folder: name a file in it".to_string());
    }
    if path.exists() && !path.is_file() {
        return problem("it is no regular file: name one, or one that is not there yet".to_string());
    }
    let path = match path.canonicalize() {
        Ok(path) => path,
        // It is to be made, where a link leads to if it is one.
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return match path.read_link() {
                Ok(target) => look(&folder.join(target)),
                Err(_) => may_write_in(folder),
            };
        }
        Err(error) => return Err(in_words(&error)),
    };
    if has_several_names(&path) {
        // By another name, another process would write to another journal.
        return problem(
            "the file has more than one name (a hard link): remove the others, or copy it to a place of its own"
                .to_string(),
        );
    }
    if is_mounted_alone(&path, &std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default()) {
        return problem(format!(
            "{} is mounted by itself, and its journal, which holds what came last, would stay outside and be lost with the container: mount the folder that it is in",
            path.display()
        ));
    }
    if let Err(error) = OpenOptions::new().read(true).write(true).open(&path) {
        return Err(in_words(&error));
    }
    let lock = lock_beside(&path);
    match OpenOptions::new().write(true).open(&lock) {
        Err(error) if error.kind() != ErrorKind::NotFound => problem(format!(
            "{}, the lock of whoever serves it, cannot be written to by this user ({error}): have it belong to the same user as the store, or delete it while no process has the store",
            lock.display()
        )),
        _ => may_write_in(path.parent().unwrap_or(folder)),
    }
}

/// The lock of whoever writes to a file, which is named as it is in the end.
pub(super) fn lock_beside(path: &Path) -> PathBuf {
    let mut beside = path.as_os_str().to_owned();
    beside.push("-lock");
    beside.into()
}

/// A database has its journal and its lock beside it.
fn may_write_in(folder: &Path) -> Result<(), StoreError> {
    let name = format!(".{}-{}", env!("CARGO_PKG_NAME"), std::process::id());
    let probe = folder.join(name);
    let made = OpenOptions::new().write(true).create_new(true).open(&probe);
    match made {
        Ok(_) => std::fs::remove_file(&probe).map_err(|error| in_words(&error)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(in_words(&error)),
    }
}

/// What the operating system says of the file or its folder.
pub(super) fn in_words(error: &Error) -> StoreError {
    StoreError(match error.kind() {
        ErrorKind::PermissionDenied => {
            "this user may not write there, or not into that folder, where the journal stands: name another place, or have it allowed".to_string()
        }
        ErrorKind::ReadOnlyFilesystem => {
            "nothing can be written there, where the journal stands too: name another place, or mount it to be written to".to_string()
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "the disk is full: make room on it".to_string(),
        _ => error.to_string(),
    })
}

fn has_several_names(path: &Path) -> bool {
    #[cfg(unix)]
    return path.metadata().is_ok_and(|file| std::os::unix::fs::MetadataExt::nlink(&file) > 1);
    #[cfg(not(unix))]
    return false;
}

/// Whether a file is a mount of its own, by what Linux says of mounts: the fifth word of a line is where it is.
fn is_mounted_alone(path: &Path, mounts: &str) -> bool {
    mounts.lines().filter_map(|line| line.split(' ').nth(4)).any(|place| Path::new(&unescaped(place)) == path)
}

/// A place as it is written there, with octal numbers for spaces and the like.
fn unescaped(place: &str) -> PathBuf {
    let mut parts = place.split('\\');
    let mut text = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let code = part.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        text.extend(code);
        text.extend(part.get(3..).unwrap_or_default().as_bytes());
    }
    PathBuf::from(String::from_utf8_lossy(&text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_elsewhere_is_unverified_unless_its_certificate_is_asked_for() {
        let is_unverified = |address: &str| address.parse::<Address>().unwrap().is_unverified();
        for here in [
            "memory",
            "sqlite:relay.db",
            "postgres:///relay",
            "postgres://localhost/relay",
            "postgres://me:p%40ss@127.0.0.1:5432/relay",
            "postgres://me@[::1]:5432/relay?sslmode=disable",
            "postgres://%2Frun%2Fpostgresql/relay",
            "postgres://db.example.com/relay?host=/run/postgresql",
            "postgres://db.example.com/relay?sslmode=verify-full&sslrootcert=/etc/ssl/db.pem",
            "postgres://db.example.com/relay?sslmode=verify-ca",
        ] {
            assert!(!is_unverified(here), "{here}");
        }
        for elsewhere in [
            "postgres://db.example.com/relay",
            "postgresql://me:secret@10.0.0.7:5432/relay?sslmode=prefer",
            "postgres://me@[2001:db8::1]/relay",
            "postgres:///relay?host=db.example.com",
            "postgres://localhost.example.com/relay",
            "postgres://db.example.com/relay?sslmode=require",
        ] {
            assert!(is_unverified(elsewhere), "{elsewhere}");
        }
    }

    #[test]
    fn a_connection_has_the_name_of_the_program_unless_it_has_another() {
        for (url, named) in [
            ("postgres://me@h/relay", "postgres://me@h/relay?application_name=source-devin-ai"),
            ("postgres://me@h/relay?user=x", "postgres://me@h/relay?user=x&application_name=source-devin-ai"),
            ("postgres://me@h/relay?application_name=mine", "postgres://me@h/relay?application_name=mine"),
        ] {
            assert_eq!(with_name(url), named);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_with_passwords_that_is_not_used_is_told() {
        use std::os::unix::fs::PermissionsExt as _;

        let home = tempfile::tempdir().unwrap();
        let path = home.path().join(".pgpass");
        let told = |named: &str| {
            let named = Some(OsString::from(named)).filter(|name| !name.is_empty());
            passed_over(named, Some(home.path().to_path_buf())).unwrap_or_default()
        };
        assert_eq!(told(""), "");
        assert!(told("/nowhere/pgpass").starts_with("PGPASSFILE names /nowhere/pgpass, which cannot be read: "));
        std::fs::write(&path, "*:*:*:*:secret").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(told("").ends_with(&format!("may read it: chmod 600 {}", path.display())), "{}", told(""));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(told(path.to_str().unwrap()), "");
    }

    #[test]
    fn a_file_that_is_mounted_by_itself_is_no_place_for_a_store() {
        let mounts = "22 27 0:21 / /proc rw - proc proc rw\n\
            90 80 254:1 /srv/relay.db /data/my\\040relay.db rw,relatime - ext4 /dev/vda1 rw\n";
        assert!(is_mounted_alone(Path::new("/data/my relay.db"), mounts));
        for other in ["/data/relay.db", "/data", "/srv/relay.db"] {
            assert!(!is_mounted_alone(Path::new(other), mounts), "{other}");
        }
    }

    #[test]
    fn a_look_at_a_place_leaves_nothing_there() {
        let folder = tempfile::tempdir().unwrap();
        let said = |name: &str| look(&folder.path().join(name)).err().map(|error| error.to_string());
        assert_eq!((said("relay.db"), said("")), (None, Some("it is a folder: name a file in it".to_string())));
        assert!(said("missing/relay.db").unwrap().starts_with("there is no folder "));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        std::fs::write(folder.path().join("relay.db"), "").unwrap();
        assert_eq!(said("relay.db"), None);
        std::fs::hard_link(folder.path().join("relay.db"), folder.path().join("other")).unwrap();
        assert!(said("other").unwrap().contains("hard link"));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
