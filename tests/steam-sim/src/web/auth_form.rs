//! The two forms of `IAuthenticationService` and `ITwoFactorService`: protobuf, and the plain fields
//! and JSON of old.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use prost::Message;
use serde_json::{Map, Value, json};

use super::auth_messages::{
    AllowedConfirmation, BeginRequest, BeginResponse, DeviceDetails, GuardCodeRequest,
    GuardCodeResponse, PollRequest, PollResponse, RenewRequest, RenewResponse, RsaKeyRequest,
    RsaKeyResponse, TimeRequest, TimeResponse,
};
use super::{eresult, page, refused, response};
use crate::http::{Call, Reply};

/// How a client has asked, and wants to be answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Form {
    Protobuf,
    Plain,
}

/// A request which can be read of plain fields.
pub(super) trait OfFields: Message + Default {
    fn of_fields(call: &Call) -> Self;
}

/// An answer which can be told in JSON.
pub(super) trait InJson: Message {
    fn in_json(&self) -> Value;
}

/// Reads a request; `None` when it is malformed.
pub(super) fn read<M: OfFields>(call: &Call) -> Option<(M, Form)> {
    let Some(encoded) = call.field("input_protobuf_encoded") else {
        return Some((M::of_fields(call), Form::Plain));
    };
    let bytes = STANDARD.decode(encoded).ok()?;
    Some((M::decode(bytes.as_slice()).ok()?, Form::Protobuf))
}

pub(super) fn answer(form: Form, message: &impl InJson) -> Reply {
    match form {
        Form::Protobuf => {
            Reply::of(StatusCode::OK, "application/octet-stream", message.encode_to_vec())
                .eresult(eresult::OK)
        }
        Form::Plain => response(message.in_json()),
    }
}

pub(super) fn refuse(form: Form, code: u32) -> Reply {
    match form {
        Form::Protobuf => {
            Reply::of(StatusCode::OK, "application/octet-stream", Vec::new()).eresult(code)
        }
        Form::Plain => refused(code),
    }
}

/// What Steam answers to what it cannot read, since October 2025 also to a login in plain fields.
pub(super) fn bad_request() -> Reply {
    let text = "Please verify that all required parameters are being sent";
    Reply::html(StatusCode::BAD_REQUEST, page("Bad Request", text))
}

fn text(call: &Call, name: &str) -> Option<String> {
    call.field(name).map(str::to_owned)
}

/// The fields which have a value.
fn present<const N: usize>(fields: [(&str, Option<Value>); N]) -> Value {
    let fields = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(fields.collect::<Map<_, _>>())
}

/// Steam writes 64 bit numbers as strings.
fn large(number: Option<u64>) -> Option<Value> {
    number.map(|number| number.to_string().into())
}

impl OfFields for RsaKeyRequest {
    fn of_fields(call: &Call) -> Self {
        Self { account_name: text(call, "account_name") }
    }
}

impl InJson for RsaKeyResponse {
    fn in_json(&self) -> Value {
        present([
            ("publickey_mod", self.publickey_mod.clone().map(Value::from)),
            ("publickey_exp", self.publickey_exp.clone().map(Value::from)),
            ("timestamp", large(self.timestamp)),
        ])
    }
}

impl OfFields for BeginRequest {
    fn of_fields(call: &Call) -> Self {
        // The web's form names no platform: it is a browser.
        let platform_type = call.number("platform_type").or(Some(2));
        Self {
            account_name: text(call, "account_name"),
            encrypted_password: text(call, "encrypted_password"),
            encryption_timestamp: call.number("encryption_timestamp"),
            platform_type,
            persistence: call.number("persistence"),
            website_id: text(call, "website_id"),
            device_details: None::<DeviceDetails>,
        }
    }
}

impl InJson for BeginResponse {
    fn in_json(&self) -> Value {
        let guard = |guard: &AllowedConfirmation| {
            json!({
                "confirmation_type": guard.confirmation_type,
                "associated_message": guard.associated_message,
            })
        };
        let guards: Value = self.allowed_confirmations.iter().map(guard).collect();
        let request_id = self.request_id.as_ref().map(|id| STANDARD.encode(id));
        present([
            ("client_id", large(self.client_id)),
            ("request_id", request_id.map(Value::from)),
            ("interval", self.interval.map(Value::from)),
            ("allowed_confirmations", Some(guards)),
            ("steamid", large(self.steamid)),
            ("weak_token", self.weak_token.clone().map(Value::from)),
            ("extended_error_message", self.extended_error_message.clone().map(Value::from)),
        ])
    }
}

impl OfFields for GuardCodeRequest {
    fn of_fields(call: &Call) -> Self {
        Self {
            client_id: call.number("client_id"),
            steamid: call.number("steamid"),
            code: text(call, "code"),
            code_type: call.number("code_type"),
        }
    }
}

impl InJson for GuardCodeResponse {
    fn in_json(&self) -> Value {
        json!({})
    }
}

impl OfFields for PollRequest {
    fn of_fields(call: &Call) -> Self {
        let request_id = call.field("request_id").and_then(|id| STANDARD.decode(id).ok());
        Self { client_id: call.number("client_id"), request_id }
    }
}

impl InJson for PollResponse {
    fn in_json(&self) -> Value {
        present([
            ("new_client_id", large(self.new_client_id)),
            ("refresh_token", self.refresh_token.clone().map(Value::from)),
            ("access_token", self.access_token.clone().map(Value::from)),
            ("had_remote_interaction", self.had_remote_interaction.map(Value::from)),
            ("account_name", self.account_name.clone().map(Value::from)),
            ("new_guard_data", self.new_guard_data.clone().map(Value::from)),
        ])
    }
}

impl OfFields for RenewRequest {
    fn of_fields(call: &Call) -> Self {
        Self {
            refresh_token: text(call, "refresh_token"),
            steamid: call.number("steamid"),
            renewal_type: call.number("renewal_type"),
        }
    }
}

impl InJson for RenewResponse {
    fn in_json(&self) -> Value {
        present([
            ("access_token", self.access_token.clone().map(Value::from)),
            ("refresh_token", self.refresh_token.clone().map(Value::from)),
        ])
    }
}

impl OfFields for TimeRequest {
    fn of_fields(_call: &Call) -> Self {
        Self {}
    }
}

impl InJson for TimeResponse {
    fn in_json(&self) -> Value {
        present([
            ("server_time", large(self.server_time)),
            ("skew_tolerance_seconds", large(self.skew_tolerance_seconds)),
            ("large_time_jink", large(self.large_time_jink)),
            ("probe_frequency_seconds", self.probe_frequency_seconds.map(Value::from)),
            (
                "adjusted_time_probe_frequency_seconds",
                self.adjusted_time_probe_frequency_seconds.map(Value::from),
            ),
            ("hint_probe_frequency_seconds", self.hint_probe_frequency_seconds.map(Value::from)),
            ("sync_timeout", self.sync_timeout.map(Value::from)),
            ("try_again_seconds", self.try_again_seconds.map(Value::from)),
            ("max_attempts", self.max_attempts.map(Value::from)),
        ])
    }
}
