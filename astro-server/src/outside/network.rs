//! The only place that takes connections in.
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::{fmt, io};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};

/// What a network gives when it is there.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A connection.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A network within the process, in place of the machine's.
pub trait Network: Send + Sync + 'static {
    /// Listens at this address; port 0 is any.
    fn listen(&self, wanted: SocketAddr) -> Pending<'_, io::Result<Box<dyn Listening>>>;
}

/// A place where connections come in.
pub trait Listening: Send {
    /// Where it is.
    ///
    /// # Errors
    /// Those of the socket.
    fn address(&self) -> io::Result<SocketAddr>;

    /// The next connection, and whose it is. One that is not waited for is not lost.
    fn accept(&mut self) -> Pending<'_, io::Result<(Box<dyn Stream>, SocketAddr)>>;
}

impl Listening for TcpListener {
    fn address(&self) -> io::Result<SocketAddr> {
        self.local_addr()
    }

    fn accept(&mut self) -> Pending<'_, io::Result<(Box<dyn Stream>, SocketAddr)>> {
        Box::pin(async {
            let (stream, peer) = accept(self).await?;
            let stream: Box<dyn Stream> = Box::new(stream);
            Ok((stream, peer))
        })
    }
}

async fn accept(listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    let (stream, peer) = listener.accept().await?;
    // Fails only for a peer that has gone. Without it a small answer waits for the acknowledgement
    // of the one before: 40 ms in each call.
    stream.set_nodelay(true).map_err(|_| io::ErrorKind::ConnectionAborted)?;
    Ok((stream, peer))
}

/// The network: the machine's, or a simulated one.
#[derive(Clone, Default)]
pub(crate) struct Net(Option<Arc<dyn Network>>);

impl Net {
    /// This simulated one.
    pub(super) fn simulated(network: impl Network) -> Self {
        Self(Some(Arc::new(network)))
    }

    /// Listens at this address; port 0 is any.
    ///
    /// # Errors
    /// When the address is taken.
    pub(crate) async fn listen(&self, wanted: SocketAddr) -> io::Result<Box<dyn Listening>> {
        match &self.0 {
            Some(network) => network.listen(wanted).await,
            None => Ok(Box::new(TcpListener::bind(wanted).await?)),
        }
    }
}

impl fmt::Debug for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Net")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[tokio::test]
    async fn an_accepted_connection_sends_small_answers_at_once() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = accept(&listener).await.unwrap();
        assert!(stream.nodelay().unwrap());
    }
}
