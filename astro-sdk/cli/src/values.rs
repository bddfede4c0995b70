//! Values as people type them on the command line.

use std::collections::HashMap;
use std::fmt::Display;
use std::io::Read;
use std::str::FromStr;

use astro_sdk::EventType;
use astro_sdk::steam::{SteamId, TradeUrl};
use astro_sdk::v1::Money;
use clap::builder::PossibleValuesParser;
use prost::Message;
use prost_reflect::{
    DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor, Value,
};
use prost_types::Timestamp;

use crate::call::wide;
use crate::contract::{is_person, values};
use crate::failure::Failure;

/// Currencies without a smaller unit, and those with a thousandth; all others have a hundredth.
const WHOLE_CURRENCIES: [&str; 8] = ["CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND", "XAF"];
const THOUSANDTH_CURRENCIES: [&str; 7] = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];

/// Reads a value of this field; of a list one entry, of a map one pair.
pub(crate) fn read(field: &FieldDescriptor, text: &str) -> Result<Value, String> {
    if is_person(field) {
        let id: SteamId = text.parse().map_err(shown)?;
        return Ok(Value::U64(id.steam_id64()));
    }
    if field.name() == "trade_url" {
        let url: TradeUrl = text.parse().map_err(shown)?;
        return Ok(Value::String(url.to_string()));
    }
    let kind = field.kind();
    let Some(entry) = kind.as_message().filter(|_| field.is_map()) else {
        return scalar(&kind, text);
    };
    let (key, value) = label(text)?;
    let key = scalar(&entry.map_entry_key_field().kind(), key)?.into_map_key();
    let value = scalar(&entry.map_entry_value_field().kind(), value)?;
    Ok(Value::Map(HashMap::from([(key.ok_or("this is no key")?, value)])))
}

/// Reads a value of this kind.
pub(crate) fn scalar(kind: &Kind, text: &str) -> Result<Value, String> {
    match kind {
        Kind::Bool => number(text, Value::Bool),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => number(text, Value::I32),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => number(text, Value::I64),
        Kind::Uint32 | Kind::Fixed32 => number(text, Value::U32),
        Kind::Uint64 | Kind::Fixed64 => number(text, Value::U64),
        Kind::Float => number(text, Value::F32),
        Kind::Double => number(text, Value::F64),
        Kind::String => Ok(Value::String(text.to_owned())),
        Kind::Bytes => Ok(Value::Bytes(text.to_owned().into())),
        Kind::Enum(of) => enum_number(of, text).map(Value::EnumNumber),
        Kind::Message(of) => message(of, text).map(Value::Message),
    }
}

fn number<T: FromStr<Err: Display>>(text: &str, value: fn(T) -> Value) -> Result<Value, String> {
    text.parse().map(value).map_err(shown)
}

fn shown(error: impl Display) -> String {
    error.to_string()
}

/// A message as people write it: times, money, and all others as JSON.
fn message(of: &MessageDescriptor, text: &str) -> Result<DynamicMessage, String> {
    let bytes = match of.full_name() {
        "google.protobuf.Timestamp" => time(text)?.encode_to_vec(),
        "astro.v1.Money" => money(text)?.encode_to_vec(),
        "google.protobuf.Duration" | "google.protobuf.FieldMask" => {
            return DynamicMessage::deserialize(of.clone(), serde_json::json!(text)).map_err(shown);
        }
        _ => return json(of, text),
    };
    DynamicMessage::decode(of.clone(), bytes.as_slice()).map_err(shown)
}

fn json(of: &MessageDescriptor, text: &str) -> Result<DynamicMessage, String> {
    let wrong = |problem: String| format!("write a JSON object like {{\"key\": 1}}: {problem}");
    let json: serde_json::Value = serde_json::from_str(text).map_err(shown).map_err(wrong)?;
    match wide::problem(of, &json) {
        Some(problem) => Err(wrong(problem)),
        None => DynamicMessage::deserialize(of.clone(), json).map_err(shown).map_err(wrong),
    }
}

/// Takes a type of events, or a family of them.
pub(crate) fn event_types() -> PossibleValuesParser {
    let names = EventType::ALL.iter().map(|name| name.name());
    PossibleValuesParser::new(EventType::FAMILIES.iter().copied().chain(names))
}

/// The values of an enum as they are typed, each with its comment: `in-offer`.
pub(crate) fn names(of: &EnumDescriptor) -> Vec<(String, String)> {
    values(of).map(|(_, name, docs)| (name.to_lowercase().replace('_', "-"), docs)).collect()
}

/// The number of an enum's value by its name without the common prefix: `in-offer`, `IN_OFFER`.
fn enum_number(of: &EnumDescriptor, text: &str) -> Result<i32, String> {
    let wanted = text.to_uppercase().replace('-', "_");
    let whole = of.get_value_by_name(&wanted).map(|value| value.number());
    let mut short = values(of).filter(|(_, name, _)| *name == wanted).map(|(number, _, _)| number);
    let found = whole.filter(|number| *number != 0).or_else(|| short.next());
    found.ok_or_else(|| {
        let names: Vec<String> = names(of).into_iter().map(|(name, _)| name).collect();
        format!("choose one of {}", names.join(", "))
    })
}

/// Parses `key=value`.
fn label(text: &str) -> Result<(&str, &str), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key, value)),
        _ => Err("write key=value".to_owned()),
    }
}

/// Parses an RFC 3339 time: `2027-01-31T12:00:00Z`.
fn time(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| "write a time like 2027-01-31T12:00:00Z".to_owned())
}

/// Parses an amount and a currency: `12.50 USD`, `300JPY`.
fn money(text: &str) -> Result<Money, String> {
    let usage = || "write an amount and a currency, like 12.50USD".to_owned();
    let digits = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).ok_or_else(usage)?;
    let (amount, currency) = text.split_at(digits);
    let currency_code = currency.trim().to_ascii_uppercase();
    if currency_code.len() != 3 || !currency_code.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(usage());
    }
    let places = decimal_places(&currency_code);
    let (whole, fraction) = amount.split_once('.').unwrap_or((amount, ""));
    if whole.is_empty() || fraction.len() > places || fraction.contains('.') {
        return Err(format!("{currency_code} has {places} decimal places; {}", usage()));
    }
    let minor_units = format!("{whole}{fraction:0<places$}").parse().map_err(|_| usage())?;
    Ok(Money { currency_code, minor_units, ..Money::default() })
}

/// `12.50 USD`.
pub(crate) fn show_money(money: &Money) -> String {
    let places = decimal_places(&money.currency_code);
    let sign = if money.minor_units < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", money.minor_units.unsigned_abs(), width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    let point = if places == 0 { "" } else { "." };
    format!("{sign}{whole}{point}{fraction} {}", money.currency_code)
}

fn decimal_places(currency_code: &str) -> usize {
    if WHOLE_CURRENCIES.contains(&currency_code) {
        return 0;
    }
    if THOUSANDTH_CURRENCIES.contains(&currency_code) { 3 } else { 2 }
}

/// The text itself; for `@file` the file's content, and for `-` the standard input's.
pub(crate) fn text_or_file(argument: &str) -> Result<String, Failure> {
    let failed = |error: std::io::Error| Failure::Usage(format!("cannot read {argument}: {error}"));
    if argument == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map_err(failed)?;
        return Ok(text);
    }
    match argument.strip_prefix('@') {
        Some(file) => std::fs::read_to_string(file).map_err(failed),
        None => Ok(argument.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::POOL;

    #[test]
    fn states_are_written_in_any_case() {
        let number = |of: &str, text: &str| {
            enum_number(&POOL.get_enum_by_name(&format!("astro.v1.{of}")).unwrap(), text)
        };
        for text in ["in-offer", "IN_OFFER", "In-Offer", "ITEM_STATE_IN_OFFER"] {
            assert_eq!(number("ItemState", text), Ok(5), "{text}");
        }
        let complaint = number("ApiKeyKind", "robot").unwrap_err();
        assert_eq!(complaint, "choose one of admin, client, bot");
        for text in ["unspecified", "ITEM_STATE_UNSPECIFIED", "", "5"] {
            assert!(number("ItemState", text).is_err(), "{text}");
        }
        assert_eq!(number("DiscrepancyResolution", "cancel-offer"), Ok(5));
    }

    #[track_caller]
    fn check_money(text: &str, minor_units: i64, shown: &str) {
        let money = money(text).unwrap();
        assert_eq!((money.minor_units, show_money(&money).as_str()), (minor_units, shown));
    }

    #[test]
    fn money_is_counted_in_the_currencys_smallest_unit() {
        check_money("12.50 USD", 1250, "12.50 USD");
        check_money("12.5usd", 1250, "12.50 USD");
        check_money("0.05EUR", 5, "0.05 EUR");
        check_money("300JPY", 300, "300 JPY");
        check_money("1.234 KWD", 1234, "1.234 KWD");
        let debt = Money { currency_code: "USD".into(), minor_units: -5, ..Money::default() };
        assert_eq!(show_money(&debt), "-0.05 USD");
    }

    #[test]
    fn odd_amounts_are_refused() {
        for text in
            ["", "12", "USD", "12.345USD", "1.5JPY", "1..5USD", "-1USD", "1 DOLLARS", ".5USD"]
        {
            assert!(money(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn labels_have_a_key_and_a_value() {
        assert_eq!(label("a=b=c"), Ok(("a", "b=c")));
        assert_eq!(label("a="), Ok(("a", "")));
        assert!(label("=b").is_err() && label("a").is_err());
    }

    #[test]
    fn context_is_a_json_object() {
        let request = POOL.get_message_by_name("astro.v1.CreateAssignmentRequest").unwrap();
        let context = |text| read(&request.get_field_by_name("external_context").unwrap(), text);
        let object = context("{\"round\": 3}").unwrap();
        assert!(object.as_message().unwrap().get_field_by_name("fields").is_some());
        assert!(context("[1]").is_err() && context("{} {}").is_err());
    }

    #[test]
    fn times_are_rfc_3339() {
        assert_eq!(time("2023-11-14T22:13:20Z").unwrap().seconds, 1_700_000_000);
        assert!(time("tomorrow").is_err());
    }
}
