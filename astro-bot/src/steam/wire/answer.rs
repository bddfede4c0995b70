//! An answer of Steam's, and how it is read: a good one, or a signal that says what it is instead.

use serde_json::Value;

use super::{error::Signal, loose};

/// What came back. It cannot be printed: it holds tokens.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Steam's own result, if the header was there.
    pub(crate) eresult: Option<i32>,
    pub(crate) error_message: Option<String>,
    /// Where a redirect leads.
    pub(crate) location: Option<String>,
    pub(crate) retry_after: Option<String>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// Whether the body is HTML.
    pub(crate) fn is_page(&self) -> bool {
        self.body.trim_ascii_start().starts_with(b"<")
    }
}

/// The number that ends one of Steam's error texts: `… try again later. (26)`.
pub(crate) fn number_in(text: &str) -> Option<i32> {
    let inner = text.trim_end().strip_suffix(')')?;
    let (_, number) = inner.rsplit_once('(')?;
    number.parse().ok()
}

/// Reads an answer of a community endpoint that speaks JSON.
///
/// # Errors
/// Whatever is not a good status with JSON that reports no error.
pub(crate) fn community_json(answer: &Answer) -> Result<Value, Signal> {
    login_redirect(answer)?;
    let value: Option<Value> = loose::json(&answer.body).ok();
    if let Some(value) = &value {
        if let Some(text) = value.get("strError").and_then(Value::as_str) {
            return Err(match number_in(text) {
                Some(code) => Signal::EResult { code, text: loose::shortened(text) },
                None => Signal::Said(loose::shortened(text)),
            });
        }
        if value.get("needauth").is_some_and(loose::as_bool) {
            return Err(Signal::LoggedOut);
        }
        if answer.status >= 400
            && let Some(code) = value.get("success").and_then(Value::as_i64)
        {
            let code = i32::try_from(code).unwrap_or(0);
            return Err(Signal::EResult { code, text: format!("HTTP {}", answer.status) });
        }
    }
    if answer.status >= 300 {
        return Err(Signal::Http { status: answer.status, page: answer.is_page() });
    }
    match value {
        Some(value) if value.is_object() => Ok(value),
        Some(_) | None if logged_out_page(answer) => Err(Signal::LoggedOut),
        Some(_) | None => Err(Signal::Garbled(format!("{} bytes", answer.body.len()))),
    }
}

/// Checks the status and result of a Web API answer.
///
/// # Errors
/// Whatever is not 2xx with a good result.
pub(crate) fn api_ok(answer: &Answer) -> Result<(), Signal> {
    if matches!(answer.status, 401 | 403) {
        return Err(Signal::Http { status: answer.status, page: false });
    }
    // Result 2 with a body means that all is well; an old quirk of the Web API.
    match answer.eresult {
        None | Some(1) => {}
        Some(2) if answer.status < 300 && answer.body.len() > 2 => {}
        Some(code) => {
            let text = loose::shortened(answer.error_message.as_deref().unwrap_or("Steam refused"));
            return Err(Signal::EResult { code, text });
        }
    }
    if answer.status >= 300 {
        return Err(Signal::Http { status: answer.status, page: answer.is_page() });
    }
    Ok(())
}

/// Reads an answer of the Web API that speaks JSON.
///
/// # Errors
/// See `api_ok`, and a body that is not JSON.
pub(crate) fn api_json(answer: &Answer) -> Result<Value, Signal> {
    api_ok(answer)?;
    loose::json(&answer.body).map_err(|_| Signal::Garbled(format!("{} bytes", answer.body.len())))
}

/// The `response` object of a Web API answer.
pub(crate) fn response(answer: &Answer) -> Result<Value, Signal> {
    let mut value = api_json(answer)?;
    match value.get_mut("response") {
        Some(response) if response.is_object() => Ok(response.take()),
        Some(_) | None => Err(Signal::Garbled("no response object".to_owned())),
    }
}

/// # Errors
/// `Signal::LoggedOut` for a redirect to the login.
pub(crate) fn login_redirect(answer: &Answer) -> Result<(), Signal> {
    let to_login = |place: &str| place.contains("/login") || place.contains("lostauth");
    match &answer.location {
        Some(place) if (300..400).contains(&answer.status) && to_login(place) => {
            Err(Signal::LoggedOut)
        }
        Some(_) | None => Ok(()),
    }
}

fn logged_out_page(answer: &Answer) -> bool {
    answer.is_page() && String::from_utf8_lossy(&answer.body).contains("g_steamID = false")
}
