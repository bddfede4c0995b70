//! Who is signed in: the cookie holds the secret of a session that the server made, and nothing else
//! keeps it. What is kept here are the links that sign in once.

use std::collections::HashMap;
use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use crate::limits::{LINK, LINKS_MAX};

/// What a session's secret begins with. Keys are none: a cookie never holds one.
const SECRET: &str = "astro_session_";
/// A secret has 66 bytes; one that is far longer is none.
const SECRET_BYTES_MAX: usize = 200;

/// A session as its cookie tells it; the server knows whether it is good.
#[derive(Clone)]
pub(crate) struct Session {
    secret: String,
}

impl Session {
    /// That of a cookie, if it can be one.
    pub(crate) fn of(cookie: &str) -> Option<Self> {
        let plain = |c: u8| c.is_ascii_alphanumeric() || c == b'_';
        let may_be = cookie.starts_with(SECRET) && cookie.len() <= SECRET_BYTES_MAX;
        (may_be && cookie.bytes().all(plain)).then(|| Self { secret: cookie.to_owned() })
    }

    /// What its calls are made with.
    pub(crate) fn secret(&self) -> &str {
        &self.secret
    }

    /// What it is remembered by, where the secret itself shall not lie about.
    pub(crate) fn mark(&self) -> [u8; 32] {
        Sha256::digest(self.secret.as_bytes()).into()
    }

    /// What each form of the session carries, and no other site can know. It follows from the secret,
    /// so that forms outlive the process that made them.
    pub(crate) fn form_token(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.mac().finalize().into_bytes())
    }

    /// Whether a form carries it.
    pub(crate) fn is_form_token(&self, token: &str) -> bool {
        let told = URL_SAFE_NO_PAD.decode(token).unwrap_or_default();
        self.mac().verify_slice(&told).is_ok()
    }

    fn mac(&self) -> Hmac<Sha256> {
        let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(self.secret.as_bytes())
            .expect("a key may have any length");
        mac.update(b"astro-console form");
        mac
    }
}

/// Whether the text is a session's secret, which makes no further session.
pub(crate) fn is_session(text: &str) -> bool {
    text.starts_with(SECRET)
}

/// A link's key, and until when it works.
type Kept = (String, DateTime<Utc>);

/// Links that sign in once: keys by the mark of the link that brings them.
#[derive(Default)]
pub(crate) struct Links(Mutex<HashMap<[u8; 32], Kept>>);

impl Links {
    /// A word for a link that signs in with this key, once.
    pub(crate) fn make(&self, key: &str, now: DateTime<Utc>) -> Option<String> {
        let word = URL_SAFE_NO_PAD.encode(random::<24>().ok()?);
        let mut links = lock(&self.0);
        links.retain(|_, (_, end)| *end > now);
        if links.len() >= LINKS_MAX {
            return None;
        }
        links.insert(Sha256::digest(word.as_bytes()).into(), (key.to_owned(), now + LINK));
        Some(word)
    }

    /// The key of a link's word, which is worth nothing afterwards.
    pub(crate) fn take(&self, word: &str, now: DateTime<Utc>) -> Option<String> {
        let mark: [u8; 32] = Sha256::digest(word.as_bytes()).into();
        let mut links = lock(&self.0);
        links.retain(|_, (_, end)| *end > now);
        links.remove(&mark).map(|(key, _)| key)
    }
}

/// What a lock guards, also after a panic of another who held it: each change here is whole.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn random<const N: usize>() -> Result<[u8; N], getrandom::Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    const ONE: &str = "astro_session_abcdefghijkm_01234567";

    #[test]
    fn a_cookie_is_a_sessions_secret_or_nobody() {
        assert_eq!(Session::of(ONE).unwrap().secret(), ONE);
        let long = format!("{SECRET}{}", "a".repeat(SECRET_BYTES_MAX));
        for none in ["", "astro_client_abc_def", "astro_session_a b", "astro_session_\u{e4}", &long]
        {
            assert!(Session::of(none).is_none(), "{none}");
        }
    }

    #[test]
    fn the_token_of_a_form_is_its_sessions_own_and_needs_nothing_kept() {
        let one = Session::of(ONE).unwrap();
        let token = one.form_token();
        assert!(!token.contains("0123") && Session::of(ONE).unwrap().is_form_token(&token));
        assert!(!Session::of("astro_session_other").unwrap().is_form_token(&token));
        assert!(!one.is_form_token(""));
    }

    #[test]
    fn a_link_signs_in_once_and_not_for_ever() {
        let (links, now) = (Links::default(), clock::system());
        let word = links.make("key", now).unwrap();
        assert_eq!(links.take(&word, now).as_deref(), Some("key"));
        assert_eq!(links.take(&word, now), None);
        let word = links.make("key", now).unwrap();
        assert_eq!(links.take(&word, now + LINK), None);
    }
}
