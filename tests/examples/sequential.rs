//! Prints how many calls one client makes a second if each waits for the one before: what every user
//! of an SDK feels. `cargo run --release -p astro-tests --example sequential`

#![allow(clippy::print_stdout, reason = "it is a command")]

use std::time::Instant;

use astro_sdk::Client;
use astro_sdk::v1::{CreateOrganizationRequest, GetCallerRequest};
use astro_server::{Config, Server};
use tempfile::TempDir;

/// Calls of each kind.
const CALLS: u32 = 1000;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let database = format!("sqlite://{}", folder.path().join("astro.db").display());
    let server = Server::start(Config::new(&database, &folder.path().join("admin.key"))).await?;
    let key = server.admin_key().unwrap_or_default();
    let client = Client::builder().endpoint(server.endpoint()).api_key(key).build()?;

    let access = client.raw().access();
    access.clone().get_caller(GetCallerRequest {}).await?;
    let began = Instant::now();
    for _ in 0..CALLS {
        access.clone().get_caller(GetCallerRequest {}).await?;
    }
    tell("reading calls (GetCaller)", began);

    let began = Instant::now();
    for n in 0..CALLS {
        let request = CreateOrganizationRequest { slug: format!("org-{n}"), ..Default::default() };
        client.raw().organizations().create_organization(request).await?;
    }
    tell("writing calls (CreateOrganization, SQLite)", began);
    server.stop().await
}

fn tell(what: &str, began: Instant) {
    let each = began.elapsed() / CALLS;
    let rate = 1.0 / each.as_secs_f64();
    println!("{what}: {rate:.0} a second, {:.2} ms each", each.as_secs_f64() * 1e3);
}
