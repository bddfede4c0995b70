//! Encrypted connections.

use std::sync::Arc;

use astro_sdk::v1::ListEventsRequest;
use astro_sdk::{Client, Code};
use tonic::transport::{Identity, Server, ServerTlsConfig};

use crate::script::{Script, serve};

/// Calls a server with a certificate of its own, trusting `trusted` or else that certificate.
async fn call(trusted: Option<String>) -> Code {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let identity = Identity::from_pem(made.cert.pem(), made.signing_key.serialize_pem());
    let server = Server::builder().tls_config(ServerTlsConfig::new().identity(identity)).unwrap();
    let port = serve(server, &Arc::new(Script::default())).await;
    let client = Client::builder()
        .endpoint(format!("https://localhost:{port}"))
        .api_key("key")
        .ca_certificate(trusted.unwrap_or(made.cert.pem()))
        .build()
        .unwrap();
    client.events().list(ListEventsRequest::default()).try_next().await.unwrap_err().code
}

#[tokio::test]
async fn a_trusted_certificate_is_accepted() {
    assert_eq!(call(None).await, Code::Unimplemented, "the script's own answer");
}

#[tokio::test]
async fn another_certificate_is_not() {
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    assert_eq!(call(Some(other.cert.pem())).await, Code::Unavailable);
}
