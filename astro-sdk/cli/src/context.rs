//! What every command works with: the client, the organisation and the output.

use std::future::Future;
use std::io::Write;
use std::time::Duration;

use astro_sdk::{Client, Error};
use clap::Args;

use crate::cli::Globals;
use crate::failure::Failure;
use crate::output::Output;

/// How long a person waits for a server that is started anew.
const PATIENCE: Duration = Duration::from_secs(5);
/// Most entries that one page can have.
const PAGE_SIZE_MAX: usize = 500;

/// What every command works with.
pub(crate) struct Context<'a> {
    /// The connection to the server.
    pub(crate) client: Client,
    /// Organisation of `--org`; may be empty.
    pub(crate) org_id: String,
    /// Where results go.
    pub(crate) out: Output<'a>,
    has_key: bool,
}

impl<'a> Context<'a> {
    /// Reads the files that the arguments name and makes the client.
    pub(crate) fn new(
        globals: Globals,
        out: &'a mut (dyn Write + Send),
        err: &'a mut (dyn Write + Send),
    ) -> Result<Self, Failure> {
        let mut builder = Client::builder()
            .endpoint(globals.endpoint)
            .allow_insecure(globals.allow_insecure)
            .patience(PATIENCE)
            .user_agent(concat!("astro-cli/", env!("CARGO_PKG_VERSION")));
        let key = match globals.api_key_file {
            Some(file) => Some(read(&file)?.trim().to_owned()),
            None => globals.api_key.filter(|key| !key.is_empty()),
        };
        let has_key = key.is_some();
        builder = match key {
            Some(key) => builder.api_key(key),
            None => builder.anonymous(),
        };
        if let Some(file) = globals.ca_cert {
            builder = builder.ca_certificate(read(&file)?);
        }
        let client = builder.build()?;
        Ok(Self {
            client,
            org_id: globals.org,
            out: Output::new(globals.output, out, err),
            has_key,
        })
    }

    /// Fails when there is no key, before the server says so less clearly.
    pub(crate) fn require_key(&self) -> Result<(), Failure> {
        if self.has_key { Ok(()) } else { Err(Failure::NoKey) }
    }
}

fn read(file: &std::path::Path) -> Result<String, Failure> {
    std::fs::read_to_string(file)
        .map_err(|error| Failure::Usage(format!("cannot read {}: {error}", file.display())))
}

/// How much of a list to print.
#[derive(Args)]
pub(crate) struct Paging {
    /// Most entries to print.
    #[arg(long, default_value_t = 50, value_name = "N")]
    limit: usize,
    /// Print all entries.
    #[arg(long, conflicts_with = "limit")]
    all: bool,
    /// Go on where an earlier list ended.
    #[arg(long, value_name = "TOKEN", default_value = "", hide_default_value = true)]
    page_token: String,
}

impl Paging {
    /// Fetches pages until there are enough entries; answers them and the token of what comes next.
    ///
    /// `fetch` gets a page size and a page token.
    pub(crate) async fn collect<T, F, Fut>(&self, fetch: F) -> Result<(Vec<T>, String), Failure>
    where
        F: Fn(i32, String) -> Fut,
        Fut: Future<Output = Result<(Vec<T>, String), Error>>,
    {
        let limit = if self.all { usize::MAX } else { self.limit.max(1) };
        let mut entries = Vec::new();
        let mut token = self.page_token.clone();
        loop {
            let size = PAGE_SIZE_MAX.min(limit - entries.len());
            let size = i32::try_from(size).expect("at most 500, above");
            let (page, next) = fetch(size, token).await?;
            entries.extend(page);
            token = next;
            if token.is_empty() || entries.len() >= limit {
                return Ok((entries, token));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A list of 1200 numbers whose tokens are positions.
    async fn fetch(size: i32, token: String) -> Result<(Vec<usize>, String), Error> {
        let start: usize = token.parse().unwrap_or(0);
        let end = 1200.min(start + usize::try_from(size).unwrap());
        let next = if end == 1200 { String::new() } else { end.to_string() };
        Ok(((start..end).collect(), next))
    }

    async fn check(limit: usize, all: bool, token: &str, count: usize, next: &str) {
        let paging = Paging { limit, all, page_token: token.to_owned() };
        let (entries, token) = paging.collect(fetch).await.unwrap();
        assert_eq!((entries.len(), token.as_str()), (count, next));
    }

    #[tokio::test]
    async fn a_list_ends_at_its_limit_and_tells_where_to_go_on() {
        check(50, false, "", 50, "50").await;
        check(700, false, "", 700, "700").await;
        check(50, false, "1180", 20, "").await;
    }

    #[tokio::test]
    async fn all_pages_are_turned() {
        check(50, true, "", 1200, "").await;
    }
}
