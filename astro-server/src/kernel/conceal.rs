//! Keys of Astro in text that is for others: pasted where something else belongs.
use std::borrow::Cow;

const BEGIN: &str = "astro_";
const KINDS: [&str; 4] = ["admin", "client", "bot", "session"];
/// What stands in place of a secret.
const MARK: char = '…';

/// `text` without the secrets of the keys in it: `astro_client_<id>_…`.
pub fn conceal(text: &str) -> Cow<'_, str> {
    if !text.contains(BEGIN) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(BEGIN) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let is_end = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
        let (word, after) = rest.split_at(rest.find(is_end).unwrap_or(rest.len()));
        out.push_str(shown(word));
        if shown(word).len() < word.len() {
            out.push(MARK);
        }
        rest = after;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The part of a word that begins like a key which tells no secret: all of it if it is none.
fn shown(word: &str) -> &str {
    let mut parts = word.splitn(4, '_');
    let kind = parts.nth(1).unwrap_or_default();
    if !KINDS.contains(&kind) {
        return word;
    }
    match parts.nth(1) {
        Some(secret) => &word[..word.len() - secret.len()],
        // Without an id, whatever follows may be a secret.
        None => &word[..BEGIN.len() + kind.len()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_of_a_key_is_left_out_and_nothing_else() {
        for (text, shown) in [
            ("no key at all", "no key at all"),
            ("astro_client_abc_secret0123", "astro_client_abc_…"),
            (
                "key \"astro_admin_abc_s1\", astro_bot_x_y!",
                "key \"astro_admin_abc_…\", astro_bot_x_…!",
            ),
            ("astro_admin_secret", "astro_admin…"),
            ("astro_session_abc_secret", "astro_session_abc_…"),
            ("astro_server: astro_other_a_b", "astro_server: astro_other_a_b"),
            ("ü astro_client_abc_ü", "ü astro_client_abc_ü"),
            ("astro_", "astro_"),
        ] {
            assert_eq!(conceal(text), shown, "{text}");
        }
    }
}
