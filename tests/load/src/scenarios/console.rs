//! Pages of the web console, in a process of its own beside the server.

mod live;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use astro_sdk::v1::{ListAssignmentsRequest, ListItemsRequest};
use astro_tests::Node;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::bench::{Bench, Measured, Spent};
use crate::drive::Tally;
use crate::process::Process;
use crate::report::Target;

/// Lists and forms that need no id.
const PAGES: [&str; 19] = [
    "/",
    "/items",
    "/items?as=tiles",
    "/items?q=key+7",
    "/items?q=nothing+at+all",
    "/assignments",
    "/assignments?state=settled",
    "/assignments/new",
    "/donations",
    "/people",
    "/reservations",
    "/reports",
    "/reports?by=recipient",
    "/bots",
    "/syncs",
    "/discrepancies",
    "/events",
    "/keys",
    "/sessions",
];
/// Somebody that the books know.
const PERSON: u64 = astro_tests::fill::FIRST_PERSON + 7;
/// Milliseconds to the first byte that half of the pages take at most, and nearly all.
const WANTED: (f64, f64) = (25.0, 100.0);
/// Thousands of bytes of a page, and of all that a first visit brings.
const KB: (f64, f64) = (50.0, 80.0);
/// Requests of a first visit: the page, its style, its module, its picture.
const REQUESTS: f64 = 4.0;
/// Memory of the console afterwards.
const MIB: f64 = 64.0;
/// Pages before those that count.
const WARM_UP: usize = 5;

pub(super) async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let endpoint = format!("http://{}", bench.stage.address);
    let program = std::env::current_exe()?;
    let args = ["console-alone", "--endpoint", &endpoint, "--listen", "127.0.0.1:0"];
    let mut node = Node::start(&program.to_string_lossy(), &args, &[])?;
    node.says("the console is on ").await?;
    let line = node.said.last().context("it says where")?;
    let url = line.rsplit(' ').next().context("it says where")?;
    let address: SocketAddr = url.trim_start_matches("http://").parse()?;
    let mut reader = Reader::sign_in(address, bench.stage.admin_key()).await?;
    let paths = paths(bench).await?;
    let time = bench.plan.time / 4;
    for (name, path) in &paths {
        page(bench, &mut reader, path, name, time).await?;
    }
    let console = Process::alone(node.id()?);
    live::run(bench, &reader, &console).await?;
    first_visit(bench, &mut reader, &console).await
}

/// All pages that are asked for, by their names.
async fn paths(bench: &Bench) -> anyhow::Result<Vec<(String, String)>> {
    let calls = bench.stage.calls(1).await?;
    let items = calls.call(0, ListItemsRequest { page_size: 1, ..Default::default() }).await?;
    let request = ListAssignmentsRequest { page_size: 1, ..Default::default() };
    let assignments = calls.call(0, request).await?;
    let item = &items.items.first().context("no items")?.id;
    let assignment = &assignments.assignments.first().context("no assignments")?.id;
    let mut paths = PAGES.map(str::to_owned).to_vec();
    paths.extend([
        format!("/items/{item}"),
        format!("/assignments/{assignment}"),
        format!("/people/{PERSON}"),
        format!("/assignments/new?to={PERSON}&step=items"),
        format!("/assignments/new?to={PERSON}&item={item}&step=confirm"),
    ]);
    let named = |path: String| (path.replace(item, "ID").replace(assignment, "ID"), path);
    Ok(paths.into_iter().map(named).collect())
}

async fn page(
    bench: &mut Bench,
    reader: &mut Reader,
    path: &str,
    name: &str,
    time: Duration,
) -> anyhow::Result<()> {
    for _ in 0..WARM_UP {
        reader.get(path).await?;
    }
    let (mut tally, before) = (Tally::new(), Spent::now(&bench.stage)?);
    let (began, mut bytes) = (Instant::now(), 0);
    while began.elapsed() < time {
        let answer = reader.get(path).await?;
        tally.record(answer.first_byte, 1);
        bytes = answer.body.len();
    }
    tally.took = began.elapsed();
    let millis = |share: f64| tally.at(share).as_secs_f64() * 1e3;
    let targets = vec![
        Target::at_most("first byte p50 ms", millis(0.5), WANTED.0),
        Target::at_most("first byte p99 ms", millis(0.99), WANTED.1),
        Target::at_most("kB", bytes as f64 / 1e3, KB.0),
    ];
    crate::tell(&format!("  {name}: {bytes} bytes"));
    let spent = Spent::now(&bench.stage)?.since(before);
    bench.row(name, "1", "", &Measured { tally, spent, ceiling: None }, targets)
}

/// What a browser asks for that was never here.
async fn first_visit(
    bench: &mut Bench,
    reader: &mut Reader,
    console: &Process,
) -> anyhow::Result<()> {
    let (mut tally, before) = (Tally::new(), Spent::now(&bench.stage)?);
    let began = Instant::now();
    let page = reader.get("/").await?;
    let files: std::collections::BTreeSet<&str> =
        page.body.split('"').filter(|text| text.starts_with("/assets/")).collect();
    let (mut bytes, mut requests) = (page.body.len() + page.head, 1);
    for file in files {
        let file = reader.get(file).await?;
        bytes += file.body.len() + file.head;
        requests += 1;
    }
    tally.record(began.elapsed(), 1);
    tally.took = began.elapsed();
    let (_, memory) = console.memory();
    let targets = vec![
        Target::at_most("kB", bytes as f64 / 1e3, KB.1),
        Target::at_most("requests", f64::from(requests), REQUESTS),
        Target::at_most("MiB of the console", memory as f64 / f64::from(1 << 20), MIB),
    ];
    crate::tell(&format!(
        "  first visit: {bytes} bytes in {requests} requests, {memory} bytes of memory"
    ));
    let spent = Spent::now(&bench.stage)?.since(before);
    bench.row("first visit", "1", "", &Measured { tally, spent, ceiling: None }, targets)
}

/// Somebody with a session and a connection.
struct Reader {
    stream: TcpStream,
    host: SocketAddr,
    cookie: String,
}

/// What was answered.
struct Answer {
    first_byte: Duration,
    /// Bytes of the headers.
    head: usize,
    cookie: Option<String>,
    body: String,
}

impl Reader {
    async fn sign_in(host: SocketAddr, key: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(host).await?;
        stream.set_nodelay(true)?;
        let mut reader = Self { stream, host, cookie: String::new() };
        let form = format!("key={key}");
        let head = format!(
            "POST /sign-in HTTP/1.1\r\nhost: {host}\r\norigin: http://{host}\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{form}",
            form.len()
        );
        let answer = reader.send(&head, "303").await?;
        reader.cookie = answer.cookie.context("no session")?;
        Ok(reader)
    }

    async fn get(&mut self, path: &str) -> anyhow::Result<Answer> {
        let Self { host, cookie, .. } = &*self;
        let head = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\ncookie: {cookie}\r\n\r\n");
        self.send(&head, "200").await.with_context(|| path.to_owned())
    }

    async fn send(&mut self, request: &str, status: &str) -> anyhow::Result<Answer> {
        let began = Instant::now();
        self.stream.write_all(request.as_bytes()).await?;
        let mut bytes = Vec::new();
        let mut first_byte = None;
        loop {
            ensure!(self.stream.read_buf(&mut bytes).await? > 0, "the console hung up");
            let first_byte = *first_byte.get_or_insert(began.elapsed());
            let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
            let head = std::str::from_utf8(&bytes[..end])?;
            let header = |name: &str| {
                let line = head.lines().find_map(|line| line.strip_prefix(name));
                line.map(str::trim)
            };
            let length: usize = header("content-length:").context("no length")?.parse()?;
            if bytes.len() < end + 4 + length {
                continue;
            }
            if head.split(' ').nth(1) != Some(status) {
                bail!("{}", String::from_utf8_lossy(&bytes));
            }
            let cookie = header("set-cookie:").and_then(|it| it.split(';').next());
            let cookie = cookie.map(str::to_owned);
            let body = String::from_utf8(bytes.split_off(end + 4))?;
            return Ok(Answer { first_byte, head: end + 4, cookie, body });
        }
    }
}
