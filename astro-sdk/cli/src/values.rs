//! Values as people type them on the command line.

use std::io::Read;

use astro_sdk::v1::Money;
use prost_reflect::{DescriptorPool, DynamicMessage};
use prost_types::{Struct, Timestamp};

use crate::contract::POOL;
use crate::failure::Failure;

/// Currencies without a smaller unit, and those with a thousandth; all others have a hundredth.
const WHOLE_CURRENCIES: [&str; 8] = ["CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND", "XAF"];
const THOUSANDTH_CURRENCIES: [&str; 7] = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];

/// Parses a state of items.
pub(crate) fn item_state(text: &str) -> Result<i32, String> {
    enum_number("astro.v1.ItemState", text)
}

/// Parses a state of assignments.
pub(crate) fn assignment_state(text: &str) -> Result<i32, String> {
    enum_number("astro.v1.AssignmentState", text)
}

/// Parses a state of donations.
pub(crate) fn donation_state(text: &str) -> Result<i32, String> {
    enum_number("astro.v1.DonationState", text)
}

/// Parses how much an event matters.
pub(crate) fn severity(text: &str) -> Result<i32, String> {
    enum_number("astro.v1.EventSeverity", text)
}

/// Parses a kind of keys.
pub(crate) fn key_kind(text: &str) -> Result<i32, String> {
    enum_number("astro.v1.ApiKeyKind", text)
}

/// Parses what to do about a discrepancy.
pub(crate) fn resolution(text: &str) -> Result<i32, String> {
    enum_number("astro.v1.DiscrepancyResolution", text)
}

/// The number of an enum's value by its name without the common prefix: `in-offer`, `IN_OFFER`.
fn enum_number(full_name: &str, text: &str) -> Result<i32, String> {
    let of = POOL.get_enum_by_name(full_name).expect("the caller names an enum of the contract");
    let zero = of.default_value();
    let prefix = zero.name().strip_suffix("UNSPECIFIED").unwrap_or_default();
    let wanted = text.to_uppercase().replace('-', "_");
    let short = |name: &str| name.strip_prefix(prefix).unwrap_or(name).to_owned();
    if let Some(value) = of.values().find(|value| {
        value.number() != 0 && (short(value.name()) == wanted || value.name() == wanted)
    }) {
        return Ok(value.number());
    }
    let names: Vec<String> = of
        .values()
        .filter(|value| value.number() != 0)
        .map(|value| short(value.name()).to_lowercase().replace('_', "-"))
        .collect();
    Err(format!("choose one of {}", names.join(", ")))
}

/// Parses `key=value`.
pub(crate) fn label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write key=value".to_owned()),
    }
}

/// Parses an RFC 3339 time: `2027-01-31T12:00:00Z`.
pub(crate) fn time(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| "write a time like 2027-01-31T12:00:00Z".to_owned())
}

/// Parses an amount and a currency: `12.50 USD`, `300JPY`.
pub(crate) fn money(text: &str) -> Result<Money, String> {
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

/// Parses a JSON object.
pub(crate) fn json_object(text: &str) -> Result<Struct, String> {
    let descriptor = POOL
        .get_message_by_name("google.protobuf.Struct")
        .or_else(|| DescriptorPool::global().get_message_by_name("google.protobuf.Struct"))
        .expect("the contract uses it");
    let mut json = serde_json::Deserializer::from_str(text);
    let object = DynamicMessage::deserialize(descriptor, &mut json)
        .and_then(|object| json.end().map(|()| object))
        .map_err(|error| format!("write a JSON object like {{\"key\": 1}}: {error}"))?;
    object.transcode_to().map_err(|error| error.to_string())
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

    #[test]
    fn states_are_written_in_any_case() {
        for text in ["in-offer", "IN_OFFER", "In-Offer", "ITEM_STATE_IN_OFFER"] {
            assert_eq!(item_state(text), Ok(5), "{text}");
        }
        let complaint = key_kind("robot").unwrap_err();
        assert_eq!(complaint, "choose one of admin, client, bot");
        assert!(item_state("unspecified").is_err());
        assert_eq!(resolution("write-off"), Ok(2));
        assert_eq!(resolution("cancel-offer"), Ok(5));
        assert_eq!(donation_state("received"), Ok(4));
        assert_eq!(assignment_state("queued"), Ok(1));
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
        assert_eq!(label("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert_eq!(label("a="), Ok(("a".to_owned(), String::new())));
        assert!(label("=b").is_err() && label("a").is_err());
    }

    #[test]
    fn context_is_a_json_object() {
        let object = json_object("{\"round\": 3}").unwrap();
        assert!(object.fields.contains_key("round"));
        assert!(json_object("[1]").is_err() && json_object("{} {}").is_err());
    }

    #[test]
    fn times_are_rfc_3339() {
        assert_eq!(time("2023-11-14T22:13:20Z").unwrap().seconds, 1_700_000_000);
        assert!(time("tomorrow").is_err());
    }
}
