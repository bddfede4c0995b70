//! The time that a caller gives its call (`grpc-timeout`): what takes longer is given up.
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use std::time::Duration;
use tonic::Status;

/// Digits of a time-out, as gRPC limits them.
const DIGITS_MAX: usize = 8;

/// Ends the call when its time is up: whoever gave it that time waits no longer.
pub(super) async fn keep(request: Request, next: Next) -> Response {
    let wait = request.headers().get("grpc-timeout").and_then(|text| parse(text.to_str().ok()?));
    let Some(wait) = wait else { return next.run(request).await };
    let answer = tokio::time::timeout(wait, next.run(request)).await;
    answer.unwrap_or_else(|_| Status::deadline_exceeded("the call's time is up").into_http())
}

/// Reads "100m": at most eight digits and a unit. What is no time is none.
fn parse(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let well_formed = digits.len() <= DIGITS_MAX && digits.bytes().all(|b| b.is_ascii_digit());
    let n: u64 = digits.parse().ok().filter(|_| well_formed)?;
    match unit {
        "H" => Some(Duration::from_secs(n * 3600)),
        "M" => Some(Duration::from_secs(n * 60)),
        "S" => Some(Duration::from_secs(n)),
        "m" => Some(Duration::from_millis(n)),
        "u" => Some(Duration::from_micros(n)),
        "n" => Some(Duration::from_nanos(n)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_out_is_read_as_grpc_writes_it() {
        for (text, wait) in [
            ("2H", Duration::from_secs(7200)),
            ("3M", Duration::from_secs(180)),
            ("82S", Duration::from_secs(82)),
            ("99999999m", Duration::from_millis(99_999_999)),
            ("5u", Duration::from_micros(5)),
            ("0n", Duration::ZERO),
        ] {
            assert_eq!(parse(text), Some(wait), "{text}");
        }
        for text in ["", "S", "1", "1s", "-1S", "+1S", "123456789m", "1 S", "é"] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }
}
