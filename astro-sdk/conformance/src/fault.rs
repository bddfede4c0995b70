//! What may happen to an attempt on its way.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use astro_sdk::methods::{DOMAIN, code_name};
use serde::Deserialize;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

/// What happens to one attempt. The fields are told in SCENARIOS.md.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fault {
    /// gRPC code that is answered instead of the server's answer.
    pub code: Option<String>,
    /// `ErrorInfo.reason`; without one the error is not Astro's own.
    pub reason: String,
    /// `ErrorInfo.domain`; Astro's own without one.
    pub domain: Option<String>,
    /// `ErrorInfo.metadata`.
    pub metadata: BTreeMap<String, String>,
    /// Message of the status.
    pub message: String,
    /// `RetryInfo.retry_delay`.
    pub retry_delay_ms: Option<u64>,
    /// Waits before anything else happens.
    pub delay_ms: u64,
    /// The server does it and its answer is lost.
    pub lose: bool,
    /// The connection is closed.
    pub cut: bool,
    /// So many messages pass before the rest happens.
    pub after_messages: Option<usize>,
    /// Ends with `OK`.
    pub end: bool,
    /// Nothing comes any more.
    pub hush: bool,
    /// Bytes that are put into each response.
    pub append: Option<Append>,
    /// Nothing happens.
    pub pass: bool,
}

/// Bytes for each response.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Append {
    /// Dotted path of the message that they go to; empty: the response itself.
    #[serde(default)]
    pub path: String,
    /// The bytes.
    pub hex: String,
    /// So many zero bytes after them.
    #[serde(default)]
    pub zeros: usize,
}

/// How an attempt ends that the server does not end.
#[derive(Debug, Clone)]
pub enum End {
    /// With this status, which may be `OK`.
    Status(Status),
    /// With the connection.
    Cut,
    /// Not at all.
    Hush,
}

impl Fault {
    /// How the attempt ends; `None`: as the server ends it.
    pub fn end(&self) -> Option<End> {
        if self.cut {
            Some(End::Cut)
        } else if self.hush {
            Some(End::Hush)
        } else if self.end {
            Some(End::Status(Status::ok("")))
        } else if self.code.is_some() || self.lose {
            Some(End::Status(self.status()))
        } else {
            None
        }
    }

    /// The wait before it.
    pub fn delay(&self) -> Duration {
        Duration::from_millis(self.delay_ms)
    }

    /// What is wrong with it, for who wrote it.
    ///
    /// # Errors
    /// Says what.
    pub fn check(&self) -> Result<(), String> {
        if let Some(code) = &self.code
            && code_of(code).is_none()
        {
            return Err(format!("{code:?} is no gRPC code"));
        }
        if let Some(append) = &self.append {
            crate::contract::from_hex(&append.hex).map_err(|error| format!("{error:#}"))?;
        }
        let ends = [self.code.is_some(), self.cut, self.end, self.hush];
        if ends.iter().filter(|end| **end).count() > 1 {
            return Err("ends in more than one way".to_owned());
        }
        if self.code.is_none() && (!self.reason.is_empty() || self.retry_delay_ms.is_some()) {
            return Err("has a reason or retry_delay_ms but no code".to_owned());
        }
        Ok(())
    }

    fn status(&self) -> Status {
        let code = self.code.as_deref().and_then(code_of).unwrap_or(Code::Unavailable);
        let mut details = ErrorDetails::new();
        if !self.reason.is_empty() {
            let metadata: HashMap<_, _> = self.metadata.clone().into_iter().collect();
            let domain = self.domain.as_deref().unwrap_or(DOMAIN);
            details.set_error_info(&self.reason, domain, metadata);
        }
        if let Some(delay) = self.retry_delay_ms {
            details.set_retry_info(Some(Duration::from_millis(delay)));
        }
        let message = match self.message.as_str() {
            "" => "the fault service says so",
            message => message,
        };
        if self.reason.is_empty() && self.retry_delay_ms.is_none() {
            return Status::new(code, message);
        }
        Status::with_error_details(code, message, details)
    }
}

/// The code of this name, as the specification writes it.
pub fn code_of(name: &str) -> Option<Code> {
    (0..=16).map(Code::from_i32).find(|code| code_name(*code) == name)
}
