//! Calls past every SDK, with messages as JSON.

use std::net::SocketAddr;

use anyhow::Context;
use astro_sdk::methods::code_name;
use astro_tests::Raw;
use serde_json::{Map, Value, json};
use tonic::Status;
use tonic_types::StatusExt;

use crate::contract::{Contract, from_json, to_json};

/// A connection to the server with one key.
#[derive(Clone)]
pub struct Api {
    raw: Raw,
    contract: Contract,
    authorization: String,
}

impl Api {
    /// Connects at the first call.
    pub fn new(server: SocketAddr, contract: Contract, key: &str) -> Self {
        Self { raw: Raw::new(server), contract, authorization: format!("Bearer {key}") }
    }

    /// The answer, or the error as a driver tells it.
    ///
    /// # Errors
    /// When there is no such method, or the request is not its message.
    pub async fn call(
        &self,
        method: &str,
        request: &Value,
    ) -> anyhow::Result<Result<Value, Value>> {
        let found = self.contract.expect(method)?;
        let bytes = from_json(found.input(), request).with_context(|| format!("for {method}"))?;
        let path = format!("/{method}");
        match self.raw.call(&path, Some(&self.authorization), bytes).await {
            Ok(bytes) => Ok(Ok(to_json(found.output(), &bytes)?)),
            Err(status) => Ok(Err(error(&status))),
        }
    }

    /// The answer of a call that must not fail.
    ///
    /// # Errors
    /// When it does.
    pub async fn must(&self, method: &str, request: Value) -> anyhow::Result<Value> {
        let answer = self.call(method, &request).await?;
        answer.map_err(|error| anyhow::anyhow!("{method}: {error}"))
    }
}

/// A status as drivers tell errors.
fn error(status: &Status) -> Value {
    let details = status.get_error_details();
    let info = details.error_info();
    let metadata: Map<String, Value> = info
        .map(|info| info.metadata.iter().map(|(k, v)| (k.clone(), json!(v))).collect())
        .unwrap_or_default();
    let violations = details.bad_request().map(|bad| bad.field_violations.as_slice());
    let violations: Vec<Value> = violations
        .unwrap_or_default()
        .iter()
        .map(|found| json!({"field": found.field, "description": found.description}))
        .collect();
    let mut error = json!({
        "kind": "call",
        "code": code_name(status.code()),
        "message": status.message(),
        "reason": info.map(|info| info.reason.clone()).unwrap_or_default(),
        "metadata": metadata,
        "field_violations": violations,
    });
    if let Some(delay) = details.retry_info().and_then(|info| info.retry_delay) {
        error["retry_delay_ms"] = json!(delay.as_millis());
    }
    error
}
