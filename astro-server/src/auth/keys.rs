//! Keys: `astro_<kind>_<id>_<secret><checksum>`; a session's kind is `session`. Only the SHA-256 of the secret is kept, which is
//! enough since a secret has 160 random bits.
use crate::kernel::KeyKind;
use crate::outside::Chance;
use sha2::{Digest, Sha256};

const ID_CHARS: usize = 12;
const SECRET_CHARS: usize = 32;
const CHECKSUM_CHARS: usize = 8;
/// Lower-case letters and digits that cannot be mistaken for each other: 32, five bits each.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// The second part of a session's secret.
const SESSION: &str = "session";
/// The second parts that there are.
const SORTS: [&str; 4] = ["admin", "client", "bot", SESSION];

/// A key as its holder has it. Its text is shown once, on purpose, by [`Secret::reveal`].
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    sort: &'static str,
    id: String,
    secret: String,
}

impl Secret {
    /// A new key.
    pub fn generate(chance: &Chance, kind: KeyKind) -> Self {
        Self::generate_as(chance, kind.as_str())
    }

    /// A new session's.
    pub fn generate_session(chance: &Chance) -> Self {
        Self::generate_as(chance, SESSION)
    }

    fn generate_as(chance: &Chance, sort: &'static str) -> Self {
        let [id, secret] = [ID_CHARS, SECRET_CHARS].map(|chars| random_text(chance, chars));
        Self { sort, id, secret }
    }

    /// Reads a key; none for anything malformed, a wrong checksum included.
    pub fn parse(text: &str) -> Option<Self> {
        let (body, checksum) = text.split_at_checked(text.len().checked_sub(CHECKSUM_CHARS)?)?;
        if checksum != format!("{:08x}", crc32fast::hash(body.as_bytes())) {
            return None;
        }
        let mut parts = body.strip_prefix("astro_")?.splitn(3, '_');
        let sort = parts.next()?;
        let sort = SORTS.into_iter().find(|known| *known == sort)?;
        let (id, secret) = (parts.next()?, parts.next()?);
        if id.len() != ID_CHARS || secret.len() != SECRET_CHARS {
            return None;
        }
        Some(Self { sort, id: id.to_owned(), secret: secret.to_owned() })
    }

    /// Whether `text` has the form of a key's public part.
    pub fn is_id(text: &str) -> bool {
        text.len() == ID_CHARS && text.bytes().all(|b| ALPHABET.contains(&b))
    }

    /// The public part.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What the database keeps of the secret.
    pub fn hash(&self) -> Vec<u8> {
        Sha256::digest(self.secret.as_bytes()).to_vec()
    }

    /// The whole key, for its holder.
    pub fn reveal(&self) -> String {
        let body = format!("astro_{}_{}_{}", self.sort, self.id, self.secret);
        format!("{body}{:08x}", crc32fast::hash(body.as_bytes()))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secret({})", self.id)
    }
}

/// Letters and digits that nobody guesses, so many of them.
pub fn random_text(chance: &Chance, chars: usize) -> String {
    let mut bytes = vec![0; chars];
    chance.fill(&mut bytes);
    bytes.iter().map(|b| char::from(ALPHABET[usize::from(b % 32)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_back_and_a_typing_error_does_not() {
        let key = Secret::generate(&Chance::default(), KeyKind::Client);
        let text = key.reveal();
        assert!(text.starts_with("astro_client_"));
        assert_eq!(Secret::parse(&text), Some(key));
        for (at, c) in text.char_indices() {
            let other = if c == 'x' { 'y' } else { 'x' };
            let wrong = format!("{}{other}{}", &text[..at], &text[at + 1..]);
            assert_eq!(Secret::parse(&wrong), None, "{wrong}");
        }
        for text in ["", "astro", "astro_client_a_b00000000", "é", "ééééééééé"] {
            assert_eq!(Secret::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_key_does_not_print_its_secret() {
        let key = Secret::generate(&Chance::default(), KeyKind::Bot);
        assert!(!format!("{key:?}").contains(&key.secret));
        assert!(!key.hash().is_empty());
    }
}
