//! Who is signed in: a cookie that only this process can read and make.

use std::collections::HashMap;
use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use chrono::{DateTime, Utc};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use crate::limits::{LINK, SESSION, SESSIONS_MAX};

const NONCE_BYTES: usize = 24;
const ID_BYTES: usize = 16;
/// What a cookie is sealed for; another purpose opens nothing.
const PURPOSE: &[u8] = b"astro-console session";
/// A cookie is a few hundred bytes; a longer one is not ours.
const COOKIE_BYTES_MAX: usize = 2048;

/// A signed-in caller.
#[derive(Clone)]
pub(crate) struct Session {
    id: [u8; ID_BYTES],
    /// The caller's key.
    pub key: String,
    /// When it ends.
    pub end: DateTime<Utc>,
}

impl Session {
    /// What the key is remembered by, where the key itself shall not lie about.
    pub(crate) fn mark(&self) -> [u8; 32] {
        Sha256::digest(self.key.as_bytes()).into()
    }
}

/// A link's key, and until when it works.
type Kept = (String, DateTime<Utc>);

/// Makes and reads sessions, the tokens of their forms, and links that sign in once.
pub(crate) struct Sessions {
    secret: [u8; 32],
    /// Those that were ended before their time, until then.
    ended: Mutex<HashMap<[u8; ID_BYTES], DateTime<Utc>>>,
    /// Keys by the mark of the link that brings them.
    links: Mutex<HashMap<[u8; 32], Kept>>,
}

impl Sessions {
    /// With a secret of chance, so that a restart signs everybody out.
    pub(crate) fn new() -> Result<Self, getrandom::Error> {
        Ok(Self { secret: random()?, ended: Mutex::default(), links: Mutex::default() })
    }

    /// Begins a session; answers it and the value of its cookie.
    pub(crate) fn begin(&self, key: &str, now: DateTime<Utc>) -> Option<(Session, String)> {
        let session = Session { id: random().ok()?, key: key.to_owned(), end: now + SESSION };
        let end = session.end.timestamp().to_be_bytes();
        let plain = [session.id.as_slice(), &end, key.as_bytes()].concat();
        let nonce: [u8; NONCE_BYTES] = random().ok()?;
        let payload = Payload { msg: &plain, aad: PURPOSE };
        let sealed = self.cipher().encrypt(&XNonce::from(nonce), payload).ok()?;
        Some((session, URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat())))
    }

    /// The session of a cookie, if this process made it and it has not ended.
    pub(crate) fn open(&self, cookie: &str, now: DateTime<Utc>) -> Option<Session> {
        if cookie.len() > COOKIE_BYTES_MAX {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(cookie).ok()?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_BYTES)?;
        let payload = Payload { msg: sealed, aad: PURPOSE };
        let plain = self.cipher().decrypt(nonce.try_into().ok()?, payload).ok()?;
        let (id, rest) = plain.split_at_checked(ID_BYTES)?;
        let (end, key) = rest.split_at_checked(8)?;
        let end = DateTime::from_timestamp(i64::from_be_bytes(end.try_into().ok()?), 0)?;
        let id = id.try_into().ok()?;
        let ended = lock(&self.ended).contains_key(&id);
        let key = String::from_utf8(key.to_vec()).ok()?;
        (end > now && !ended).then_some(Session { id, key, end })
    }

    /// Ends a session: its cookie opens nothing any more.
    pub(crate) fn end(&self, session: &Session, now: DateTime<Utc>) {
        let mut ended = lock(&self.ended);
        ended.retain(|_, end| *end > now);
        if ended.len() < SESSIONS_MAX {
            ended.insert(session.id, session.end);
        }
    }

    /// What each form of the session carries, and no other site can know.
    pub(crate) fn form_token(&self, session: &Session) -> String {
        URL_SAFE_NO_PAD.encode(self.mac(session).finalize().into_bytes())
    }

    /// Whether a form carries it.
    pub(crate) fn is_form_token(&self, session: &Session, token: &str) -> bool {
        let told = URL_SAFE_NO_PAD.decode(token).unwrap_or_default();
        self.mac(session).verify_slice(&told).is_ok()
    }

    /// A word for a link that signs in with this key, once.
    pub(crate) fn make_link(&self, key: &str, now: DateTime<Utc>) -> Option<String> {
        let word = URL_SAFE_NO_PAD.encode(random::<24>().ok()?);
        let mut links = lock(&self.links);
        links.retain(|_, (_, end)| *end > now);
        links.insert(Sha256::digest(word.as_bytes()).into(), (key.to_owned(), now + LINK));
        Some(word)
    }

    /// The key of a link's word, which is worth nothing afterwards.
    pub(crate) fn take_link(&self, word: &str, now: DateTime<Utc>) -> Option<String> {
        let mark: [u8; 32] = Sha256::digest(word.as_bytes()).into();
        let (key, end) = lock(&self.links).remove(&mark)?;
        (end > now).then_some(key)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&self.secret).into())
    }

    fn mac(&self, session: &Session) -> Hmac<Sha256> {
        let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(&self.secret)
            .expect("a key may have any length");
        mac.update(b"form");
        mac.update(&session.id);
        mac
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
    use chrono::TimeDelta;

    use super::*;
    use crate::clock;

    #[test]
    fn a_session_opens_until_its_end_and_only_unchanged() {
        let (sessions, now) = (Sessions::new().unwrap(), clock::system());
        let (session, cookie) = sessions.begin("astro_client_x", now).unwrap();
        assert_eq!(sessions.open(&cookie, now).unwrap().key, "astro_client_x");
        assert!(!cookie.contains("astro_client_x"));
        let late = now + SESSION + TimeDelta::seconds(1);
        assert!(sessions.open(&cookie, late).is_none());
        let changed =
            cookie.replace(&cookie[40..41], if &cookie[40..41] == "A" { "B" } else { "A" });
        assert!(sessions.open(&changed, now).is_none());
        assert!(Sessions::new().unwrap().open(&cookie, now).is_none(), "of another process");
        sessions.end(&session, now);
        assert!(sessions.open(&cookie, now).is_none(), "signed out");
    }

    #[test]
    fn the_token_of_a_form_is_its_sessions_own() {
        let (sessions, now) = (Sessions::new().unwrap(), clock::system());
        let (one, _) = sessions.begin("key", now).unwrap();
        let (two, _) = sessions.begin("key", now).unwrap();
        let token = sessions.form_token(&one);
        assert!(sessions.is_form_token(&one, &token));
        assert!(!sessions.is_form_token(&two, &token));
        assert!(!sessions.is_form_token(&one, ""));
    }

    #[test]
    fn a_link_signs_in_once_and_not_for_ever() {
        let (sessions, now) = (Sessions::new().unwrap(), clock::system());
        let word = sessions.make_link("key", now).unwrap();
        assert_eq!(sessions.take_link(&word, now).as_deref(), Some("key"));
        assert_eq!(sessions.take_link(&word, now), None);
        let word = sessions.make_link("key", now).unwrap();
        assert_eq!(sessions.take_link(&word, now + LINK), None);
    }
}
