use super::*;
use crate::db::Address;
use std::sync::atomic::{AtomicUsize, Ordering};

static LEFT: AtomicUsize = AtomicUsize::new(3500);

/// Deletes so many of what is left.
fn delete(_: &mut Conn, _: Timestamp, limit: i64) -> Result<usize> {
    assert_eq!(limit, FORGOTTEN, "in portions");
    let left = LEFT.load(Ordering::SeqCst);
    let some = left.min(usize::try_from(limit).unwrap());
    LEFT.store(left - some, Ordering::SeqCst);
    Ok(some)
}

/// A server that looks for work so often.
fn runner(folder: &tempfile::TempDir, every: Duration) -> Runner {
    let address = Address::Sqlite(folder.path().join("astro.db"));
    Runner::new(
        Db::open(&address, |_| Ok(())).unwrap(),
        Clock::default(),
        every,
        Metrics::default(),
    )
}

#[tokio::test]
async fn old_rows_are_deleted_in_portions_until_none_is_left_or_the_time_is_up() {
    let folder = tempfile::tempdir().unwrap();
    let hurried = runner(&folder, Duration::ZERO);
    let now = hurried.clock.now();
    assert_eq!(hurried.forget_now("forget", delete, now).await, Ok((1000, false)));
    let patient = Runner { every: Duration::from_secs(3600), ..hurried };
    assert_eq!(patient.forget_now("forget", delete, now).await, Ok((2500, true)));
}

#[tokio::test]
async fn one_server_does_a_job_and_another_takes_it_over_when_that_one_is_silent() {
    let folder = tempfile::tempdir().unwrap();
    let every = Duration::from_secs(5);
    let one = runner(&folder, every);
    let two = Runner { holder: Guid(one.db.chance().salt()), ..one.clone() };
    let now = one.clock.now();
    assert_eq!(one.leads("a job", now).await, Ok(true));
    assert_eq!(one.leads("a job", now.plus(every)).await, Ok(true), "its own");
    assert_eq!(two.leads("a job", now.plus(every * 3)).await, Ok(false));
    assert_eq!(two.leads("another", now).await, Ok(true), "a lease for each job");
    assert_eq!(two.leads("a job", now.plus(every * 4)).await, Ok(true));
    assert_eq!(one.leads("a job", now.plus(every * 4)).await, Ok(false));
}

#[tokio::test]
async fn a_lease_of_a_clock_that_ran_ahead_keeps_nobody_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let one = runner(&folder, Duration::from_secs(5));
    let two = Runner { holder: Guid(one.db.chance().salt()), ..one.clone() };
    let now = one.clock.now();
    let ahead = now.plus(Duration::from_secs(3600));
    assert_eq!(one.leads("a job", ahead).await, Ok(true));
    assert_eq!(two.leads("a job", now).await, Ok(true));
}
