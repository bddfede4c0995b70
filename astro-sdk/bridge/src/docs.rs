//! The description of the API, for programs and for people; it needs no key, as reflection needs none.

use std::sync::LazyLock;

use base64::Engine as _;
use bytes::Bytes;
use http::header::X_CONTENT_TYPE_OPTIONS;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};
use http::{HeaderValue, Response};
use sha2::{Digest as _, Sha256};
use tonic::body::Body;

const DOCUMENT: &[u8] = include_bytes!("../../openapi/openapi.json");
const PAGE: &str = include_str!("../../openapi/index.html");

/// What is at this path, if it is one of the description's.
pub(crate) fn at(path: &str) -> Option<Response<Body>> {
    match path {
        "/api/v1/openapi.json" | "/api/openapi.json" => {
            Some(told(DOCUMENT, "application/json", "default-src 'none'"))
        }
        "/api/docs" => Some(told(PAGE.as_bytes(), "text/html; charset=utf-8", &POLICY)),
        _ => None,
    }
}

fn told(text: &'static [u8], kind: &'static str, policy: &str) -> Response<Body> {
    let mut answer = Response::new(Body::new(http_body_util::Full::new(Bytes::from_static(text))));
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if let Ok(policy) = HeaderValue::from_str(policy) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    answer
}

/// What the page may do: its own script, style and server, and nothing else, since a key is typed
/// into it.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = |tag: &str| {
        let inner = PAGE.split_once(&format!("<{tag}>")).map_or("", |(_, rest)| rest);
        let inner = inner.split_once(&format!("</{tag}>")).map_or("", |(inner, _)| inner);
        base64::engine::general_purpose::STANDARD.encode(Sha256::digest(inner))
    };
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        hash("style"),
        hash("script")
    )
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_one_style_and_one_script_and_asks_nobody_else() {
        for tag in ["style", "script"] {
            assert_eq!(PAGE.matches(&format!("<{tag}")).count(), 1, "{tag}");
            assert_eq!(PAGE.matches(&format!("<{tag}>")).count(), 1, "{tag} has no attribute");
        }
        for other in ["src=\"http", "href=\"http", "@import", "url(", " style=\"", " onclick="] {
            assert!(!PAGE.contains(other), "{other}");
        }
    }
}
