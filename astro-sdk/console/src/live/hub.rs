//! One watch of the log for all pages of one session and organisation.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use astro_sdk::Client;
use astro_sdk::v1::{Event, WatchEventsRequest};
use tokio::sync::broadcast::{Receiver, Sender, channel};
use tokio::time::timeout;

use crate::desk::Desk;
use crate::limits::{BEHIND_MAX, SILENT_MAX};
use crate::session::lock;

/// Whose watch it is: the session's mark and the organisation.
type Whose = ([u8; 32], String);

/// What a page hears.
#[derive(Debug, Clone)]
pub(crate) enum Told {
    /// The log is followed from here on.
    Ready,
    /// The log cannot be followed at the moment.
    Away,
    /// Something happened.
    Event(Arc<Event>),
}

/// A watch that somebody listens to.
#[derive(Clone)]
struct Watched {
    to: Sender<Told>,
    /// Whether the log is followed already.
    open: Arc<AtomicBool>,
}

/// All watches that somebody listens to.
#[derive(Default)]
pub(crate) struct Hub {
    watches: Arc<Mutex<HashMap<Whose, Watched>>>,
}

impl Hub {
    /// What happens from now on, and whether the log is followed already. The first to listen begins
    /// the watch; it ends after the last.
    pub(crate) fn listen(&self, desk: &Desk) -> (Receiver<Told>, bool) {
        let whose = (desk.session.mark(), desk.org_id());
        let mut watches = lock(&self.watches);
        if let Some(watched) = watches.get(&whose) {
            // Heard before it is asked whether it is open: its word is heard, or has been said.
            return (watched.to.subscribe(), watched.open.load(Ordering::Acquire));
        }
        let (to, receiver) = channel(BEHIND_MAX);
        let watched = Watched { to, open: Arc::default() };
        watches.insert(whose.clone(), watched.clone());
        let watches = Arc::clone(&self.watches);
        let client = desk.client.clone();
        tokio::spawn(async move {
            follow(&client, whose.1.clone(), &watched).await;
            lock(&watches).remove(&whose);
        });
        (receiver, false)
    }
}

/// Follows the log until nobody listens, the session is over or the stream breaks. It is not mended in
/// silence: a page says so, opens another, and compares what it shows.
async fn follow(client: &Client, org_id: String, watched: &Watched) {
    let to = &watched.to;
    let request = WatchEventsRequest { org_id, ..Default::default() };
    let mut events = client.raw().events();
    let mut stream = match events.watch_events(request).await {
        Ok(answer) => answer.into_inner(),
        Err(_) => {
            let _ = to.send(Told::Away);
            return;
        }
    };
    loop {
        tokio::select! {
            heard = timeout(SILENT_MAX, stream.message()) => {
                let Ok(Ok(Some(message))) = heard else {
                    let _ = to.send(Told::Away);
                    return;
                };
                if !watched.open.swap(true, Ordering::AcqRel) {
                    let _ = to.send(Told::Ready);
                }
                for event in message.events {
                    if to.send(Told::Event(Arc::new(event))).is_err() {
                        return;
                    }
                }
            }
            () = to.closed() => return,
        }
    }
}
