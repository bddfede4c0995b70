//! Fetches pictures: little, soon, from nowhere else, and each once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::http::StatusCode;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use reqwest::redirect::Policy;
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::Semaphore;

use crate::app::ConfigError;
use crate::limits::{
    FAILED_MAX, PICTURE_AGAIN, PICTURE_BYTES_MAX, PICTURE_WAIT, PICTURES_AT_ONCE,
    PICTURES_BYTES_MAX,
};
use crate::session::lock;

/// A picture, and what kind of file it is by its first bytes, whatever its host called it.
#[derive(Clone)]
pub(super) struct Fetched {
    pub bytes: Bytes,
    pub kind: &'static str,
}

/// Fetches, and keeps what was fetched.
pub(super) struct Fetcher {
    client: reqwest::Client,
    kept: Mutex<Kept>,
    turns: Semaphore,
}

/// Pictures by their addresses, with the moment of their last use as a number that grows.
#[derive(Default)]
struct Kept {
    pictures: HashMap<String, (Fetched, u64)>,
    bytes: usize,
    uses: u64,
    /// What could not be had, and since when.
    failed: HashMap<String, DateTime<Utc>>,
}

impl Fetcher {
    pub(super) fn new() -> Result<Self, ConfigError> {
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(Policy::none())
            .timeout(PICTURE_WAIT)
            // What is unpacked could be any size.
            .no_gzip()
            .no_brotli()
            .user_agent("astro-console")
            .build()?;
        Ok(Self { client, kept: Mutex::default(), turns: Semaphore::new(PICTURES_AT_ONCE) })
    }

    /// The picture at this address; none if it could not be had, now or a while ago.
    pub(super) async fn get(&self, address: &str, now: DateTime<Utc>) -> Option<Fetched> {
        if let Some(known) = self.known(address, now) {
            return known;
        }
        let _turn = self.turns.acquire().await.ok()?;
        // Another may have fetched it meanwhile.
        if let Some(known) = self.known(address, now) {
            return known;
        }
        let fetched = self.fetch(address).await;
        let mut kept = lock(&self.kept);
        match &fetched {
            Some(fetched) => kept.put(address, fetched.clone()),
            None => kept.fail(address, now),
        }
        fetched
    }

    fn known(&self, address: &str, now: DateTime<Utc>) -> Option<Option<Fetched>> {
        let mut kept = lock(&self.kept);
        if let Some(fetched) = kept.take(address) {
            return Some(Some(fetched));
        }
        let failed = kept.failed.get(address).is_some_and(|since| *since + PICTURE_AGAIN > now);
        failed.then_some(None)
    }

    async fn fetch(&self, address: &str) -> Option<Fetched> {
        let mut answer = self.client.get(address).send().await.ok()?;
        if answer.status() != StatusCode::OK {
            return None;
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await.ok()? {
            if bytes.len() + chunk.len() > PICTURE_BYTES_MAX {
                return None;
            }
            bytes.extend_from_slice(&chunk);
        }
        let kind = kind(&bytes)?;
        Some(Fetched { bytes: bytes.into(), kind })
    }
}

/// What kind of picture begins so. No drawing (SVG): that is a document, and may do things.
fn kind(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

impl Kept {
    fn take(&mut self, address: &str) -> Option<Fetched> {
        self.uses += 1;
        let uses = self.uses;
        let (fetched, used) = self.pictures.get_mut(address)?;
        *used = uses;
        Some(fetched.clone())
    }

    /// Keeps a picture; those that were not used for longest make room.
    fn put(&mut self, address: &str, fetched: Fetched) {
        self.uses += 1;
        self.bytes += fetched.bytes.len();
        self.failed.remove(address);
        if let Some((old, _)) = self.pictures.insert(address.to_owned(), (fetched, self.uses)) {
            self.bytes -= old.bytes.len();
        }
        while self.bytes > PICTURES_BYTES_MAX {
            let oldest = self.pictures.iter().min_by_key(|(_, (_, used))| *used);
            let Some(address) = oldest.map(|(address, _)| address.clone()) else { return };
            if let Some((old, _)) = self.pictures.remove(&address) {
                self.bytes -= old.bytes.len();
            }
        }
    }

    fn fail(&mut self, address: &str, now: DateTime<Utc>) {
        if self.failed.len() >= FAILED_MAX {
            self.failed.retain(|_, since| *since + PICTURE_AGAIN > now);
        }
        if self.failed.len() < FAILED_MAX {
            self.failed.insert(address.to_owned(), now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_told_by_its_first_bytes() {
        assert_eq!(kind(b"\x89PNG\r\n\x1a\n..."), Some("image/png"));
        assert_eq!(kind(b"\xff\xd8\xff\xe0"), Some("image/jpeg"));
        assert_eq!(kind(b"RIFF\x01\x02\x03\x04WEBPVP8 "), Some("image/webp"));
        for no in [&b""[..], b"<svg xmlns", b"<html>", b"GIF89a", b"RIFF....WAVE", b"\x89PNG"] {
            assert_eq!(kind(no), None);
        }
    }

    #[test]
    fn what_was_not_used_for_longest_makes_room() {
        let mut kept = Kept::default();
        let third =
            Fetched { bytes: Bytes::from(vec![0; PICTURES_BYTES_MAX / 3]), kind: "image/png" };
        for name in ["a", "b", "c"] {
            kept.put(name, third.clone());
        }
        assert!(kept.take("a").is_some());
        kept.put("d", third);
        let mut names: Vec<&str> = kept.pictures.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["a", "c", "d"]);
        assert!(kept.bytes <= PICTURES_BYTES_MAX);
    }
}
