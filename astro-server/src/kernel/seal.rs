//! Tokens that only the server can read and make: they tell nothing and cannot be forged.
use crate::outside::Chance;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};

const NONCE_BYTES: usize = 24;
/// A token is a few hundred bytes; a longer text is not ours and not worth decoding.
const TOKEN_BYTES_MAX: usize = 4096;

/// Seals and opens tokens with the server's own key.
#[derive(Clone)]
pub struct Sealer {
    cipher: XChaCha20Poly1305,
    chance: Chance,
}

impl Sealer {
    /// Uses `key`, which every server of one database shares, and draws nonces of `chance`.
    pub fn new(key: &[u8; 32], chance: Chance) -> Self {
        Self { cipher: XChaCha20Poly1305::new(key.into()), chance }
    }

    /// Seals `bytes` for one `purpose`, as URL-safe text.
    pub fn seal(&self, purpose: &str, bytes: &[u8]) -> String {
        let nonce = self.chance.bytes::<NONCE_BYTES>();
        let payload = Payload { msg: bytes, aad: purpose.as_bytes() };
        let sealed = self
            .cipher
            .encrypt(&XNonce::from(nonce), payload)
            .expect("tokens are far below the cipher's limit");
        URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat())
    }

    /// Opens what [`Sealer::seal`] made for the same purpose; none for anything else.
    pub fn open(&self, purpose: &str, token: &str) -> Option<Vec<u8>> {
        if token.len() > TOKEN_BYTES_MAX {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_BYTES)?;
        let payload = Payload { msg: sealed, aad: purpose.as_bytes() };
        self.cipher.decrypt(nonce.try_into().ok()?, payload).ok()
    }
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_token_or_one_for_another_purpose_does_not_open() {
        let sealer = Sealer::new(&[1; 32], Chance::default());
        let token = sealer.seal("page", b"secret place");
        assert_eq!(sealer.open("page", &token).unwrap(), b"secret place");
        assert_eq!(sealer.open("resume", &token), None);
        assert_eq!(Sealer::new(&[2; 32], Chance::default()).open("page", &token), None);
        let mut bytes = token.into_bytes();
        let last = bytes.len() - 1;
        bytes[last] = if bytes[last] == b'A' { b'Q' } else { b'A' };
        assert_eq!(sealer.open("page", &String::from_utf8(bytes).unwrap()), None);
        assert_eq!(sealer.open("page", "%%%"), None);
        assert_eq!(sealer.open("page", ""), None);
    }
}
