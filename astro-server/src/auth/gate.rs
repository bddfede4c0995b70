//! The gate that each RPC passes: it knows the caller, opens the transaction and keeps the answer.
use super::idempotency::Once;
use super::known::Known;
use super::streams::{StreamPass, Streams};
use crate::crash;
use crate::db::{Conn, Db};
use crate::kernel::limits::LIST_PAGE_TIME;
use crate::kernel::page::{Cursor, Piece};
use crate::kernel::seal::Sealer;
use crate::kernel::{Caller, Clock, Page, Result, Timestamp};
use astro_sdk::methods::Method;
use prost::Message;
use tokio::time::Instant;

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
    /// Keys that were read lately.
    pub known: Known,
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

/// Who calls what, once both are known to go together.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Who.
    pub caller: Caller,
    /// What.
    pub method: &'static Method,
}

/// A call that was let in.
#[derive(Debug)]
pub struct Call<Q> {
    /// Who calls what.
    pub entry: Entry,
    /// What they say.
    pub message: Q,
}

impl Gate {
    /// Runs a reading RPC.
    ///
    /// # Errors
    /// Those of `work`.
    pub async fn read<Q, T, F>(&self, call: Call<Q>, work: F) -> Result<T>
    where
        Q: Send + 'static,
        T: Send + 'static,
        F: FnOnce(&mut Conn, &Context, Q) -> Result<T> + Send + 'static,
    {
        let context = self.context(&call.entry);
        self.db.read(move |conn| work(conn, &context, call.message)).await
    }

    /// Runs a reading RPC that is one statement, by an id. `work` may run again.
    ///
    /// # Errors
    /// Those of `work`.
    pub async fn look<Q, T, F>(&self, call: Call<Q>, work: F) -> Result<T>
    where
        Q: Send + 'static,
        T: Send + 'static,
        F: Fn(&mut Conn, &Context, &Q) -> Result<T> + Send + 'static,
    {
        let context = self.context(&call.entry);
        self.db.look(move |conn| work(conn, &context, &call.message)).await
    }

    /// Runs an RPC that lists: looks for the page in one piece of the list after the other until it is
    /// full, or took its time, so that a filter that takes few holds nobody up. `parse` tells the page
    /// and how to look for it. Each piece is of one snapshot of the database.
    ///
    /// # Errors
    /// Those of `parse` and of the looks.
    pub async fn list<Q, M, P, L>(&self, call: Call<Q>, parse: P) -> Result<(Vec<M>, String)>
    where
        Q: Send + 'static,
        M: Message + 'static,
        P: FnOnce(&mut Conn, &Context, Q) -> Result<(Page, L)> + Send + 'static,
        L: Fn(&mut Conn, &Page) -> Result<Piece<(Cursor, M)>> + Clone + Send + 'static,
    {
        let (context, began) = (self.context(&call.entry), Instant::now());
        let first = move |conn: &mut Conn| {
            let (page, look) = parse(conn, &context, call.message)?;
            let piece = look(conn, &page)?;
            Ok((page, look, piece))
        };
        let (page, look, mut found) = self.db.read(first).await?;
        while let Some(rest) = page.beyond(&found) {
            if began.elapsed() >= LIST_PAGE_TIME {
                break;
            }
            let look = look.clone();
            let next = self.db.search(move |conn| look(conn, &rest)).await?;
            found.rows.extend(next.rows);
            found.upto = next.upto;
        }
        Ok(page.end(&self.sealer, found))
    }

    /// Runs a mutating RPC in one transaction, once for each `request_id`.
    ///
    /// # Errors
    /// Those of `work`; then nothing was changed.
    pub async fn mutate<Q, T, F>(
        &self,
        call: Call<Q>,
        request_id: fn(&Q) -> &str,
        work: F,
    ) -> Result<T>
    where
        Q: Message + Clone + 'static,
        T: Message + Default + 'static,
        F: Fn(&mut Conn, &Context, Q) -> Result<T> + Send + 'static,
    {
        let (context, method) = (self.context(&call.entry), call.entry.method.name);
        let request = call.message;
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
        Ok(response)
    }

    /// Lets a streaming RPC in.
    ///
    /// # Errors
    /// When the key has too many streams or was revoked, or the server stops.
    pub fn stream(&self, entry: &Entry) -> Result<(Context, StreamPass)> {
        let context = self.context(entry);
        let pass = self.streams.open(&context.caller)?;
        Ok((context, pass))
    }

    fn context(&self, entry: &Entry) -> Context {
        let (caller, sealer) = (entry.caller.clone(), self.sealer.clone());
        Context { caller, now: self.clock.now(), sealer }
    }
}
