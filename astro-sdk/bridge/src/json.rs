//! JSON as protobuf has it, read strictly and written for those who read it strictly.

use std::fmt;
use std::io::{self, Write};

use prost_reflect::{DeserializeOptions, DynamicMessage, MessageDescriptor, SerializeOptions};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::ser::{CharEscape, Formatter};
use serde_json::{Map, Number, Value};

use crate::limits::{DEPTH_MAX, FIELDS_MAX};
use crate::query;
use crate::refusal::Refusal;

/// Reads a body: one object, each name once, no deeper and no wider than the limits.
///
/// # Errors
/// The field and what is wrong with it.
pub(crate) fn read(body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    let mut left = FIELDS_MAX;
    let mut reader = serde_json::Deserializer::from_slice(body);
    let strict = Strict { path: String::new(), depth: 0, left: &mut left };
    let value = strict.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    let no_json = |error| Refusal::field("body", format!("is no JSON that can be taken: {error}"));
    let Value::Object(object) = value.map_err(no_json)? else {
        return Err(Refusal::field("body", "is no JSON object"));
    };
    Ok(object)
}

/// The message that an object is. Fields that it does not have are refused, or skipped if `lenient`.
///
/// # Errors
/// The field and what is wrong with it.
pub(crate) fn message(
    kind: &MessageDescriptor,
    object: Map<String, Value>,
    lenient: bool,
) -> Result<DynamicMessage, Refusal> {
    let options = DeserializeOptions::new().deny_unknown_fields(!lenient);
    let mut track = serde_path_to_error::Track::new();
    let object = Value::Object(object);
    let tracked = serde_path_to_error::Deserializer::new(object, &mut track);
    let read = DynamicMessage::deserialize_with_options(kind.clone(), tracked, &options);
    read.map_err(|error| of_field(&track.path(), &error.to_string()))
}

/// Names the field of a reader's complaint, which tells where it was, but for names that it does not
/// know.
fn of_field(path: &serde_path_to_error::Path, problem: &str) -> Refusal {
    let path = path.to_string();
    let path = Some(path.as_str()).filter(|path| *path != ".");
    let unknown = problem.strip_prefix("unrecognized field name '");
    match unknown.and_then(|rest| rest.split_once('\'')) {
        Some((name, _)) => {
            let whole = path.map_or(name.to_owned(), |path| format!("{path}.{name}"));
            query::unknown(&whole)
        }
        None => Refusal::field(path.unwrap_or("body"), problem),
    }
}

/// A message that one value is, such as a time.
///
/// # Errors
/// Why it is not.
pub(crate) fn value(kind: &MessageDescriptor, value: Value) -> Result<DynamicMessage, String> {
    DynamicMessage::deserialize(kind.clone(), value).map_err(|error| error.to_string())
}

/// Writes a message with all its fields, 64-bit numbers as text, and no NUL.
///
/// # Errors
/// A message that JSON cannot have, such as a time out of range.
pub(crate) fn write(message: &DynamicMessage) -> Result<Vec<u8>, serde_json::Error> {
    let options =
        SerializeOptions::new().skip_default_fields(false).stringify_64_bit_integers(true);
    let mut text = Vec::with_capacity(512);
    let mut writer = serde_json::Serializer::with_formatter(&mut text, WithoutNul);
    message.serialize_with_options(&mut writer, &options)?;
    Ok(text)
}

/// Leaves NUL out: parsers on game servers refuse the whole answer for it.
struct WithoutNul;

impl Formatter for WithoutNul {
    fn write_char_escape<W>(&mut self, writer: &mut W, escape: CharEscape) -> io::Result<()>
    where
        W: ?Sized + Write,
    {
        if matches!(escape, CharEscape::AsciiControl(0)) {
            return Ok(());
        }
        serde_json::ser::CompactFormatter.write_char_escape(writer, escape)
    }
}

/// Reads a value whose names are told once: of two, no two programs take the same.
struct Strict<'a> {
    path: String,
    depth: usize,
    left: &'a mut usize,
}

impl Strict<'_> {
    fn inner(&mut self, path: String) -> Strict<'_> {
        Strict { path, depth: self.depth + 1, left: self.left }
    }

    fn count<E: serde::de::Error>(&mut self) -> Result<(), E> {
        if self.depth >= DEPTH_MAX {
            return Err(E::custom(format!("{} lies over {DEPTH_MAX} levels deep", self.path)));
        }
        let left = self.left.checked_sub(1);
        *self.left = left.ok_or_else(|| E::custom(format!("over {FIELDS_MAX} values")))?;
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number without end"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        loop {
            self.count()?;
            let path = format!("{}[{}]", self.path, values.len());
            match list.next_element_seed(self.inner(path))? {
                Some(value) => values.push(value),
                None => return Ok(Value::Array(values)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut object: A) -> Result<Value, A::Error> {
        let mut values = Map::new();
        while let Some(name) = object.next_key::<String>()? {
            self.count()?;
            let joint = if self.path.is_empty() { "" } else { "." };
            let path = format!("{}{joint}{name}", self.path);
            if values.contains_key(&name) {
                return Err(A::Error::custom(format!("{path} is there twice")));
            }
            let value = object.next_value_seed(self.inner(path))?;
            values.insert(name, value);
        }
        Ok(Value::Object(values))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(body: &str, problem: &str) {
        let refusal = read(body.as_bytes()).unwrap_err();
        let text = refusal.status.message();
        assert!(text.contains(problem), "{text}");
    }

    #[test]
    fn a_body_is_one_object_whose_names_are_there_once() {
        refused("", "EOF");
        refused("[]", "is no JSON object");
        refused("{} {}", "trailing");
        refused(r#"{"a": {"b": 1, "b": 2}}"#, "a.b is there twice");
        refused(r#"{"a": NaN}"#, "expected value");
        refused(r#"{"a": 1e400}"#, "number out of range");
        refused(&format!("{}1{}", r#"{"a":"#.repeat(200), "}".repeat(200)), "deep");
        refused(&format!("{{\"a\": [{}1]}}", "1,".repeat(FIELDS_MAX)), "over 20000 values");
    }

    #[test]
    fn large_numbers_stay_whole() {
        let object = read(br#"{"userId": 76561198123456789}"#).unwrap();
        assert_eq!(object["userId"].as_u64(), Some(76_561_198_123_456_789));
    }
}
