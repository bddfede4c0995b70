//! What only a person can change: one sentence with the remedy, and the end of the bot.

use std::{os::unix::fs::PermissionsExt as _, path::Path, process::Output};

use rcgen::{CertificateParams, KeyPair};
use tokio::{io::AsyncWriteExt as _, net::TcpListener, process::Command, time::timeout};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::{
    server::{PATIENCE, Server},
    stage::{Stage, start},
};

/// Runs the program with these flags, without any variable of its own, until it ends.
async fn astro_bot(folder: &Path, flags: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_astro-bot"));
    command.current_dir(folder).env_clear().env("RUST_LOG", "off").args(flags).kill_on_drop(true);
    timeout(PATIENCE, command.output()).await.expect("it does not end").unwrap()
}

#[track_caller]
fn says(output: &Output, parts: &[&str]) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{said}");
    assert!(said.starts_with("error: ") && said.trim_end().lines().count() == 1, "{said}");
    for part in parts {
        assert!(said.contains(part), "{part:?} is not in {said}");
    }
}

fn put(folder: &Path, name: &str, text: &str, mode: u32) {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[tokio::test]
async fn a_start_that_cannot_work_ends_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "key", "astro_bot_0190b5a0_CANARY\n", 0o600);
    put(folder, "admin", "astro_admin_0190b5a0_CANARY\n", 0o600);
    put(folder, "open", "astro_bot_0190b5a0_CANARY\n", 0o644);
    put(folder, "no.pem", "nothing", 0o644);
    let usual = ["--refresh-token-file", "token", "--steam-id", "76561197961265729"];
    let cases: [(&[&str], &[&str]); 10] = [
        (&[], &["no API key", "astro keys create --kind bot", "--api-key-file FILE"]),
        (&["--api-key-file", "gone"], &["cannot read gone", "No such file"]),
        (&["--api-key-file", "open"], &["run chmod 600 open"]),
        (&["--api-key-file", "admin"], &["of kind admin, not a bot's", "--kind bot"]),
        (&["--server", "astro.example:50051"], &["write https://HOST:PORT"]),
        (&["--server", "http://192.0.2.1:50051"], &["unencrypted", "--allow-insecure"]),
        (&["--server", "https://[::1]:1", "--server-ca", "gone.pem"], &["--server-ca gone.pem"]),
        (&["--server", "https://[::1]:1", "--server-ca", "no.pem"], &["no certificate (PEM)"]),
        (&["--ca-file", "no.pem"], &["--ca-file no.pem: it has no certificate"]),
        (&["--proxy", "http://user:CANARY@:x"], &["--proxy is no address of a proxy"]),
    ];
    for (flags, parts) in cases {
        let key = ["--api-key-file", "key"];
        let key: &[&str] =
            if flags.is_empty() || flags[0] == "--api-key-file" { &[] } else { &key };
        let output = astro_bot(folder, &[&usual, key, flags].concat()).await;
        says(&output, parts);
        assert!(!String::from_utf8_lossy(&output.stderr).contains("CANARY"), "{flags:?}");
    }
}

#[tokio::test]
async fn each_of_the_secrets_must_be_private() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let flags = ["api-key", "password", "shared-secret", "identity-secret"];
    for open in flags {
        let mut given = vec!["--account-name".to_owned(), "bot".to_owned()];
        for flag in flags {
            put(folder, flag, "YWJj\n", if flag == open { 0o640 } else { 0o600 });
            given.extend([format!("--{flag}-file"), flag.to_owned()]);
        }
        let given: Vec<&str> = given.iter().map(String::as_str).collect();
        says(&astro_bot(folder, &given).await, &[&format!("run chmod 600 {open}")]);
    }
}

#[tokio::test]
async fn a_bot_that_the_server_will_not_have_ends() {
    for (refusal, part) in [
        (Status::unauthenticated("no valid API key"), "mistyped, revoked, expired"),
        (Status::permission_denied("the key lacks the scope bot.session"), "not a bot's"),
        (
            Status::with_error_details(
                Code::InvalidArgument,
                "session protocol: this account is another's",
                ErrorDetails::with_error_info("BOT_PROTOCOL", "astro.dev", []),
            ),
            "of another bot",
        ),
    ] {
        let mut stage = Stage::new().await;
        let bot = stage.start();
        let mut session = stage.server.stream().await;
        session.hello().await;
        session.refuse(refusal).await;
        let error = bot.ended().await.unwrap().unwrap_err().to_string();
        assert!(error.contains(part) && error.contains("astro keys create"), "{error}");
    }
}

#[tokio::test]
async fn a_bot_whose_key_is_revoked_in_a_session_ends_in_order() {
    let mut stage = Stage::new().await;
    let (bot, session) = stage.begin().await;
    session.refuse(Status::unauthenticated("no valid API key")).await;
    let error = bot.ended().await.unwrap().unwrap_err().to_string();
    assert!(error.contains("revoked"), "{error}");
}

/// A server with a certificate of its own, which is returned as PEM.
async fn server_of_ones_own() -> (Server, String) {
    let key = KeyPair::generate().unwrap();
    let names = vec!["localhost".to_owned()];
    let certificate = CertificateParams::new(names).unwrap().self_signed(&key).unwrap().pem();
    (Server::start_tls(&certificate, &key.serialize_pem()).await, certificate)
}

#[tokio::test]
async fn a_file_of_certificates_may_begin_with_a_byte_order_mark() {
    let (mut server, certificate) = server_of_ones_own().await;
    let stage = Stage::new().await;
    let mut config = stage.config();
    config.server = server.address.clone();
    let steam = std::fs::read_to_string(config.ca_file.unwrap()).unwrap();
    let marked = |name: &str, pem: &str| {
        put(stage.folder.path(), name, &format!("\u{feff}{pem}"), 0o644);
        Some(stage.folder.path().join(name))
    };
    config.ca_file = marked("steam.pem", &steam);
    config.server_ca = marked("server.pem", &certificate);
    let _bot = start(config);
    let (_, mut session) = server.session(1, 0).await;
    session.standing_of("online").await;
}

#[tokio::test]
async fn a_server_with_a_certificate_of_ones_own_is_trusted_by_its_authority_only() {
    let (mut server, certificate) = server_of_ones_own().await;
    let stage = Stage::new().await;
    let mut config = stage.config();
    config.server = server.address.clone();
    let error = start(config.clone()).ended().await.unwrap().unwrap_err().to_string();
    assert!(error.contains("--server-ca FILE"), "{error}");

    let file = stage.folder.path().join("server.pem");
    std::fs::write(&file, certificate).unwrap();
    config.server_ca = Some(file);
    let _bot = start(config.clone());
    server.session(1, 0).await;

    config.server = server.address.replace("localhost", "127.0.0.1");
    let error = start(config).ended().await.unwrap().unwrap_err().to_string();
    assert!(error.contains("for another name"), "{error}");
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_told_from_one_that_is_away() {
    let stage = Stage::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            // Whoever called may be gone.
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let mut config = stage.config();
    config.server = format!("https://{address}");
    let error = start(config).ended().await.unwrap().unwrap_err().to_string();
    assert!(error.contains("it speaks no TLS"), "{error}");
}
