//! Lists as files: streamed page by page, so that a long one costs no memory.

use astro_sdk::List;
use astro_sdk::rpc::Paged;
use async_stream::stream;
use axum::body::Body;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};
use axum::response::Response;
use bytes::Bytes;
use futures_util::StreamExt;
use prost_types::Timestamp;

use crate::limits::CSV_ROWS_MAX;
use crate::parts::time;

/// Tells spreadsheets that it is UTF-8.
const MARK: &str = "\u{feff}";

/// The list as a file of this name. A page that cannot be had breaks the file off, so that nobody
/// takes it for whole.
pub(crate) fn answer<R, F>(name: &str, heads: &[&str], mut list: List<R>, line: F) -> Response
where
    R: Paged,
    List<R>: Send,
    F: Fn(R::Entry) -> Vec<String> + Send + 'static,
{
    let first = format!("{MARK}{}", row(heads.iter().map(|head| (*head).to_owned())));
    let lines = stream! {
        yield Ok::<_, std::io::Error>(Bytes::from(first));
        let mut told = 0;
        while told < CSV_ROWS_MAX {
            let Some(entry) = list.next().await else { break };
            match entry {
                Ok(entry) => yield Ok(Bytes::from(row(line(entry)))),
                Err(error) => {
                    yield Err(std::io::Error::other(error.to_string()));
                    break;
                }
            }
            told += 1;
        }
    };
    let mut response = Response::new(Body::from_stream(lines));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    let as_file = format!("attachment; filename=\"astro-{name}.csv\"");
    if let Ok(value) = HeaderValue::from_str(&as_file) {
        headers.insert(CONTENT_DISPOSITION, value);
    }
    response
}

/// A time as a cell.
pub(crate) fn time(at: Option<&Timestamp>) -> String {
    time::moment(at).map(time::iso).unwrap_or_default()
}

/// One line of cells.
fn row(cells: impl IntoIterator<Item = String>) -> String {
    let cells: Vec<String> = cells.into_iter().map(|cell| quoted(&cell)).collect();
    cells.join(",") + "\r\n"
}

/// A cell that no spreadsheet takes for a formula, in quotes where it needs them.
fn quoted(cell: &str) -> String {
    let begins = cell.trim_start().chars().next();
    let formula = begins.is_some_and(|c| "=+-@".contains(c)) || cell.starts_with(['\t', '\r']);
    let text = if formula { format!("'{cell}") } else { cell.to_owned() };
    if text.contains([',', '"', '\n', '\r', ';', '\t']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_never_a_formula() {
        for (cell, told) in [
            ("Refined Metal", "Refined Metal"),
            ("=1+1", "'=1+1"),
            ("+49", "'+49"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("  =1", "'  =1"),
            ("\t=1", "\"'\t=1\""),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("two\nlines", "\"two\nlines\""),
        ] {
            assert_eq!(quoted(cell), told);
        }
    }
}
