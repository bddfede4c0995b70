//! A bot worker without a Steam behind it: it tells of an inventory and goes.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use astro_sdk::bot::v1::bot_session_service_client::BotSessionServiceClient;
use astro_sdk::bot::v1::command::Command;
use astro_sdk::bot::v1::session_request::Frame;
use astro_sdk::bot::v1::session_response::Frame as Answer;
use astro_sdk::bot::v1::{
    AppContext, Asset, AssetDescription, Goodbye, Hello, InventoryChunk, SessionRequest,
    SessionResponse,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Endpoint;
use tonic::{Request, Streaming};
use uuid::Uuid;

/// The longest wait for an order.
const PATIENCE: Duration = Duration::from_secs(30);
/// The game and inventory that everything lies in.
const TEAM_FORTRESS: AppContext = AppContext { app_id: 440, context_id: 2 };
/// Assets in a frame at most.
const CHUNK: usize = 500;

/// A session of one bot.
pub(crate) struct Puppet {
    frames: mpsc::Sender<SessionRequest>,
    answers: Streaming<SessionResponse>,
}

impl Puppet {
    /// Opens a session.
    pub(crate) async fn connect(
        server: SocketAddr,
        key: &str,
        steam_id: u64,
    ) -> anyhow::Result<Self> {
        let channel = Endpoint::from_shared(format!("http://{server}"))?.connect().await?;
        let (frames, outgoing) = mpsc::channel(16);
        let worker_id = Uuid::new_v4().to_string();
        let hello = Hello { steam_id, worker_id, takeover: true, ..Default::default() };
        frames.send(frame(Frame::Hello(hello))).await?;
        let mut request = Request::new(ReceiverStream::new(outgoing));
        request.metadata_mut().insert("authorization", format!("Bearer {key}").parse()?);
        let mut client = BotSessionServiceClient::new(channel);
        let answers = client.session(request).await?.into_inner();
        Ok(Self { frames, answers })
    }

    /// Answers the order to read the inventory with so many things of the numbers from `first` on.
    pub(crate) async fn show(&mut self, first: u64, count: usize) -> anyhow::Result<()> {
        let order = tokio::time::timeout(PATIENCE, self.order());
        let sync_id = order.await.context("the server orders no inventory")??;
        let numbers: Vec<u64> = (1..).take(count).collect();
        let mut chunks: Vec<&[u64]> = numbers.chunks(CHUNK).collect();
        if chunks.is_empty() {
            chunks.push(&[]);
        }
        let last = chunks.len() - 1;
        for (index, numbers) in (0..).zip(chunks.iter().enumerate()) {
            let (place, numbers) = numbers;
            let chunk = InventoryChunk {
                sync_id: sync_id.clone(),
                index,
                last: place == last,
                covered: if place == last { vec![TEAM_FORTRESS] } else { Vec::new() },
                assets: numbers.iter().map(|number| asset(first, *number)).collect(),
                descriptions: numbers.iter().map(|number| description(*number)).collect(),
                ..Default::default()
            };
            self.frames.send(frame(Frame::Inventory(chunk))).await?;
        }
        Ok(())
    }

    async fn order(&mut self) -> anyhow::Result<String> {
        loop {
            let answer = self.answers.message().await?.context("the session ended")?;
            if let Some(Answer::Command(order)) = answer.frame
                && let Some(Command::ReadInventory(order)) = order.command
            {
                return Ok(order.sync_id);
            }
        }
    }

    /// Ends the session in order.
    pub(crate) async fn leave(self) -> anyhow::Result<()> {
        let Self { frames, mut answers } = self;
        frames.send(frame(Frame::Goodbye(Goodbye::default()))).await?;
        drop(frames);
        let end = async { while let Ok(Some(_)) = answers.message().await {} };
        tokio::time::timeout(PATIENCE, end).await.context("the session does not end")
    }
}

fn frame(frame: Frame) -> SessionRequest {
    SessionRequest { event_seq: 0, frame: Some(frame) }
}

fn asset(first: u64, number: u64) -> Asset {
    let AppContext { app_id, context_id } = TEAM_FORTRESS;
    let asset_id = first + number;
    Asset { app_id, context_id, asset_id, class_id: number, amount: 1, ..Default::default() }
}

fn description(number: u64) -> AssetDescription {
    let name = format!("Item {number}");
    AssetDescription {
        app_id: TEAM_FORTRESS.app_id,
        class_id: number,
        market_hash_name: name.clone(),
        name,
        r#type: "Level 1 Hat".to_owned(),
        tradable: true,
        marketable: true,
        ..Default::default()
    }
}
