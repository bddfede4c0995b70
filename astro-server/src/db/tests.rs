//! The writer's promises, with closures that do what no request of the server does.
use super::schema::server_settings;
use super::writer::BATCH_TIME;
use super::{Address, Conn, Db, Options};
use crate::db::limits::WAL_BYTES_MAX;
use crate::kernel::{Error, Result};
use crate::outside::Outside;
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use futures_util::future::join_all;
use std::future::poll_fn;
use std::path::Path;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::Poll;
use tokio::time::Instant;

/// A database whose writer is held up, so that all that is asked for meanwhile is one batch.
struct Held {
    _folder: tempfile::TempDir,
    db: Db,
    go: mpsc::Sender<()>,
}

fn open(path: &Path) -> Db {
    Db::open(&Address::Sqlite(path.to_owned()), |_| Ok(())).unwrap()
}

async fn held() -> Held {
    let folder = tempfile::tempdir().unwrap();
    let db = open(&folder.path().join("astro.db"));
    hold(folder, &db).await
}

async fn hold(folder: tempfile::TempDir, db: &Db) -> Held {
    let (go, wait) = mpsc::channel();
    let (enter, entered) = mpsc::channel();
    let holding = db.clone();
    tokio::spawn(async move {
        let held = holding.write(move |_| {
            enter.send(()).unwrap();
            wait.recv().unwrap();
            Ok(())
        });
        held.await.unwrap();
    });
    tokio::task::spawn_blocking(move || entered.recv().unwrap()).await.unwrap();
    Held { _folder: folder, db: db.clone(), go }
}

/// Puts a request into the queue.
async fn ask(mut call: Pin<&mut impl Future>) {
    let waits = poll_fn(|context| Poll::Ready(call.as_mut().poll(context).is_pending())).await;
    assert!(waits);
}

fn put(conn: &mut Conn, name: &str) -> Result<()> {
    let row = (server_settings::name.eq(name), server_settings::value.eq(vec![1u8]));
    diesel::insert_into(server_settings::table).values(row).execute(&mut **conn)?;
    Ok(())
}

async fn names(db: &Db) -> Vec<String> {
    let names = server_settings::table.select(server_settings::name).order(server_settings::name);
    db.read(move |conn| Ok(names.load(&mut **conn)?)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_fails_or_panics_touches_no_other_of_its_batch() {
    let Held { _folder, db, go } = held().await;
    let runs = Arc::new(AtomicUsize::new(0));
    let mut calls = std::pin::pin!(join_all((0..8).map(|n| {
        let (runs, mut lost) = (runs.clone(), false);
        db.write(move |conn| {
            runs.fetch_add(1, Ordering::SeqCst);
            put(conn, &format!("{n}"))?;
            match n {
                2 => Err(Error::invalid("name", "is bad")),
                3 => panic!("a defect that the test planted"),
                4 if !std::mem::replace(&mut lost, true) => Err(Error::Conflict("race".to_owned())),
                _ => Ok(n),
            }
        })
    })));
    ask(calls.as_mut()).await;
    go.send(()).unwrap();
    for (n, answer) in calls.await.into_iter().enumerate() {
        match (n, answer) {
            (2, Err(Error::Invalid { .. })) | (3, Err(Error::Internal(_))) => {}
            (n, answer) => assert_eq!(answer, Ok(n)),
        }
    }
    assert_eq!(names(&db).await, ["0", "1", "4", "5", "6", "7"]);
    assert_eq!(runs.load(Ordering::SeqCst), 9, "only the one that lost a race ran again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_whose_caller_has_gone_is_not_carried_out() {
    let Held { _folder, db, go } = held().await;
    {
        let mut gone = std::pin::pin!(db.write(|conn| put(conn, "gone")));
        ask(gone.as_mut()).await;
    }
    let mut stays = std::pin::pin!(db.write(|conn| put(conn, "stays")));
    ask(stays.as_mut()).await;
    go.send(()).unwrap();
    stays.await.unwrap();
    assert_eq!(names(&db).await, ["stays"]);
}

/// Transactions that ended with [`counted`].
static TRANSACTIONS: AtomicUsize = AtomicUsize::new(0);

fn counted(_: &mut Conn) -> Result<()> {
    TRANSACTIONS.fetch_add(1, Ordering::SeqCst);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_takes_in_no_more_once_its_first_callers_have_waited_long() {
    let folder = tempfile::tempdir().unwrap();
    let db = Db::open(&Address::Sqlite(folder.path().join("astro.db")), counted).unwrap();
    let Held { _folder, go, .. } = hold(folder, &db).await;
    let mut calls = std::pin::pin!(join_all((0..2).map(|n| {
        db.write(move |conn| {
            let began = Instant::now();
            while n == 0 && began.elapsed() <= BATCH_TIME {
                std::thread::yield_now();
            }
            put(conn, &format!("{n}"))
        })
    })));
    ask(calls.as_mut()).await;
    go.send(()).unwrap();
    calls.await.into_iter().for_each(Result::unwrap);
    let transactions = TRANSACTIONS.load(Ordering::SeqCst);
    assert_eq!(transactions, 3, "what held it up, the first call, and the second by itself");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_read_is_answered_while_all_places_are_taken_by_long_ones() {
    let folder = tempfile::tempdir().unwrap();
    let address = Address::Sqlite(folder.path().join("astro.db"));
    for readers in [1, 8] {
        let options = Options { readers, ..Options::default() };
        let db = Db::open_with(&address, options, &Outside::default(), |_| Ok(())).unwrap();
        let (enter, entered) = mpsc::channel();
        let (go, wait) = mpsc::channel();
        let wait = Arc::new(Mutex::new(wait));
        let long: Vec<_> = (0..options.places().1)
            .map(|_| {
                let (db, enter, wait) = (db.clone(), enter.clone(), wait.clone());
                tokio::spawn(async move {
                    db.read(move |_| {
                        enter.send(()).unwrap();
                        wait.lock().unwrap().recv().unwrap();
                        Ok(())
                    })
                    .await
                })
            })
            .collect();
        let count = long.len();
        let all = move || (0..count).for_each(|_| entered.recv().unwrap());
        tokio::task::spawn_blocking(all).await.unwrap();
        db.read_short(|_| Ok(())).await.expect("a place of its own");
        // Any of them takes any of these.
        long.iter().for_each(|_| go.send(()).unwrap());
        for read in join_all(long).await {
            read.unwrap().unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_panics_leaves_its_connection_clean() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(&folder.path().join("astro.db"));
    let defect = db.read(|_| -> Result<()> { panic!("a defect that the test planted") });
    assert!(matches!(defect.await, Err(Error::Internal(_))));
    db.write(|conn| put(conn, "new")).await.unwrap();
    assert_eq!(names(&db).await, ["new"], "the next read has a snapshot of its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_acknowledged_into_a_file_that_was_deleted_or_replaced() {
    for replaced in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("astro.db");
        let db = open(&path);
        db.write(|conn| put(conn, "before")).await.unwrap();
        std::fs::remove_file(&path).unwrap();
        if replaced {
            std::fs::write(&path, "").unwrap();
        }
        let lost = db.write(|conn| put(conn, "lost")).await.unwrap_err();
        assert!(matches!(&lost, Error::Unavailable(why) if why.contains("deleted")), "{lost}");
        let mut away = db.away();
        let why = away.wait_for(Option::is_some).await.unwrap().clone().unwrap();
        assert!(why.contains("replaced"), "{why}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_of_sqlite_is_short_again_after_a_long_reader() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("astro.db");
    let db = open(&path);
    let mut reader = Conn::open(&Address::Sqlite(path)).unwrap();
    reader.batch_execute("BEGIN; SELECT count(*) FROM server_settings").unwrap();
    let log = folder.path().join("astro.db-wal");
    let length = || std::fs::metadata(&log).unwrap().len();
    for n in 0..24 {
        let value = server_settings::value.eq(vec![0u8; 1 << 20]);
        let row = (server_settings::name.eq(format!("{n}")), value);
        db.write(move |conn| {
            let row = row.clone();
            Ok(diesel::insert_into(server_settings::table).values(row).execute(&mut **conn)?)
        })
        .await
        .unwrap();
    }
    assert!(length() > WAL_BYTES_MAX, "{} bytes while somebody reads", length());
    reader.batch_execute("ROLLBACK").unwrap();
    let mut look = tokio::time::interval(std::time::Duration::from_millis(50));
    let short = async {
        while length() > 0 {
            look.tick().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), short).await.expect("a short log");
}

#[tokio::test]
async fn sqlite_is_built_to_plan_a_statement_once() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(&folder.path().join("astro.db"));
    let used =
        diesel::dsl::sql::<diesel::sql_types::Bool>("sqlite_compileoption_used('ENABLE_QPSG')");
    let planned_once: bool =
        db.read(move |conn| Ok(diesel::select(used).get_result(&mut **conn)?)).await.unwrap();
    assert!(planned_once, "LIBSQLITE3_FLAGS of .cargo/config.toml did not reach the build");
}

#[tokio::test]
async fn sqlites_writer_keeps_more_of_the_file_than_each_of_its_readers() {
    #[derive(QueryableByName)]
    struct Kept {
        #[diesel(sql_type = diesel::sql_types::Integer)]
        cache_size: i32,
    }
    fn kibibytes(conn: &mut Conn) -> Result<i32> {
        let super::Engine::Sqlite(conn) = &mut **conn else { unreachable!("it is SQLite") };
        Ok(-diesel::sql_query("PRAGMA cache_size").get_result::<Kept>(conn)?.cache_size)
    }
    let folder = tempfile::tempdir().unwrap();
    let db = open(&folder.path().join("astro.db"));
    // One after another, so that a connection that is free could be taken for either.
    for _ in 0..3 {
        assert_eq!(db.write(kibibytes).await.unwrap(), 64 * 1024);
        assert_eq!(db.read(kibibytes).await.unwrap(), 8 * 1024);
    }
}

#[tokio::test]
async fn a_look_is_in_no_transaction_and_a_read_is() {
    fn begins(conn: &mut Conn) -> Result<bool> {
        let begun = conn.batch_execute("BEGIN").is_ok();
        if begun {
            conn.batch_execute("ROLLBACK")?;
        }
        Ok(begun)
    }
    let folder = tempfile::tempdir().unwrap();
    let db = open(&folder.path().join("astro.db"));
    assert!(db.look(begins).await.unwrap());
    assert!(!db.read(begins).await.unwrap());
}

#[tokio::test]
async fn a_look_is_made_on_the_callers_thread_and_elsewhere_when_that_cannot_be() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(&folder.path().join("astro.db"));
    let own = std::thread::current().id();
    let here = |_: &mut Conn| Ok(std::thread::current().id());
    assert_eq!(db.look(here).await.unwrap(), own);
    assert_ne!(db.read(here).await.unwrap(), own);
    // As what meets a lock fails, since nobody is kept waiting on a thread that serves calls.
    let locked = move |_: &mut Conn| match std::thread::current().id() {
        thread if thread == own => Err(Error::Unavailable("database is locked".to_owned())),
        thread => Ok(thread),
    };
    assert_ne!(db.look(locked).await.unwrap(), own);
    let gone = |_: &mut Conn| Err::<(), _>(Error::Internal("it is wrong".to_owned()));
    assert!(matches!(db.look(gone).await, Err(Error::Internal(_))));
}
