//! The login calls. They alone speak protobuf: Steam refuses them in any other form.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use num_bigint::BigUint;
use prost::Message;
use std::time::Duration;
use tokio::time::{Instant, sleep};

use super::{guard, time::SteamTime};
use crate::{
    outside::Chance,
    secret::Secret,
    steam::{
        traffic::{Http, Lane, Request},
        wire::{Answer, Signal, answer::api_ok, loose},
    },
};

/// The platform whose tokens are valid on all of Steam's domains.
const MOBILE_APP: i32 = 3;
/// What the mobile app says about its phone.
const ANDROID_UNKNOWN: i32 = -500;
const PHONE: u32 = 528;
/// Type of a code made by the mobile authenticator.
const DEVICE_CODE: i32 = 3;
/// How long a login may take after its code was sent.
const POLL_PATIENCE: Duration = Duration::from_secs(60);
const DEVICE_NAME: &str = "Astro";
/// Between two looks at a login under way, whatever Steam says.
const POLL_INTERVAL_MIN: Duration = Duration::from_millis(100);
const POLL_INTERVAL_MAX: Duration = Duration::from_secs(10);

// The messages cannot be printed: they hold secrets.

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
struct KeyRequest {
    #[prost(string, optional, tag = "1")]
    account_name: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct KeyReply {
    #[prost(string, optional, tag = "1")]
    modulus: Option<String>,
    #[prost(string, optional, tag = "2")]
    exponent: Option<String>,
    #[prost(uint64, optional, tag = "3")]
    timestamp: Option<u64>,
}

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
struct DeviceDetails {
    #[prost(string, optional, tag = "1")]
    device_friendly_name: Option<String>,
    #[prost(int32, optional, tag = "2")]
    platform_type: Option<i32>,
    #[prost(int32, optional, tag = "3")]
    os_type: Option<i32>,
    #[prost(uint32, optional, tag = "4")]
    gaming_device_type: Option<u32>,
}

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
struct BeginRequest {
    #[prost(string, optional, tag = "2")]
    account_name: Option<String>,
    #[prost(string, optional, tag = "3")]
    encrypted_password: Option<String>,
    #[prost(uint64, optional, tag = "4")]
    encryption_timestamp: Option<u64>,
    #[prost(bool, optional, tag = "5")]
    remember_login: Option<bool>,
    #[prost(int32, optional, tag = "6")]
    platform_type: Option<i32>,
    #[prost(int32, optional, tag = "7")]
    persistence: Option<i32>,
    #[prost(string, optional, tag = "8")]
    website_id: Option<String>,
    #[prost(message, optional, tag = "9")]
    device_details: Option<DeviceDetails>,
}

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
struct BeginReply {
    #[prost(uint64, optional, tag = "1")]
    client_id: Option<u64>,
    #[prost(bytes = "vec", optional, tag = "2")]
    request_id: Option<Vec<u8>>,
    #[prost(float, optional, tag = "3")]
    interval: Option<f32>,
    #[prost(uint64, optional, tag = "5")]
    steam_id: Option<u64>,
    #[prost(string, optional, tag = "8")]
    extended_error_message: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
struct CodeRequest {
    #[prost(uint64, optional, tag = "1")]
    client_id: Option<u64>,
    #[prost(fixed64, optional, tag = "2")]
    steam_id: Option<u64>,
    #[prost(string, optional, tag = "3")]
    code: Option<String>,
    #[prost(int32, optional, tag = "4")]
    code_type: Option<i32>,
}

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
struct CodeReply {}

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
struct PollRequest {
    #[prost(uint64, optional, tag = "1")]
    client_id: Option<u64>,
    #[prost(bytes = "vec", optional, tag = "2")]
    request_id: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(super) struct PollReply {
    #[prost(uint64, optional, tag = "1")]
    new_client_id: Option<u64>,
    #[prost(string, optional, tag = "3")]
    pub(super) refresh_token: Option<String>,
    #[prost(string, optional, tag = "4")]
    access_token: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
struct RenewRequest {
    #[prost(string, optional, tag = "1")]
    refresh_token: Option<String>,
    #[prost(fixed64, optional, tag = "2")]
    steam_id: Option<u64>,
    #[prost(int32, optional, tag = "3")]
    renewal_type: Option<i32>,
}

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
struct RenewReply {
    #[prost(string, optional, tag = "1")]
    access_token: Option<String>,
    #[prost(string, optional, tag = "2")]
    refresh_token: Option<String>,
}

/// Credentials for a login from scratch, used when there is no refresh token or it is dead.
#[derive(Debug, Clone)]
pub struct Account {
    /// Name of the account, as typed at the login.
    pub name: String,
    /// Password.
    pub password: Secret,
    /// Shared secret of the mobile authenticator, base64; makes the login codes.
    pub shared_secret: Secret,
}

/// Fresh tokens. `refresh` is unset if the old one stays valid.
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: Option<String>,
}

/// Gets an access token for a refresh token.
pub(crate) async fn renew(http: &Http, refresh: &str, steam_id: u64) -> Result<Tokens, Signal> {
    let request = RenewRequest {
        refresh_token: Some(refresh.to_owned()),
        steam_id: Some(steam_id),
        // Steam sends a new refresh token only when the old one is near its end.
        renewal_type: Some(1),
    };
    let call_for = Request::api("IAuthenticationService/GenerateAccessTokenForApp/v1");
    let reply: RenewReply = call(http, call_for.lane(Lane::Login), Some(&request)).await?;
    let access = filled(reply.access_token).ok_or_else(|| garbled("no access token"))?;
    Ok(Tokens { access, refresh: filled(reply.refresh_token) })
}

/// The key for the account's password. Steam does not count this as a try to log in.
pub(crate) async fn password_key(http: &Http, account: &Account) -> Result<KeyReply, Signal> {
    let request = KeyRequest { account_name: Some(account.name.clone()) };
    let endpoint = "IAuthenticationService/GetPasswordRSAPublicKey/v1";
    let query = Request::api(endpoint).query("input_protobuf_encoded", encoded(&request));
    call::<KeyRequest, _>(http, query, None).await
}

/// Logs in with name, password and authenticator code.
pub(crate) async fn log_in(
    http: &Http,
    account: &Account,
    key: &KeyReply,
    time: &SteamTime,
    chance: &Chance,
) -> Result<Tokens, Signal> {
    let password = encrypt(account.password.expose(), key, chance)?;
    let begun = begin(http, account, key, password).await?;
    let client_id = begun.client_id.ok_or_else(|| {
        garbled(begun.extended_error_message.as_deref().unwrap_or("the login did not begin"))
    })?;
    send_code(http, account, time, client_id, begun.steam_id).await?;
    let interval = Duration::try_from_secs_f32(begun.interval.unwrap_or(5.0)).unwrap_or_default();
    let interval = interval.clamp(POLL_INTERVAL_MIN, POLL_INTERVAL_MAX);
    poll(http, client_id, begun.request_id, interval).await
}

async fn begin(
    http: &Http,
    account: &Account,
    key: &KeyReply,
    password: String,
) -> Result<BeginReply, Signal> {
    let request = BeginRequest {
        account_name: Some(account.name.clone()),
        encrypted_password: Some(password),
        encryption_timestamp: key.timestamp,
        remember_login: Some(true),
        platform_type: Some(MOBILE_APP),
        persistence: Some(1),
        website_id: Some("Mobile".to_owned()),
        device_details: Some(DeviceDetails {
            device_friendly_name: Some(DEVICE_NAME.to_owned()),
            platform_type: Some(MOBILE_APP),
            os_type: Some(ANDROID_UNKNOWN),
            gaming_device_type: Some(PHONE),
        }),
    };
    let call_for = Request::api("IAuthenticationService/BeginAuthSessionViaCredentials/v1");
    call(http, call_for.lane(Lane::Login), Some(&request)).await
}

async fn send_code(
    http: &Http,
    account: &Account,
    time: &SteamTime,
    client_id: u64,
    steam_id: Option<u64>,
) -> Result<(), Signal> {
    time.refresh().await;
    let code = guard::login_code(&account.shared_secret, http.now())
        .map_err(|error| Signal::NoSession { operator_needed: true, text: error.to_string() })?;
    let request = CodeRequest {
        client_id: Some(client_id),
        steam_id,
        code: Some(code),
        code_type: Some(DEVICE_CODE),
    };
    let endpoint = "IAuthenticationService/UpdateAuthSessionWithSteamGuardCode/v1";
    match call::<_, CodeReply>(http, Request::api(endpoint), Some(&request)).await {
        Ok(CodeReply {}) => Ok(()),
        // The code was accepted before.
        Err(Signal::EResult { code: 29, .. }) => Ok(()),
        Err(signal) => {
            time.doubt().await;
            Err(signal)
        }
    }
}

async fn poll(
    http: &Http,
    mut client_id: u64,
    request_id: Option<Vec<u8>>,
    interval: Duration,
) -> Result<Tokens, Signal> {
    let deadline = Instant::now() + POLL_PATIENCE;
    let endpoint = "IAuthenticationService/PollAuthSessionStatus/v1";
    loop {
        let request = PollRequest { client_id: Some(client_id), request_id: request_id.clone() };
        let reply: PollReply = call(http, Request::api(endpoint), Some(&request)).await?;
        if let (Some(refresh), Some(access)) =
            (filled(reply.refresh_token), filled(reply.access_token))
        {
            return Ok(Tokens { access, refresh: Some(refresh) });
        }
        if Instant::now() >= deadline {
            return Err(garbled("the login was not completed"));
        }
        client_id = reply.new_client_id.filter(|id| *id != 0).unwrap_or(client_id);
        sleep(interval).await;
    }
}

/// Performs a call; `body` makes it a POST.
async fn call<Body: Message, Reply: Message + Default>(
    http: &Http,
    request: Request,
    body: Option<&Body>,
) -> Result<Reply, Signal> {
    let request = match body {
        Some(body) => request.post(vec![("input_protobuf_encoded", encoded(body))]),
        None => request,
    };
    read(&http.perform(request).await?)
}

/// Reads an answer in protobuf.
pub(super) fn read<Reply: Message + Default>(answer: &Answer) -> Result<Reply, Signal> {
    api_ok(answer)?;
    Reply::decode(answer.body.as_slice()).map_err(|error| Signal::Garbled(error.to_string()))
}

fn encoded(message: &impl Message) -> String {
    STANDARD.encode(message.encode_to_vec())
}

fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

fn garbled(text: &str) -> Signal {
    Signal::Garbled(loose::shortened(text))
}

/// RSA with PKCS #1 v1.5 padding, public key only, base64.
fn encrypt(password: &str, key: &KeyReply, chance: &Chance) -> Result<String, Signal> {
    let number = |text: &Option<String>| {
        let text = text.as_deref().unwrap_or_default();
        BigUint::parse_bytes(text.as_bytes(), 16).ok_or_else(|| garbled("no password key"))
    };
    let (modulus, exponent) = (number(&key.modulus)?, number(&key.exponent)?);
    let size = usize::try_from(modulus.bits().div_ceil(8)).unwrap_or(0);
    // 0, 2, at least eight random bytes, 0.
    if password.len() + 11 > size {
        return Err(garbled("the password does not fit its key"));
    }
    let mut block = vec![0_u8; size - password.len() - 1];
    chance.fill(&mut block).map_err(|error| garbled(&error.to_string()))?;
    for byte in &mut block {
        *byte = (*byte).max(1);
    }
    (block[0], block[1]) = (0, 2);
    block.push(0);
    block.extend_from_slice(password.as_bytes());
    let secret = BigUint::from_bytes_be(&block).modpow(&exponent, &modulus).to_bytes_be();
    let mut padded = vec![0_u8; size - secret.len()];
    padded.extend(secret);
    Ok(STANDARD.encode(padded))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_padded_and_encrypted_to_the_size_of_the_key() {
        // With exponent 1 the "secret" is the padded block itself.
        let key = KeyReply {
            modulus: Some("ff".repeat(64)),
            exponent: Some("01".to_owned()),
            timestamp: Some(1),
        };
        let block = STANDARD.decode(encrypt("hunter2", &key, &Chance::default()).unwrap()).unwrap();
        assert_eq!(block.len(), 64);
        assert_eq!(block[..2], [0, 2]);
        assert!(block[2..56].iter().all(|byte| *byte != 0));
        assert_eq!(block[56], 0);
        assert_eq!(&block[57..], b"hunter2");
    }

    #[test]
    fn an_empty_key_is_an_error() {
        let key = KeyReply { modulus: None, exponent: None, timestamp: None };
        assert!(encrypt("hunter2", &key, &Chance::default()).is_err());
    }

    #[test]
    fn the_operating_system_takes_ten_bytes_as_a_negative_number() {
        let details = DeviceDetails { os_type: Some(ANDROID_UNKNOWN), ..Default::default() };
        assert_eq!(details.encode_to_vec().len(), 11);
    }
}
