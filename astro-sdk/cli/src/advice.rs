//! What to do about a refusal, for a person at a shell. Each piece of advice leads on: the commands
//! that it names exist, and work where it is given.

use astro_sdk::v1::ErrorReason;
use astro_sdk::{Code, ConfigError, Error};

use crate::key::{Form, Kind};

/// Without a key.
pub(crate) const NO_KEY: &str = "no API key: set ASTRO_API_KEY, or pass --api-key-file FILE; the \
     server's first start wrote one to its admin.key";

/// With a key that does nothing here.
pub(crate) const KEY_OF_BOT: &str = "this is a bot's key, which signs in astro-bot and nothing else: \
     set ASTRO_API_KEY to a client's key (astro_client_…) or an admin's (astro_admin_…)";

/// Where a server listens unless it is told otherwise.
const USUAL_PORT: u16 = 50051;

/// Connection settings that are wrong, by the arguments that set them.
pub(crate) fn config(error: &ConfigError) -> String {
    #[allow(clippy::wildcard_enum_match_arm)] // what no argument sets speaks for itself
    match error {
        ConfigError::KeyMissing => NO_KEY.to_owned(),
        ConfigError::KeyInvalid => "the API key has characters that no key has: copy it whole and \
             without spaces into ASTRO_API_KEY or the file of --api-key-file"
            .to_owned(),
        ConfigError::EndpointInvalid(endpoint) => format!(
            "{endpoint:?} is no address of a server: write {} (--endpoint or ASTRO_ENDPOINT)",
            suggestion(endpoint)
        ),
        ConfigError::EndpointInsecure(endpoint) => format!(
            "{endpoint} would send the API key unencrypted to another machine: write https://…, or \
             add --allow-insecure if nobody else is on the way"
        ),
        ConfigError::CertificateInvalid(problem) => {
            format!(
                "the file of --ca-cert, --client-cert or --client-key cannot be used: {problem}"
            )
        }
        other => other.to_string(),
    }
}

/// What was meant by an endpoint that is none.
fn suggestion(endpoint: &str) -> String {
    let general = || format!("https://HOST:PORT, or http://127.0.0.1:{USUAL_PORT} on this machine");
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
    if endpoint.is_empty() || !endpoint.chars().all(plain) {
        return general();
    }
    let port =
        endpoint.rsplit_once(':').map(|(_, port)| port.parse::<u16>().is_ok_and(|it| it > 0));
    let address = match port {
        None => format!("{endpoint}:{USUAL_PORT}"),
        Some(true) => endpoint.to_owned(),
        Some(false) => return general(),
    };
    let here = ["127.", "localhost", "[::1]"].iter().any(|begin| address.starts_with(begin));
    format!("{}://{address}", if here { "http" } else { "https" })
}

/// No answer came from the endpoint.
pub(crate) fn unreachable(endpoint: &str, problem: &str) -> String {
    let host = endpoint.strip_prefix("http://").map(|host| host.trim_end_matches('/'));
    let no_port = host.is_some_and(|host| host.ends_with(']') || !host.contains(':'));
    let remedy = if problem.contains("received fatal alert")
        && problem.contains("CertificateRequired")
    {
        "it takes only clients with a certificate of its authority: name one with --client-cert \
         FILE and --client-key FILE"
            .to_owned()
    } else if endpoint.starts_with("https://") && problem.contains("connection closed") {
        // What the server said is lost when it comes after the client's last word of the handshake.
        "the server ended it at once: if it takes only clients with a certificate of its authority, \
         name one with --client-cert FILE and --client-key FILE"
            .to_owned()
    } else if problem.contains("CaUsedAsEndEntity") {
        "the server shows the certificate of an authority itself: it needs one that the authority \
         signed, or a self-signed one with CA:FALSE"
            .to_owned()
    } else if endpoint.starts_with("http://") && problem.contains("frame with invalid size") {
        "it does not speak plain HTTP/2 there: if it was started with --tls-cert, write https://"
            .to_owned()
    } else if problem.contains("expired") {
        "whoever runs the server has to give it a new certificate".to_owned()
    } else if problem.contains("not valid for name") {
        "write a name that the certificate is for into --endpoint or ASTRO_ENDPOINT".to_owned()
    } else if problem.contains("certificate") {
        "name the authority that signed the server's certificate with --ca-cert FILE".to_owned()
    } else if problem.contains("InvalidContentType") {
        "the server speaks no TLS there: write http:// on this machine, or give it --tls-cert and \
         --tls-key"
            .to_owned()
    } else if no_port {
        format!(
            "it names no port, so 80 was tried: a server listens on {USUAL_PORT} unless it was told \
             otherwise"
        )
    } else {
        "is the server running there? Another one is set with --endpoint or ASTRO_ENDPOINT"
            .to_owned()
    };
    format!("no connection to {endpoint}: {problem}; {remedy}")
}

/// The server does not take the key.
pub(crate) fn key_refused(key: Option<&Form>, endpoint: &str) -> String {
    let lost = "; if no admin key is left, run `astro-server keys recover` beside the database";
    match key {
        None => NO_KEY.to_owned(),
        Some(Form { id: None, .. }) => "the API key is damaged (KEY_INVALID): copy it whole into \
             ASTRO_API_KEY or the file of --api-key-file; one looks like astro_client_…, with 12 \
             and 40 further characters"
            .to_owned(),
        Some(Form { kind, id: Some(id) }) => format!(
            "the server at {endpoint} does not take the key {id}: it was revoked, has expired, or \
             is of another server (KEY_INVALID); whoever has an admin key makes another with \
             `astro keys create --org ORG --name NAME`{}",
            if *kind == Some(Kind::Admin) { lost } else { "" }
        ),
    }
}

/// What to do about it, where the server's message alone does not say so to a person at a shell.
pub(crate) fn hint(error: &Error) -> Option<String> {
    let reason = error.known_reason().unwrap_or(ErrorReason::Unspecified);
    let fact = |name: &str| error.metadata.get(name).map_or("", String::as_str);
    by_reason(reason, fact).or_else(|| by_code(error))
}

/// Every reason of the contract is here: who adds one decides what a person does about it.
fn by_reason<'a>(reason: ErrorReason, fact: impl Fn(&str) -> &'a str) -> Option<String> {
    let advice = match reason {
        ErrorReason::ScopeMissing => return Some(scope(fact("scope"))),
        ErrorReason::FieldInvalid => return field(fact("field")).map(str::to_owned),
        ErrorReason::ExternalIdExists => {
            return Some(format!("see `astro assignments get {}`", fact("assignment_id")));
        }
        ErrorReason::AssignmentState => {
            return Some(format!("see `astro assignments get {}`", fact("assignment_id")));
        }
        ErrorReason::PageTokenInvalid => {
            "repeat the list without --page-token: a token goes on with the same list only"
        }
        ErrorReason::ResumeTokenInvalid => "tail without --after",
        ErrorReason::ResumeTokenExpired => {
            "look at the items and assignments as they are, then tail without --after"
        }
        ErrorReason::EtagMismatch => "look at it again, then repeat",
        ErrorReason::MethodUnknown => "is the server older than this program?",
        ErrorReason::ItemNotFound => "see `astro items list`",
        ErrorReason::ItemNotAvailable | ErrorReason::NotEnoughItems => {
            "see `astro items list --state available --tradable`"
        }
        ErrorReason::ReservationEnded => "reserve anew",
        ErrorReason::AssignmentNotFound => "see `astro assignments list`",
        ErrorReason::BotNotFound | ErrorReason::BotExists => "see `astro bots list`",
        ErrorReason::BotInUse => {
            return Some(format!("pause it with `astro bots pause {}`", fact("bot_id")));
        }
        ErrorReason::SyncNotFound => "see `astro syncs list`",
        ErrorReason::DiscrepancyNotFound | ErrorReason::DiscrepancyState => {
            "see `astro discrepancies list --open`"
        }
        ErrorReason::DonationNotFound => "see `astro donations list`",
        ErrorReason::UserNotFound => {
            "people are known once they gave or were given something, or stored a trade URL"
        }
        ErrorReason::OrganizationNotFound | ErrorReason::OrganizationExists => {
            "see `astro orgs list`"
        }
        ErrorReason::ApiKeyNotFound => "see `astro keys list`",
        ErrorReason::SessionNotFound => "see `astro sessions list`",
        // Told in words of its own.
        ErrorReason::KeyInvalid
        // To be repeated, with the pause that the server names.
        | ErrorReason::LimitExceeded
        | ErrorReason::DatabaseUnavailable
        | ErrorReason::ServerStopping
        // The message says it all.
        | ErrorReason::RequestIdReused
        | ErrorReason::Internal
        | ErrorReason::ReservationNotFound
        // Told to workers.
        | ErrorReason::BotLeaseHeld
        | ErrorReason::BotLeaseLost
        | ErrorReason::BotProtocol
        | ErrorReason::Unspecified => return None,
    };
    Some(advice.to_owned())
}

/// Who may hand it out is told too: the key in hand cannot give itself more.
fn scope(scope: &str) -> String {
    // An organisation's key with orgs.write could still not make another organisation.
    if matches!(scope, "*" | "orgs.write") {
        return "sign in with an admin key: the server's first start wrote one to its admin.key"
            .to_owned();
    }
    format!(
        "whoever has an admin key makes a key that may with \
         `astro keys create --org ORG --name NAME --scope {scope}`"
    )
}

fn field(field: &str) -> Option<&'static str> {
    match field {
        "org_id" | "organization.id" => Some("see `astro orgs list`"),
        "scopes" => Some("see `astro keys scopes`"),
        _ => None,
    }
}

fn by_code(error: &Error) -> Option<String> {
    if let Some(delay) = error.retry_delay {
        return Some(format!("try again in {:.1} s", delay.as_secs_f32()));
    }
    match error.code {
        Code::DeadlineExceeded => {
            Some("it may have been done all the same: look before you repeat".to_owned())
        }
        Code::Unimplemented => Some("is the server older than this program?".to_owned()),
        Code::Ok
        | Code::Cancelled
        | Code::Unknown
        | Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::ResourceExhausted
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::OutOfRange
        | Code::Internal
        | Code::Unavailable
        | Code::DataLoss
        | Code::Unauthenticated => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Tree;
    use crate::contract::POOL;

    /// Fails unless the command exists and has the options that the advice names.
    #[track_caller]
    fn check(advice: &str) {
        let mut cli = Tree::of(&POOL).command;
        cli.build();
        for words in advice.split('`').skip(1).step_by(2) {
            let mut words = words.split(' ').peekable();
            let program = words.next();
            if program == Some("astro-server") {
                continue;
            }
            assert_eq!(program, Some("astro"), "{advice}");
            let mut command = &cli;
            while let Some(below) = words.peek().and_then(|word| command.find_subcommand(word)) {
                command = below;
                words.next();
            }
            assert!(!command.has_subcommands(), "{advice}: no such command");
            for option in words.filter_map(|word| word.strip_prefix("--")) {
                let known = command.get_arguments().any(|it| it.get_long() == Some(option));
                assert!(known, "{advice}: no option --{option}");
            }
        }
    }

    #[test]
    fn every_advice_names_commands_that_exist() {
        for number in 0..1000 {
            let Ok(reason) = ErrorReason::try_from(number) else { continue };
            for fact in ["orgs.write", "*", "scopes", "org_id", ""] {
                check(&by_reason(reason, |_| fact).unwrap_or_default());
            }
        }
        for kind in [Kind::Admin, Kind::Client] {
            let form = Form { kind: Some(kind), id: Some("abcdefghijkm".to_owned()) };
            check(&key_refused(Some(&form), "http://127.0.0.1:50051"));
        }
    }

    #[test]
    fn a_missing_scope_is_not_sought_with_the_key_that_lacks_it() {
        assert!(scope("items.write").starts_with("whoever has an admin key makes"));
        assert!(scope("items.write").contains("--scope items.write"));
        assert!(
            !scope("*").contains("keys create") && !scope("orgs.write").contains("keys create")
        );
    }

    #[test]
    fn an_endpoint_that_is_none_is_answered_with_one_that_is() {
        for (typed, meant) in [
            ("127.0.0.1:6000", "http://127.0.0.1:6000"),
            ("localhost", "http://localhost:50051"),
            ("[::1]:7000", "http://[::1]:7000"),
            ("astro.example.org", "https://astro.example.org:50051"),
            ("astro.example.org:443", "https://astro.example.org:443"),
        ] {
            assert_eq!(suggestion(typed), meant);
        }
        for typed in ["", "ftp://astro", "http://127.0.0.1:", "127.0.0.1:fifty", "a b"] {
            assert!(suggestion(typed).starts_with("https://HOST:PORT"), "{typed}");
        }
    }

    #[test]
    fn a_connection_that_fails_names_the_likely_reason() {
        let told = |endpoint, problem| unreachable(endpoint, problem);
        let refused = "tcp connect error";
        assert!(told("http://127.0.0.1", refused).contains("it names no port"));
        assert!(told("http://localhost/", refused).contains("it names no port"));
        assert!(told("http://[::1]:6000", refused).contains("is the server running there?"));
        assert!(told("http://127.0.0.1:6000", refused).contains("is the server running there?"));
        for (problem, advised) in [
            ("invalid peer certificate: UnknownIssuer", "--ca-cert FILE"),
            ("invalid peer certificate: certificate expired: …", "a new certificate"),
            ("invalid peer certificate: certificate not valid for name \"b\"", "--endpoint"),
            ("invalid peer certificate: Other(OtherError(CaUsedAsEndEntity))", "CA:FALSE"),
            ("received fatal alert: CertificateRequired", "--client-cert FILE"),
            ("operation was canceled: connection closed", "--client-cert FILE"),
        ] {
            let text = told("https://a.example", problem);
            assert!(text.contains(advised), "{text}");
        }
        let sealed = told("http://127.0.0.1:1", "http2 error: frame with invalid size");
        assert!(sealed.contains("write https://"), "{sealed}");
    }
}
