//! Runs one scenario in one column.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;

use crate::contract::Contract;
use crate::driver::Driver;
use crate::expect::{Fixtures, compare};
use crate::fault::Fault;
use crate::planted::Planted;
use crate::proxy::{Certificates, Proxy};
use crate::scenario::{Expected, Scenario, is_own, meanwhile, op};
use crate::world::{Tenant, World};

/// The longest wait for attempts that are expected but not there yet.
const ATTEMPTS: Duration = Duration::from_secs(3);
/// The longest wait for an attempt that a step waits for; a lost peer is noticed within a minute.
const ARRIVAL: Duration = Duration::from_secs(90);
/// What some editors write before a text.
const BYTE_ORDER_MARK: char = '\u{feff}';
/// Fields that are names, which must not meet those of another scenario in the same driver.
const NAMES: [&str; 5] = ["client", "call", "watch", "keep", "from"];

/// How a scenario ended in a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// As it should.
    Passed,
    /// Otherwise; says how.
    Failed(String),
    /// The SDK has no way to do it; says why.
    Gap(String),
    /// What it is about is nothing in this language; says why.
    Inapplicable(String),
}

/// Where a scenario runs.
pub struct Stage<'a> {
    /// The contract.
    pub contract: &'a Contract,
    /// The server that scenarios share.
    pub world: &'a Arc<World>,
    /// A fault of the server.
    pub planted: Option<Planted>,
    /// Whether the SDK has a class for each code.
    pub error_classes: bool,
    /// Tells the names of one scenario from those of others.
    pub prefix: String,
}

/// A scenario under way.
struct Run<'a> {
    stage: &'a Stage<'a>,
    driver: &'a Driver,
    world: Arc<World>,
    tenant: Tenant,
    proxy: Proxy,
    fixtures: Fixtures,
    items: usize,
    /// Clients that are open, by their name in the scenario.
    clients: Vec<String>,
    opens_main: bool,
}

/// What a step may end with.
enum Outcome {
    Done,
    Gap(String),
}

/// Runs `scenario`.
///
/// # Errors
/// When the driver fails, or the scenario itself cannot be run.
pub async fn run(
    scenario: &Scenario,
    stage: &Stage<'_>,
    driver: &Driver,
) -> anyhow::Result<Verdict> {
    let mut run = Run::start(scenario, stage, driver).await?;
    let verdict = run.play(scenario).await;
    run.close().await?;
    verdict
}

impl<'a> Run<'a> {
    async fn start(
        scenario: &Scenario,
        stage: &'a Stage<'a>,
        driver: &'a Driver,
    ) -> anyhow::Result<Self> {
        let world = if scenario.has_own_server() {
            Arc::new(World::start(stage.contract.clone()).await?)
        } else {
            Arc::clone(stage.world)
        };
        let tenant = world.tenant().await?;
        let proxy = Proxy::start(world.address()?, stage.contract.clone(), stage.planted).await?;
        proxy.record().load(&scenario.faults);
        let mut fixtures = Fixtures::default();
        fixtures.set("org", json!({"id": tenant.org_id}));
        fixtures.set("key", tenant.key.clone());
        fixtures.set("key_id", tenant.key_id.clone());
        fixtures.set("endpoint", proxy.endpoint());
        fixtures.set("capture", Map::new());
        fixtures.set("items", json!([]));
        let mut run = Self {
            stage,
            driver,
            world,
            tenant,
            proxy,
            fixtures,
            items: 0,
            clients: Vec::new(),
            opens_main: scenario.opens_main(),
        };
        run.add_items(scenario.items).await?;
        Ok(run)
    }

    async fn play(&mut self, scenario: &Scenario) -> anyhow::Result<Verdict> {
        for (number, step) in (1..).zip(&scenario.steps) {
            let what = || format!("step {number} ({})", op(step));
            match self.step(step).await.with_context(what)? {
                (Outcome::Gap(why), _) => return Ok(Verdict::Gap(format!("{}: {why}", what()))),
                (Outcome::Done, differences) if !differences.is_empty() => {
                    let mut lines = vec![what()];
                    lines.extend(differences);
                    return Ok(Verdict::Failed(lines.join("\n    ")));
                }
                (Outcome::Done, _) => {}
            }
        }
        let differences = self.attempts(&scenario.attempts).await?;
        if differences.is_empty() {
            return Ok(Verdict::Passed);
        }
        Ok(Verdict::Failed(format!("attempts\n    {}", differences.join("\n    "))))
    }

    /// Does a step; gives what was not as expected.
    async fn step(&mut self, step: &Map<String, Value>) -> anyhow::Result<(Outcome, Vec<String>)> {
        if is_own(step) {
            Ok((Outcome::Done, self.own_step(step).await?))
        } else {
            self.ask(step).await
        }
    }

    /// A step that the driver is not asked for.
    async fn own_step(&mut self, step: &Map<String, Value>) -> anyhow::Result<Vec<String>> {
        let count = || step.get("count").and_then(Value::as_u64).context("count is a number");
        match op(step) {
            "admin" => return self.admin(step).await,
            "attempts" => {
                let expected = step.get("attempts").cloned().unwrap_or_default();
                let expected: Expected = serde_json::from_value(expected)?;
                let differences = self.attempts(&expected).await?;
                self.proxy.record().forget();
                return Ok(differences);
            }
            "arrived" => {
                let method = step.get("method").and_then(Value::as_str).context("method")?;
                return Ok(self.arrived(method, usize::try_from(count()?)?).await);
            }
            "add_items" => self.add_items(usize::try_from(count()?)?).await?,
            "faults" => {
                let faults = step.get("faults").cloned().unwrap_or_default();
                let faults: BTreeMap<String, Vec<Fault>> = serde_json::from_value(faults)?;
                self.proxy.record().load(&faults);
            }
            "restart_server" => {
                self.world.restart_server().await?;
                self.proxy.lead_to(self.world.address()?);
            }
            "expire_log" => {
                self.world.expire_log().await?;
                self.proxy.lead_to(self.world.address()?);
            }
            "revoke_key" => {
                let request = json!({"api_key_id": self.tenant.key_id});
                let admin = self.world.admin()?;
                admin.must("astro.v1.AccessService/RevokeApiKey", request).await?;
            }
            "tls_server" => self.tls_server(step).await?,
            "dead_endpoint" => self.dead_endpoint().await?,
            "vanish" => self.proxy.vanish(),
            "refuse" => self.proxy.refuse().await?,
            "admit" => {
                let after = step.get("after_ms").and_then(Value::as_u64).unwrap_or_default();
                tokio::time::sleep(Duration::from_millis(after)).await;
                self.proxy.admit().await?;
            }
            other => bail!("the runner has no op {other:?}"),
        }
        Ok(Vec::new())
    }

    /// Waits until so many attempts were seen.
    async fn arrived(&self, method: &str, count: usize) -> Vec<String> {
        let record = self.proxy.record();
        let seen = || record.attempts().iter().filter(|seen| seen.method == method).count();
        let waited = tokio::time::timeout(ARRIVAL, record.changed(|| seen() >= count)).await;
        match waited {
            Ok(()) => Vec::new(),
            Err(_) => vec![format!("{method}: {} attempts came, waited for {count}", seen())],
        }
    }

    async fn admin(&mut self, step: &Map<String, Value>) -> anyhow::Result<Vec<String>> {
        let method = step.get("method").and_then(Value::as_str).context("method")?;
        let request = self.fixtures.fill(step.get("request").unwrap_or(&json!({})))?;
        let answer = match self.world.admin()?.call(method, &request).await? {
            Ok(response) => json!({"ok": {"response": response}}),
            Err(error) => json!({"error": error}),
        };
        self.judge(step.get("expect"), &answer)
    }

    async fn add_items(&mut self, count: usize) -> anyhow::Result<()> {
        if count > 0 {
            self.items += count;
            let items = self.world.stock(&self.tenant, self.items).await?;
            self.fixtures.set("items", items);
        }
        Ok(())
    }

    async fn tls_server(&mut self, step: &Map<String, Value>) -> anyhow::Result<()> {
        let is = |name: &str| step.get(name).and_then(Value::as_bool).unwrap_or_default();
        let own = Certificates::new(is("expired"))?;
        let ask = is("client_certificates");
        let endpoint = self.proxy.listen_tls(&own, ask).await?;
        let tls = json!({
            "endpoint": endpoint, "ca_pem": own.ca_pem, "other_ca_pem": own.other_ca_pem,
            "cert_pem": own.client.cert_pem, "key_pem": own.client.key_pem,
            "expired_cert_pem": own.expired_client.cert_pem,
            "expired_key_pem": own.expired_client.key_pem,
            "other_cert_pem": own.other_client.cert_pem,
            "other_key_pem": own.other_client.key_pem,
        });
        self.fixtures.set("tls", tls);
        let key = format!("{BYTE_ORDER_MARK}{}", self.tenant.key);
        let ca_pem = format!("{BYTE_ORDER_MARK}{}", own.ca_pem);
        self.fixtures.set("marked", json!({"key": key, "ca_pem": ca_pem}));
        Ok(())
    }

    /// A port that was free a moment ago.
    async fn dead_endpoint(&mut self) -> anyhow::Result<()> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        self.fixtures.set("dead", json!({"endpoint": endpoint}));
        Ok(())
    }

    /// A step that the driver does.
    async fn ask(&mut self, step: &Map<String, Value>) -> anyhow::Result<(Outcome, Vec<String>)> {
        let mut request = step.clone();
        request.remove("expect");
        let takes_client =
            ["call", "start", "list", "pages", "watch", "rounded"].contains(&op(step));
        if takes_client && !request.contains_key("client") {
            request.insert("client".to_owned(), "main".into());
        }
        if takes_client && !request.contains_key("request") {
            request.insert("request".to_owned(), json!({}));
        }
        if self.opens_main && request.get("client").is_some_and(|client| client == "main") {
            self.opens_main = false;
            let open = json!({
                "op": "open", "client": "main",
                "endpoint": self.proxy.endpoint(), "api_key": self.tenant.key,
            });
            let answer = self.send(&open).await?;
            self.note_client(open.as_object().context("it is an object")?, &answer);
            if answer.get("ok").is_none() {
                bail!("the usual client cannot be opened: {answer}");
            }
        }
        request.remove("meanwhile");
        let request = self.fixtures.fill_object(&request)?;
        let request = self.named(request);
        let driver = self.driver;
        let working = async {
            let started = Instant::now();
            let answer = driver.ask(request).await;
            (answer, started.elapsed())
        };
        let mut differences = Vec::new();
        let own = async {
            for inner in meanwhile(step)? {
                let wrong = self.own_step(&inner).await.with_context(|| op(&inner).to_owned())?;
                differences.extend(wrong.iter().map(|line| format!("{}: {line}", op(&inner))));
            }
            anyhow::Ok(())
        };
        let ((answer, took), own) = futures_util::future::join(working, own).await;
        own.context("meanwhile")?;
        let mut answer = answer?;
        self.note_client(step, &answer);
        for part in ["ok", "error"] {
            if let Some(Value::Object(part)) = answer.get_mut(part) {
                part.insert("took_ms".to_owned(), json!(took.as_millis()));
            }
        }
        if let Some(why) = answer.get("unsupported") {
            return Ok((Outcome::Gap(why.as_str().unwrap_or_default().to_owned()), Vec::new()));
        }
        differences.extend(self.judge(step.get("expect"), &answer)?);
        Ok((Outcome::Done, differences))
    }

    /// Remembers which clients are open.
    fn note_client(&mut self, step: &Map<String, Value>, answer: &Value) {
        let Some(Value::String(client)) = step.get("client") else { return };
        match op(step) {
            "open" if answer.get("ok").is_some() => self.clients.push(client.clone()),
            "close" => self.clients.retain(|open| open != client),
            _ => {}
        }
    }

    /// Sends a request that no scenario wrote.
    async fn send(&self, request: &Value) -> anyhow::Result<Value> {
        let request = request.as_object().cloned().unwrap_or_default();
        let request = self.named(request);
        self.driver.ask(request).await
    }

    /// The request with names of this scenario alone.
    fn named(&self, mut request: Map<String, Value>) -> Map<String, Value> {
        for name in NAMES {
            self.prefix(request.get_mut(name));
        }
        if let Some(Value::Array(embed)) = request.get_mut("embed") {
            embed.iter_mut().for_each(|entry| self.prefix(entry.get_mut("from")));
        }
        for value in request.values_mut() {
            long_as_text(value);
        }
        request
    }

    fn prefix(&self, name: Option<&mut Value>) {
        if let Some(Value::String(name)) = name {
            *name = format!("{}{name}", self.stage.prefix);
        }
    }

    fn judge(&mut self, expect: Option<&Value>, answer: &Value) -> anyhow::Result<Vec<String>> {
        let nothing = json!({});
        let expect = expect.unwrap_or(&nothing);
        let Some(wanted) = expect.get("error") else {
            return match answer.get("ok") {
                Some(found) => compare(expect, Some(found), &mut self.fixtures),
                None => Ok(vec![format!("expected ok, got {answer}")]),
            };
        };
        let Some(found) = answer.get("error") else {
            return Ok(vec![format!("expected the error {wanted}, got {answer}")]);
        };
        let mut wanted = wanted.clone();
        if let Value::Object(fields) = &mut wanted
            && !self.stage.error_classes
        {
            fields.remove("type");
        }
        compare(&wanted, Some(found), &mut self.fixtures)
    }

    /// Compares what the fault service saw; waits a little for what is on its way.
    async fn attempts(&mut self, expected: &Expected) -> anyhow::Result<Vec<String>> {
        let mut differences = Vec::new();
        let mut failure = None;
        let record = self.proxy.record();
        let before = self.fixtures.clone();
        let fixtures = &mut self.fixtures;
        let look = || {
            fixtures.clone_from(&before);
            match difference(expected, record, fixtures) {
                Ok(found) => differences = found,
                Err(error) => failure = Some(error),
            }
            differences.is_empty() || failure.is_some()
        };
        // What is not there after that does not come.
        let _ = tokio::time::timeout(ATTEMPTS, record.changed(look)).await;
        failure.map_or(Ok(differences), Err)
    }

    async fn close(&mut self) -> anyhow::Result<()> {
        for client in std::mem::take(&mut self.clients) {
            let close = json!({"op": "close", "client": client});
            self.send(&close).await?;
        }
        Ok(())
    }
}

fn difference(
    expected: &Expected,
    record: &crate::proxy::Record,
    fixtures: &mut Fixtures,
) -> anyhow::Result<Vec<String>> {
    let seen = record.attempts();
    let mut differences = Vec::new();
    for (method, expected) in expected {
        let found = seen.iter().filter(|attempt| attempt.method == *method);
        let found = found.map(serde_json::to_value).collect::<Result<Vec<_>, _>>()?;
        if found.len() != expected.len() {
            let (want, got) = (expected.len(), found.len());
            let shown = Value::Array(found);
            differences.push(format!("{method}: expected {want} attempts, got {got}: {shown}"));
            continue;
        }
        for (number, (expected, found)) in (1..).zip(expected.iter().zip(&found)) {
            let wrong = compare(expected, Some(found), fixtures)?;
            differences.extend(wrong.iter().map(|line| format!("{method} {number}: {line}")));
        }
    }
    Ok(differences)
}

/// Numbers that JavaScript would round are written as text.
fn long_as_text(value: &mut Value) {
    const EXACT: u64 = 1 << 53;
    match value {
        Value::Number(number) => {
            if number.as_u64().is_some_and(|number| number >= EXACT) {
                *value = Value::String(number.to_string());
            }
        }
        Value::Array(list) => list.iter_mut().for_each(long_as_text),
        Value::Object(object) => object.values_mut().for_each(long_as_text),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}
