//! What every command works with: the client, the organisation and the output.

use std::io::Write;
use std::time::Duration;

use astro_sdk::v1::{ErrorReason, ListOrganizationsRequest};
use astro_sdk::{Client, Error};

use crate::cli::Globals;
use crate::failure::Failure;
use crate::output::Output;

/// How long a person waits for a server that is started anew.
const PATIENCE: Duration = Duration::from_secs(5);

/// What every command works with.
pub(crate) struct Context<'a> {
    /// The connection to the server.
    pub(crate) client: Client,
    /// Where the server is.
    pub(crate) endpoint: String,
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
            .endpoint(&globals.endpoint)
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
        if let Some(file) = globals.client_cert {
            builder = builder.client_certificate(read(&file)?);
        }
        if let Some(file) = globals.client_key {
            builder = builder.client_key(read(&file)?);
        }
        let client = builder.build()?;
        let out = Output::new(globals.output, globals.field, out, err);
        Ok(Self { client, endpoint: globals.endpoint, out, org: globals.org })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_told_from_a_short_name() {
        assert!(is_uuid("0197b3a0-0000-7000-8000-00000000000A"));
        for name in ["my-community", "0197b3a0", "0197b3a0-0000-7000-8000-00000000000g", "----", ""]
        {
            assert!(!is_uuid(name), "{name}");
        }
    }
}
