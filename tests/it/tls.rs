//! Encrypted connections: who is let in, what is refused, and certificates that change meanwhile.

pub(crate) mod authority;

use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use astro_sdk::v1::{GetCallerRequest, SetTradeUrlRequest, WatchEventsRequest};
use astro_sdk::{Client, ClientBuilder, Code, Error};
use astro_server::Server;
use astro_server::config::{Bounds, Config, TlsFiles};
use astro_tests::{App, Backend, DEADLINE, Node, Worker, on_databases_in_turn};
use authority::{Authority, HERE, Pair, put};
use steam_sim::Behaviour;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_util::sync::CancellationToken;

use crate::NODE;
use crate::limits::{PREFACE, SETTINGS, end_of};
use crate::secrets::Shelled;

on_databases_in_turn!(
    a_client_and_a_bot_that_trust_the_servers_authority_are_served_over_tls,
    a_certificate_that_is_expired_foreign_or_for_another_name_is_refused_with_the_reason,
    a_server_that_asks_for_client_certificates_takes_those_of_its_authority_alone,
    a_client_certificate_is_good_by_the_servers_clock,
    a_new_certificate_is_taken_without_a_restart_and_open_connections_go_on,
    a_new_authority_of_clients_is_taken_without_a_restart,
    a_pair_that_does_not_fit_is_told_and_the_one_before_goes_on_until_a_good_one_comes,
    a_handshake_that_never_ends_is_cut_in_time,
    handshakes_that_never_end_keep_nobody_out,
    plain_text_to_the_encrypted_port_is_refused_and_harms_nobody,
    client_and_server_agree_on_http_2_or_http_1_1_in_either_version_of_tls,
    files_that_cannot_be_used_stop_the_start_by_flag_and_name,
    half_a_pair_and_plain_text_that_nobody_asked_for_stop_the_start,
);

/// A server with TLS beside the app's own.
struct Stage {
    app: App,
    authority: Authority,
    folder: TempDir,
    server: Server,
}

impl Stage {
    async fn start(backend: Backend) -> Self {
        Self::begin(backend, |_, _| {}).await
    }

    /// One that takes only clients with a certificate of the stage's authority.
    async fn asking(backend: Backend) -> Self {
        let ask = |config: &mut Config, authority: &Authority| {
            let files = config.tls.as_mut().unwrap();
            let folder = files.key.parent().unwrap();
            files.client_ca = Some(put(folder, "clients.pem", &authority.pem));
        };
        Self::begin(backend, ask).await
    }

    async fn within(backend: Backend, bounds: Bounds) -> Self {
        Self::begin(backend, |config, _| config.bounds = bounds).await
    }

    async fn begin(backend: Backend, set: impl FnOnce(&mut Config, &Authority)) -> Self {
        let app = App::start(backend).await;
        let authority = Authority::new("Astro tests");
        let folder = tempfile::tempdir().unwrap();
        let mut config = app.server_config();
        config.tls = Some(authority.server(&HERE).write(folder.path()));
        set(&mut config, &authority);
        let server = Server::start(config).await.unwrap();
        assert!(server.endpoint().starts_with("https://"), "{}", server.endpoint());
        Self { app, authority, folder, server }
    }

    /// A client that trusts the server, and is told at once what does not work.
    fn client(&self) -> ClientBuilder {
        let builder = Client::builder().endpoint(self.server.endpoint());
        let builder = builder.api_key(&self.app.client_key).patience(Duration::ZERO);
        builder.ca_certificate(&*self.authority.pem)
    }

    /// The bot's settings, with the authority to trust.
    fn bot(&self) -> astro_bot::Config {
        let mut config = self.app.bot_config();
        config.server = self.server.endpoint();
        config.server_ca = Some(put(self.folder.path(), "trusted.pem", &self.authority.pem));
        config
    }

    /// Waits until a bot has its session.
    async fn has_bot(&self) {
        let connected = self.app.until("the bot has a session", async || {
            let events = self.app.events().await;
            events.iter().any(|event| event.event_type == "bot.connected").then_some(())
        });
        connected.await;
    }

    /// Waits until a new connection sees this certificate.
    async fn shows(&self, pair: &Pair) {
        let shown = async { while !self.authority.sees(self.server.address(), pair).await {} };
        tokio::time::timeout(DEADLINE, shown).await.expect("the new certificate is taken");
    }
}

async fn call(client: ClientBuilder) -> Result<(), Error> {
    let client = client.build().unwrap();
    client.raw().access().get_caller(GetCallerRequest {}).await.map(drop).map_err(Error::from)
}

/// What a bot that is not let in ends with.
async fn refusal(config: astro_bot::Config) -> String {
    let run = astro_bot::run(config, CancellationToken::new());
    let ended = tokio::time::timeout(DEADLINE, run).await.expect("the bot ends");
    format!("{:#}", ended.unwrap_err())
}

async fn a_client_and_a_bot_that_trust_the_servers_authority_are_served_over_tls(backend: Backend) {
    let stage = Stage::start(backend).await;
    call(stage.client()).await.unwrap();
    let bot = Worker::start(stage.bot());
    stage.has_bot().await;
    bot.stop().await;
    // A shell's user has the same words.
    let asked = whoami(&stage, &[]).await;
    assert!(asked.contains("api_key.id"), "{asked}");
    stage.server.stop().await.unwrap();
}

/// What `astro whoami` says with these further arguments.
async fn whoami(stage: &Stage, args: &[&str]) -> String {
    let ca = put(stage.folder.path(), "trusted.pem", &stage.authority.pem).display().to_string();
    let endpoint = stage.server.endpoint();
    let mut command = Command::new(NODE);
    command.args(["astro", "whoami", "--endpoint", &endpoint, "--ca-cert", &ca]).args(args);
    command.env("ASTRO_API_KEY", &stage.app.client_key).kill_on_drop(true);
    let output = tokio::time::timeout(DEADLINE, command.output()).await.unwrap().unwrap();
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}

async fn a_certificate_that_is_expired_foreign_or_for_another_name_is_refused_with_the_reason(
    backend: Backend,
) {
    let mut stage = Stage::start(backend).await;
    let foreign = Authority::new("Astro tests, another");
    let cases = [
        (stage.authority.expired(&HERE), "expired", "has expired"),
        (foreign.server(&HERE), "UnknownIssuer", "--server-ca FILE"),
        (stage.authority.server(&["other.example"]), "not valid for name", "for another name"),
    ];
    for (pair, said, advised) in cases {
        let mut config = stage.app.server_config();
        config.tls = Some(pair.write(stage.folder.path()));
        stage.server = Server::start(config).await.unwrap();
        let error = call(stage.client()).await.unwrap_err();
        assert_eq!(error.code, Code::Unavailable);
        assert!(error.message.contains(said), "{error}");
        let told = refusal(stage.bot()).await;
        assert!(told.contains(advised), "{told}");
    }
}

async fn a_server_that_asks_for_client_certificates_takes_those_of_its_authority_alone(
    backend: Backend,
) {
    let stage = Stage::asking(backend).await;
    let with =
        |pair: &Pair| stage.client().client_certificate(&*pair.certificate).client_key(&*pair.key);
    let good = stage.authority.client(3000);
    call(with(&good)).await.unwrap();
    let foreign = Authority::new("Astro tests, another").client(3000);
    let expired = stage.authority.client(2000);
    let server = stage.authority.server(&HERE);
    for (other, said) in [
        (None, "CertificateRequired"),
        (Some(&foreign), "UnknownCA"),
        (Some(&expired), "CertificateExpired"),
        (Some(&server), "UnsupportedCertificate"),
    ] {
        let told = stage.authority.refusal(stage.server.address(), other).await;
        assert!(told.contains(said), "{told}");
        let client = other.map_or(stage.client(), with);
        assert_eq!(call(client).await.unwrap_err().code, Code::Unavailable, "{said}");
    }
    let told = whoami(&stage, &[]).await;
    assert!(told.contains("--client-cert FILE and --client-key FILE"), "{told}");

    let mut config = stage.bot();
    config.client_cert = Some(put(stage.folder.path(), "client.pem", &good.certificate));
    config.client_key = Some(put(stage.folder.path(), "client.key", &good.key));
    let bot = Worker::start(config);
    stage.has_bot().await;
    bot.stop().await;
    let file = |name: &str| stage.folder.path().join(name).display().to_string();
    let args = ["--client-cert", &file("client.pem"), "--client-key", &file("client.key")];
    let asked = whoami(&stage, &args).await;
    assert!(asked.contains("api_key.id"), "{asked}");
}

async fn a_client_certificate_is_good_by_the_servers_clock(backend: Backend) {
    const YEAR: Duration = Duration::from_secs(366 * 24 * 3600);
    let stage = Stage::asking(backend).await;
    let pair = stage.authority.client(2100);
    let client = || stage.client().client_certificate(&*pair.certificate).client_key(&*pair.key);
    call(client()).await.unwrap();
    stage.app.clock.advance(YEAR * 100);
    let told = stage.authority.refusal(stage.server.address(), Some(&pair)).await;
    assert!(told.contains("CertificateExpired"), "{told}");
    call(client()).await.unwrap_err();
}

async fn a_new_certificate_is_taken_without_a_restart_and_open_connections_go_on(backend: Backend) {
    let stage = Stage::start(backend).await;
    let client = stage.client().build().unwrap();
    let watch = WatchEventsRequest::default();
    let mut watch = client.raw().events().watch_events(watch).await.unwrap().into_inner();
    assert!(watch.message().await.unwrap().unwrap().events.is_empty());
    let renewed = stage.authority.server(&HERE);
    assert!(!stage.authority.sees(stage.server.address(), &renewed).await);
    renewed.write(stage.folder.path());
    stage.shows(&renewed).await;

    let user = stage.app.person("somebody", Behaviour::ACCEPT);
    let trade_url = user.trade_url();
    let request = SetTradeUrlRequest { user_id: user.steam_id.0, trade_url, ..Default::default() };
    client.raw().users().set_trade_url(request).await.unwrap();
    let told = tokio::time::timeout(DEADLINE, watch.message()).await.unwrap().unwrap();
    assert!(!told.unwrap().events.is_empty(), "the watch ended");
}

async fn a_new_authority_of_clients_is_taken_without_a_restart(backend: Backend) {
    let stage = Stage::asking(backend).await;
    let (before, another) = (stage.authority.client(3000), Authority::new("Astro tests, another"));
    let after = another.client(3000);
    let with = |pair: &Pair| {
        call(stage.client().client_certificate(&*pair.certificate).client_key(&*pair.key))
    };
    with(&before).await.unwrap();
    with(&after).await.unwrap_err();
    put(stage.folder.path(), "clients.pem", &another.pem);
    let taken = async { while with(&after).await.is_err() {} };
    tokio::time::timeout(DEADLINE, taken).await.expect("the new authority is taken");
    with(&before).await.unwrap_err();
}

/// A server in a process of its own, whose log can be read.
struct Logged {
    shelled: Shelled,
    node: Node,
    address: SocketAddr,
    files: TlsFiles,
}

impl Logged {
    async fn start(app: &App, folder: &Path, pair: &Pair) -> Self {
        let files = pair.write(folder);
        let shelled = Shelled::new(folder);
        let text = |path: &Path| path.display().to_string();
        let args = [
            "--admin-key-file",
            &text(&app.admin_key_file()),
            "--tls-cert",
            &text(&files.certificate),
            "--tls-key",
            &text(&files.key),
        ];
        let mut node = shelled.start(&app.database_url, &args);
        let address = node.listens().await.unwrap();
        Self { shelled, node, address, files }
    }

    /// Has it look at its files, and waits until the log has this. It looks by itself much later.
    async fn looks(&self, authority: &Authority, shown: &Pair, log: &str) {
        self.node.hang_up().await.unwrap();
        let told = async {
            while !self.shelled.log().contains(log) {
                assert!(authority.sees(self.address, shown).await, "another is shown");
            }
        };
        let soon = Duration::from_secs(15);
        tokio::time::timeout(soon, told).await.unwrap_or_else(|_| {
            panic!("the log never said {log:?}: {}", self.shelled.log());
        });
    }
}

async fn a_pair_that_does_not_fit_is_told_and_the_one_before_goes_on_until_a_good_one_comes(
    backend: Backend,
) {
    let app = App::start(backend).await;
    let (authority, folder) = (Authority::new("Astro tests"), tempfile::tempdir().unwrap());
    let (first, second) = (authority.server(&HERE), authority.server(&HERE));
    let logged = Logged::start(&app, folder.path(), &first).await;
    put(folder.path(), "server.key", &second.key);
    logged.looks(&authority, &first, "is the key of another certificate").await;
    std::fs::remove_file(&logged.files.key).unwrap();
    logged.looks(&authority, &first, "cannot read --tls-key").await;
    assert!(authority.sees(logged.address, &first).await);
    second.write(folder.path());
    logged.node.hang_up().await.unwrap();
    let taken = async { while !authority.sees(logged.address, &second).await {} };
    tokio::time::timeout(DEADLINE, taken).await.expect("the good pair is taken");
}

async fn a_handshake_that_never_ends_is_cut_in_time(backend: Backend) {
    // A call has more time than this test.
    let bounds =
        Bounds { handshake: Duration::from_secs(1), first_call: DEADLINE * 2, ..Bounds::default() };
    let stage = Stage::within(backend, bounds).await;
    // Nothing, and the beginning of a ClientHello.
    for said in [&[][..], &[0x16, 3, 1, 2, 0, 1, 0]] {
        let mut stream = TcpStream::connect(stage.server.address()).await.unwrap();
        stream.write_all(said).await.unwrap();
        // Meanwhile others are served.
        call(stage.client()).await.unwrap();
        tokio::time::timeout(DEADLINE, end_of(stream)).await.expect("it is cut");
    }
}

async fn handshakes_that_never_end_keep_nobody_out(backend: Backend) {
    let bounds = Bounds {
        connections: 4,
        handshake: DEADLINE * 2,
        first_call: DEADLINE * 2,
        ..Bounds::default()
    };
    let stage = Stage::within(backend, bounds).await;
    let mut silent = Vec::new();
    for _ in 0..10 {
        silent.push(TcpStream::connect(stage.server.address()).await.unwrap());
    }
    call(stage.client()).await.unwrap();
    let end = end_of(silent.remove(0));
    tokio::time::timeout(DEADLINE, end).await.expect("it had to make room");
}

async fn plain_text_to_the_encrypted_port_is_refused_and_harms_nobody(backend: Backend) {
    let stage = Stage::start(backend).await;
    let request = b"GET / HTTP/1.1\r\nHost: astro\r\n\r\n".to_vec();
    for said in [[PREFACE, SETTINGS].concat(), request, vec![0; 32 * 1024]] {
        let mut stream = TcpStream::connect(stage.server.address()).await.unwrap();
        stream.write_all(&said).await.unwrap();
        let mut answer = Vec::new();
        let read = tokio::time::timeout(DEADLINE, stream.read_to_end(&mut answer)).await;
        read.expect("the connection ends").unwrap();
        assert_eq!(answer.first(), Some(&0x15), "an alert of TLS: {answer:?}");
        call(stage.client()).await.unwrap();
    }
    let plain = stage.server.endpoint().replace("https://", "http://");
    let error = call(stage.client().endpoint(plain)).await.unwrap_err();
    assert_eq!(error.code, Code::Unavailable, "{error}");
}

async fn client_and_server_agree_on_http_2_or_http_1_1_in_either_version_of_tls(backend: Backend) {
    let stage = Stage::start(backend).await;
    let address = stage.server.address();
    for version in [&TLS12, &TLS13] {
        for (wanted, agreed) in [
            (&["h2"][..], Some("h2")),
            (&["http/1.1"], Some("http/1.1")),
            (&["http/1.1", "h2"], Some("h2")),
            (&[], None),
        ] {
            let stream = stage.authority.connect(address, wanted, &[version]).await.unwrap();
            let (_, connection) = stream.get_ref();
            assert_eq!(connection.alpn_protocol(), agreed.map(str::as_bytes), "{wanted:?}");
            assert_eq!(connection.protocol_version(), Some(version.version));
        }
        let refused = stage.authority.connect(address, &["smtp"], &[version]).await;
        assert!(refused.is_err(), "nobody speaks that here");
    }
}

async fn files_that_cannot_be_used_stop_the_start_by_flag_and_name(backend: Backend) {
    let folder = tempfile::tempdir().unwrap();
    let url = backend.new_database(folder.path()).unwrap();
    let authority = Authority::new("Astro tests");
    let pair = authority.server(&HERE);
    let sealed = pair.key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    let damaged = pair.certificate.replace("MII", "???");
    let other = authority.server(&HERE).key;
    let nonsense = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (file, text, told) in [
        ("server.pem", None, "cannot read --tls-cert"),
        ("server.pem", Some(""), "it has no certificate"),
        ("server.pem", Some(&*pair.key), "it has no certificate"),
        ("server.pem", Some(&damaged), "the PEM text is damaged"),
        ("server.pem", Some(nonsense), "its certificate cannot be read"),
        ("server.key", None, "cannot read --tls-key"),
        ("server.key", Some(&pair.certificate), "it has no private key"),
        ("server.key", Some(&sealed), "encrypted with a password"),
        ("server.key", Some(&other), "is the key of another certificate"),
        ("clients.pem", None, "cannot read --tls-client-ca"),
        ("clients.pem", Some(&pair.key), "it has no certificate"),
        ("clients.pem", Some(nonsense), "cannot be read"),
    ] {
        let mut files = pair.write(folder.path());
        files.client_ca = Some(put(folder.path(), "clients.pem", &authority.pem));
        match text {
            Some(text) => drop(put(folder.path(), file, text)),
            None => std::fs::remove_file(folder.path().join(file)).unwrap(),
        }
        let mut config = Config::new(&url, &folder.path().join("admin.key"));
        config.tls = Some(files);
        let error = format!("{:#}", Server::start(config).await.err().unwrap());
        assert!(error.contains(told) && error.contains(file), "{file}: {error}");
        assert!(error.contains("--tls-"), "{error}");
    }
    assert!(!folder.path().join("admin.key").exists(), "nothing was begun");
}

async fn half_a_pair_and_plain_text_that_nobody_asked_for_stop_the_start(backend: Backend) {
    let folder = tempfile::tempdir().unwrap();
    let url = backend.new_database(folder.path()).unwrap();
    let key_file = folder.path().join("admin.key").display().to_string();
    let files = Authority::new("Astro tests").server(&HERE).write(folder.path());
    let (certificate, key) = (files.certificate.display(), files.key.display());
    let (certificate, key) = (certificate.to_string(), key.to_string());
    let all = ["--listen", "0.0.0.0:0"];
    for (args, told) in [
        (&["--tls-cert", &*certificate][..], &["--tls-cert", "--tls-key FILE"][..]),
        (&["--tls-key", &key], &["--tls-key", "--tls-cert FILE"]),
        (&all, &["0.0.0.0", "--tls-cert FILE", "--tls-key FILE", "--plaintext"]),
    ] {
        let shelled = Shelled::new(folder.path());
        let args = [&["--admin-key-file", &key_file], args].concat();
        let mut node = shelled.start(&url, &args);
        assert!(node.listens().await.is_err(), "{args:?}");
        assert!(!node.ended().await.unwrap().success(), "{args:?}");
        let log = shelled.log();
        assert!(told.iter().all(|word| log.contains(word)), "{log}");
    }
    let readable = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(&files.key, readable).unwrap();
    let pair = ["--tls-cert", &certificate, "--tls-key", &key];
    let (open, readable) = ("travel in plain text", "can read the secret");
    for (args, warned, other) in [(&["--plaintext"][..], open, readable), (&pair, readable, open)] {
        let shelled = Shelled::new(folder.path());
        let args = [&["--admin-key-file", &key_file], &all[..], args].concat();
        let mut node = shelled.start(&url, &args);
        let address = node.listens().await.unwrap();
        TcpStream::connect((Ipv4Addr::LOCALHOST, address.port())).await.unwrap();
        let log = shelled.log();
        assert!(log.contains(warned) && !log.contains(other), "{log}");
        node.kill().await.unwrap();
    }
}
