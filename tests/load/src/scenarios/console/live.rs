//! Open pages: how soon one shows a change, and what many of them cost.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use astro_sdk::new_request_id;
use astro_sdk::v1::{Item, ListItemsRequest, UpdateItemRequest};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{MissedTickBehavior, interval};

use super::Reader;
use crate::bench::{Bench, Measured, Spent};
use crate::calls::Calls;
use crate::drive::Tally;
use crate::process::Process;
use crate::report::Target;

/// Milliseconds until an open page shows a change.
const SHOWN: f64 = 500.0;
/// Pages that are open at once.
const OPEN: usize = 200;
/// Events a second beside them.
const EVENTS: u64 = 20;
/// Percent of a processor that they take at most.
const PERCENT: f64 = 10.0;
/// Changes that are waited for.
const CHANGES: u64 = 30;

pub(super) async fn run(
    bench: &mut Bench,
    reader: &Reader,
    console: &Process,
) -> anyhow::Result<()> {
    let calls = bench.stage.calls(1).await?;
    let items = calls.call(0, ListItemsRequest { page_size: 50, ..Default::default() }).await?;
    let ids: Vec<String> = items.items.into_iter().map(|item| item.id).collect();
    let mut page = Page::open(reader.host, &reader.cookie).await?;
    let (mut tally, before) = (Tally::new(), Spent::now(&bench.stage)?);
    let start = Instant::now();
    for number in 0..CHANGES {
        let id = &ids[usize::try_from(number)? % ids.len()];
        let began = Instant::now();
        change(&calls, id, number).await?;
        page.hears(id).await?;
        tally.record(began.elapsed(), 1);
    }
    tally.took = start.elapsed();
    let millis = tally.max().as_secs_f64() * 1e3;
    let targets = vec![Target::at_most("slowest ms", millis, SHOWN)];
    let spent = Spent::now(&bench.stage)?.since(before);
    let measured = Measured { tally, spent, ceiling: None };
    bench.row("a change until an open page shows it", "1", "", &measured, targets)?;
    crowd(bench, reader, console, (&calls, &ids)).await
}

/// Many open pages, and changes at a pace.
async fn crowd(
    bench: &mut Bench,
    reader: &Reader,
    console: &Process,
    (calls, ids): (&Calls, &[String]),
) -> anyhow::Result<()> {
    let mut pages = Vec::new();
    for _ in 0..OPEN {
        let mut page = Page::open(reader.host, &reader.cookie).await?;
        pages.push(tokio::spawn(async move {
            while page.reads().await.is_ok() {
                page.heard.clear();
            }
        }));
    }
    let (mut tally, before) = (Tally::new(), Spent::now(&bench.stage)?);
    let (began, cpu) = (Instant::now(), console.cpu());
    let mut tick = interval(Duration::from_secs(1) / u32::try_from(EVENTS)?);
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut number = 0;
    while began.elapsed() < bench.plan.time * 2 {
        tick.tick().await;
        let asked = Instant::now();
        change(calls, &ids[usize::try_from(number)? % ids.len()], number).await?;
        tally.record(asked.elapsed(), 1);
        number += 1;
    }
    tally.took = began.elapsed();
    let percent = (console.cpu() - cpu).as_secs_f64() / tally.took.as_secs_f64() * 100.0;
    for page in pages {
        ensure!(!page.is_finished(), "a page's stream ended");
        page.abort();
    }
    let targets = vec![Target::at_most("% of a processor", percent, PERCENT)];
    let spent = Spent::now(&bench.stage)?.since(before);
    let name = "200 open pages at 20 changes a second";
    bench.row(name, "200", "", &Measured { tally, spent, ceiling: None }, targets)
}

async fn change(calls: &Calls, id: &str, number: u64) -> anyhow::Result<()> {
    let labels = [("seen".to_owned(), new_request_id())].into();
    let item = Item { id: id.to_owned(), labels, ..Default::default() };
    let request = UpdateItemRequest {
        item: Some(item),
        update_mask: Some(prost_types::FieldMask { paths: vec!["labels".to_owned()] }),
        request_id: new_request_id(),
    };
    calls.call(number, request).await?;
    Ok(())
}

/// The stream of an open list of items.
struct Page {
    stream: TcpStream,
    heard: Vec<u8>,
}

impl Page {
    async fn open(host: SocketAddr, cookie: &str) -> anyhow::Result<Self> {
        let mut stream = TcpStream::connect(host).await?;
        let head = format!("GET /live/items HTTP/1.1\r\nhost: {host}\r\ncookie: {cookie}\r\n\r\n");
        stream.write_all(head.as_bytes()).await?;
        let mut page = Self { stream, heard: Vec::new() };
        page.hears("ready").await.context("the stream begins")?;
        Ok(page)
    }

    async fn reads(&mut self) -> anyhow::Result<()> {
        ensure!(self.stream.read_buf(&mut self.heard).await? > 0, "the console hung up");
        Ok(())
    }

    /// Waits until the stream tells of this, and forgets what came before.
    async fn hears(&mut self, text: &str) -> anyhow::Result<()> {
        while !self.heard.windows(text.len()).any(|part| part == text.as_bytes()) {
            self.reads().await?;
        }
        self.heard.clear();
        Ok(())
    }
}
