//! What the runner can ask for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use anyhow::{Context, bail};
use astro_sdk::steam::{SteamId, TradeUrl};
use astro_sdk::{Client, Error};
use futures_util::{FutureExt, Stream, StreamExt};
use prost::Message;
use prost_reflect::{DynamicMessage, MessageDescriptor, Value as Field};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::typed::{Answer, Asked, POOL, Pages, Watched};
use crate::{Given, Kind, dispatch, json};

/// What the runner opened, began and kept, by its names.
pub(crate) struct Driver {
    kind: Kind,
    clients: Mutex<HashMap<String, Client>>,
    started: Mutex<HashMap<String, JoinHandle<Result<DynamicMessage, Error>>>>,
    watches: Mutex<HashMap<String, Arc<tokio::sync::Mutex<Watched>>>>,
    kept: Mutex<HashMap<String, DynamicMessage>>,
}

/// Does what `asked` says; answers without the `id`.
///
/// # Errors
/// When the runner asks for something that the protocol does not have.
pub(crate) async fn answer(driver: &Driver, asked: &Value) -> anyhow::Result<Value> {
    match text(asked, "op")? {
        "hello" => Ok(ok(json!({
            "language": driver.kind.language, "flavour": "futures", "version": astro_sdk::VERSION,
        }))),
        "open" => open(driver, asked),
        "close" => {
            driver.client(asked)?.close();
            Ok(ok(json!({})))
        }
        "call" => {
            let answer = driver.begin(asked)?.await;
            driver.answered(asked, answer)
        }
        "start" => {
            let task = tokio::spawn(driver.begin(asked)?);
            lock(&driver.started).insert(text(asked, "call")?.to_owned(), task);
            Ok(ok(json!({})))
        }
        "finish" => finish(driver, asked).await,
        "cancel" => cancel(driver, asked),
        "list" => list(driver, asked, Pages::Entries).await,
        "pages" => list(driver, asked, Pages::Whole).await,
        "watch" => watch(driver, asked),
        "next" => next(driver, asked).await,
        "position" => position(driver, asked).await,
        "peek" => peek(driver, asked),
        "json" => {
            let kept = lock(&driver.kept);
            let message = kept.get(text(asked, "from")?).context("nothing is kept")?;
            Ok(ok(json!({"text": json::message(message)?.to_string()})))
        }
        "rounded" => rounded(asked),
        "steam_id" => steam_id(text(asked, "text")?),
        "trade_url" => trade_url(text(asked, "text")?),
        other => bail!("there is no op {other:?}"),
    }
}

impl Driver {
    /// One that has done nothing yet.
    pub(crate) fn new(kind: Kind) -> Self {
        Self {
            kind,
            clients: Mutex::default(),
            started: Mutex::default(),
            watches: Mutex::default(),
            kept: Mutex::default(),
        }
    }

    fn client(&self, asked: &Value) -> anyhow::Result<Client> {
        let name = text(asked, "client")?;
        lock(&self.clients).get(name).cloned().with_context(|| format!("no client {name}"))
    }

    fn begin(&self, asked: &Value) -> anyhow::Result<Answer> {
        let call = self.asked(asked)?;
        let method = call.method.clone();
        dispatch::call(&self.client(asked)?, call).with_context(|| format!("no call {method}"))
    }

    fn asked(&self, asked: &Value) -> anyhow::Result<Asked> {
        let method = text(asked, "method")?.to_owned();
        let (service, name) = method.split_once('/').context("a method is SERVICE/METHOD")?;
        let service = POOL.get_service_by_name(service).context("no such service")?;
        let mut methods = service.methods();
        let found = methods.find(|method| method.name() == name).context("no such method")?;
        let request = self.request(found.input(), asked)?;
        Ok(Asked { method, request, timeout: millis(asked, "timeout_ms")? })
    }

    /// Kept messages first, as they are; then what the runner wrote is merged into it.
    fn request(&self, kind: MessageDescriptor, asked: &Value) -> anyhow::Result<DynamicMessage> {
        let mut request = DynamicMessage::new(kind.clone());
        for embed in asked["embed"].as_array().into_iter().flatten() {
            let message = self.kept(text(embed, "from")?, text(embed, "path")?)?;
            request.try_set_field_by_name(text(embed, "to")?, message)?;
        }
        if !asked["request"].is_null() {
            let written = DynamicMessage::deserialize(kind, asked["request"].clone())?;
            request.merge(written.encode_to_vec().as_slice())?;
        }
        for (name, texts) in asked["people"].as_object().into_iter().flatten() {
            let person = |text: &Value| -> anyhow::Result<Field> {
                let id: SteamId = text.as_str().context("people are text")?.parse()?;
                Ok(Field::U64(id.into()))
            };
            let value = match texts.as_array() {
                Some(texts) => Field::List(texts.iter().map(person).collect::<Result<_, _>>()?),
                None => person(texts)?,
            };
            request.try_set_field_by_name(name, value)?;
        }
        Ok(request)
    }

    fn kept(&self, from: &str, path: &str) -> anyhow::Result<Field> {
        let kept = lock(&self.kept);
        let mut value = Field::Message(kept.get(from).context("nothing is kept")?.clone());
        for step in path.split('.').filter(|step| !step.is_empty()) {
            let inner = match (value.as_message(), value.as_list()) {
                (Some(message), _) => {
                    message.get_field_by_name(step).map(|found| found.into_owned())
                }
                (None, Some(list)) => list.get(step.parse::<usize>()?).cloned(),
                (None, None) => bail!("{step} of {value:?}"),
            };
            value = inner.with_context(|| format!("{from} has no {path}"))?;
        }
        Ok(value)
    }

    fn answered(
        &self,
        asked: &Value,
        answer: Result<DynamicMessage, Error>,
    ) -> anyhow::Result<Value> {
        let response = match answer {
            Ok(response) => response,
            Err(error) => return Ok(json!({"error": json::call_error(&error)})),
        };
        if let Some(name) = asked["keep"].as_str() {
            lock(&self.kept).insert(name.to_owned(), response.clone());
        }
        Ok(ok(json!({"response": json::message(&response)?})))
    }
}

fn open(driver: &Driver, asked: &Value) -> anyhow::Result<Value> {
    let mut builder = Client::builder();
    let given = |name: &str| asked[name].as_str().map(str::to_owned);
    let endpoint = given("endpoint");
    if let Some(endpoint) = &endpoint {
        builder = builder.endpoint(endpoint);
    }
    if let Some(key) = asked["api_key"].as_str() {
        builder = builder.api_key(key);
    }
    if let Some(allow) = asked["allow_insecure"].as_bool() {
        builder = builder.allow_insecure(allow);
    }
    let (ca_pem, cert_pem, key_pem) = (given("ca_pem"), given("cert_pem"), given("key_pem"));
    if let Some(pem) = &ca_pem {
        builder = builder.ca_certificate(pem.as_str());
    }
    if let Some(pem) = &cert_pem {
        builder = builder.client_certificate(pem.as_str());
    }
    if let Some(pem) = &key_pem {
        builder = builder.client_key(pem.as_str());
    }
    if let Some(program) = asked["user_agent"].as_str() {
        builder = builder.user_agent(program);
    }
    if let Some(idle) = millis(asked, "watch_idle_ms")? {
        builder = builder.watch_idle(idle);
    }
    let settings = format!("{builder:?}");
    let variables = asked["env"].as_object().into_iter().flatten();
    let variables: Vec<(&str, Option<&str>)> =
        variables.map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let given = Given { builder, endpoint, ca_pem, cert_pem, key_pem };
    match temp_env::with_vars(variables, || (driver.kind.open)(given)) {
        Ok(client) => {
            let shown = format!("{settings}\n{client:?}");
            lock(&driver.clients).insert(text(asked, "client")?.to_owned(), client);
            Ok(ok(json!({"shown": shown})))
        }
        Err(error) => Ok(json!({"error": json::config_error(&error)?})),
    }
}

async fn finish(driver: &Driver, asked: &Value) -> anyhow::Result<Value> {
    let started = lock(&driver.started).remove(text(asked, "call")?);
    match started.context("no such call was started")?.await {
        Ok(answer) => driver.answered(asked, answer),
        Err(dropped) if dropped.is_cancelled() => Ok(json!({"error": json::cancelled()})),
        Err(panicked) => Err(panicked.into()),
    }
}

fn cancel(driver: &Driver, asked: &Value) -> anyhow::Result<Value> {
    if let Some(call) = asked["call"].as_str() {
        lock(&driver.started).get(call).context("no such call was started")?.abort();
        return Ok(ok(json!({})));
    }
    let watch = lock(&driver.watches).remove(text(asked, "watch")?).context("no such watch")?;
    let mut items = Vec::new();
    // Asked once, it waits; dropped, with `watch`, it is cancelled.
    match watch.try_lock()?.next().now_or_never().flatten() {
        Some(Ok(item)) => items.push(item),
        Some(Err(error)) => return Ok(json!({"error": json::call_error(&error)})),
        None => {}
    }
    Ok(ok(json!({"items": json::messages(&items)?, "ended": true})))
}

async fn list(driver: &Driver, asked: &Value, pages: Pages) -> anyhow::Result<Value> {
    let call = driver.asked(asked)?;
    let method = call.method.clone();
    let answers = dispatch::list(&driver.client(asked)?, call, pages);
    let mut answers = answers.with_context(|| format!("no list {method}"))?;
    let limit = asked["limit"].as_u64().unwrap_or(u64::MAX);
    let took = take(&mut answers, limit).await;
    let name = if pages == Pages::Whole { "pages" } else { "items" };
    took.told(name)
}

fn watch(driver: &Driver, asked: &Value) -> anyhow::Result<Value> {
    let call = driver.asked(asked)?;
    let method = call.method.clone();
    let answers = dispatch::watch(&driver.client(asked)?, call);
    let answers = answers.with_context(|| format!("no watch {method}"))?;
    let watch = Arc::new(tokio::sync::Mutex::new(answers));
    lock(&driver.watches).insert(text(asked, "watch")?.to_owned(), watch);
    Ok(ok(json!({})))
}

async fn next(driver: &Driver, asked: &Value) -> anyhow::Result<Value> {
    let name = text(asked, "watch")?;
    let watch = lock(&driver.watches).get(name).cloned().context("no such watch")?;
    let count = asked["count"].as_u64().unwrap_or(1);
    let took = take(&mut *watch.lock().await, count).await;
    took.told("items")
}

async fn position(driver: &Driver, asked: &Value) -> anyhow::Result<Value> {
    let name = text(asked, "watch")?;
    let watch = lock(&driver.watches).get(name).cloned().context("no such watch")?;
    match watch.lock().await.position().await {
        Ok(token) => Ok(ok(json!({"token": token}))),
        Err(error) => Ok(json!({"error": json::call_error(&error)})),
    }
}

struct Took {
    items: Vec<DynamicMessage>,
    ended: bool,
    error: Option<Error>,
}

/// The next `limit` of a list or watch, fewer at its end.
async fn take(
    answers: &mut (impl Stream<Item = Result<DynamicMessage, Error>> + Unpin),
    limit: u64,
) -> Took {
    let mut took = Took { items: Vec::new(), ended: false, error: None };
    for _ in 0..limit {
        match answers.next().await {
            Some(Ok(item)) => took.items.push(item),
            Some(Err(error)) => took.error = Some(error),
            None => took.ended = true,
        }
        if took.ended || took.error.is_some() {
            break;
        }
    }
    took
}

impl Took {
    fn told(self, name: &str) -> anyhow::Result<Value> {
        let items = json::messages(&self.items)?;
        let mut told = match &self.error {
            Some(error) => json!({"error": json::call_error(error)}),
            None => ok(json!({})),
        };
        let place = if self.error.is_some() { "error" } else { "ok" };
        told[place][name] = items;
        if self.ended && name == "items" {
            told[place]["ended"] = json!(true);
        }
        Ok(told)
    }
}

fn peek(driver: &Driver, asked: &Value) -> anyhow::Result<Value> {
    let value = driver.kept(text(asked, "from")?, text(asked, "path")?)?;
    let (kind, text) = match value {
        Field::String(text) => ("string", text),
        Field::Bool(flag) => ("boolean", flag.to_string()),
        Field::I32(number) | Field::EnumNumber(number) => ("integer", number.to_string()),
        Field::I64(number) => ("integer", number.to_string()),
        Field::U32(number) => ("integer", number.to_string()),
        Field::U64(number) => ("integer", number.to_string()),
        Field::F32(number) => ("number", number.to_string()),
        Field::F64(number) => ("number", number.to_string()),
        Field::Bytes(_) | Field::Message(_) | Field::List(_) | Field::Map(_) => {
            bail!("it is no plain value")
        }
    };
    Ok(ok(json!({"type": kind, "text": text})))
}

/// Refused by the compiler where the SDK's field is of another type.
fn rounded(asked: &Value) -> anyhow::Result<Value> {
    let (method, path) = (text(asked, "method")?, text(asked, "path")?);
    let takes = dispatch::takes_float(method, path);
    let takes = takes.with_context(|| format!("{method} takes no 64 bits at {path}"))?;
    Ok(ok(if takes { json!({}) } else { json!({"refused": "types"}) }))
}

fn steam_id(text: &str) -> anyhow::Result<Value> {
    match text.parse::<SteamId>() {
        Ok(id) => Ok(ok(json!({
            "steam_id64": id.steam_id64().to_string(),
            "account_id": id.account_id().to_string(),
            "steam2": id.steam2(),
            "steam3": id.steam3(),
            "profile_url": id.profile_url(),
        }))),
        Err(error) => Ok(json!({"error": json::steam_id_error(error)?})),
    }
}

fn trade_url(text: &str) -> anyhow::Result<Value> {
    match text.parse::<TradeUrl>() {
        Ok(url) => Ok(ok(json!({
            "partner": url.partner().to_string(),
            "token": url.token(),
            "url": url.to_string(),
            "shown": format!("{url:?}"),
        }))),
        Err(error) => Ok(json!({"error": json::trade_url_error(error)?})),
    }
}

fn ok(fields: Value) -> Value {
    json!({"ok": fields})
}

fn text<'a>(asked: &'a Value, field: &str) -> anyhow::Result<&'a str> {
    asked[field].as_str().with_context(|| format!("{field} is missing"))
}

/// For ever for -1.
fn millis(asked: &Value, field: &str) -> anyhow::Result<Option<Duration>> {
    let given = &asked[field];
    if given.is_null() {
        return Ok(None);
    }
    if given.as_i64() == Some(-1) {
        return Ok(Some(Duration::MAX));
    }
    given.as_u64().map(Duration::from_millis).map(Some).context("no milliseconds")
}

fn lock<T>(map: &Mutex<T>) -> MutexGuard<'_, T> {
    map.lock().expect("no code panics while it holds this lock")
}
