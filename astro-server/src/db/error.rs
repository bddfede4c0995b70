//! What a failure of the database means: try again, or never.
//!
//! Diesel keeps PostgreSQL's code (SQLSTATE) and SQLite's to itself and tells a kind. The kinds that
//! a request brings about are all named: a broken constraint, a value that does not convert. What has
//! no kind comes from the database's own condition (a lock or time limit, a deadlock, a full disk, no
//! memory, an I/O error, a shutdown), in whatever language it speaks, and so it passes. Texts are for
//! people and are never compared.
use super::trouble::LOST;
use crate::kernel::Error;
use diesel::result::{DatabaseErrorKind as Kind, Error as DbError};

/// Characters of a database's text that are handed on.
const TEXT_CHARS_MAX: usize = 300;

impl From<DbError> for Error {
    #[allow(clippy::wildcard_enum_match_arm)] // the library's enums may grow
    fn from(error: DbError) -> Self {
        match error {
            DbError::DatabaseError(kind, info) => of_kind(&kind, info.message()),
            DbError::BrokenTransactionManager => Self::Unavailable(LOST.to_owned()),
            DbError::RollbackErrorOnCommit { commit_error, .. } => (*commit_error).into(),
            other => Self::Internal(format!("database: {other}")),
        }
    }
}

#[allow(clippy::wildcard_enum_match_arm)] // the library's enum may grow
fn of_kind(kind: &Kind, text: &str) -> Error {
    match kind {
        // What a unique index refuses was checked before: another transaction was faster, and the
        // next run sees what it did.
        Kind::SerializationFailure => Error::Conflict(text.to_owned()),
        Kind::UniqueViolation => Error::Taken(text.to_owned()),
        Kind::ClosedConnection | Kind::UnableToSendCommand => Error::Unavailable(LOST.to_owned()),
        Kind::ReadOnlyTransaction => Error::Unavailable("it takes no writes: read-only".to_owned()),
        Kind::Unknown => Error::Unavailable(told(text)),
        Kind::ForeignKeyViolation
        | Kind::NotNullViolation
        | Kind::CheckViolation
        | Kind::RestrictViolation
        | Kind::ExclusionViolation => Error::Internal(format!("database: {text}")),
        _ => Error::Unavailable(told(text)),
    }
}

/// One line of what the database says.
fn told(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    line.chars().filter(|c| !c.is_control()).take(TEXT_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(kind: Kind, text: &str) -> Error {
        DbError::DatabaseError(kind, Box::new(text.to_owned())).into()
    }

    #[test]
    fn what_only_time_mends_is_transient_in_every_language() {
        for text in [
            "canceling statement due to statement timeout",
            "storniere Anfrage wegen Zeitüberschreitung der Anfrage",
            "Verklemmung entdeckt",
            "désactivation de la connexion",
            "database is locked",
            "database or disk is full",
        ] {
            assert!(error(Kind::Unknown, text).is_transient(), "{text}");
        }
        for kind in [Kind::ClosedConnection, Kind::ReadOnlyTransaction, Kind::SerializationFailure]
        {
            assert!(error(kind, "?").is_transient());
        }
        assert!(Error::from(DbError::BrokenTransactionManager).is_transient());
    }

    #[test]
    fn what_fails_again_is_permanent() {
        for kind in [
            Kind::UniqueViolation,
            Kind::CheckViolation,
            Kind::NotNullViolation,
            Kind::ForeignKeyViolation,
        ] {
            assert!(!error(kind, "deadlock detected").is_transient());
        }
        assert!(!Error::from(DbError::NotFound).is_transient());
    }

    #[test]
    fn a_text_of_the_database_is_told_in_one_short_line() {
        let long = format!("Platte voll{}\nKONTEXT: Zeile 1", "!".repeat(1000));
        let Error::Unavailable(text) = error(Kind::Unknown, &long) else { panic!("transient") };
        assert!(text.starts_with("Platte voll!") && text.chars().count() == TEXT_CHARS_MAX);
    }
}
