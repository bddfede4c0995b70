//! The CONNECT proxy: tunnels to the HTTPS listener, for Steam's names only.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::core::Core;
use crate::tls::HOSTS;

/// A request head longer than this is no CONNECT.
const HEAD_BYTES_MAX: usize = 16 << 10;

const ESTABLISHED: &[u8] = b"HTTP/1.1 200 Connection Established\r\n\r\n";
const FORBIDDEN: &[u8] =
    b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const BAD_GATEWAY: &[u8] =
    b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// Accepts clients until `stop`.
pub(crate) async fn run(
    listener: TcpListener,
    https: SocketAddr,
    core: Arc<Core>,
    stop: CancellationToken,
) {
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        let Ok((client, _)) = accepted else { continue };
        let (core, stop) = (core.clone(), stop.clone());
        // A broken tunnel is the client's business: it sees the closed connection.
        tokio::spawn(async move {
            stop.run_until_cancelled(tunnel(client, https, &core)).await;
        });
    }
}

async fn tunnel(mut client: TcpStream, https: SocketAddr, core: &Core) -> std::io::Result<()> {
    let head = read_head(&mut client).await?;
    let target = connect_target(&head);
    let known = target.strip_suffix(":443").is_some_and(|host| HOSTS.contains(&host));
    if !known {
        let now = core.clock.now();
        core.journal(|journal| journal.refused_connect(&target, now));
        return client.write_all(FORBIDDEN).await;
    }
    let mut closed = core.proxy_closed.subscribe();
    if *closed.borrow() {
        return client.write_all(BAD_GATEWAY).await;
    }
    let mut server = TcpStream::connect(https).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    client.write_all(ESTABLISHED).await?;
    tokio::select! {
        copied = copy_bidirectional(&mut client, &mut server) => copied.map(drop),
        _ = closed.wait_for(|closed| *closed) => Ok(()),
    }
}

/// Reads to the empty line. A client sends nothing more before it has its answer.
async fn read_head(client: &mut TcpStream) -> std::io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < HEAD_BYTES_MAX {
        head.push(client.read_u8().await?);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// The `host:port` of a CONNECT; what else was asked for, for the journal.
fn connect_target(head: &str) -> String {
    let line = head.lines().next().unwrap_or_default();
    let mut words = line.split(' ');
    match (words.next(), words.next()) {
        (Some("CONNECT"), Some(target)) => target.to_ascii_lowercase(),
        _ => line.split('?').next().unwrap_or_default().to_owned(),
    }
}
