//! The files that pages bring: one style sheet, one module, one picture. They are compiled in and
//! served under the mark of what they say, so that a browser may keep them for ever.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

const STYLE: &str = include_str!("../assets/console.css");
const SCRIPT: &str = include_str!("../assets/console.js");
const ICON: &str = include_str!("../assets/icon.svg");

/// The addresses of the files.
pub(crate) struct Addresses {
    pub style: String,
    pub script: String,
    pub icon: String,
}

/// Where the files of this build are.
pub(crate) static ADDRESSES: LazyLock<Addresses> = LazyLock::new(|| {
    let named = |text: &str, ending| {
        let mark: String =
            Sha256::digest(text.as_bytes()).iter().take(8).map(|b| format!("{b:02x}")).collect();
        format!("/assets/{mark}.{ending}")
    };
    Addresses { style: named(STYLE, "css"), script: named(SCRIPT, "js"), icon: named(ICON, "svg") }
});

/// Answers a file.
pub(crate) async fn serve(Path(name): Path<String>) -> Response {
    let asked = format!("/assets/{name}");
    let (text, kind) = if asked == ADDRESSES.style {
        (STYLE, "text/css; charset=utf-8")
    } else if asked == ADDRESSES.script {
        (SCRIPT, "text/javascript; charset=utf-8")
    } else if asked == ADDRESSES.icon {
        (ICON, "image/svg+xml")
    } else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let mut response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    response
}
