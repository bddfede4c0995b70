//! API keys as text: told apart by their form, never shown.

/// Characters of a key's public part, and of its secret with the checksum.
const ID_CHARS: usize = 12;
const SECRET_CHARS: usize = 40;
/// Fewer characters after the kind are no secret: `astro_client_…` in a text of ours.
const HIDDEN_MIN: usize = 6;

/// How keys begin; the rest is their public part and their secret.
const KINDS: [(&str, Kind); 4] = [
    ("astro_admin_", Kind::Admin),
    ("astro_client_", Kind::Client),
    ("astro_bot_", Kind::Bot),
    ("astro_session_", Kind::Session),
];

/// What a key is for, as its first letters say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Admin,
    Client,
    Bot,
    Session,
}

/// What can be said of a key without a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Form {
    /// Its kind; none when it does not begin like a key.
    pub(crate) kind: Option<Kind>,
    /// Its public part; none when the key is not whole.
    pub(crate) id: Option<String>,
}

impl Form {
    /// The form of this key.
    pub(crate) fn of(key: &str) -> Self {
        let found = KINDS.iter().find_map(|(begin, kind)| Some((kind, key.strip_prefix(begin)?)));
        let Some((kind, rest)) = found else { return Self { kind: None, id: None } };
        let parts = rest.split_once('_');
        let whole = parts.filter(|(id, secret)| {
            let plain = id.bytes().chain(secret.bytes()).all(|byte| byte.is_ascii_alphanumeric());
            plain && id.len() == ID_CHARS && secret.len() == SECRET_CHARS
        });
        Self { kind: Some(*kind), id: whole.map(|(id, _)| id.to_owned()) }
    }
}

/// The place of an argument, from 1, that is a key though no key belongs there.
pub(crate) fn misplaced(arguments: &[String]) -> Option<usize> {
    let place = arguments.iter().position(|argument| holds_key(argument))?;
    let by_name = |argument: &String| argument == "--api-key";
    let expected = arguments[place].starts_with("--api-key=")
        || place.checked_sub(1).is_some_and(|before| by_name(&arguments[before]));
    if !expected {
        return Some(place);
    }
    misplaced(&arguments[place + 1..]).map(|further| place + 1 + further)
}

/// Whether there is a key in the text, or most of one; a name that only begins like it is none.
fn holds_key(text: &str) -> bool {
    KINDS.iter().flat_map(|(begin, _)| text.split(begin).skip(1)).any(|rest| {
        let Some((id, secret)) = rest.split_once('_') else { return false };
        let plain = |text: &str| text.bytes().take_while(u8::is_ascii_alphanumeric).count();
        id.len() == ID_CHARS && plain(id) == ID_CHARS && plain(secret) >= SECRET_CHARS / 2
    })
}

/// The text with every key in it cut to its kind: `astro_client_…`.
pub(crate) fn hidden(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    loop {
        let next = KINDS.iter().filter_map(|(begin, _)| Some((rest.find(begin)?, begin.len())));
        let Some((start, length)) = next.min() else { return shown + rest };
        let (before, secret) = rest.split_at(start + length);
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let end = secret.find(|c| !is_part(c)).unwrap_or(secret.len());
        shown.push_str(before);
        shown.push_str(if end < HIDDEN_MIN { &secret[..end] } else { "…" });
        rest = &secret[end..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "astro_client_abcdefghijkm_abcdefghijkmnpqrstuvwxyz23456789deadbeef";

    #[test]
    fn a_key_is_told_apart_by_its_form() {
        let form = Form { kind: Some(Kind::Client), id: Some("abcdefghijkm".to_owned()) };
        assert_eq!(Form::of(KEY), form);
        let half = Form { kind: Some(Kind::Bot), id: None };
        for key in ["astro_bot_abc", "astro_bot_", "astro_bot_abcdefghijkm_abc"] {
            assert_eq!(Form::of(key), half, "{key}");
        }
        assert_eq!(Form::of("sk_live_1"), Form { kind: None, id: None });
    }

    #[test]
    fn no_text_shows_a_key() {
        assert_eq!(hidden(&format!("item {KEY} is not there")), "item astro_client_… is not there");
        assert_eq!(hidden(&format!("\"{KEY}\",{KEY}")), "\"astro_client_…\",astro_client_…");
        for text in ["", "astro keys create", "it looks like astro_client_…", "astro_bot_x é"] {
            assert_eq!(hidden(text), text);
        }
    }

    #[test]
    fn a_key_stands_only_where_keys_belong() {
        let place = |line: &str| {
            misplaced(&line.replace("KEY", KEY).split(' ').map(str::to_owned).collect::<Vec<_>>())
        };
        assert_eq!(place("astro items get KEY"), Some(3));
        assert_eq!(place("astro items list --org=KEY"), Some(3));
        assert_eq!(place("astro --api-key KEY items list"), None);
        assert_eq!(place("astro --api-key=KEY items get KEY"), Some(4));
        assert_eq!(place(&format!("astro items get {}", &KEY[..KEY.len() - 15])), Some(3));
        for name in ["astro_client_", "astro_bot_production", "/etc/astro_client_discord.key"] {
            assert_eq!(place(&format!("astro items list --text {name}")), None, "{name}");
        }
    }
}
