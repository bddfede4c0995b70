//! What HTTP and JSON cost beside gRPC: `cargo run --release -p astro-bridge --example overhead`.
//!
//! One server, 500 calls a second by turns over gRPC and over the mounted bridge, each on one
//! connection of its own; then as many as 16 callers get. Latencies run from when a call was due.

use std::sync::Arc;
use std::time::Duration;

use astro_sdk::Client;
use astro_sdk::v1::{CancelAssignmentRequest, CreateAssignmentRequest, GetItemRequest};
use astro_tests::{App, Backend};
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// Calls a second.
const RATE: u64 = 500;
/// Calls of each kind over each way.
const CALLS: u64 = 4000;
/// Items that are assigned and come back.
const ITEMS: usize = 64;
/// Callers at once for the highest rate, and how long.
const CALLERS: usize = 16;
const FLAT_OUT: Duration = Duration::from_secs(3);
/// Somebody on Steam.
const WINNER: u64 = 76_561_198_123_456_789;

type Body = http_body_util::Full<bytes::Bytes>;

/// A way to the server.
#[derive(Clone)]
enum Way {
    Grpc(Client),
    Http(Arc<Http>),
}

/// HTTP and JSON on one connection.
struct Http {
    client: HttpClient<HttpConnector, Body>,
    base: String,
    key: String,
}

/// What is called.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Rpc {
    GetItem,
    CreateAssignment,
}

impl Way {
    fn name(&self) -> &'static str {
        match self {
            Self::Grpc(_) => "gRPC",
            Self::Http(_) => "HTTP/JSON",
        }
    }

    /// Gets an item.
    async fn get(&self, item: &str) {
        match self {
            Self::Grpc(client) => {
                let request = GetItemRequest { item_id: item.to_owned() };
                client.items().get(request).await.expect("the item is there");
            }
            Self::Http(http) => {
                http.ask("GET", &format!("/api/v1/items/{item}"), String::new()).await;
            }
        }
    }

    /// Assigns an item; gives the assignment's id.
    async fn create(&self, item: &str) -> String {
        match self {
            Self::Grpc(client) => {
                let request = CreateAssignmentRequest {
                    user_id: WINNER,
                    item_ids: vec![item.to_owned()],
                    ..Default::default()
                };
                let made = client.assignments().create(request).await.expect("the item is free");
                made.assignment.expect("an assignment").id
            }
            Self::Http(http) => {
                let id = astro_sdk::new_request_id();
                let body = serde_json::json!(
                    {"userId": WINNER.to_string(), "itemIds": [item], "requestId": id}
                );
                let told = http.ask("POST", "/api/v1/assignments", body.to_string()).await;
                told["assignment"]["id"].as_str().expect("an id").to_owned()
            }
        }
    }
}

impl Http {
    async fn ask(&self, verb: &str, path: &str, body: String) -> serde_json::Value {
        use http_body_util::BodyExt as _;
        let Self { client, base, key } = self;
        let request = http::Request::builder()
            .method(verb)
            .uri(format!("{base}{path}"))
            .header("authorization", format!("Bearer {key}"))
            .header("content-type", "application/json")
            .body(Body::from(body))
            .expect("a request");
        let answer = client.request(request).await.expect("an answer");
        let good = answer.status().is_success();
        let text = answer.into_body().collect().await.expect("a body").to_bytes();
        assert!(good, "{}", String::from_utf8_lossy(&text));
        serde_json::from_slice(&text).expect("JSON")
    }
}

/// One call, and what has to be cleared up after it.
async fn call(way: &Way, rpc: Rpc, item: &str) -> Option<String> {
    match rpc {
        Rpc::GetItem => {
            way.get(item).await;
            None
        }
        Rpc::CreateAssignment => Some(way.create(item).await),
    }
}

async fn cancel(app: &Client, assignment: Option<String>) {
    let Some(assignment_id) = assignment else { return };
    let request = CancelAssignmentRequest { assignment_id, ..Default::default() };
    app.assignments().cancel(request).await.expect("nothing was sent yet");
}

/// Items that nobody has just now: a machine that is too slow for the rate has its calls wait for one.
struct Free {
    items: tokio::sync::mpsc::UnboundedSender<String>,
    next: tokio::sync::Mutex<tokio::sync::mpsc::UnboundedReceiver<String>>,
}

impl Free {
    fn new(items: &[String]) -> Self {
        let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
        let free = Self { items: sender, next: tokio::sync::Mutex::new(receiver) };
        items.iter().for_each(|item| free.give_back(item.clone()));
        free
    }

    async fn take(&self) -> String {
        self.next.lock().await.recv().await.expect("items come back")
    }

    fn give_back(&self, item: String) {
        self.items.send(item).expect("somebody takes them");
    }
}

/// Calls at the steady rate, the two ways by turns; gives each one's latencies.
async fn paced(ways: &[Way; 2], rpc: Rpc, items: &[String], app: &Client) -> [Vec<Duration>; 2] {
    let mut tick = interval(Duration::from_micros(1_000_000 / RATE));
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let (sent, mut told) = tokio::sync::mpsc::unbounded_channel();
    let free = Arc::new(Free::new(items));
    for n in 0..2 * CALLS {
        let due = tick.tick().await;
        let at = usize::try_from(n % 2).unwrap_or(0);
        let (way, sent, app, free) = (ways[at].clone(), sent.clone(), app.clone(), free.clone());
        tokio::spawn(async move {
            let item = free.take().await;
            let made = call(&way, rpc, &item).await;
            let _ = sent.send((at, due.elapsed()));
            cancel(&app, made).await;
            free.give_back(item);
        });
    }
    drop(sent);
    let mut times = [Vec::new(), Vec::new()];
    while let Some((at, time)) = told.recv().await {
        times[at].push(time);
    }
    times
}

/// Calls a second that so many callers get, each with items of their own.
async fn flat_out(way: &Way, rpc: Rpc, items: &[String], app: &Client) -> f64 {
    let (began, mut callers) = (Instant::now(), tokio::task::JoinSet::new());
    for items in items.chunks(items.len() / CALLERS) {
        let (way, app, item) = (way.clone(), app.clone(), items[0].clone());
        callers.spawn(async move {
            let (mut count, mut busy) = (0_u32, Duration::ZERO);
            while began.elapsed() < FLAT_OUT {
                let start = Instant::now();
                let made = call(&way, rpc, &item).await;
                busy += start.elapsed();
                count += 1;
                cancel(&app, made).await;
            }
            f64::from(count) / busy.as_secs_f64()
        });
    }
    callers.join_all().await.into_iter().sum()
}

fn percentile(times: &mut [Duration], share: f64) -> f64 {
    times.sort_unstable();
    let at = ((times.len() - 1) as f64 * share) as usize;
    times[at].as_secs_f64() * 1000.0
}

#[tokio::main]
#[allow(clippy::print_stdout, reason = "its output is what it is for")]
async fn main() {
    let app = App::start(Backend::Sqlite).await;
    let items: Vec<String> = app.pool_of(ITEMS).await.into_iter().map(|item| item.id).collect();
    let http = Http {
        client: HttpClient::builder(TokioExecutor::new()).build(HttpConnector::new()),
        base: app.relay.endpoint(),
        key: app.client_key.clone(),
    };
    let client = Client::builder().endpoint(app.relay.endpoint()).api_key(&app.client_key);
    let ways =
        [Way::Grpc(client.build().expect("an address and a key")), Way::Http(Arc::new(http))];
    println!("| RPC | way | p50 ms | p99 ms | p99 of gRPC's | highest calls/s |");
    println!("|---|---|---|---|---|---|");
    for rpc in [Rpc::GetItem, Rpc::CreateAssignment] {
        let mut times = paced(&ways, rpc, &items, &app.client).await;
        let of_grpc = percentile(&mut times[0], 0.99);
        for (way, times) in ways.iter().zip(&mut times) {
            let (half, most) = (percentile(times, 0.5), percentile(times, 0.99));
            let rate = flat_out(way, rpc, &items, &app.client).await;
            let (name, ratio) = (way.name(), most / of_grpc);
            println!("| {rpc:?} | {name} | {half:.2} | {most:.2} | {ratio:.2} | {rate:.0} |");
        }
    }
}
