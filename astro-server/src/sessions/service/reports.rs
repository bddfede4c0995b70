//! What a bot reports, recorded: again while the database cannot, and for a person if it never can.
use super::Session;
use crate::assignments::AttemptId;
use crate::bots;
use crate::crash;
use crate::db::Conn;
use crate::db::limits::DATABASE_WAIT;
use crate::kernel::{Error, Result, Timestamp};
use crate::sessions::concern::Concern;
use crate::sessions::{BotEvent, Lease, Subject, ToldTrade, ops};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// First pause before a report is applied again that the database could not take; doubled by each
/// further one.
const APPLY_AGAIN: Duration = Duration::from_millis(50);

/// Whether a report can never be recorded as it is: it is malformed, or meets a defect. All else
/// is the session's own end.
fn is_refusal(error: &Error) -> bool {
    let ends = [bots::LEASE_LOST, bots::LEASE_HELD].contains(&error.reason());
    !ends && *error != Error::KeyInvalid && !error.is_transient()
}

impl Session {
    /// Records an event; tells, if the bot asks for an attempt, whether it may send the offer.
    pub(super) async fn event(
        &mut self,
        seq: i64,
        concern: Concern,
        mut event: Result<BotEvent>,
    ) -> Result<Option<(AttemptId, bool)>> {
        let asked = if let Ok(BotEvent::AttemptStarted(id)) = &event { Some(*id) } else { None };
        if let Ok(BotEvent::TradesSeen(trades)) = &mut event {
            self.trades(std::mem::take(trades)).await?;
        }
        let applied = match event {
            Ok(event) => {
                let told = Arc::new((concern.clone(), event));
                self.apply(move |conn, lease, now| {
                    let (concern, event) = &*told;
                    ops::apply(conn, lease, seq, (concern, event), now)
                })
                .await
            }
            Err(malformed) => Err(malformed),
        };
        let go = match applied {
            Err(error) if is_refusal(&error) => {
                self.refuse(Some(seq), concern, error).await?;
                Some(false)
            }
            // The session ends without counting it, so that the bot tells it again.
            applied => {
                // Counted before, by a commit whose answer was lost: the bot is not to send, but to
                // look for an offer, as after a restart.
                let go = applied?.or(Some(false));
                // The bot drops what it may not send: if it is open all the same, it is told anew.
                if let (Some(id), Some(false)) = (asked, go) {
                    self.sent.forget(Subject::Attempt(id));
                }
                go
            }
        };
        crash::point("after-event");
        self.acked = self.acked.max(seq.cast_unsigned());
        Ok(asked.zip(go))
    }

    /// Records trades of the history one by one: one that cannot be recorded keeps no other from
    /// it, and the largest takes no longer than a transaction may.
    async fn trades(&mut self, mut trades: Vec<ToldTrade>) -> Result<()> {
        // Steam lists the way back as a trade of its own, which moves nothing that is not known
        // once the trade that it undoes is.
        trades.sort_by_key(ToldTrade::is_complete);
        for ToldTrade { concern, trade } in trades {
            let applied = match trade {
                Ok(trade) => {
                    let told = Arc::new((concern.clone(), trade));
                    self.apply(move |conn, lease, now| {
                        let (concern, trade) = &*told;
                        ops::trade(conn, lease, (concern, trade), now)
                    })
                    .await
                }
                Err(malformed) => Err(malformed),
            };
            match applied {
                Err(error) if is_refusal(&error) => self.refuse(None, concern, error).await?,
                applied => applied?,
            }
            // What the bot said meanwhile waits to be read.
            self.heard = Instant::now();
            if self.is_lease_old() {
                self.extend_lease().await?;
                self.beat().await?;
            }
        }
        Ok(())
    }

    /// Applies a report; while the database cannot, again and again for half a lease.
    async fn apply<T: Send + 'static>(
        &self,
        work: impl Fn(&mut Conn, &Lease, Timestamp) -> Result<T> + Send + Sync + 'static,
    ) -> Result<T> {
        let work = Arc::new(work);
        let give_up = Instant::now() + self.service.lease_ttl / 2;
        let mut pause = APPLY_AGAIN;
        loop {
            let (lease, work, now) = (self.lease.clone(), work.clone(), self.now());
            // A large trade takes its time, and would take it again in the next session.
            let wait = give_up.saturating_duration_since(Instant::now()).max(DATABASE_WAIT);
            let db = &self.service.gate.db;
            match db.write_within(wait, move |conn| work(conn, &lease, now)).await {
                Err(error) if error.is_transient() && Instant::now() + pause < give_up => {}
                applied => return applied,
            }
            // Half to whole, so that those who failed together do not come back together.
            let [chance] = self.service.gate.db.chance().bytes();
            sleep(pause.mul_f64(0.5 + f64::from(chance) / 510.0)).await;
            pause *= 2;
        }
    }

    /// What was refused is not done: the bot is told again.
    async fn refuse(&mut self, seq: Option<i64>, concern: Concern, error: Error) -> Result<()> {
        let (lease, now) = (self.lease.clone(), self.now());
        let bot = lease.bot;
        tracing::error!(%bot, ?seq, "A report of bot {bot} could not be recorded: {error}");
        // What the database says is for the server's own log.
        let why = if error.reason() == bots::PROTOCOL {
            error.to_string()
        } else {
            "internal error; the server's log has the cause".to_owned()
        };
        let gate = &self.service.gate;
        let again = gate
            .db
            .write(move |conn| ops::refuse(conn, &lease, seq, (&concern, &why), now))
            .await?;
        for subject in again {
            self.sent.refuse(subject, now);
        }
        Ok(())
    }
}
