//! A proxy that turns away the first connections to a host.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

pub(super) struct Turnstile {
    pub(super) url: String,
    refused: Arc<AtomicUsize>,
    _tunnels: JoinSet<()>,
}

impl Turnstile {
    /// In front of this proxy; `count` connections to the community's site come to nothing.
    pub(super) async fn refusing(count: usize, proxy_url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let proxy = proxy_url.trim_start_matches("http://").to_owned();
        let refused = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&refused);
        let mut tunnels = JoinSet::new();
        tunnels.spawn(async move {
            let mut inner = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let (proxy, counter) = (proxy.clone(), Arc::clone(&counter));
                // A broken tunnel is the client's business.
                inner.spawn(async move { drop(tunnel(client, proxy, count, &counter).await) });
            }
        });
        Self { url, refused, _tunnels: tunnels }
    }

    pub(super) fn refused(&self) -> usize {
        self.refused.load(Ordering::SeqCst)
    }
}

async fn tunnel(
    mut client: TcpStream,
    proxy: String,
    count: usize,
    refused: &AtomicUsize,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await?);
    }
    let counted = head.starts_with(b"CONNECT steamcommunity.com");
    let turned_away = |before| (before < count).then_some(before + 1);
    let (order, read) = (Ordering::SeqCst, Ordering::SeqCst);
    if counted && refused.fetch_update(order, read, turned_away).is_ok() {
        return client.write_all(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n").await;
    }
    let mut server = TcpStream::connect(proxy).await?;
    server.write_all(&head).await?;
    copy_bidirectional(&mut client, &mut server).await.map(drop)
}
