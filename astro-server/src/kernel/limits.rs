//! The limits that all slices share, each with its reason; a slice has its own in its `limits.rs`.
use super::error::{Error, Result};
use std::time::Duration;

/// Rows of a page when the caller does not say.
pub const PAGE_SIZE_DEFAULT: i32 = 50;
/// Rows of a page at most.
pub const PAGE_SIZE_MAX: i32 = 500;
/// Bytes of a page at most, but for one row that has more: clients take 4 MiB in one message.
pub const PAGE_BYTES_MAX: usize = 3 * 1024 * 1024;
/// Rows that a page's first look for what a filter takes goes through, and each further one: the first
/// finds what is common without delay, the others let other callers in after some ten milliseconds.
pub const LIST_PIECES: (i64, i64) = (500, 10_000);
/// Time after which a page whose filter takes few is given as it is, to be followed by the next.
pub const LIST_PAGE_TIME: Duration = Duration::from_secs(1);
/// Values in one filter field: bounds the statement.
pub const FILTER_VALUES_MAX: usize = 100;
/// Items in one assignment or reservation: bounds the transaction and the trade offer, which
/// Steam takes up to 255 items in.
pub const ITEMS_MAX: usize = 100;
/// Bytes of free-form JSON in one field.
pub const DOCUMENT_BYTES_MAX: usize = 16 * 1024;
/// Depth of free-form JSON: far below what the decoders stop at.
pub const DOCUMENT_DEPTH_MAX: usize = 16;
/// Characters of a name for people: what a table of the command line can show.
pub const NAME_CHARS_MAX: usize = 100;
/// How far the clocks of two servers may lie apart, as time services keep them. What was set later
/// than that from now was set by a clock that ran ahead: nobody waits for it.
pub const CLOCKS_APART: Duration = Duration::from_secs(5);
/// A clock that moved this much more or less than time passed was set, and is told in the log.
pub const CLOCK_STEP: Duration = Duration::from_secs(1);

/// Checks a text's length in characters and that it has no control characters, nor such as turn the
/// direction of writing.
///
/// # Errors
/// [`Error::Invalid`] naming `field`.
pub fn text(field: &'static str, text: &str, max: usize) -> Result<()> {
    if text.chars().count() > max {
        return Err(Error::invalid(field, format!("has more than {max} characters")));
    }
    if text.chars().any(super::text::is_control) {
        return Err(Error::invalid(field, "has control characters"));
    }
    Ok(())
}

/// Checks how many values a repeated field has.
///
/// # Errors
/// [`Error::Invalid`] naming `field`.
pub fn count(field: &'static str, found: usize, max: usize) -> Result<()> {
    if found > max {
        return Err(Error::invalid(field, format!("has {found} values, {max} at most")));
    }
    Ok(())
}

/// Seconds from the wire: 0 is the default.
///
/// # Errors
/// [`Error::Invalid`] naming `field` outside `min` to `max`.
pub fn seconds(
    field: &'static str,
    seconds: i32,
    default: Duration,
    min: Duration,
    max: Duration,
) -> Result<Duration> {
    if seconds == 0 {
        return Ok(default);
    }
    let span = u64::try_from(seconds).map(Duration::from_secs).ok();
    span.filter(|s| (min..=max).contains(s)).ok_or_else(|| {
        Error::invalid(field, format!("must be {} to {} seconds", min.as_secs(), max.as_secs()))
    })
}
