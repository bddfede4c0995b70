//! Messages and errors as the protocol writes them.

use astro_sdk::steam::{SteamIdError, TradeUrlError};
use astro_sdk::{Code, ConfigError, Error};
use prost_reflect::{DynamicMessage, SerializeOptions};
use serde_json::{Value, json};

/// A message in protobuf's own mapping, with the contract's names.
pub(crate) fn message(message: &DynamicMessage) -> anyhow::Result<Value> {
    let options = SerializeOptions::new().use_proto_field_name(true);
    Ok(message.serialize_with_options(serde_json::value::Serializer, &options)?)
}

/// Several of them.
pub(crate) fn messages(found: &[DynamicMessage]) -> anyhow::Result<Value> {
    Ok(Value::Array(found.iter().map(message).collect::<anyhow::Result<_>>()?))
}

/// A call that failed.
pub(crate) fn call_error(error: &Error) -> Value {
    let violations = error.field_violations.iter();
    let violations: Vec<Value> = violations
        .map(|found| json!({"field": found.field, "description": found.description}))
        .collect();
    let mut told = json!({
        "kind": "call",
        "code": code(error.code),
        "message": error.message,
        "reason": error.reason,
        "metadata": error.metadata,
        "field_violations": violations,
        "shown": format!("{error}\n{error:?}"),
    });
    if let Some(delay) = error.retry_delay {
        told["retry_delay_ms"] = json!(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX));
    }
    if let Some(id) = &error.request_id {
        told["request_id"] = json!(id);
    }
    told
}

/// A call that its own program cancelled: dropping it leaves no error to show.
pub(crate) fn cancelled() -> Value {
    json!({"kind": "call", "code": "CANCELLED", "message": "dropped", "reason": ""})
}

/// `NotFound` is `NOT_FOUND`.
fn code(code: Code) -> String {
    let mut name = String::new();
    for letter in format!("{code:?}").chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}

/// Settings that no client can be made of.
pub(crate) fn config_error(error: &ConfigError) -> anyhow::Result<Value> {
    let problem = match error {
        ConfigError::KeyMissing => "key_missing",
        ConfigError::KeyInvalid => "key_invalid",
        ConfigError::EndpointInvalid(_) => "endpoint_invalid",
        ConfigError::EndpointInsecure(_) => "endpoint_insecure",
        ConfigError::CertificateInvalid(_) => "certificate_invalid",
        ConfigError::UserAgentInvalid => "user_agent_invalid",
        other => anyhow::bail!("the protocol has no name for {other:?}"),
    };
    let shown = format!("{error}\n{error:?}");
    Ok(json!({
        "kind": "config", "problem": problem, "message": error.to_string(), "shown": shown,
    }))
}

/// A text that is no SteamID.
pub(crate) fn steam_id_error(error: SteamIdError) -> anyhow::Result<Value> {
    let problem = match error {
        SteamIdError::NotAnId => "not_an_id",
        SteamIdError::NotAPerson => "not_a_person",
        other => anyhow::bail!("the protocol has no name for {other:?}"),
    };
    Ok(json!({"kind": "steam_id", "problem": problem}))
}

/// A text that is no trade URL.
pub(crate) fn trade_url_error(error: TradeUrlError) -> anyhow::Result<Value> {
    let problem = match error {
        TradeUrlError::NotATradeUrl => "not_a_trade_url",
        TradeUrlError::PartnerInvalid => "partner_invalid",
        TradeUrlError::TokenInvalid => "token_invalid",
        other => anyhow::bail!("the protocol has no name for {other:?}"),
    };
    Ok(json!({"kind": "trade_url", "problem": problem}))
}
