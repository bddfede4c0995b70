//! The files that pages bring: one style sheet, one module, one picture. They are compiled in and
//! served under the mark of what they say, so that a browser may keep them for ever; or read from a
//! folder each time, for whoever works on them.

use std::path::PathBuf;
use std::sync::{LazyLock, OnceLock};

use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

/// A file: its name in the folder, what it says, and what it is.
struct File(&'static str, &'static str, &'static str);

const STYLE: File =
    File("console.css", include_str!("../assets/console.css"), "text/css; charset=utf-8");
const SCRIPT: File =
    File("console.js", include_str!("../assets/console.js"), "text/javascript; charset=utf-8");
const ICON: File = File("icon.svg", include_str!("../assets/icon.svg"), "image/svg+xml");

/// Where files are read from in place of those that are compiled in.
static FOLDER: OnceLock<PathBuf> = OnceLock::new();

/// The addresses of the files.
pub(crate) struct Addresses {
    pub style: String,
    pub script: String,
    pub icon: String,
}

/// Where the files are.
pub(crate) static ADDRESSES: LazyLock<Addresses> = LazyLock::new(|| Addresses {
    style: named(&STYLE),
    script: named(&SCRIPT),
    icon: named(&ICON),
});

fn named(File(name, text, _): &File) -> String {
    if FOLDER.get().is_some() {
        return format!("/assets/{name}");
    }
    let mark: String =
        Sha256::digest(text.as_bytes()).iter().take(8).map(|b| format!("{b:02x}")).collect();
    let ending = name.rsplit('.').next().unwrap_or_default();
    format!("/assets/{mark}.{ending}")
}

/// Reads all files from this folder from now on; it must be told before the first page.
pub(crate) fn read_from(folder: PathBuf) {
    // Only the first one counts, which is as good: a process has one.
    let _ = FOLDER.set(folder);
}

/// Answers a file.
pub(crate) async fn serve(Path(name): Path<String>) -> Response {
    let asked = format!("/assets/{name}");
    let all = [(&ADDRESSES.style, STYLE), (&ADDRESSES.script, SCRIPT), (&ADDRESSES.icon, ICON)];
    let found = all.into_iter().find(|(address, _)| **address == asked);
    let Some((_, File(name, text, kind))) = found else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let (mut response, kept) = match FOLDER.get() {
        Some(folder) => match tokio::fs::read(folder.join(name)).await {
            Ok(bytes) => (bytes.into_response(), "no-store"),
            Err(_) => return StatusCode::NOT_FOUND.into_response(),
        },
        None => (text.into_response(), "public, max-age=31536000, immutable"),
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(kept));
    response
}
