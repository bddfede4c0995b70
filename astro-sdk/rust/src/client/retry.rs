//! When to send a request again, and how long to wait before. Pure: time and chance are arguments.

use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::StatusExt;

/// Attempts at one call in all, if the server says that it is full.
const ATTEMPTS_MAX: u32 = 4;
/// Upper bound of the first pause; doubled for each later one.
const PAUSE_FIRST: Duration = Duration::from_millis(100);
/// Upper bound of all pauses that the server did not ask for.
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// Longest pause that the server may ask for; beyond it the caller is to decide.
const ASKED_PAUSE_MAX: Duration = Duration::from_secs(60);

/// The pause before the next attempt after `failed` attempts, the last with `status`; `None`: give
/// up. `chance` is in 0..1.
pub(super) fn pause(status: &Status, failed: u32, chance: f64) -> Option<Duration> {
    let asked = status.get_details_retry_info().and_then(|info| info.retry_delay);
    let repeatable = match status.code() {
        // For as long as the call has time: a server that is started anew costs no call.
        Code::Unavailable => true,
        // Without a time to come back at, more calls would only add to the load.
        Code::ResourceExhausted => asked.is_some() && failed < ATTEMPTS_MAX,
        Code::Ok
        | Code::Cancelled
        | Code::Unknown
        | Code::InvalidArgument
        | Code::DeadlineExceeded
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unimplemented
        | Code::Internal
        | Code::DataLoss
        | Code::Unauthenticated => false,
    };
    if !repeatable {
        return None;
    }
    match asked {
        Some(asked) if asked > ASKED_PAUSE_MAX => None,
        Some(asked) => Some(asked),
        None => Some(backoff(failed, chance)),
    }
}

/// The pause after `failed` failures in a row: random between 0 and a bound that doubles, so that
/// many clients do not come back at the same moment.
pub(super) fn backoff(failed: u32, chance: f64) -> Duration {
    let doublings = failed.saturating_sub(1).min(16);
    PAUSE_FIRST.saturating_mul(1 << doublings).min(PAUSE_MAX).mul_f64(chance)
}

/// A random number in 0..1.
pub(super) fn chance() -> f64 {
    let random = getrandom::u32().unwrap_or(u32::MAX / 2);
    f64::from(random) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use tonic_types::ErrorDetails;

    use super::*;

    fn asking(code: Code, seconds: u64) -> Status {
        let details = ErrorDetails::with_retry_info(Some(Duration::from_secs(seconds)));
        Status::with_error_details(code, "later", details)
    }

    #[test]
    fn pauses_double_up_to_a_bound() {
        let bounds: Vec<u128> = (1..=8).map(|failed| backoff(failed, 1.0).as_millis()).collect();
        assert_eq!(bounds, [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
        assert_eq!(backoff(1000, 1.0).as_secs(), 5);
        assert_eq!(backoff(3, 0.5).as_millis(), 200);
        assert_eq!(backoff(3, 0.0).as_millis(), 0);
    }

    #[test]
    fn a_full_server_is_asked_four_times_and_one_that_is_away_for_ever() {
        assert!(pause(&asking(Code::ResourceExhausted, 1), 3, 0.5).is_some());
        assert_eq!(pause(&asking(Code::ResourceExhausted, 1), 4, 0.5), None);
        assert!(pause(&Status::unavailable("away"), 1000, 0.5).is_some());
    }

    #[test]
    fn the_server_may_name_the_pause() {
        assert_eq!(pause(&asking(Code::Unavailable, 2), 1, 0.5), Some(Duration::from_secs(2)));
        let full = asking(Code::ResourceExhausted, 7);
        assert_eq!(pause(&full, 1, 0.5), Some(Duration::from_secs(7)));
        assert_eq!(pause(&asking(Code::Unavailable, 61), 1, 0.5), None);
    }

    #[test]
    fn a_limit_without_a_time_is_not_retried() {
        assert_eq!(pause(&Status::resource_exhausted("full"), 1, 0.5), None);
    }

    #[test]
    fn other_refusals_are_final() {
        for code in [Code::InvalidArgument, Code::Aborted, Code::Internal, Code::Unknown] {
            assert_eq!(pause(&Status::new(code, ""), 1, 0.5), None, "{code:?}");
        }
    }

    #[test]
    fn chance_is_below_one() {
        assert!((0..100).all(|_| (0.0..1.0).contains(&chance())));
    }
}
