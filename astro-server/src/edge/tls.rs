//! Encrypts connections. A new certificate is taken when its file changes, without a restart.
mod files;

pub use files::Files;

use super::limits::{FAREWELL_BYTES_MAX, FAREWELL_WAIT};
use super::listen::{Complaint, Socket};
use crate::outside::{Clock, Outside, Stream, Threads};
use crate::{private, supervise};
use anyhow::Context;
use files::{Loaded, Print};
use std::fmt;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_util::sync::CancellationToken;

/// What connections are encrypted with; its clones are the same.
#[derive(Clone)]
pub struct Tls(Arc<Shared>);

struct Shared {
    files: Files,
    clock: Clock,
    threads: Threads,
    in_use: Mutex<InUse>,
    look: Notify,
    failing: Mutex<Complaint>,
}

/// What the files held when they were good last.
struct InUse {
    config: Arc<ServerConfig>,
    print: Print,
    /// What is wrong with what they hold by now, and was told.
    told: Option<String>,
}

/// What a look at the files comes to.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    /// What is in use, or what is known to be of no use.
    Nothing,
    /// Something new, which is in use by now.
    New,
    /// Something that cannot be used, for this reason.
    Broken(String),
}

impl InUse {
    fn compare(&mut self, loaded: anyhow::Result<Loaded>) -> Found {
        match loaded {
            Ok(Loaded { print, .. }) if print == self.print => {
                self.told = None;
                Found::Nothing
            }
            Ok(Loaded { config, print }) => {
                *self = Self { config, print, told: None };
                Found::New
            }
            Err(error) => {
                let problem = format!("{error:#}");
                if self.told.as_ref() == Some(&problem) {
                    return Found::Nothing;
                }
                self.told = Some(problem.clone());
                Found::Broken(problem)
            }
        }
    }
}

impl Tls {
    /// Encrypts with what these files hold.
    ///
    /// # Errors
    /// Which file cannot be used, by its flag, and why.
    pub async fn load(files: Files, outside: &Outside) -> anyhow::Result<Self> {
        let (threads, clock) = (outside.threads, outside.clock.clone());
        let (from, by) = (files.clone(), clock.clone());
        let loaded = threads.run(move || files::load(&from, &by)).await??;
        private::warn_of_readers(&files.key);
        let in_use = Mutex::new(InUse { config: loaded.config, print: loaded.print, told: None });
        let (look, failing) = (Notify::new(), Mutex::default());
        Ok(Self(Arc::new(Shared { files, clock, threads, in_use, look, failing })))
    }

    /// Looks at the files so often, and when it is asked to, until `stop`.
    pub fn follow(&self, every: Duration, stop: &CancellationToken) {
        let tls = self.clone();
        supervise::spawn("certificates", stop, move || {
            let tls = tls.clone();
            async move {
                loop {
                    // Both are a reason to look.
                    let _ = timeout(every, tls.0.look.notified()).await;
                    tls.look().await;
                }
            }
        });
    }

    /// Has the files looked at now.
    pub fn look_again(&self) {
        self.0.look.notify_one();
    }

    /// Takes what the files hold, if it is new and good. What is not is told once.
    async fn look(&self) {
        let (files, clock) = (self.0.files.clone(), self.0.clock.clone());
        let loaded = self.0.threads.run(move || files::load(&files, &clock)).await;
        let loaded = loaded.context("reading was cut short").and_then(|loaded| loaded);
        match self.in_use().compare(loaded) {
            Found::Nothing => {}
            Found::New => {
                let name = self.0.files.certificate.display();
                tracing::info!("Took what is new in {name} and the files beside it");
            }
            Found::Broken(problem) => {
                tracing::error!("The certificate that was in use stays so: {problem}");
            }
        }
    }

    fn in_use(&self) -> MutexGuard<'_, InUse> {
        self.0.in_use.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn shake_hands(&self, socket: Socket) -> Option<Box<dyn Stream>> {
        let (peer, wait) = (socket.peer(), socket.bounds().handshake);
        let acceptor = TlsAcceptor::from(Arc::clone(&self.in_use().config));
        match timeout(wait, acceptor.accept(socket).into_fallible()).await {
            Ok(Ok(stream)) => Some(Box::new(stream)),
            Ok(Err((error, socket))) => {
                self.tell(peer, &error);
                // The peer is gone, or never heard of it: there is nothing to let go in peace.
                let _ = timeout(FAREWELL_WAIT, part(socket)).await;
                None
            }
            Err(_) => {
                tracing::debug!("A handshake of {peer} took too long");
                None
            }
        }
    }

    /// Tells of a handshake that failed; of one that merely ended only who looks closely.
    fn tell(&self, peer: SocketAddr, error: &io::Error) {
        if error.kind() != ErrorKind::InvalidData {
            tracing::debug!("A handshake of {peer} broke off: {error}");
            return;
        }
        let mut failing = self.0.failing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(more) = failing.due(Instant::now()) {
            let ip = peer.ip();
            tracing::warn!(
                "A connection of {ip} was refused in the handshake (and {more} others before): \
                 {error}"
            );
        }
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tls").field(&self.0.files).finish()
    }
}

/// The connection as calls come in on it: encrypted if there is what to do it with. None when the
/// handshake fails.
pub(super) async fn begin(tls: Option<Tls>, socket: Socket) -> Option<Box<dyn Stream>> {
    match tls {
        Some(tls) => tls.shake_hands(socket).await,
        None => Some(Box::new(socket)),
    }
}

/// Ends a connection so that its peer can read why: one that is closed while there is something to
/// be read is reset, and what was sent last is lost with it.
async fn part(mut socket: Socket) -> io::Result<()> {
    socket.shutdown().await?;
    let mut rest = socket.take(FAREWELL_BYTES_MAX);
    let mut bytes = [0; 1024];
    while rest.read(&mut bytes).await? > 0 {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::anyhow;
    use tokio_rustls::rustls::crypto::ring;
    use tokio_rustls::rustls::server::ResolvesServerCertUsingSni;

    fn holding(number: u8) -> Loaded {
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let config = builder.with_cert_resolver(Arc::new(ResolvesServerCertUsingSni::new()));
        Loaded { config: Arc::new(config), print: Print([number; 32]) }
    }

    #[test]
    fn what_is_new_is_taken_and_what_is_broken_told_once_until_it_is_mended() {
        let Loaded { config, print } = holding(0);
        let mut in_use = InUse { config, print, told: None };
        let broken = || Err(anyhow!("no pair"));
        let told = || Found::Broken("no pair".to_owned());
        let (first, second) = (Arc::clone(&in_use.config), holding(1));
        assert_eq!(in_use.compare(Ok(holding(0))), Found::Nothing);
        assert_eq!(in_use.compare(broken()), told());
        assert_eq!(in_use.compare(broken()), Found::Nothing);
        assert_eq!(
            in_use.compare(Err(anyhow!("no file"))),
            Found::Broken("no file".to_owned()),
            "another problem"
        );
        assert!(Arc::ptr_eq(&in_use.config, &first), "the one before goes on");
        assert_eq!(in_use.compare(Ok(holding(0))), Found::Nothing);
        assert_eq!(in_use.compare(broken()), told(), "it was well meanwhile");
        let new = Arc::clone(&second.config);
        assert_eq!(in_use.compare(Ok(second)), Found::New);
        assert!(Arc::ptr_eq(&in_use.config, &new));
        assert_eq!(in_use.compare(broken()), told());
    }
}
