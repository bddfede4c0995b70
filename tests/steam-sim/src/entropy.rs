//! Random bytes and the texts made of them.

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

/// A 20 byte secret in base64: the form of `shared_secret` and `identity_secret`.
pub(crate) fn secret() -> String {
    STANDARD.encode(bytes::<20>())
}

/// Eight characters: a trade token, or a password for an account which was given none.
pub(crate) fn token() -> String {
    let letters = bytes::<8>().map(|byte| TOKEN_ALPHABET[usize::from(byte) % TOKEN_ALPHABET.len()]);
    letters.iter().copied().map(char::from).collect()
}
