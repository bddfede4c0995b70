//! `IAuthenticationService` and `ITwoFactorService`: logging in and staying so.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use prost::Message;
use serde_json::json;

use super::auth_messages::{
    AllowedConfirmation, BeginRequest, BeginResponse, GuardCodeRequest, GuardCodeResponse,
    PollRequest, PollResponse, RenewRequest, RenewResponse, RsaKeyRequest, RsaKeyResponse,
};
use super::{eresult, page, refused, response};
use crate::core::Core;
use crate::entropy;
use crate::guard;
use crate::http::{Call, Reply};
use crate::ids::SteamId;
use crate::world::sessions::Platform;

/// Which key a password was encrypted with; the simulator has one key for ever.
const KEY_TIMESTAMP: u64 = 385_495_350_000;
/// `EAuthSessionGuardType`: a code from the phone, or a press of its button.
const DEVICE_CODE: i32 = 3;
const DEVICE_CONFIRMATION: i32 = 4;
const POLL_INTERVAL_SECS: f32 = 1.0;

/// `GetPasswordRSAPublicKey`, also for accounts which do not exist: Steam does not tell.
pub(super) fn rsa_key(core: &Core, call: &Call) -> Reply {
    let (modulus, exponent) = (core.password_key.modulus(), core.password_key.exponent());
    match read::<RsaKeyRequest>(call) {
        Some(Ok(_)) => protobuf(&RsaKeyResponse {
            publickey_mod: Some(modulus),
            publickey_exp: Some(exponent),
            timestamp: Some(KEY_TIMESTAMP),
        }),
        Some(Err(_)) => bad_request(),
        None => response(json!({
            "publickey_mod": modulus,
            "publickey_exp": exponent,
            "timestamp": KEY_TIMESTAMP.to_string(),
        })),
    }
}

/// `BeginAuthSessionViaCredentials`.
pub(super) fn begin(core: &Core, call: &Call) -> Reply {
    let Some(Ok(request)) = read::<BeginRequest>(call) else { return bad_request() };
    let name = request.account_name.unwrap_or_default();
    let sent = request.encrypted_password.unwrap_or_default();
    let password = core.password_key.open(&sent);
    let account = core.read(|world| world.accounts.named(&name).cloned());
    let account = account.filter(|account| {
        password.as_ref() == Some(&account.password)
            && request.encryption_timestamp == Some(KEY_TIMESTAMP)
    });
    let Some(account) = account else { return protobuf_refused(eresult::INVALID_PASSWORD) };
    let details = request.device_details.and_then(|details| details.platform_type);
    let platform = details.or(request.platform_type).unwrap_or_default();
    let Some(platform) = Platform::from_number(platform) else {
        return protobuf_refused(eresult::INVALID_PARAM);
    };
    let steam_id = account.steam_id;
    let (client_id, request_id) = core.change(|world, now| {
        let client_id = world.sessions.begin(steam_id, platform, now);
        let login = world.sessions.login(client_id, now);
        (client_id, login.map(|login| login.request_id.clone()))
    });
    let confirmation = |kind| AllowedConfirmation {
        confirmation_type: Some(kind),
        associated_message: Some(String::new()),
    };
    protobuf(&BeginResponse {
        client_id: Some(client_id),
        request_id,
        interval: Some(POLL_INTERVAL_SECS),
        allowed_confirmations: vec![confirmation(DEVICE_CODE), confirmation(DEVICE_CONFIRMATION)],
        steamid: Some(steam_id.0),
        weak_token: Some(format!("weak-{}", entropy::token())),
        extended_error_message: Some(String::new()),
    })
}

/// `UpdateAuthSessionWithSteamGuardCode`.
pub(super) fn guard_code(core: &Core, call: &Call) -> Reply {
    let Some(Ok(request)) = read::<GuardCodeRequest>(call) else { return bad_request() };
    let code = request.code.unwrap_or_default();
    let result = core.change(|world, now| {
        let login = world.sessions.login(request.client_id.unwrap_or_default(), now);
        let login = login.ok_or(eresult::EXPIRED)?;
        let account = world.accounts.get(login.steam_id).ok_or(eresult::EXPIRED)?;
        if request.steamid != Some(login.steam_id.0) || request.code_type != Some(DEVICE_CODE) {
            return Err(eresult::INVALID_PARAM);
        }
        if login.code_accepted {
            return Err(eresult::DUPLICATE_REQUEST);
        }
        if !guard::accepts_code(&account.shared_secret, now.secs(), &code) {
            return Err(eresult::TWO_FACTOR_CODE_MISMATCH);
        }
        login.code_accepted = true;
        Ok(())
    });
    match result {
        Ok(()) => protobuf(&GuardCodeResponse {}),
        Err(code) => protobuf_refused(code),
    }
}

/// `PollAuthSessionStatus`: hands the tokens out once.
pub(super) fn poll(core: &Core, call: &Call) -> Reply {
    let Some(Ok(request)) = read::<PollRequest>(call) else { return bad_request() };
    let client_id = request.client_id.unwrap_or_default();
    let result = core.change(|world, now| {
        let login = world.sessions.login(client_id, now).ok_or(eresult::FILE_NOT_FOUND)?;
        if request.request_id.as_ref() != Some(&login.request_id) {
            return Err(eresult::FILE_NOT_FOUND);
        }
        if !login.code_accepted {
            let had_remote_interaction = Some(false);
            return Ok(PollResponse { had_remote_interaction, ..PollResponse::default() });
        }
        let (who, platform) = (login.steam_id, login.platform);
        world.sessions.end_login(client_id);
        let refresh = world.sessions.mint_refresh(who, platform, now);
        let access = world.sessions.mint_access(&refresh, now);
        Ok(PollResponse {
            refresh_token: Some(refresh),
            access_token: access.ok(),
            had_remote_interaction: Some(false),
            account_name: world.accounts.get(who).map(|account| account.name.clone()),
            new_guard_data: None,
        })
    });
    match result {
        Ok(body) => protobuf(&body),
        Err(code) => protobuf_refused(code),
    }
}

/// `GenerateAccessTokenForApp`; as Steam does, it still takes plain form fields too.
pub(super) fn renew(core: &Core, call: &Call) -> Reply {
    let (request, plain) = match read::<RenewRequest>(call) {
        Some(Ok(request)) => (request, false),
        Some(Err(_)) => return bad_request(),
        None => {
            let refresh_token = call.field("refresh_token").map(str::to_owned);
            let (steamid, renewal_type) = (call.number("steamid"), call.number("renewal_type"));
            (RenewRequest { refresh_token, steamid, renewal_type }, true)
        }
    };
    let refresh = request.refresh_token.unwrap_or_default();
    let who = SteamId(request.steamid.unwrap_or_default());
    let allow_renewal = request.renewal_type == Some(1);
    let derived =
        core.change(|world, now| world.sessions.derive(&refresh, who, allow_renewal, now));
    match (derived, plain) {
        (Ok((access, refresh)), false) => {
            protobuf(&RenewResponse { access_token: Some(access), refresh_token: refresh })
        }
        (Ok((access, refresh)), true) => {
            let mut body = json!({ "access_token": access });
            if let Some(refresh) = refresh {
                body["refresh_token"] = refresh.into();
            }
            response(body)
        }
        (Err(_), false) => protobuf_refused(eresult::ACCESS_DENIED),
        (Err(_), true) => refused(eresult::ACCESS_DENIED),
    }
}

/// `ITwoFactorService/QueryTime`.
pub(super) fn query_time(core: &Core, _call: &Call) -> Reply {
    response(json!({
        "server_time": core.clock.now().secs().to_string(),
        "skew_tolerance_seconds": "60",
        "large_time_jink": "86400",
        "probe_frequency_seconds": 3600,
        "adjusted_time_probe_frequency_seconds": 300,
        "hint_probe_frequency_seconds": 60,
        "sync_timeout": 60,
        "try_again_seconds": 900,
        "max_attempts": 3,
    }))
}

/// The protobuf in a request: `None` when the caller sent plain fields instead.
fn read<M: Message + Default>(call: &Call) -> Option<Result<M, prost::DecodeError>> {
    let encoded = call.field("input_protobuf_encoded")?;
    let bytes = STANDARD.decode(encoded).unwrap_or_else(|_| vec![0xFF]);
    Some(M::decode(bytes.as_slice()))
}

fn protobuf(message: &impl Message) -> Reply {
    Reply::of(StatusCode::OK, "application/octet-stream", message.encode_to_vec())
        .eresult(eresult::OK)
}

fn protobuf_refused(code: u32) -> Reply {
    Reply::of(StatusCode::OK, "application/octet-stream", Vec::new()).eresult(code)
}

/// What Steam answers since October 2025 to a login in plain form fields.
fn bad_request() -> Reply {
    let text = "Please verify that all required parameters are being sent";
    Reply::html(StatusCode::BAD_REQUEST, page("Bad Request", text))
}
