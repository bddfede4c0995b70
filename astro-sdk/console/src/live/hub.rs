//! One watch of the log for all pages of one key and organisation.

use std::collections::HashMap;
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

/// All watches that somebody listens to.
#[derive(Default)]
pub(crate) struct Hub {
    watches: Arc<Mutex<HashMap<Whose, Sender<Told>>>>,
}

impl Hub {
    /// What happens from now on. The first to listen begins the watch; it ends after the last.
    pub(crate) fn listen(&self, desk: &Desk) -> Receiver<Told> {
        let whose = (desk.session.mark(), desk.org_id());
        let mut watches = lock(&self.watches);
        if let Some(sender) = watches.get(&whose) {
            let receiver = sender.subscribe();
            // It is open already, or says that it is not.
            let _ = sender.send(Told::Ready);
            return receiver;
        }
        let (sender, receiver) = channel(BEHIND_MAX);
        watches.insert(whose.clone(), sender.clone());
        let watches = Arc::clone(&self.watches);
        let client = desk.client.clone();
        tokio::spawn(async move {
            follow(&client, whose.1.clone(), &sender).await;
            lock(&watches).remove(&whose);
        });
        receiver
    }
}

/// Follows the log until nobody listens or the key may not.
async fn follow(client: &Client, org_id: String, to: &Sender<Told>) {
    let mut watch = client.events().watch(WatchEventsRequest { org_id, ..Default::default() });
    if watch.position().await.is_err() {
        let _ = to.send(Told::Away);
        return;
    }
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
