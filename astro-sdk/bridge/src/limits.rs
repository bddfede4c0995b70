//! Limits of what comes in, each with its reason.
use std::time::Duration;

/// Bytes of a body, and of a request by gRPC: a hundred names of 500 characters in a filter, or a
/// document of 16 KiB of JSON, which may be ten times as long on the wire.
pub const BODY_BYTES_MAX: usize = 256 * 1024;
/// Time for the whole body: a phone on a bad line needs seconds, whoever sends a byte a second has
/// none to spare for others.
pub const BODY_WAIT: Duration = Duration::from_secs(10);
/// Time for the headers of a request by HTTP/1.1, from its first byte.
pub const HEADERS_WAIT: Duration = Duration::from_secs(10);
/// Bytes of the headers of a request by HTTP/1.1: the longest target, a key and what browsers add.
pub const HEADERS_BYTES_MAX: usize = 64 * 1024;
/// Objects and lists within each other: what protobuf takes, less what wraps them.
pub const DEPTH_MAX: usize = 64;
/// Names and values in a body, and parameters in a query: a request has a few hundred at most.
pub const FIELDS_MAX: usize = 20_000;
/// Bytes of a path with its query: what servers and proxies take everywhere.
pub const TARGET_BYTES_MAX: usize = 8 * 1024;
/// Bytes of a caller's own name for its call, in every log: a UUID and a prefix, or a trace's.
pub const REQUEST_ID_BYTES_MAX: usize = 64;
/// Bytes of an answer that is read: over the largest page there is.
pub const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Longest wait that a caller may ask for.
pub const TIMEOUT_MAX: Duration = Duration::from_secs(300);
/// Silence after which a stream of events says that it is there: proxies end what is silent for a
/// minute.
pub const HEARTBEAT: Duration = Duration::from_secs(15);
