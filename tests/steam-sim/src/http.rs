//! A request as handlers see it, and their answer.

use std::collections::HashMap;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Body;
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::ids::SteamId;

/// More than any client of Steam sends; a body beyond it is refused.
const BODY_BYTES_MAX: usize = 4 << 20;

/// A request, read to its end.
pub(crate) struct Call {
    pub method: Method,
    pub host: String,
    pub path: String,
    pub headers: HeaderMap,
    query: Vec<(String, String)>,
    form: Vec<(String, String)>,
    cookies: HashMap<String, String>,
}

impl Call {
    /// Reads a request; `None` when the client broke off or sent too much.
    pub(crate) async fn read<B>(request: http::Request<B>) -> Option<Self>
    where
        B: Body<Data = Bytes, Error: std::error::Error + Send + Sync + 'static>,
    {
        let (head, body) = request.into_parts();
        let body = Limited::new(body, BODY_BYTES_MAX).collect().await.ok()?.to_bytes();
        let host = text_of(&head.headers, header::HOST.as_str());
        let host = host.or_else(|| head.uri.host().map(str::to_owned)).unwrap_or_default();
        let host = host.split(':').next().unwrap_or_default().to_ascii_lowercase();
        let content_type = text_of(&head.headers, "content-type").unwrap_or_default();
        let form = match content_type.split_once("boundary=") {
            Some((_, boundary)) => multipart(&body, boundary_of(boundary)),
            None => parse(&body),
        };
        Some(Self {
            host,
            path: head.uri.path().to_owned(),
            query: parse(head.uri.query().unwrap_or_default().as_bytes()),
            form,
            cookies: cookies(&head.headers),
            method: head.method,
            headers: head.headers,
        })
    }

    /// A form field, or else a query parameter.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// All values of a repeated field such as `cid[]`.
    pub(crate) fn list(&self, name: &str) -> Vec<&str> {
        self.fields().filter(|(key, _)| *key == name).map(|(_, value)| value).collect()
    }

    /// The number in a field; `None` when it is absent or none.
    pub(crate) fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.field(name).and_then(|text| text.parse().ok())
    }

    /// Whether a switch such as `active_only` is on.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.field(name).is_some_and(|value| !matches!(value, "" | "0" | "false"))
    }

    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.form.iter().chain(&self.query).map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// A field of the body only.
    pub(crate) fn form_field(&self, name: &str) -> Option<&str> {
        self.form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get(name).map(String::as_str)
    }

    /// The account and the token of a cookie such as `steamLoginSecure=7656…%7C%7CeyJ…`.
    pub(crate) fn token_cookie(&self, name: &str) -> Option<(SteamId, String)> {
        let cookie = format!("c={}", self.cookie(name)?);
        let (_, cookie) = form_urlencoded::parse(cookie.as_bytes()).next()?;
        let (id, token) = cookie.split_once("||")?;
        Some((id.parse().ok()?, token.to_owned()))
    }

    /// The parts of the path between its slashes.
    pub(crate) fn segments(&self) -> Vec<&str> {
        self.path.split('/').filter(|part| !part.is_empty()).collect()
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Reply {
    pub(crate) fn empty(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), body: Bytes::new() }
    }

    pub(crate) fn json(status: StatusCode, body: &Value) -> Self {
        Self::json_text(status, body.to_string())
    }

    /// A body which is JSON already.
    pub(crate) fn json_text(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self::of(status, "application/json; charset=utf-8", body)
    }

    pub(crate) fn html(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self::of(status, "text/html; charset=UTF-8", body)
    }

    pub(crate) fn of(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Self {
        let mut reply = Self { body: body.into(), ..Self::empty(status) };
        reply.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        reply
    }

    /// The answer of a community page to a trade action it could not do.
    pub(crate) fn str_error(text: &str) -> Self {
        Self::json(StatusCode::INTERNAL_SERVER_ERROR, &json!({ "strError": text }))
    }

    /// With Steam's result code in its header.
    pub(crate) fn eresult(mut self, code: u32) -> Self {
        self.headers.insert("x-eresult", HeaderValue::from(code));
        self
    }

    /// With one more header; one which HTTP does not allow is left out.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) {
            self.headers.append(name, value);
        }
        self
    }

    pub(crate) fn into_response(self) -> hyper::Response<Full<Bytes>> {
        let mut response = hyper::Response::new(Full::new(self.body));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

fn text_of(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

fn parse(text: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(text).into_owned().collect()
}

fn cookies(headers: &HeaderMap) -> HashMap<String, String> {
    let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect()
}

fn boundary_of(parameter: &str) -> &str {
    parameter.split(';').next().unwrap_or_default().trim().trim_matches('"')
}

/// The text fields of a `multipart/form-data` body.
fn multipart(body: &[u8], boundary: &str) -> Vec<(String, String)> {
    let body = String::from_utf8_lossy(body);
    let separator = format!("--{boundary}");
    let part = |part: &str| {
        let (head, value) = part.split_once("\r\n\r\n")?;
        let (_, name) = head.split_once("name=\"")?;
        let (name, _) = name.split_once('"')?;
        let value = value.strip_suffix("\r\n").unwrap_or(value);
        Some((name.to_owned(), value.to_owned()))
    };
    body.split(separator.as_str()).filter_map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multipart_fields_are_read() {
        let body = "--X\r\nContent-Disposition: form-data; name=\"input_protobuf_encoded\"\r\n\r\n\
                    CgA=\r\n--X\r\nContent-Disposition: form-data; name=\"b\"\r\n\r\n\r\n--X--\r\n";
        let fields = multipart(body.as_bytes(), "X");
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(fields, [pair("input_protobuf_encoded", "CgA="), pair("b", "")]);
    }
}
