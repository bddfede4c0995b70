//! One watch of the log for all pages of one key and organisation.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use astro_sdk::Client;
use astro_sdk::v1::{Event, WatchEventsRequest};
use tokio::sync::broadcast::{Receiver, Sender, channel};

use crate::desk::Desk;
use crate::limits::BEHIND_MAX;
use crate::session::lock;

/// Whose watch it is: the key's mark and the organisation.
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

/// Follows the log until nobody listens or the key may not.
async fn follow(client: &Client, org_id: String, watched: &Watched) {
    let to = &watched.to;
    let mut watch = client.events().watch(WatchEventsRequest { org_id, ..Default::default() });
    if watch.position().await.is_err() {
        let _ = to.send(Told::Away);
        return;
    }
    watched.open.store(true, Ordering::Release);
    let _ = to.send(Told::Ready);
    loop {
        tokio::select! {
            heard = watch.try_next() => {
                let Ok(Some(event)) = heard else {
                    let _ = to.send(Told::Away);
                    return;
                };
                if to.send(Told::Event(Arc::new(event))).is_err() {
                    return;
                }
            }
            () = to.closed() => return,
        }
    }
}
