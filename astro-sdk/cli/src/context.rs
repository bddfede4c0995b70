//! What every command works with: the client, the organisation and the output.

use std::future::Future;
use std::io::Write;
use std::time::Duration;

use astro_sdk::v1::{ErrorReason, ListOrganizationsRequest};
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
    /// Where results go.
    pub(crate) out: Output<'a>,
    /// What `--org` says; may be empty.
    org: String,
}

impl<'a> Context<'a> {
    /// Reads the files that the arguments name and makes the client.
    pub(crate) fn new(
        globals: Globals,
        key: Option<String>,
        out: &'a mut (dyn Write + Send),
        err: &'a mut (dyn Write + Send),
    ) -> Result<Self, Failure> {
        let mut builder = Client::builder()
            .endpoint(globals.endpoint)
            .allow_insecure(globals.allow_insecure)
            .patience(PATIENCE)
            .user_agent(concat!("astro-cli/", env!("CARGO_PKG_VERSION")));
        builder = match key {
            Some(key) => builder.api_key(key),
            None => builder.anonymous(),
        };
        if let Some(file) = globals.ca_cert {
            builder = builder.ca_certificate(read(&file)?);
        }
        let client = builder.build()?;
        let out = Output::new(globals.output, globals.field, out, err);
        Ok(Self { client, out, org: globals.org })
    }

    /// Id of the organisation of `--org`; empty when it names none.
    pub(crate) async fn org(&self) -> Result<String, Failure> {
        self.org_named(None).await
    }

    /// Id of the organisation that `given` names by id or short name, else `--org`; empty when
    /// neither does.
    pub(crate) async fn org_named(&self, given: Option<&str>) -> Result<String, Failure> {
        let name = given.unwrap_or(&self.org);
        if name.is_empty() || is_uuid(name) {
            return Ok(name.to_owned());
        }
        let request = ListOrganizationsRequest::default();
        let mut organizations = self.client.organizations().list(request);
        while let Some(found) =
            organizations.try_next().await.map_err(|error| unnamed(error, name))?
        {
            if found.slug == name {
                return Ok(found.id);
            }
        }
        Err(Failure::OrgUnknown(name.to_owned()))
    }
}

/// A key that may do what was asked may still not look up names.
fn unnamed(error: Error, name: &str) -> Failure {
    if !error.is(ErrorReason::ScopeMissing) {
        return error.into();
    }
    Failure::Usage(format!(
        "the key lacks the scope orgs.read, so it cannot look up {name:?}: name the organisation by \
         its id; a client's key needs no --org"
    ))
}

/// Whether the text has the form of an id: 8-4-4-4-12 hexadecimal digits.
fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let digits = groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()));
    digits && groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
}

/// The text of a file that an argument names.
pub(crate) fn read(file: &std::path::Path) -> Result<String, Failure> {
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

    #[test]
    fn an_id_is_told_from_a_short_name() {
        assert!(is_uuid("0197b3a0-0000-7000-8000-00000000000A"));
        for name in ["my-community", "0197b3a0", "0197b3a0-0000-7000-8000-00000000000g", "----", ""]
        {
            assert!(!is_uuid(name), "{name}");
        }
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
