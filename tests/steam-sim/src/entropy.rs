//! Random bytes and the texts made of them.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Letters of a trade token, as in `…&token=AbCdEf12`.
const TOKEN_ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

pub(crate) fn number() -> u64 {
    u64::from_le_bytes(bytes())
}

/// Bytes that follow from a seed alone (SplitMix64), for a bot or a server whose chance is a test's.
pub fn chance(seed: u64) -> impl Fn(&mut [u8]) {
    let state = AtomicU64::new(seed);
    move |bytes| {
        for byte in bytes {
            let next = state.fetch_add(0x9e37_79b9_7f4a_7c15, Relaxed);
            let mixed = (next ^ (next >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            *byte = (mixed >> 56) as u8;
        }
    }
}

/// A 20 byte secret in base64: the form of `shared_secret` and `identity_secret`.
pub(crate) fn secret() -> String {
    STANDARD.encode(bytes::<20>())
}

/// Eight characters: a trade token, or a password for an account which was given none.
pub(crate) fn token() -> String {
    let letters = bytes::<8>().map(|byte| TOKEN_ALPHABET[usize::from(byte) % TOKEN_ALPHABET.len()]);
    letters.iter().copied().map(char::from).collect()
}
