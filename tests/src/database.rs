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

    /// Whether it can be had; see [`postgres::is_available`].
    pub fn is_available(self, test: &str) -> bool {
        match self {
            Self::Sqlite => true,
            Self::Postgres => postgres::is_available(test),
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
            $crate::story!(on_sqlite: Sqlite, super::$name($crate::Backend::Sqlite));
            $crate::story!(on_postgres: Postgres, super::$name($crate::Backend::Postgres));
        }
    )+ };
}

/// The same for stories whose matter is not what is stored: by default each runs on one of the two,
/// in turn, so that none costs twice. The other halves run where they are asked for.
#[macro_export]
macro_rules! on_databases_in_turn {
    () => {};
    ($first:ident $(, $second:ident $(, $rest:ident)*)? $(,)?) => {
        mod $first {
            $crate::story!(on_sqlite: Sqlite, super::$first($crate::Backend::Sqlite));
            $crate::story!(#[ignore] on_postgres: Postgres, super::$first($crate::Backend::Postgres));
        }
        $(
            mod $second {
                $crate::story!(#[ignore] on_sqlite: Sqlite, super::$second($crate::Backend::Sqlite));
                $crate::story!(on_postgres: Postgres, super::$second($crate::Backend::Postgres));
            }
            $crate::on_databases_in_turn!($($rest),*);
        )?
    };
}

/// Runs each story of what SQLite alone has (an `async fn` without arguments): files and locks on
/// them.
#[macro_export]
macro_rules! on_sqlite {
    ($($name:ident),+ $(,)?) => { $(
        mod $name {
            $crate::story!(on_sqlite: Sqlite, super::$name());
        }
    )+ };
}

/// Runs each story of what PostgreSQL alone has (an `async fn` without arguments): connections,
/// settings, transactions side by side.
#[macro_export]
macro_rules! on_postgres {
    ($($name:ident),+ $(,)?) => { $(
        mod $name {
            $crate::story!(on_postgres: Postgres, super::$name());
        }
    )+ };
}

/// A story's test on one database.
#[doc(hidden)]
#[macro_export]
macro_rules! story {
    ($(#[$ignore:ident])? $test:ident: $backend:ident, $story:expr) => {
        #[tokio::test(flavor = "multi_thread")]
        $(#[$ignore = "the other half: cargo test --test it -- --ignored"])?
        async fn $test() {
            if $crate::Backend::$backend.is_available(module_path!()) {
                $story.await;
            }
        }
    };
}
