//! Why the server cannot be reached or will not have the bot, and what to do about it: pure.

use std::error::Error;

use astro_sdk::v1::ErrorReason;
use tonic::{Code, Status};

use crate::causes;

/// How to get a key that works.
const NEW_KEY: &str = "make one with 'astro keys create --kind bot --bot BOT_ID --name NAME', and give it by \
    --api-key-file FILE or ASTRO_BOT_API_KEY";

/// Why there is no session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It may pass.
    Passing(String),
    /// It stays until a person has changed something.
    Lasting(String),
}

/// What an answer of the server means that ends the session, or comes in place of one: then
/// `greeted` says whether Hello was there in time.
pub(crate) fn of_status(status: &Status, greeted: bool) -> Refusal {
    let said = format!("{:?}: {}", status.code(), status.message());
    // The other codes are named where they mean something.
    #[allow(clippy::wildcard_enum_match_arm, reason = "gRPC's codes are not ours")]
    match status.code() {
        Code::Unauthenticated => Refusal::Lasting(format!(
            "the server does not know the bot's API key: it is mistyped, revoked, expired or of \
             another server; {NEW_KEY} ({said})"
        )),
        Code::PermissionDenied => {
            Refusal::Lasting(format!("the API key is not a bot's: {NEW_KEY} ({said})"))
        }
        // What else breaks the protocol comes later than a Hello, or is one that came late.
        _ if greeted && is_of_protocol(status) => Refusal::Lasting(format!(
            "the API key is of another bot: use the Steam account that was registered, or {NEW_KEY} \
             ({said})"
        )),
        _ => Refusal::Passing(said),
    }
}

fn is_of_protocol(status: &Status) -> bool {
    astro_sdk::Error::from(status.clone()).is(ErrorReason::BotProtocol)
}

/// What a connection that failed means. One to a server that was reached before may be mended there.
pub(crate) fn of_connection(server: &str, error: &(dyn Error + 'static), known: bool) -> Refusal {
    let said = causes::told(error);
    let remedy = if said.contains("UnknownIssuer") {
        "its certificate is of no known authority: give the authority's by --server-ca FILE"
    } else if said.contains("certificate expired") {
        "its certificate has expired: whoever runs it has to give it a new one"
    } else if said.contains("CaUsedAsEndEntity") {
        "it shows the certificate of an authority itself: it needs one that the authority signed, or a \
         self-signed one with CA:FALSE"
    } else if let Some(remedy) = of_alert(&said) {
        remedy
    } else if said.contains("NotValidForName") || said.contains("not valid for name") {
        "its certificate is for another name: use that name in --server"
    } else if said.contains("InvalidContentType") || said.contains("corrupt message") {
        "it speaks no TLS: write http:// if it is on this machine, or give the server --tls-cert and \
         --tls-key"
    } else {
        return Refusal::Passing(format!(
            "{server} cannot be reached: is it the address of astro-server, and does it run? ({said})"
        ));
    };
    let text = format!("{server}: {remedy} ({said})");
    if known { Refusal::Passing(text) } else { Refusal::Lasting(text) }
}

/// What an answer to the first call of a connection means. A server that takes no certificate of the
/// bot's may say so only then: by TLS 1.3 a client is done with the handshake before its server is.
pub(crate) fn of_opening(server: &str, status: &Status, greeted: bool) -> Refusal {
    let said = causes::told(status);
    if server.starts_with("http://") && said.contains("frame with invalid size") {
        return Refusal::Passing(format!(
            "{server} does not speak plain HTTP/2: if it was started with --tls-cert, write https:// \
             ({said})"
        ));
    }
    let ended = said.contains("connection closed") || said.contains("received fatal alert");
    if !ended || !server.starts_with("https://") {
        return of_status(status, greeted);
    }
    let remedy = of_alert(&said).unwrap_or(
        "it ended the connection at once: if it takes only bots with a certificate, give one of its \
         authority by --client-cert FILE and --client-key FILE",
    );
    Refusal::Passing(format!("{server}: {remedy} ({said})"))
}

/// What to do when the server ended the handshake for want of a certificate that it takes.
fn of_alert(said: &str) -> Option<&'static str> {
    let alert = said.split("received fatal alert: ").nth(1)?;
    if alert.starts_with("CertificateRequired") {
        return Some(
            "it takes only bots with a certificate of its authority: give one by --client-cert FILE \
             and --client-key FILE",
        );
    }
    let refused = ["UnknownCA", "BadCertificate", "UnsupportedCertificate"];
    if refused.iter().any(|alert_of| alert.starts_with(alert_of)) {
        return Some("the certificate of --client-cert is not of the authority that it trusts");
    }
    let expired = alert.starts_with("CertificateExpired");
    expired.then_some("the certificate of --client-cert has expired: give a new one")
}

/// What is wrong with a key of this form; none if the server must tell.
pub(crate) fn of_key(key: &str) -> Option<String> {
    let kind = key.strip_prefix("astro_").and_then(|rest| rest.split('_').next())?;
    match kind {
        "admin" | "client" => {
            Some(format!("the API key is of kind {kind}, not a bot's: {NEW_KEY}"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use tonic_types::{ErrorDetails, StatusExt as _};

    use super::*;

    /// The server's refusal of what the protocol does not allow, in any words.
    fn of_protocol(domain: &str) -> Status {
        let details = ErrorDetails::with_error_info("BOT_PROTOCOL", domain, []);
        Status::with_error_details(Code::InvalidArgument, "no", details)
    }

    #[test]
    fn what_only_a_person_can_change_is_told_from_what_passes() {
        for lasting in [
            Status::unauthenticated("no valid API key"),
            Status::permission_denied("the key lacks the scope bot.session"),
            of_protocol("astro.dev"),
        ] {
            let Refusal::Lasting(text) = of_status(&lasting, true) else { panic!("{lasting}") };
            assert!(text.contains("astro keys create --kind bot"), "{text}");
        }
        for passing in [
            Status::unavailable("the database is busy"),
            Status::failed_precondition("another worker holds the session"),
            Status::internal("internal error"),
            // Words decide nothing, nor do the reasons of others.
            Status::invalid_argument("session protocol: 7 is not the bot of this key"),
            of_protocol("proxy.example"),
        ] {
            assert!(matches!(of_status(&passing, true), Refusal::Passing(_)), "{passing}");
        }
    }

    #[test]
    fn a_hello_that_came_late_and_a_session_that_goes_wrong_begin_anew() {
        let ended = of_status(&of_protocol("astro.dev"), false);
        assert!(matches!(ended, Refusal::Passing(_)), "{ended:?}");
    }

    #[test]
    fn a_connection_that_ends_at_its_first_call_may_want_a_certificate_if_it_is_encrypted() {
        let ended = |why: &str| Status::from_error(why.to_owned().into());
        for (why, advised) in [
            (
                "operation was canceled: connection closed",
                "if it takes only bots with a certificate",
            ),
            ("received fatal alert: CertificateRequired", "it takes only bots with a certificate"),
            ("received fatal alert: UnknownCA", "is not of the authority"),
            ("received fatal alert: CertificateExpired", "has expired"),
        ] {
            let of = |server| of_opening(server, &ended(why), true);
            let Refusal::Passing(text) = of("https://astro.example") else { panic!("{why}") };
            assert!(text.contains(advised) && text.contains("--client-cert"), "{text}");
            let Refusal::Passing(text) = of("http://127.0.0.1:1") else { panic!("{why}") };
            assert!(!text.contains("--client-cert"), "{text}");
        }
        let sealed = of_opening("http://127.0.0.1:1", &ended("frame with invalid size"), true);
        let Refusal::Passing(text) = sealed else { panic!("{sealed:?}") };
        assert!(text.contains("write https://"), "{text}");
        let refused = of_opening("https://astro.example", &Status::unauthenticated("no"), true);
        assert!(matches!(refused, Refusal::Lasting(_)), "{refused:?}");
    }

    #[test]
    fn a_key_of_another_kind_is_told_by_its_name_and_never_repeated() {
        for key in ["astro_admin_0190b5a0_CANARY", "astro_client_0190b5a0_CANARY"] {
            let text = of_key(key).unwrap();
            assert!(text.contains("not a bot's") && !text.contains("CANARY"), "{text}");
        }
        for key in ["astro_bot_0190b5a0_CANARY", "key", "astro_", ""] {
            assert_eq!(of_key(key), None);
        }
    }
}
