//! `IAuthenticationService` and `ITwoFactorService`: logging in and staying so.

use super::auth_form::{Form, OfFields, answer, bad_request, read, refuse};
use super::auth_messages::{
    AllowedConfirmation, BeginRequest, BeginResponse, GuardCodeRequest, GuardCodeResponse,
    PollRequest, PollResponse, RenewRequest, RenewResponse, RsaKeyRequest, RsaKeyResponse,
    TimeRequest, TimeResponse,
};
use super::eresult;
use crate::clock::SimTime;
use crate::core::Core;
use crate::entropy;
use crate::guard;
use crate::http::{Call, Reply};
use crate::ids::SteamId;
use crate::world::World;
use crate::world::sessions::Platform;

/// Which key a password was encrypted with; the simulator has one key for ever.
const KEY_TIMESTAMP: u64 = 385_495_350_000;
/// `EAuthSessionGuardType`: a code from the phone, or a press of its button.
const DEVICE_CODE: i32 = 3;
const DEVICE_CONFIRMATION: i32 = 4;
const POLL_INTERVAL_SECS: f32 = 1.0;

/// `GetPasswordRSAPublicKey`, also for accounts which do not exist: Steam does not tell.
pub(super) fn rsa_key(core: &Core, call: &Call) -> Reply {
    let Some((_, form)) = read::<RsaKeyRequest>(call) else { return bad_request() };
    let key = RsaKeyResponse {
        publickey_mod: Some(core.password_key.modulus()),
        publickey_exp: Some(core.password_key.exponent()),
        timestamp: Some(KEY_TIMESTAMP),
    };
    answer(form, &key)
}

/// Reads a step of a login, which must not come in plain fields since October 2025.
fn read_login<M: OfFields>(core: &Core, call: &Call) -> Option<(M, Form)> {
    let allowed = |form| form == Form::Protobuf || core.options.legacy_form_login;
    read(call).filter(|(_, form)| allowed(*form))
}

/// `BeginAuthSessionViaCredentials`.
pub(super) fn begin(core: &Core, call: &Call) -> Reply {
    let Some((request, form)) = read_login::<BeginRequest>(core, call) else {
        return bad_request();
    };
    let sent = request.encrypted_password.clone().unwrap_or_default();
    let password = core.password_key.open(&sent);
    match core.change(|world, now| begin_login(world, &request, password, now)) {
        Ok(begun) => answer(form, &begun),
        Err(code) => refuse(form, code),
    }
}

fn begin_login(
    world: &mut World,
    request: &BeginRequest,
    password: Option<String>,
    now: SimTime,
) -> Result<BeginResponse, u32> {
    if world.sessions.is_throttled(now) {
        return Err(eresult::RATE_LIMIT_EXCEEDED);
    }
    let account = request.account_name.as_deref().and_then(|name| world.accounts.named(name));
    let account = account.filter(|account| {
        password.as_ref() == Some(&account.password)
            && request.encryption_timestamp == Some(KEY_TIMESTAMP)
    });
    let Some(steam_id) = account.map(|account| account.steam_id) else {
        world.sessions.count_failure(now);
        return Err(eresult::INVALID_PASSWORD);
    };
    let details = request.device_details.as_ref().and_then(|details| details.platform_type);
    let platform = details.or(request.platform_type).unwrap_or_default();
    let platform = Platform::from_number(platform).ok_or(eresult::INVALID_PARAM)?;
    let client_id = world.sessions.begin(steam_id, platform, now);
    let request_id = world.sessions.login(client_id, now).map(|login| login.request_id.clone());
    let confirmation = |kind| AllowedConfirmation {
        confirmation_type: Some(kind),
        associated_message: Some(String::new()),
    };
    Ok(BeginResponse {
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
    let Some((request, form)) = read_login::<GuardCodeRequest>(core, call) else {
        return bad_request();
    };
    match core.change(|world, now| accept_code(world, &request, now)) {
        Ok(()) => answer(form, &GuardCodeResponse {}),
        Err(code) => refuse(form, code),
    }
}

fn accept_code(world: &mut World, request: &GuardCodeRequest, now: SimTime) -> Result<(), u32> {
    if world.sessions.is_throttled(now) {
        return Err(eresult::LOGIN_DENIED_THROTTLE);
    }
    let login = world.sessions.login(request.client_id.unwrap_or_default(), now);
    let login = login.ok_or(eresult::EXPIRED)?;
    let account = world.accounts.get(login.steam_id).ok_or(eresult::EXPIRED)?;
    if request.steamid != Some(login.steam_id.0) || request.code_type != Some(DEVICE_CODE) {
        return Err(eresult::INVALID_PARAM);
    }
    if login.accepted {
        return Err(eresult::DUPLICATE_REQUEST);
    }
    let code = request.code.as_deref().unwrap_or_default();
    if !guard::accepts_code(&account.shared_secret, now.secs(), code) {
        world.sessions.count_failure(now);
        return Err(eresult::TWO_FACTOR_CODE_MISMATCH);
    }
    login.accepted = true;
    Ok(())
}

/// `PollAuthSessionStatus`: hands the tokens out once.
pub(super) fn poll(core: &Core, call: &Call) -> Reply {
    let Some((request, form)) = read_login::<PollRequest>(core, call) else {
        return bad_request();
    };
    match core.change(|world, now| poll_login(world, &request, now)) {
        Ok(body) => answer(form, &body),
        Err(code) => refuse(form, code),
    }
}

fn poll_login(world: &mut World, request: &PollRequest, now: SimTime) -> Result<PollResponse, u32> {
    let client_id = request.client_id.unwrap_or_default();
    let login = world.sessions.login(client_id, now).ok_or(eresult::FILE_NOT_FOUND)?;
    if request.request_id.as_ref() != Some(&login.request_id) {
        return Err(eresult::FILE_NOT_FOUND);
    }
    let had_remote_interaction = Some(login.on_phone);
    if !login.accepted {
        let new_client_id = world.sessions.rotate(client_id);
        return Ok(PollResponse {
            new_client_id,
            had_remote_interaction,
            ..PollResponse::default()
        });
    }
    let (who, platform) = (login.steam_id, login.platform);
    world.sessions.end_login(client_id);
    let refresh = world.sessions.mint_refresh(who, platform, now);
    let access = world.sessions.mint_access(&refresh, now);
    Ok(PollResponse {
        new_client_id: None,
        refresh_token: Some(refresh),
        access_token: access.ok(),
        had_remote_interaction,
        account_name: world.accounts.get(who).map(|account| account.name.clone()),
        new_guard_data: None,
    })
}

/// `GenerateAccessTokenForApp`; as Steam does, it still takes plain form fields too.
pub(super) fn renew(core: &Core, call: &Call) -> Reply {
    let Some((request, form)) = read::<RenewRequest>(call) else { return bad_request() };
    let refresh = request.refresh_token.unwrap_or_default();
    let who = SteamId(request.steamid.unwrap_or_default());
    let allow_renewal = request.renewal_type == Some(1);
    let derived =
        core.change(|world, now| world.sessions.derive(&refresh, who, allow_renewal, now));
    match derived {
        Ok((access, refresh_token)) => {
            answer(form, &RenewResponse { access_token: Some(access), refresh_token })
        }
        Err(_) => refuse(form, eresult::ACCESS_DENIED),
    }
}

/// `ITwoFactorService/QueryTime`.
pub(super) fn query_time(core: &Core, call: &Call) -> Reply {
    let Some((_, form)) = read::<TimeRequest>(call) else { return bad_request() };
    let time = core.clock.now().secs() + core.edge().skew;
    let time = TimeResponse {
        server_time: u64::try_from(time).ok(),
        skew_tolerance_seconds: Some(60),
        large_time_jink: Some(86_400),
        probe_frequency_seconds: Some(3600),
        adjusted_time_probe_frequency_seconds: Some(300),
        hint_probe_frequency_seconds: Some(60),
        sync_timeout: Some(60),
        try_again_seconds: Some(900),
        max_attempts: Some(3),
    };
    answer(form, &time)
}
