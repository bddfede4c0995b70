//! Which database, and nothing of its password in any text.
use crate::kernel::{Error, Result};
use crate::private;
use std::path::PathBuf;

/// Which database an address names.
#[derive(Clone, PartialEq, Eq)]
pub enum Address {
    /// `postgres://…` or `postgresql://…`, as libpq takes it.
    Postgres(String),
    /// `sqlite://path` or `sqlite:path`: the path of a file.
    Sqlite(PathBuf),
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Postgres(_) => f.write_str("Postgres(<redacted>)"),
            Self::Sqlite(path) => f.debug_tuple("Sqlite").field(path).finish(),
        }
    }
}

impl Address {
    /// Reads a database URL. The URL itself is never repeated, since it may hold a password, and one
    /// that libpq would read in another way is refused, since its errors name what it read.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming `database_url`.
    pub fn parse(url: &str) -> Result<Self> {
        let wrong = |problem: &str| Err(Error::invalid("database_url", problem));
        let postgres = url.strip_prefix("postgres://").or(url.strip_prefix("postgresql://"));
        if let Some(rest) = postgres {
            return match postgres_problem(rest) {
                Some(problem) => wrong(problem),
                None => Ok(Self::Postgres(url.to_owned())),
            };
        }
        match url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:")) {
            Some(path) if path.contains("://") || is_login(path) => {
                wrong("begins with sqlite: but goes on like the URL of another database")
            }
            Some(path) if !path.is_empty() && path != ":memory:" => Ok(Self::Sqlite(path.into())),
            Some(_) => wrong("needs the path of a file"),
            None => {
                wrong("must begin with postgres:// or sqlite:// (sqlite://astro-data/astro.db)")
            }
        }
    }

    /// Makes SQLite's file and its folder, if need be, and closes them to others.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn prepare(&self) -> std::io::Result<()> {
        let Self::Sqlite(path) = self else { return Ok(()) };
        private::folder_of(path)?;
        // What SQLite makes beside the file gets the file's mode.
        private::file(path)?;
        for suffix in ["-wal", "-shm", "-journal"] {
            let mut beside = path.clone().into_os_string();
            beside.push(suffix);
            private::tighten(&PathBuf::from(beside));
        }
        Ok(())
    }
}

/// Whether a path begins with a user and a password.
fn is_login(path: &str) -> bool {
    let first = path.split('/').next().unwrap_or_default();
    first.split_once(':').is_some_and(|(_, rest)| rest.contains('@'))
}

/// What is wrong with `user:password@host:port/database?name=value`, if anything is.
fn postgres_problem(rest: &str) -> Option<&'static str> {
    const ENCODE: &str = "is no URL of PostgreSQL (postgres://USER:PASSWORD@HOST:PORT/DATABASE): \
                          write other signs than letters, digits, - . _ ~ in user and password as %XX";
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let (login, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (path, query) = tail.split_once('?').unwrap_or((tail, ""));
    let is_plain = |text: &str, more: &str| {
        text.chars().all(|c| c.is_ascii_alphanumeric() || "-._~%".contains(c) || more.contains(c))
    };
    let fits = is_encoded(rest)
        && is_plain(login, ":!$&'()*+,;=")
        && hosts.split(',').all(is_host)
        && is_plain(path, "/+")
        && query.split('&').filter(|pair| !pair.is_empty()).all(|pair| {
            let is_name = |c: char| c.is_ascii_lowercase() || c == '_';
            pair.split_once('=')
                .is_some_and(|(name, value)| name.chars().all(is_name) && is_plain(value, "/:,=+"))
        });
    (!fits).then_some(ENCODE)
}

/// Whether each `%` begins two hexadecimal digits.
fn is_encoded(text: &str) -> bool {
    text.split('%').skip(1).all(|after| {
        after.as_bytes().get(..2).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit))
    })
}

/// Whether it is a host, perhaps an address in brackets, with a port or without.
fn is_host(text: &str) -> bool {
    let (name, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, "")) => (address, None),
        Some((address, port)) => (address, Some(port.strip_prefix(':').unwrap_or("-"))),
        None => text.split_once(':').map_or((text, None), |(name, port)| (name, Some(port))),
    };
    let fits = |c: char| c.is_ascii_alphanumeric() || "-._~%:".contains(c);
    name.chars().all(fits) && port.is_none_or(|port| port.is_empty() || port.parse::<u16>().is_ok())
}

/// `text`, in which libpq speaks of `url`, without a password of it.
pub(super) fn without_password(text: &str, url: &str) -> String {
    /// A shorter one stands in other words too, and says little.
    const CHARS_MIN: usize = 4;
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (authority, tail) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let login = authority.rsplit_once('@').map(|(login, _)| login).unwrap_or_default();
    let own = login.split_once(':').map(|(_, password)| password);
    let query = tail.split_once('?').map(|(_, query)| query).unwrap_or_default();
    let named = query.split('&').filter_map(|pair| pair.split_once('='));
    let named = named.filter(|(name, _)| name.ends_with("password")).map(|(_, value)| value);
    own.into_iter()
        .chain(named)
        .flat_map(|encoded| [encoded.to_owned(), decoded(encoded)])
        .filter(|password| password.len() >= CHARS_MIN)
        .fold(text.to_owned(), |text, password| text.replace(&password, "***"))
}

/// A part of a URL, with its `%XX` read.
fn decoded(encoded: &str) -> String {
    let pair = format!("={}", encoded.replace('+', "%2B"));
    let mut pairs = url::form_urlencoded::parse(pair.as_bytes());
    pairs.next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_of_no_known_database_is_refused() {
        for url in ["", "mysql://x", "astro.db", "sqlite://", "sqlite://:memory:", "sqlite:"] {
            let error = Address::parse(url).unwrap_err().to_string();
            assert!(error.starts_with("database_url"), "{url}: {error}");
        }
        assert_eq!(Address::parse("sqlite://a/b.db").unwrap(), Address::Sqlite("a/b.db".into()));
    }

    #[test]
    fn a_password_is_in_no_text_however_the_url_is_written() {
        for url in [
            "user:hunter2@host/db",
            "postgre://user:hunter2@host/db",
            "POSTGRES://user:hunter2@host/db",
            "postgres:/user:hunter2@host/db",
            "host=db user=u password=hunter2",
            "sqlite://user:hunter2@host/db",
            "sqlite:postgres://user:hunter2@host/db",
            "postgres://user:hunter2@2@host/db",
            "postgres://user:hunter2/2@host/db",
            "postgres://user:hunter2?2@host/db",
            "postgres://user:12?x=hunter2@host/db",
            "postgres://user:hunter2#2@host/db",
            "postgres://user:hunter2%zz@host/db",
            "postgres://user:hunter2",
            "postgres://user:12/hunter2@host/db",
            "postgres://user:hunter2 @host/db",
            "postgres://host/db?hunter2",
        ] {
            let error = Address::parse(url).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{url}: {error}");
        }
    }

    #[test]
    fn a_url_that_libpq_takes_is_taken_and_does_not_print_its_password() {
        for url in [
            "postgres://u:hunter2@localhost/db",
            "postgresql://u:hunter%32@[::1]:5433/db?sslmode=disable&application_name=a",
            "postgres://u:hunter2@a:1,b:2/db?target_session_attrs=read-write",
            "postgresql:///db?host=/tmp/astro-pg.x&user=postgres&password=hunter2",
            "postgres://%2Fvar%2Frun%2Fpostgresql/db",
            "postgres://",
        ] {
            let address = Address::parse(url).unwrap();
            assert!(!format!("{address:?}").contains("hunter2"), "{url}");
            let said = without_password("libpq says hunter2", url);
            assert_eq!(said.contains("hunter2"), !url.contains("hunter"), "{url}: {said}");
        }
    }
}
