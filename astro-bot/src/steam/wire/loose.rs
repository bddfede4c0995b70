//! Reading Steam's JSON: numbers come as strings, truths as numbers, new values at any time, and
//! texts as people typed them. One entry that makes no sense never spoils the others.

use serde::{Deserialize as _, Deserializer, de::DeserializeOwned, de::Error as _};
use serde_json::Value;

/// What stands for a character that is none: U+FFFD, as JSON writes it.
const NO_CHARACTER: &str = "\\ufffd";
/// Characters of an entry that are repeated when it is set aside.
const REPEATED_CHARS_MAX: usize = 40;

/// Reads JSON. Whatever somebody can put into a message or a name and no parser takes (half a
/// character, a control character, broken UTF-8) is read as U+FFFD.
///
/// # Errors
/// What is no JSON even so, or not what `T` wants.
pub(crate) fn json<T: DeserializeOwned>(body: &[u8]) -> serde_json::Result<T> {
    serde_json::from_str(&mended(&String::from_utf8_lossy(body)))
}

/// The same JSON with U+FFFD for what in its texts is no character that can be shown.
fn mended(text: &str) -> String {
    let mut whole = String::with_capacity(text.len());
    let (mut rest, mut quoted) = (text, false);
    while let Some(at) = rest.find(|c: char| c == '"' || c == '\\' || c.is_control()) {
        let (good, odd) = rest.split_at(at);
        whole.push_str(good);
        let taken = match odd.as_bytes() {
            [b'\\', ..] if quoted => {
                let (escape, taken) = escape(odd);
                whole.push_str(escape);
                taken
            }
            [first, ..] => {
                let taken = odd.chars().next().map_or(1, char::len_utf8);
                quoted ^= *first == b'"';
                let control = quoted && *first != b'"';
                whole.push_str(if control { NO_CHARACTER } else { &odd[..taken] });
                taken
            }
            [] => 0,
        };
        rest = &odd[taken..];
    }
    whole.push_str(rest);
    whole
}

/// What to read for the escape at the beginning of `text`, and how long it is there.
fn escape(text: &str) -> (&str, usize) {
    let unit = |at: usize| {
        let hex = text.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(hex, 16).ok()
    };
    match (unit(0), unit(6)) {
        (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => (&text[..12], 12),
        (Some(0xd800..=0xdfff), _) => (NO_CHARACTER, 6),
        // Lines and tabs are what they are.
        (Some(0x09 | 0x0a | 0x0d), _) => (&text[..6], 6),
        (Some(0x00..=0x1f | 0x7f..=0x9f), _) => (NO_CHARACTER, 6),
        (Some(_), _) => (&text[..6], 6),
        (None, _) if text.starts_with("\\b") || text.starts_with("\\f") => (NO_CHARACTER, 2),
        (None, _) => text.get(..2).map_or((&text[..1], 1), |pair| (pair, 2)),
    }
}

/// An entry of a list that could not be read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Odd {
    pub(crate) entry: Value,
    /// What it is and why, for people.
    pub(crate) why: String,
}

/// Reads the entries of a list one by one; what cannot be read is set aside. `id` names the field
/// that tells an entry from the others.
pub(crate) fn entries<T: DeserializeOwned>(list: Vec<Value>, id: &str) -> (Vec<T>, Vec<Odd>) {
    let (mut good, mut odd) = (Vec::new(), Vec::new());
    for entry in list {
        match T::deserialize(&entry) {
            Ok(read) => good.push(read),
            Err(error) => {
                let named = entry.get(id).map(|value| format!("{id} {}", cut(&value.to_string())));
                let why = format!("{}: {error}", named.unwrap_or_else(|| format!("no {id}")));
                odd.push(Odd { entry, why });
            }
        }
    }
    (good, odd)
}

fn cut(text: &str) -> String {
    text.chars().take(REPEATED_CHARS_MAX).collect()
}

/// A whole number, written as number or string; nothing reads as 0.
pub(crate) fn u64<'de, D: Deserializer<'de>>(input: D) -> Result<u64, D::Error> {
    let value = Value::deserialize(input)?;
    as_u64(&value).ok_or_else(|| D::Error::custom(no_number(&value, "64")))
}

/// The same for a number that names something, which nothing and 0 do not.
pub(crate) fn id<'de, D: Deserializer<'de>>(input: D) -> Result<u64, D::Error> {
    let value = Value::deserialize(input)?;
    as_u64(&value).filter(|id| *id != 0).ok_or_else(|| D::Error::custom(no_number(&value, "64")))
}

/// The same, for 32 bits.
pub(crate) fn u32<'de, D: Deserializer<'de>>(input: D) -> Result<u32, D::Error> {
    let value = Value::deserialize(input)?;
    let number = as_u64(&value).and_then(|number| u32::try_from(number).ok());
    number.ok_or_else(|| D::Error::custom(no_number(&value, "32")))
}

fn no_number(value: &Value, bits: &str) -> String {
    format!("{} is no whole number of {bits} bits", cut(&value.to_string()))
}

/// A whole number that may be negative.
pub(crate) fn i64<'de, D: Deserializer<'de>>(input: D) -> Result<i64, D::Error> {
    let value = Value::deserialize(input)?;
    as_i64(&value).ok_or_else(|| D::Error::custom(no_number(&value, "64")))
}

/// A truth: `true`, `1`, `"1"`, `"true"`; everything else is false.
pub(crate) fn boolish<'de, D: Deserializer<'de>>(input: D) -> Result<bool, D::Error> {
    Ok(as_bool(&Value::deserialize(input)?))
}

/// A text; a number becomes one, and null is empty.
pub(crate) fn text<'de, D: Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    Ok(match Value::deserialize(input)? {
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => String::new(),
    })
}

/// A list; null or something else is an empty one.
pub(crate) fn list<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<Value>, D::Error> {
    Ok(match Value::deserialize(input)? {
        Value::Array(values) => values,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            Vec::new()
        }
    })
}

fn as_u64(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) if text.is_empty() => Some(0),
        Value::String(text) => text.parse().ok(),
        Value::Null => Some(0),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn as_i64(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) if text.is_empty() => Some(0),
        Value::String(text) => text.parse().ok(),
        Value::Null => Some(0),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// See `boolish`.
pub(crate) fn as_bool(value: &Value) -> bool {
    match value {
        Value::Bool(truth) => *truth,
        Value::Number(number) => number.as_i64() == Some(1),
        Value::String(text) => text == "1" || text == "true",
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

/// Steam's words, cut to what fits into an event and a line of the log.
pub(crate) fn shortened(text: &str) -> String {
    const CHARS_MAX: usize = 300;
    match text.char_indices().nth(CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize, Debug, PartialEq)]
    struct Row {
        #[serde(default, deserialize_with = "u64")]
        id: u64,
        #[serde(default, deserialize_with = "i64")]
        state: i64,
        #[serde(default, deserialize_with = "boolish")]
        tradable: bool,
        #[serde(default, deserialize_with = "text")]
        name: String,
        #[serde(default, deserialize_with = "list")]
        items: Vec<Value>,
    }

    #[track_caller]
    fn check(json: &str, id: u64, state: i64, tradable: bool, name: &str, items: usize) {
        let row: Row = serde_json::from_str(json).unwrap();
        assert_eq!((row.id, row.state, row.tradable), (id, state, tradable));
        assert_eq!((row.name.as_str(), row.items.len()), (name, items));
    }

    #[test]
    fn numbers_are_read_from_numbers_and_strings() {
        check(r#"{"id":"18446744073709551615","state":"-3"}"#, u64::MAX, -3, false, "", 0);
        check(r#"{"id":7,"state":12}"#, 7, 12, false, "", 0);
        check(r#"{"id":null,"state":""}"#, 0, 0, false, "", 0);
    }

    #[test]
    fn truths_are_read_from_all_their_spellings() {
        for json in ["true", "1", "\"1\"", "\"true\""] {
            check(&format!(r#"{{"tradable":{json}}}"#), 0, 0, true, "", 0);
        }
        for json in ["false", "0", "\"0\"", "null", "[]"] {
            check(&format!(r#"{{"tradable":{json}}}"#), 0, 0, false, "", 0);
        }
    }

    fn text_of(body: &[u8]) -> Option<String> {
        json::<Value>(body).ok()?["text"].as_str().map(str::to_owned)
    }

    #[test]
    fn what_is_no_character_is_read_as_one_that_says_so() {
        for (body, read) in [
            (
                br#"{"text":"half \ud83c, whole \ud83c\udf81"}"#.as_slice(),
                "half \u{fffd}, whole 🎁",
            ),
            (br#"{"text":"\udf81\ud83c\ud83c"}"#, "\u{fffd}\u{fffd}\u{fffd}"),
            (
                br#"{"text":"nul \u0000 esc \u001B c1 \u0085 \b"}"#,
                "nul \u{fffd} esc \u{fffd} c1 \u{fffd} \u{fffd}",
            ),
            (b"{\"text\":\"raw \x01\x7f line \n\"}", "raw \u{fffd}\u{fffd} line \u{fffd}"),
            (b"{\"text\":\"no \xff UTF-8\"}", "no \u{fffd} UTF-8"),
            (br#"{"text":"a\nb\tc \"d\" \\ud800 \u00e9"}"#, "a\nb\tc \"d\" \\ud800 é"),
            (b"{\r\n\t\"text\" : \"between\"\n}", "between"),
        ] {
            assert_eq!(text_of(body).as_deref(), Some(read));
        }
        for garbage in [r#"{"text":"\u12"#, r#"{"text":"\é"}"#, "\\", r#"{"text":"\"#, "{\u{1}}"] {
            assert_eq!(text_of(garbage.as_bytes()), None, "{garbage}");
        }
    }

    #[test]
    fn an_entry_that_makes_no_sense_is_set_aside_and_named() {
        let list = vec![
            serde_json::json!({"id": "1"}),
            serde_json::json!({"id": "2", "state": "x".repeat(100)}),
            serde_json::json!({"id": "3"}),
        ];
        let (good, odd) = entries::<Row>(list, "id");
        assert_eq!(good.iter().map(|row| row.id).collect::<Vec<_>>(), [1, 3]);
        assert!(odd[0].why.starts_with("id \"2\": \"xxx"), "{}", odd[0].why);
        assert!(odd[0].why.len() < 120, "{}", odd[0].why);
    }

    #[test]
    fn absent_texts_and_lists_are_empty() {
        check("{}", 0, 0, false, "", 0);
        check(r#"{"name":null,"items":null}"#, 0, 0, false, "", 0);
        check(r#"{"name":5,"items":[1,2],"unheard_of":{}}"#, 0, 0, false, "5", 2);
    }

    #[test]
    fn a_number_that_is_none_is_an_error_not_a_zero() {
        assert!(serde_json::from_str::<Row>(r#"{"id":"12x"}"#).is_err());
        assert!(serde_json::from_str::<Row>(r#"{"id":[]}"#).is_err());
    }
}
