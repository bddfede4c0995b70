//! What callers and bots meet while the database is busy, refuses work or is away.

use std::time::{Duration, Instant};

use astro_sdk::v1::ErrorReason;
use astro_sdk::v1::organization_service_client::OrganizationServiceClient;
use astro_sdk::v1::{ApiKeyKind, GetOrganizationRequest, Organization, UpdateOrganizationRequest};
use astro_sdk::{Client, Code, Error};
use astro_server::db::{Conn, Engine};
use astro_tests::{
    App, Backend, DEADLINE, on_each_database, on_postgres, on_sqlite, postgres, sql,
};
use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use tonic::Streaming;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

use crate::NODE;
use crate::access::revoke;
use crate::puppet::Puppet;

/// What callers are promised, and a busy machine's own share.
const PROMISED: Duration = Duration::from_secs(6);

on_each_database!(
    a_lock_that_another_program_holds_is_told_to_every_caller_in_time,
    reading_goes_on_while_nothing_can_be_written,
    a_database_that_is_away_is_told_by_health_and_to_callers_and_used_again,
    a_report_that_the_database_could_not_take_is_told_again,
    a_call_that_was_answered_too_late_is_not_carried_out,
    a_database_that_takes_no_writes_is_told_by_health_and_that_it_does_again,
);

on_sqlite!(a_disk_without_room_ends_no_server_and_stops_no_reading);

on_postgres!(
    a_report_that_breaks_a_rule_of_the_database_is_refused_and_told,
    a_database_that_is_read_only_is_read,
    a_key_is_looked_at_while_others_read_for_long,
);

/// Another program on the app's database.
struct Program(Conn);

impl Program {
    fn on(app: &App) -> Self {
        Self(sql::open(&app.database_url).unwrap())
    }

    fn run(&mut self, postgres: &str, sqlite: &str) {
        let statements = match &*self.0 {
            Engine::Postgres(_) => postgres,
            Engine::Sqlite(_) => sqlite,
        };
        sql::run(&mut self.0, statements).unwrap();
    }

    /// Takes what every write needs.
    fn hold(&mut self) {
        let postgres = "BEGIN; SELECT 1 FROM organizations FOR UPDATE;
                        LOCK TABLE api_keys, bots IN SHARE MODE";
        self.run(postgres, "BEGIN IMMEDIATE");
    }

    fn release(&mut self) {
        sql::run(&mut self.0, "ROLLBACK").unwrap();
    }

    fn count(&mut self, event_type: &str) -> String {
        let query = "SELECT count(*) || '' AS line FROM system_events WHERE event_type = ";
        sql::lines(&mut self.0, &format!("{query}'{event_type}'")).unwrap().remove(0)
    }
}

fn change(id: &str, display_name: &str) -> UpdateOrganizationRequest {
    let organization =
        Organization { id: id.into(), display_name: display_name.into(), ..Default::default() };
    UpdateOrganizationRequest {
        organization: Some(organization),
        update_mask: Some(prost_types::FieldMask { paths: vec!["display_name".to_owned()] }),
        ..Default::default()
    }
}

async fn rename(client: &Client, id: &str, display_name: &str) -> Result<(), Error> {
    let answer = client.raw().organizations().update_organization(change(id, display_name)).await;
    answer.map(drop).map_err(Error::from)
}

async fn name(client: &Client, id: &str) -> Result<String, Error> {
    let request = GetOrganizationRequest { org_id: id.into() };
    let answer = client.raw().organizations().get_organization(request).await;
    Ok(answer.map_err(Error::from)?.into_inner().organization.unwrap().display_name)
}

#[track_caller]
fn assert_away(refused: &Error, asked: Instant) {
    assert_eq!(refused.code, Code::Unavailable, "{refused}");
    assert!(refused.is(ErrorReason::DatabaseUnavailable), "{refused}");
    assert!(asked.elapsed() < PROMISED, "{refused} after {:?}", asked.elapsed());
}

/// An administrator's client that asks once: what others are told at once, the SDK asks again for.
fn impatient(app: &App) -> Client {
    let builder = Client::builder().endpoint(app.relay.endpoint()).api_key(app.admin_key());
    builder.patience(Duration::ZERO).build().unwrap()
}

async fn a_lock_that_another_program_holds_is_told_to_every_caller_in_time(backend: Backend) {
    let app = App::start(backend).await;
    let mut other = Program::on(&app);
    // The key's first use is written down by now, or will be when it is free again.
    name(&app.admin, &app.org_id).await.unwrap();
    other.hold();
    let admin = impatient(&app);
    let calls = (0..100).map(|number| {
        let (app, admin) = (&app, &admin);
        async move {
            let asked = Instant::now();
            let refused = rename(admin, &app.org_id, &format!("Name {number}")).await;
            let refused = refused.unwrap_err();
            assert_away(&refused, asked);
            refused.to_string()
        }
    });
    let told = join_all(calls).await;
    assert!(told.iter().any(|text| text.contains("lock")), "with what is wrong: {}", told[0]);
    other.release();
    rename(&app.admin, &app.org_id, "Later").await.unwrap();
    assert_eq!(name(&app.admin, &app.org_id).await.unwrap(), "Later");
    assert_eq!(other.count("org.updated"), "1", "nobody's refused change came later");
}

async fn reading_goes_on_while_nothing_can_be_written(backend: Backend) {
    let app = App::start(backend).await;
    // Nobody used it yet, so that its use would have to be written down.
    let key = app.key(ApiKeyKind::Client, &app.org_id, "").await;
    let client = app.client_with(&key);
    let mut other = Program::on(&app);
    other.hold();
    let asked = Instant::now();
    name(&client, &app.org_id).await.unwrap();
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    other.release();
}

/// Takes the app's database away, or gives it back.
pub(crate) fn set_away(app: &App, away: bool) {
    if app.database_url.starts_with("sqlite") {
        let path = app.database_url.strip_prefix("sqlite://").unwrap();
        let (here, aside) = (path.to_owned(), format!("{path}.aside"));
        let (from, to) = if away { (here, aside) } else { (aside, here) };
        std::fs::rename(from, to).unwrap();
    } else {
        postgres::set_away(&app.database_url, away).unwrap();
    }
}

async fn a_database_that_is_away_is_told_by_health_and_to_callers_and_used_again(backend: Backend) {
    let app = App::start(backend).await;
    let mut health = health_of(&app, "astro.v1.ItemService").await;
    let mut next = async || self::next(&mut health).await;
    assert_eq!(next().await, ServingStatus::Serving);
    let gone = Instant::now();
    set_away(&app, true);
    assert_eq!(next().await, ServingStatus::NotServing);
    assert!(gone.elapsed() < Duration::from_secs(4), "health told it after {:?}", gone.elapsed());
    let admin = impatient(&app);
    let calls = (0..100).map(|number| {
        let (app, admin) = (&app, &admin);
        async move {
            let asked = Instant::now();
            let refused = if number % 2 == 0 {
                rename(admin, &app.org_id, "New").await.unwrap_err()
            } else {
                name(admin, &app.org_id).await.unwrap_err()
            };
            assert_away(&refused, asked);
        }
    });
    join_all(calls).await;
    set_away(&app, false);
    assert_eq!(next().await, ServingStatus::Serving);
    assert_ne!(name(&app.admin, &app.org_id).await.unwrap(), "New");
    rename(&app.admin, &app.org_id, "Back").await.unwrap();
}

async fn a_report_that_the_database_could_not_take_is_told_again(backend: Backend) {
    // It is given up after half of that.
    let app = App::start_leasing(backend, Duration::from_secs(3)).await;
    let mut other = Program::on(&app);
    // The conditions that pass: of time, locks, order, room, memory and disk; told in German.
    let codes = ["57014", "55P03", "40001", "40P01", "53100", "53200", "58030"];
    let codes = if backend == Backend::Postgres { &codes[..] } else { &["busy"][..] };
    for code in codes {
        let mut bot = Puppet::connect(&app, true).await.unwrap();
        other.run(&trigger(code), "BEGIN IMMEDIATE");
        bot.status("rate_limited").await;
        let ended = bot.committed().await.unwrap_err();
        assert_eq!(ended.code, Code::Unavailable, "{code}: {ended}");
        other.run("DROP TRIGGER fails ON system_events; DROP FUNCTION fail", "ROLLBACK");
        let mut bot = Puppet::connect(&app, true).await.unwrap();
        for status in ["rate_limited", "online"] {
            bot.status(status).await;
            bot.committed().await.unwrap();
        }
    }
    let count = (2 * codes.len()).to_string();
    assert_eq!(other.count("bot.steam_status"), count, "each came, once");
    assert_eq!(other.count("bot.event_refused"), "0");
}

/// Makes PostgreSQL fail with this code whenever a bot's status is recorded.
fn trigger(code: &str) -> String {
    format!(
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN RAISE EXCEPTION 'Das geht gerade nicht' USING ERRCODE = '{code}'; END $$;
         CREATE TRIGGER fails BEFORE INSERT ON system_events FOR EACH ROW
         WHEN (NEW.event_type = 'bot.steam_status') EXECUTE FUNCTION fail()"
    )
}

async fn a_report_that_breaks_a_rule_of_the_database_is_refused_and_told() {
    let app = App::start(Backend::Postgres).await;
    let mut other = Program::on(&app);
    other.run(&trigger("23514"), "");
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    bot.status("rate_limited").await;
    bot.committed().await.unwrap();
    assert_eq!(other.count("bot.event_refused"), "1");
}

async fn a_call_that_was_answered_too_late_is_not_carried_out(backend: Backend) {
    let app = App::start(backend).await;
    let mut other = Program::on(&app);
    name(&app.admin, &app.org_id).await.unwrap();
    other.hold();
    let key = format!("Bearer {}", app.admin_key());
    let mut request = tonic::Request::new(change(&app.org_id, "Too late"));
    request.metadata_mut().insert("authorization", key.parse().unwrap());
    request.set_timeout(Duration::from_millis(300));
    let endpoint = tonic::transport::Endpoint::from_shared(app.relay.endpoint()).unwrap();
    let mut client = OrganizationServiceClient::new(endpoint.connect_lazy());
    let late = client.update_organization(request).await.unwrap_err();
    assert!(
        matches!(late.code(), tonic::Code::DeadlineExceeded | tonic::Code::Cancelled),
        "{late}"
    );
    other.release();
    rename(&app.admin, &app.org_id, "Later").await.unwrap();
    assert_eq!(name(&app.admin, &app.org_id).await.unwrap(), "Later");
    assert_eq!(other.count("org.updated"), "1");
}

async fn a_database_that_is_read_only_is_read() {
    let app = App::start(Backend::Postgres).await;
    postgres::alter(&app.database_url, "SET default_transaction_read_only = on").unwrap();
    name(&app.admin, &app.org_id).await.unwrap();
    let asked = Instant::now();
    let refused = rename(&impatient(&app), &app.org_id, "New").await.unwrap_err();
    assert_away(&refused, asked);
    assert!(refused.to_string().contains("read-only"), "{refused}");
    postgres::alter(&app.database_url, "SET default_transaction_read_only = off").unwrap();
    rename(&app.admin, &app.org_id, "New").await.unwrap();
}

/// Follows the health of a service.
async fn health_of(app: &App, service: &str) -> Streaming<HealthCheckResponse> {
    let channel = tonic::transport::Endpoint::from_shared(app.relay.endpoint()).unwrap();
    let mut client = HealthClient::new(channel.connect_lazy());
    let request = HealthCheckRequest { service: service.to_owned() };
    client.watch(request).await.unwrap().into_inner()
}

async fn next(health: &mut Streaming<HealthCheckResponse>) -> ServingStatus {
    let told = tokio::time::timeout(DEADLINE, health.message()).await.expect("health is told");
    told.unwrap().unwrap().status()
}

async fn a_database_that_takes_no_writes_is_told_by_health_and_that_it_does_again(
    backend: Backend,
) {
    let app = App::start(backend).await;
    let mut other = Program::on(&app);
    let mut items = health_of(&app, "astro.v1.ItemService").await;
    assert_eq!(next(&mut items).await, ServingStatus::Serving);
    let set_read_only = |other: &mut Program, on: bool| match backend {
        Backend::Sqlite => {
            other.run("", if on { "BEGIN IMMEDIATE" } else { "ROLLBACK" });
        }
        Backend::Postgres => {
            let change = format!("SET default_transaction_read_only = {on}");
            postgres::alter(&app.database_url, &change).unwrap();
        }
    };
    set_read_only(&mut other, true);
    rename(&impatient(&app), &app.org_id, "New").await.unwrap_err();
    assert_eq!(next(&mut items).await, ServingStatus::NotServing);
    for reading in ["", "astro.v1.EventService"] {
        let mut health = health_of(&app, reading).await;
        assert_eq!(next(&mut health).await, ServingStatus::Serving, "{reading:?} can be read");
    }
    name(&app.admin, &app.org_id).await.unwrap();
    set_read_only(&mut other, false);
    assert_eq!(next(&mut items).await, ServingStatus::Serving, "though nobody else wrote");
}

async fn a_key_is_looked_at_while_others_read_for_long() {
    let app = App::start(Backend::Postgres).await;
    let key = app.key(ApiKeyKind::Client, &app.org_id, "").await;
    revoke(&app, &key).await;
    let mut other = Program::on(&app);
    other.run("BEGIN; LOCK TABLE organizations IN ACCESS EXCLUSIVE MODE", "");
    let admin = impatient(&app);
    let reads = (0..20).map(|_| name(&admin, &app.org_id));
    let mut reads: FuturesUnordered<_> = reads.collect();
    let refused = app.client_with(&key);
    let checked = async {
        let waiting = "SELECT count(*) || '' AS line FROM pg_locks WHERE NOT granted";
        let mut look = tokio::time::interval(Duration::from_millis(5));
        while sql::lines(&mut other.0, waiting).unwrap()[0].parse::<u32>().unwrap() < 6 {
            look.tick().await;
        }
        name(&refused, &app.org_id).await.unwrap_err()
    };
    let refused = tokio::select! {
        biased;
        _ = reads.next() => panic!("the key was looked at after another's read"),
        refused = checked => refused,
    };
    assert!(refused.is(ErrorReason::KeyInvalid), "{refused}");
    other.release();
    assert!(reads.next().await.unwrap().is_ok(), "one that waited");
}

async fn a_disk_without_room_ends_no_server_and_stops_no_reading() {
    let mut app = App::start_process(Backend::Sqlite, NODE, &[]).await;
    app.node().limit_files(Some(4096)).await.unwrap();
    let asked = Instant::now();
    let refused = rename(&impatient(&app), &app.org_id, "New").await.unwrap_err();
    assert_away(&refused, asked);
    name(&app.admin, &app.org_id).await.unwrap();
    app.node().limit_files(None).await.unwrap();
    rename(&app.admin, &app.org_id, "New").await.unwrap();
    assert_eq!(name(&app.admin, &app.org_id).await.unwrap(), "New");
}
