//! The two databases, and tests that run on both.

use std::path::Path;

use crate::{postgres, sql};

/// Which database a story runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// A file in the test's folder.
    Sqlite,
    /// A new database in the process's own cluster.
    Postgres,
}

impl Backend {
    /// The URL of a new, empty database.
    ///
    /// # Errors
    /// When PostgreSQL cannot be had.
    pub fn new_database(self, folder: &Path) -> anyhow::Result<String> {
        match self {
            Self::Sqlite => Ok(format!("sqlite://{}", folder.join("astro.db").display())),
            Self::Postgres => postgres::new_database(),
        }
    }

    /// The URL of a copy of a database that no server uses: a backup.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn copy(self, database_url: &str) -> anyhow::Result<String> {
        match self {
            Self::Sqlite => {
                let copy = format!("{database_url}.backup");
                let file = copy.trim_start_matches("sqlite://");
                let mut conn = sql::open(database_url)?;
                sql::run(&mut conn, &format!("VACUUM INTO '{file}'"))?;
                Ok(copy)
            }
            Self::Postgres => postgres::copy(database_url),
        }
    }
}

/// Runs each story (an `async fn` that takes a [`Backend`]) as two tests: `name::on_sqlite` and
/// `name::on_postgres`.
#[macro_export]
macro_rules! on_each_database {
    ($($name:ident),+ $(,)?) => { $(
        mod $name {
            #[tokio::test(flavor = "multi_thread")]
            async fn on_sqlite() {
                super::$name($crate::Backend::Sqlite).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn on_postgres() {
                if $crate::postgres::is_available(module_path!()) {
                    super::$name($crate::Backend::Postgres).await;
                }
            }
        }
    )+ };
}

/// Runs each story as one test, on SQLite and on PostgreSQL in turn. It is for stories whose matter
/// is Steam and not storage: each database carries half of them, and none costs twice.
#[macro_export]
macro_rules! on_databases_in_turn {
    () => {};
    ($on_sqlite:ident $(, $on_postgres:ident $(, $rest:ident)*)? $(,)?) => {
        mod $on_sqlite {
            #[tokio::test(flavor = "multi_thread")]
            async fn on_sqlite() {
                super::$on_sqlite($crate::Backend::Sqlite).await;
            }
        }
        $(
            mod $on_postgres {
                #[tokio::test(flavor = "multi_thread")]
                async fn on_postgres() {
                    if $crate::postgres::is_available(module_path!()) {
                        super::$on_postgres($crate::Backend::Postgres).await;
                    }
                }
            }
            $crate::on_databases_in_turn!($($rest),*);
        )?
    };
}
