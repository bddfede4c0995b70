//! The server's connections to PostgreSQL: how many, through which pooler, to which database.

use astro_sdk::v1::{CreateOrganizationRequest, GetOrganizationRequest};
use astro_sdk::{Client, Error};
use astro_server::Server;
use astro_server::config::Config;
use astro_server::db::Options;
use astro_tests::{DEADLINE, PgBouncer, on_postgres, postgres, sql};
use futures_util::future::join_all;
use tempfile::TempDir;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

on_postgres!(
    two_servers_start_and_work_through_a_pooler_in_transaction_mode,
    a_server_opens_no_more_connections_than_its_settings_say,
    a_server_makes_do_with_the_connections_that_postgresql_has_left,
    a_database_that_takes_no_connection_is_told_by_health_though_the_probe_has_one,
    a_database_that_is_not_utf_8_is_refused_with_what_to_do,
);

/// Connections of a server beside its readers and writers, at most.
const FURTHER: usize = 4;

/// A server on this database, which no App has.
struct Lone {
    server: Server,
    folder: TempDir,
}

async fn start(database_url: &str, options: Options) -> anyhow::Result<Lone> {
    let folder = tempfile::tempdir()?;
    let mut config = Config::new(database_url, &folder.path().join("admin.key"));
    config.database = options;
    Ok(Lone { server: Server::start(config).await?, folder })
}

impl Lone {
    fn client(&self) -> Client {
        let key = std::fs::read_to_string(self.folder.path().join("admin.key")).unwrap();
        self.client_with(key.trim())
    }

    fn client_with(&self, key: &str) -> Client {
        Client::builder().endpoint(self.server.endpoint()).api_key(key).build().unwrap()
    }
}

async fn create(client: &Client, slug: String) -> Result<String, Error> {
    let request = CreateOrganizationRequest { slug, ..Default::default() };
    let answer = client.raw().organizations().create_organization(request).await;
    let org = answer.map_err(Error::from)?.into_inner().organization.unwrap();
    let request = GetOrganizationRequest { org_id: org.id.clone() };
    let read = client.raw().organizations().get_organization(request).await;
    assert_eq!(read.map_err(Error::from)?.into_inner().organization.unwrap().slug, org.slug);
    Ok(org.id)
}

/// So many calls at once, each of which writes and then reads.
async fn storm(client: &Client, name: &str, calls: usize) {
    let created = (0..calls).map(|number| create(client, format!("{name}-{number}")));
    for created in join_all(created).await {
        created.unwrap();
    }
}

async fn two_servers_start_and_work_through_a_pooler_in_transaction_mode() {
    if !PgBouncer::is_available(module_path!()) {
        return;
    }
    // Fewer connections than transactions, so that each changes its session all the time.
    let bouncer = PgBouncer::start(5).await.unwrap();
    let url = bouncer.url(&postgres::new_database().unwrap()).unwrap();
    let options = Options { prepare: false, ..Options::default() };
    // Both run the migrations, or wait for the other's.
    let (one, two) = tokio::join!(start(&url, options), start(&url, options));
    let (one, two) = (one.unwrap(), two.unwrap());
    let key = [&one, &two].map(|it| std::fs::read_to_string(it.folder.path().join("admin.key")));
    let key = key.into_iter().find_map(Result::ok).unwrap();
    let (first, second) = (one.client_with(key.trim()), two.client_with(key.trim()));
    tokio::join!(storm(&first, "one", 60), storm(&second, "two", 60));
}

async fn a_server_opens_no_more_connections_than_its_settings_say() {
    let url = postgres::new_database().unwrap();
    let options = Options { readers: 2, writers: 3, prepare: true };
    let lone = start(&url, options).await.unwrap();
    storm(&lone.client(), "many", 100).await;
    let mut conn = sql::open(&url).unwrap();
    let query = "SELECT count(*) || '' AS line FROM pg_stat_activity
                 WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let open: usize = sql::lines(&mut conn, query).unwrap().remove(0).parse().unwrap();
    assert!(open <= options.readers + options.writers + FURTHER, "{open}");
}

async fn a_server_makes_do_with_the_connections_that_postgresql_has_left() {
    let url = postgres::new_database().unwrap();
    let name = postgres::name_of(&url).unwrap();
    let mut conn = sql::open(&url).unwrap();
    let role = format!("CREATE ROLE {name} LOGIN CONNECTION LIMIT 8");
    sql::run(&mut conn, &format!("{role}; ALTER DATABASE {name} OWNER TO {name}")).unwrap();
    sql::run(&mut conn, &format!("GRANT ALL ON SCHEMA public TO {name}")).unwrap();
    let own = url.replace("user=postgres", &format!("user={name}"));
    let lone = start(&own, Options::default()).await.unwrap();
    storm(&lone.client(), "few", 100).await;
    sql::run(&mut conn, &format!("ALTER ROLE {name} CONNECTION LIMIT 0")).unwrap();
    let refused = start(&own, Options::default()).await.err().unwrap();
    let text = format!("{refused:#}");
    assert!(text.contains("max_connections") && text.contains("--database-writers"), "{text}");
}

async fn a_database_that_takes_no_connection_is_told_by_health_though_the_probe_has_one() {
    let url = postgres::new_database().unwrap();
    let name = postgres::name_of(&url).unwrap();
    let mut conn = sql::open(&url).unwrap();
    let role = format!("CREATE ROLE {name} LOGIN; ALTER DATABASE {name} OWNER TO {name}");
    sql::run(&mut conn, &format!("{role}; GRANT ALL ON SCHEMA public TO {name}")).unwrap();
    let own = url.replace("user=postgres", &format!("user={name}"));
    let lone = start(&own, Options::default()).await.unwrap();
    let channel = tonic::transport::Endpoint::from_shared(lone.server.endpoint()).unwrap();
    let mut health = HealthClient::new(channel.connect_lazy());
    let mut health = health.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    let mut next = async || {
        let told = tokio::time::timeout(DEADLINE, health.message()).await.expect("it is told");
        told.unwrap().unwrap().status()
    };
    assert_eq!(next().await, ServingStatus::Serving);
    sql::run(&mut conn, &format!("ALTER ROLE {name} CONNECTION LIMIT 0")).unwrap();
    // All but the probe, which has the connection that the server began with.
    let end = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{name}' AND pid <>
           (SELECT pid FROM pg_stat_activity WHERE usename = '{name}' ORDER BY backend_start LIMIT 1)"
    );
    sql::run(&mut conn, &end).unwrap();
    let client = lone.client();
    let calls = async {
        loop {
            let request = CreateOrganizationRequest::default();
            let _ = client.raw().organizations().create_organization(request).await;
        }
    };
    // It may be told anew that it serves, as at its start.
    tokio::select! {
        () = async { while next().await == ServingStatus::Serving {} } => {}
        () = calls => {}
    }
    let left =
        format!("SELECT count(*) || '' AS line FROM pg_stat_activity WHERE usename = '{name}'");
    assert_eq!(sql::lines(&mut conn, &left).unwrap(), ["1"], "the probe is connected");
    sql::run(&mut conn, &format!("ALTER ROLE {name} CONNECTION LIMIT -1")).unwrap();
    assert_eq!(next().await, ServingStatus::Serving);
}

async fn a_database_that_is_not_utf_8_is_refused_with_what_to_do() {
    for encoding in ["LATIN1", "SQL_ASCII"] {
        let url = postgres::new_database_with(&format!("ENCODING '{encoding}'")).unwrap();
        let refused = start(&url, Options::default()).await.err().unwrap();
        let text = format!("{refused:#}");
        assert!(text.contains(encoding) && text.contains("CREATE DATABASE"), "{text}");
    }
}
