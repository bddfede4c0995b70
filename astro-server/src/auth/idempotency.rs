//! A mutating RPC may be repeated: its answer is kept with its effect, in one transaction.
use super::store;
use crate::db::{Conn, Guid};
use crate::kernel::{Caller, Error, Result, Timestamp, ids};
use prost::Message;
use sha2::{Digest, Sha256};

/// A request that may come more than once.
#[derive(Debug, Clone)]
pub struct Once {
    method: &'static str,
    request_id: Option<Guid>,
    hash: Vec<u8>,
}

impl Once {
    /// Names a request. An empty `request_id` is a request that is not repeated.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming `request_id`.
    pub fn new(method: &'static str, request_id: &str, request: &impl Message) -> Result<Self> {
        let request_id = match request_id {
            "" => None,
            text => Some(Guid(ids::parse("request_id", text)?)),
        };
        // Maps are kept in order by the generated types, so equal requests have equal bytes.
        let mut hash = Sha256::new_with_prefix(method);
        hash.update(request.encode_to_vec());
        Ok(Self { method, request_id, hash: hash.finalize().to_vec() })
    }

    /// Runs `work`, or gives the answer it gave the first time.
    ///
    /// # Errors
    /// [`Error::RequestIdReused`] when the id came with another request, and those of `work`.
    pub fn run<T: Message + Default>(
        &self,
        conn: &mut Conn,
        caller: &Caller,
        now: Timestamp,
        work: impl FnOnce(&mut Conn) -> Result<T>,
    ) -> Result<T> {
        let Some(request_id) = self.request_id else { return work(conn) };
        if let Some(before) = store::request(conn, caller.principal.id(), request_id)? {
            if before.method != self.method || before.request_hash != self.hash {
                return Err(Error::RequestIdReused(request_id.0.to_string()));
            }
            return T::decode(before.response.as_slice())
                .map_err(|e| Error::Internal(format!("a kept answer does not decode: {e}")));
        }
        let claim = store::RequestRow {
            key_id: caller.principal.id().to_owned(),
            request_id,
            method: self.method.to_owned(),
            request_hash: self.hash.clone(),
            response: Vec::new(),
            created_at: now,
        };
        store::claim_request(conn, &claim)?;
        let response = work(conn)?;
        store::keep_response(conn, caller.principal.id(), request_id, response.encode_to_vec())?;
        Ok(response)
    }
}
