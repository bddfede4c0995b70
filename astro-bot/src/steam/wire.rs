//! Reading Steam's JSON: numbers come as strings, truths as numbers, and new values at any time.

use serde::{Deserialize as _, Deserializer, de::Error as _};
use serde_json::Value;

/// A whole number, written as number or string; nothing reads as 0.
pub(crate) fn u64<'de, D: Deserializer<'de>>(input: D) -> Result<u64, D::Error> {
    let value = Value::deserialize(input)?;
    as_u64(&value).ok_or_else(|| D::Error::custom("not a whole number"))
}

/// The same, for 32 bits.
pub(crate) fn u32<'de, D: Deserializer<'de>>(input: D) -> Result<u32, D::Error> {
    u32::try_from(u64(input)?).map_err(D::Error::custom)
}

/// A whole number that may be negative.
pub(crate) fn i64<'de, D: Deserializer<'de>>(input: D) -> Result<i64, D::Error> {
    let value = Value::deserialize(input)?;
    as_i64(&value).ok_or_else(|| D::Error::custom("not a whole number"))
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
