//! The only place that opens connections: HTTPS to Steam, and the channel to astro-server.

use std::{fmt, io, pin::Pin, sync::Arc, time::Duration};

use hyper_util::rt::TokioIo;
use reqwest::{
    Body, Client, ClientBuilder, Method, RequestBuilder, Response, header::CONTENT_LENGTH,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tonic::transport::{Channel, Endpoint};

use crate::causes;

/// What a simulated network gives when it is there.
pub type Pending<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A connection.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A network within the process, in place of the machine's.
pub trait Network: Send + Sync + 'static {
    /// Brings a request to Steam, and its answer back.
    fn ask(
        &self,
        request: http::Request<Vec<u8>>,
    ) -> Pending<Result<http::Response<Vec<u8>>, Failure>>;

    /// Connects to astro-server.
    fn connect(&self, server: http::Uri) -> Pending<io::Result<Box<dyn Stream>>>;
}

/// Why a request to Steam has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// It never had a connection, and is certainly not sent.
    NotSent(String),
    /// It may have arrived.
    Lost(String),
}

impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Self {
        let not_sent = error.is_connect() || error.is_builder();
        // The address holds tokens in its query.
        let text = causes::told(&error.without_url());
        if not_sent { Self::NotSent(text) } else { Self::Lost(text) }
    }
}

/// Makes requests to Steam and sends them.
pub(crate) struct Web {
    client: Client,
    network: Option<Arc<dyn Network>>,
    patience: Duration,
}

impl Web {
    /// A request, to be filled in.
    pub(crate) fn request(&self, method: Method, url: String) -> RequestBuilder {
        self.client.request(method, url)
    }

    /// Sends a request, once.
    ///
    /// # Errors
    /// Whether it may have been sent nevertheless.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let Some(network) = &self.network else { return Ok(request.send().await?) };
        let request: http::Request<Body> = request.build()?.try_into()?;
        let bytes = |body: Body| body.as_bytes().map(<[u8]>::to_vec).unwrap_or_default();
        let mut request = request.map(bytes);
        let length = request.body().len();
        if length > 0 {
            // What the connection adds by itself.
            request.headers_mut().insert(CONTENT_LENGTH, length.into());
        }
        let answer = tokio::time::timeout(self.patience, network.ask(request)).await;
        Ok(answer.unwrap_or_else(|_| Err(Failure::Lost("it timed out".to_owned())))?.into())
    }
}

/// The network: the machine's, or a simulated one.
#[derive(Clone, Default)]
pub(crate) struct Net(Option<Arc<dyn Network>>);

impl Net {
    /// This simulated one.
    pub(super) fn simulated(network: impl Network) -> Self {
        Self(Some(Arc::new(network)))
    }

    /// The way to Steam by this client, on which an answer is waited for so long.
    ///
    /// # Errors
    /// A client that cannot be built.
    pub(crate) fn web(&self, client: ClientBuilder, patience: Duration) -> reqwest::Result<Web> {
        Ok(Web { client: client.timeout(patience).build()?, network: self.0.clone(), patience })
    }

    /// Connects to astro-server.
    ///
    /// # Errors
    /// Why there is no connection.
    pub(crate) async fn connect(
        &self,
        server: &Endpoint,
    ) -> Result<Channel, tonic::transport::Error> {
        let Some(network) = self.0.clone() else { return server.connect().await };
        let connect = move |server| {
            let connecting = network.connect(server);
            async move { connecting.await.map(TokioIo::new) }
        };
        server.connect_with_connector(tower::service_fn(connect)).await
    }
}

impl fmt::Debug for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Net")
    }
}

impl fmt::Debug for Web {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Web")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddr;
    use tokio::net::TcpListener;

    /// How a request to this address ends.
    async fn ask(address: SocketAddr, patience: Duration) -> Failure {
        // These requests go without TLS, but the client asks for one.
        let roots = rustls::RootCertStore::empty();
        let ring = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(ring);
        let tls = tls.with_safe_default_protocol_versions().unwrap();
        let tls = tls.with_root_certificates(roots).with_no_client_auth();
        let client = ClientBuilder::new().no_proxy().tls_backend_preconfigured(tls);
        let web = Net::default().web(client, patience).unwrap();
        let request = web.request(Method::POST, format!("http://{address}/"));
        web.send(request).await.unwrap_err()
    }

    async fn listen() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        (listener, address)
    }

    #[tokio::test]
    async fn what_had_a_connection_may_have_arrived() {
        let (_silent, address) = listen().await;
        let failure = ask(address, Duration::from_millis(50)).await;
        assert!(matches!(failure, Failure::Lost(_)), "{failure:?}");
        let (listener, address) = listen().await;
        let hang_up = async { drop(listener.accept().await.unwrap()) };
        let (failure, ()) = tokio::join!(ask(address, Duration::from_secs(3600)), hang_up);
        assert!(matches!(failure, Failure::Lost(_)), "{failure:?}");
        drop(listener);
        let failure = ask(address, Duration::from_secs(3600)).await;
        assert!(matches!(failure, Failure::NotSent(_)), "{failure:?}");
    }
}
