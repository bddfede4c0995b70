//! The protobuf messages of `IAuthenticationService` and `ITwoFactorService`. All fields are optional, as in proto2.

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct RsaKeyRequest {
    #[prost(string, optional, tag = "1")]
    pub account_name: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct RsaKeyResponse {
    #[prost(string, optional, tag = "1")]
    pub publickey_mod: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub publickey_exp: Option<String>,
    #[prost(uint64, optional, tag = "3")]
    pub timestamp: Option<u64>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct DeviceDetails {
    #[prost(string, optional, tag = "1")]
    pub device_friendly_name: Option<String>,
    #[prost(int32, optional, tag = "2")]
    pub platform_type: Option<i32>,
    #[prost(int32, optional, tag = "3")]
    pub os_type: Option<i32>,
    #[prost(uint32, optional, tag = "4")]
    pub gaming_device_type: Option<u32>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct BeginRequest {
    #[prost(string, optional, tag = "2")]
    pub account_name: Option<String>,
    #[prost(string, optional, tag = "3")]
    pub encrypted_password: Option<String>,
    #[prost(uint64, optional, tag = "4")]
    pub encryption_timestamp: Option<u64>,
    #[prost(int32, optional, tag = "6")]
    pub platform_type: Option<i32>,
    #[prost(int32, optional, tag = "7")]
    pub persistence: Option<i32>,
    #[prost(string, optional, tag = "8")]
    pub website_id: Option<String>,
    #[prost(message, optional, tag = "9")]
    pub device_details: Option<DeviceDetails>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct AllowedConfirmation {
    #[prost(int32, optional, tag = "1")]
    pub confirmation_type: Option<i32>,
    #[prost(string, optional, tag = "2")]
    pub associated_message: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct BeginResponse {
    #[prost(uint64, optional, tag = "1")]
    pub client_id: Option<u64>,
    #[prost(bytes = "vec", optional, tag = "2")]
    pub request_id: Option<Vec<u8>>,
    #[prost(float, optional, tag = "3")]
    pub interval: Option<f32>,
    #[prost(message, repeated, tag = "4")]
    pub allowed_confirmations: Vec<AllowedConfirmation>,
    #[prost(uint64, optional, tag = "5")]
    pub steamid: Option<u64>,
    #[prost(string, optional, tag = "6")]
    pub weak_token: Option<String>,
    #[prost(string, optional, tag = "8")]
    pub extended_error_message: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct GuardCodeRequest {
    #[prost(uint64, optional, tag = "1")]
    pub client_id: Option<u64>,
    #[prost(fixed64, optional, tag = "2")]
    pub steamid: Option<u64>,
    #[prost(string, optional, tag = "3")]
    pub code: Option<String>,
    #[prost(int32, optional, tag = "4")]
    pub code_type: Option<i32>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct GuardCodeResponse {}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct PollRequest {
    #[prost(uint64, optional, tag = "1")]
    pub client_id: Option<u64>,
    #[prost(bytes = "vec", optional, tag = "2")]
    pub request_id: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct PollResponse {
    #[prost(uint64, optional, tag = "1")]
    pub new_client_id: Option<u64>,
    #[prost(string, optional, tag = "3")]
    pub refresh_token: Option<String>,
    #[prost(string, optional, tag = "4")]
    pub access_token: Option<String>,
    #[prost(bool, optional, tag = "5")]
    pub had_remote_interaction: Option<bool>,
    #[prost(string, optional, tag = "6")]
    pub account_name: Option<String>,
    #[prost(string, optional, tag = "7")]
    pub new_guard_data: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct RenewRequest {
    #[prost(string, optional, tag = "1")]
    pub refresh_token: Option<String>,
    #[prost(fixed64, optional, tag = "2")]
    pub steamid: Option<u64>,
    #[prost(int32, optional, tag = "3")]
    pub renewal_type: Option<i32>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct RenewResponse {
    #[prost(string, optional, tag = "1")]
    pub access_token: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub refresh_token: Option<String>,
}

/// Its one field, the sender's time, is not asked for.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct TimeRequest {}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct TimeResponse {
    #[prost(uint64, optional, tag = "1")]
    pub server_time: Option<u64>,
    #[prost(uint64, optional, tag = "2")]
    pub skew_tolerance_seconds: Option<u64>,
    #[prost(uint64, optional, tag = "3")]
    pub large_time_jink: Option<u64>,
    #[prost(uint32, optional, tag = "4")]
    pub probe_frequency_seconds: Option<u32>,
    #[prost(uint32, optional, tag = "5")]
    pub adjusted_time_probe_frequency_seconds: Option<u32>,
    #[prost(uint32, optional, tag = "6")]
    pub hint_probe_frequency_seconds: Option<u32>,
    #[prost(uint32, optional, tag = "7")]
    pub sync_timeout: Option<u32>,
    #[prost(uint32, optional, tag = "8")]
    pub try_again_seconds: Option<u32>,
    #[prost(uint32, optional, tag = "9")]
    pub max_attempts: Option<u32>,
}
