//! The gate that each RPC passes: it knows the caller, opens the transaction and keeps the answer.
use super::layer::Entry;
use super::requests::Once;
use super::streams::{StreamPass, Streams};
use crate::crash;
use crate::db::{Conn, Db};
use crate::kernel::seal::Sealer;
use crate::kernel::{Caller, Clock, Error, Result, Timestamp};
use prost::Message;
use tonic::{Request, Response, Status};

/// What every service needs.
#[derive(Debug, Clone)]
pub struct Gate {
    /// The database.
    pub db: Db,
    /// The clock.
    pub clock: Clock,
    /// Seals page and resume tokens.
    pub sealer: Sealer,
    /// Open streams.
    pub streams: Streams,
}

/// What a transaction knows of its request beside the request itself.
#[derive(Debug, Clone)]
pub struct Context {
    /// Who calls.
    pub caller: Caller,
    /// When.
    pub now: Timestamp,
    /// Seals page tokens.
    pub sealer: Sealer,
}

impl Gate {
    /// Runs a reading RPC.
    ///
    /// # Errors
    /// Those of `work`, as a status.
    pub async fn read<Q, T, F>(&self, request: Request<Q>, work: F) -> Result<Response<T>, Status>
    where
        Q: Send + 'static,
        T: Send + 'static,
        F: FnOnce(&mut Conn, &Context, Q) -> Result<T> + Send + 'static,
    {
        let (context, _) = self.enter(&request)?;
        let request = request.into_inner();
        Ok(Response::new(self.db.read(move |conn| work(conn, &context, request)).await?))
    }

    /// Runs a mutating RPC in one transaction, once for each `request_id`.
    ///
    /// # Errors
    /// Those of `work`, as a status; then nothing was changed.
    pub async fn mutate<Q, T, F>(
        &self,
        request: Request<Q>,
        request_id: fn(&Q) -> &str,
        work: F,
    ) -> Result<Response<T>, Status>
    where
        Q: Message + Clone + 'static,
        T: Message + Default + 'static,
        F: Fn(&mut Conn, &Context, Q) -> Result<T> + Send + 'static,
    {
        let (context, method) = self.enter(&request)?;
        let request = request.into_inner();
        let once = Once::new(method, request_id(&request), &request)?;
        let response = self
            .db
            .write(move |conn| {
                once.run(conn, &context.caller, context.now, |conn| {
                    work(conn, &context, request.clone())
                })
            })
            .await?;
        crash::point(method);
        Ok(Response::new(response))
    }

    /// Lets a streaming RPC in.
    ///
    /// # Errors
    /// When the key has too many streams or was revoked, or the server stops, as a status.
    pub fn stream<Q>(&self, request: &Request<Q>) -> Result<(Context, StreamPass), Status> {
        let (context, _) = self.enter(request)?;
        let pass = self.streams.open(&context.caller)?;
        Ok((context, pass))
    }

    fn enter<Q>(&self, request: &Request<Q>) -> Result<(Context, &'static str)> {
        let entry = request
            .extensions()
            .get::<Entry>()
            .ok_or_else(|| Error::Internal("a request came past the layer".to_owned()))?;
        let context = Context {
            caller: entry.caller.clone(),
            now: self.clock.now(),
            sealer: self.sealer.clone(),
        };
        Ok((context, entry.method.name))
    }
}
