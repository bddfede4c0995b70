//! Conversions that the services share between the domain and the wire. Used by `service.rs` only.
use crate::kernel::limits::{DOCUMENT_BYTES_MAX, DOCUMENT_DEPTH_MAX};
use crate::kernel::{Error, Money, Result, Timestamp};
use astro_sdk::v1;
use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value as WireValue};
use serde_json::{Map, Number, Value};

/// A moment on the wire.
pub fn timestamp(at: Timestamp) -> prost_types::Timestamp {
    let micros = at.micros();
    prost_types::Timestamp {
        seconds: micros.div_euclid(1_000_000),
        nanos: i32::try_from(micros.rem_euclid(1_000_000) * 1000).unwrap_or_default(),
    }
}

/// A moment on the wire, if there is one.
pub fn optional_timestamp(at: Option<Timestamp>) -> Option<prost_types::Timestamp> {
    at.map(timestamp)
}

/// Reads a moment.
///
/// # Errors
/// [`Error::Invalid`] naming `field` when it is outside the years 1 to 9999.
pub fn parse_timestamp(
    field: &'static str,
    at: Option<prost_types::Timestamp>,
) -> Result<Option<Timestamp>> {
    let Some(at) = at else { return Ok(None) };
    let in_range = (-62_135_596_800..=253_402_300_799).contains(&at.seconds)
        && (0..1_000_000_000).contains(&at.nanos);
    if !in_range {
        return Err(Error::invalid(field, "is out of range"));
    }
    let micros = at.seconds * 1_000_000 + i64::from(at.nanos / 1000);
    Timestamp::from_micros(field, micros).map(Some)
}

/// An amount on the wire.
pub fn money(amount: Option<Money>) -> Option<v1::Money> {
    amount.map(|m| v1::Money {
        currency_code: m.currency,
        minor_units: m.minor_units,
        ..Default::default()
    })
}

/// Reads an amount.
///
/// # Errors
/// [`Error::Invalid`] naming the part of `field`.
pub fn parse_money(field: &'static str, amount: Option<v1::Money>) -> Result<Option<Money>> {
    amount.map(|m| Money::parse(field, m.minor_units, &m.currency_code)).transpose()
}

/// A JSON object on the wire; anything else is an empty one.
pub fn object(value: Value) -> Struct {
    match value {
        Value::Object(fields) => {
            Struct { fields: fields.into_iter().map(|(k, v)| (k, to_wire(v))).collect() }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Struct::default()
        }
    }
}

fn to_wire(value: Value) -> WireValue {
    let kind = match value {
        Value::Null => Kind::NullValue(0),
        Value::Bool(b) => Kind::BoolValue(b),
        Value::Number(n) => Kind::NumberValue(n.as_f64().unwrap_or_default()),
        Value::String(s) => Kind::StringValue(s),
        Value::Array(values) => {
            Kind::ListValue(ListValue { values: values.into_iter().map(to_wire).collect() })
        }
        Value::Object(_) => Kind::StructValue(object(value)),
    };
    WireValue { kind: Some(kind) }
}

/// Reads a JSON object of at most 16 KiB and 16 levels; none is an empty one.
///
/// # Errors
/// [`Error::Invalid`] naming `field`.
pub fn parse_object(field: &'static str, object: Option<Struct>) -> Result<Value> {
    let value = fields_from_wire(field, object.unwrap_or_default(), DOCUMENT_DEPTH_MAX)?;
    if value.to_string().len() > DOCUMENT_BYTES_MAX {
        return Err(Error::invalid(field, format!("is over {DOCUMENT_BYTES_MAX} bytes as JSON")));
    }
    Ok(value)
}

fn fields_from_wire(field: &'static str, object: Struct, depth: usize) -> Result<Value> {
    let fields: Result<Map<_, _>> = object
        .fields
        .into_iter()
        .map(|(k, v)| Ok((plain(field, k)?, from_wire(field, v, depth)?)))
        .collect();
    fields.map(Value::Object)
}

/// PostgreSQL's `jsonb` takes no NUL, so neither do we.
fn plain(field: &'static str, text: String) -> Result<String> {
    if text.contains('\0') {
        return Err(Error::invalid(field, "has a NUL character"));
    }
    Ok(text)
}

fn from_wire(field: &'static str, value: WireValue, depth: usize) -> Result<Value> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(Error::invalid(field, format!("is over {DOCUMENT_DEPTH_MAX} levels deep")));
    };
    Ok(match value.kind {
        None | Some(Kind::NullValue(_)) => Value::Null,
        Some(Kind::BoolValue(b)) => Value::Bool(b),
        Some(Kind::NumberValue(n)) => number(field, n)?,
        Some(Kind::StringValue(s)) => Value::String(plain(field, s)?),
        Some(Kind::ListValue(list)) => {
            let values: Result<_> =
                list.values.into_iter().map(|v| from_wire(field, v, depth)).collect();
            Value::Array(values?)
        }
        Some(Kind::StructValue(object)) => fields_from_wire(field, object, depth)?,
    })
}

fn number(field: &'static str, n: f64) -> Result<Value> {
    // A whole number comes back as one: 7 and not 7.0.
    #[allow(clippy::cast_possible_truncation)] // checked by the comparison
    let whole = n as i64;
    #[allow(clippy::cast_precision_loss)] // ditto
    if whole as f64 == n && n.abs() < 9_007_199_254_740_992.0 {
        return Ok(Value::Number(whole.into()));
    }
    Number::from_f64(n)
        .map(Value::Number)
        .ok_or_else(|| Error::invalid(field, "has a number that JSON cannot hold"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_object_survives_the_wire() {
        let value = json!({"a": [1, 2.5, "x", null, true, {"b": {}}], "ü": "NAÏVE ☃", "n": -7});
        assert_eq!(parse_object("f", Some(object(value.clone()))).unwrap(), value);
    }

    #[test]
    fn an_object_too_deep_too_long_or_not_json_is_refused() {
        let deep = (0..40).fold(json!({}), |inner, _| json!({"a": inner}));
        let long = json!({"a": "x".repeat(DOCUMENT_BYTES_MAX)});
        for value in [deep, long, json!({"a": "\0"}), json!({"\0": 1})] {
            let error = parse_object("external_context", Some(object(value))).unwrap_err();
            assert!(error.to_string().starts_with("external_context"), "{error}");
        }
        let mut nan = object(json!({"a": 1}));
        nan.fields.get_mut("a").unwrap().kind = Some(Kind::NumberValue(f64::NAN));
        assert!(parse_object("f", Some(nan)).is_err());
    }

    #[test]
    fn a_moment_out_of_range_is_refused() {
        let at =
            |seconds, nanos| parse_timestamp("t", Some(prost_types::Timestamp { seconds, nanos }));
        assert!(at(1_700_000_000, 5_000).unwrap().is_some());
        for (seconds, nanos) in [(i64::MAX, 0), (i64::MIN, 0), (0, -1), (0, i32::MAX)] {
            assert!(at(seconds, nanos).is_err(), "{seconds} {nanos}");
        }
        let now = crate::kernel::Clock::default().now();
        assert_eq!(parse_timestamp("t", Some(timestamp(now))).unwrap(), Some(now));
    }
}
