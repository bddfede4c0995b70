//! Every RPC and every error reason of the contract, with what `proto/` says about them.

use tonic::Code;

use crate::v1::ErrorReason;

include!("gen/methods.rs");

/// Domain of Astro's own reasons in `google.rpc.ErrorInfo`.
pub const DOMAIN: &str = "astro.dev";

/// One RPC and its policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Method {
    /// Path of the HTTP/2 request: `/astro.v1.ItemService/GetItem`.
    pub path: &'static str,
    /// Full name of the service: `astro.v1.ItemService`.
    pub service: &'static str,
    /// Name within the service: `GetItem`.
    pub name: &'static str,
    /// Scope that the caller's key must hold; `None`: any valid key will do.
    pub scope: Option<&'static str>,
    /// What its rate limit is counted with.
    pub bucket: Bucket,
    /// Whether the server remembers the answer by the request's `request_id`.
    pub deduplicated: bool,
    /// Number of the request's `request_id` field, if it has one.
    pub request_id_field: Option<u32>,
    /// Field of the response that a client sends back to resume this stream.
    pub resume_field: Option<&'static str>,
    /// Reasons it can give beside those that every RPC can give.
    pub reasons: &'static [ErrorReason],
    /// How HTTP and JSON reach it, the usual way first.
    pub routes: &'static [Route],
    /// What is promised about sending it again.
    pub idempotency: Idempotency,
    /// Whether the caller sends a stream.
    pub client_streaming: bool,
    /// Whether the server answers with a stream.
    pub server_streaming: bool,
}

impl Method {
    /// Whether sending the same request again is safe when the answer to the first got lost.
    pub fn may_repeat(&self) -> bool {
        self.deduplicated || self.idempotency != Idempotency::Unknown
    }
}

/// One way by which HTTP and JSON reach an RPC. Fields of the request that neither the path nor the
/// body has are parameters of the query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// Verb: `GET`, `POST`, `PATCH` or `DELETE`.
    pub verb: &'static str,
    /// Path, in which braces name fields of the request: `/api/v1/items/{item_id}`.
    pub path: &'static str,
    /// Field of the request that the body is, `*` for the whole request, empty for no body.
    pub body: &'static str,
}

impl Route {
    /// The fields that the path names, from the request inwards: `item.id`.
    pub fn fields(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('{').filter_map(|part| part.split_once('}')).map(|(name, _)| name)
    }
}

/// What a rate limit is counted with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Bucket {
    /// Calls that only read.
    Read,
    /// Calls that change something.
    Write,
    /// Calls that stay open.
    Stream,
}

/// What the contract promises about sending a request twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Idempotency {
    /// Nothing.
    Unknown,
    /// It only reads.
    NoSideEffects,
    /// A second time changes nothing more.
    Idempotent,
}

/// One reason of errors in the domain `astro.dev`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reason {
    /// The reason.
    pub reason: ErrorReason,
    /// As sent in `google.rpc.ErrorInfo.reason`: `ITEM_NOT_FOUND`.
    pub name: &'static str,
    /// gRPC code it comes with.
    pub code: Code,
    /// What it means, its metadata, and what to do.
    pub docs: &'static str,
}

/// The RPC with this path (`/astro.v1.ItemService/GetItem`), if the contract has it.
pub fn find(path: &str) -> Option<&'static Method> {
    METHODS.iter().find(|method| method.path == path)
}

/// What the contract says about a reason; `None` for the unspecified one.
pub fn reason(reason: ErrorReason) -> Option<&'static Reason> {
    REASONS.iter().find(|entry| entry.reason == reason)
}

/// The name of a code, as gRPC's specification writes it: `NOT_FOUND`.
pub fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
