//! What only its owner may know: the first key, the files, passwords, and keys in the wrong place.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use astro_sdk::methods::METHODS;
use astro_sdk::v1::{GetCallerRequest, ListApiKeysRequest, RevokeApiKeyRequest};
use astro_sdk::{Client, Code, Error};
use astro_tests::{App, Backend, Node, Raw, on_databases_in_turn, on_each_database, on_sqlite};
use futures_util::future::join_all;
use tonic_types::StatusExt;

use crate::NODE;
use crate::requests::{Ids, request};
use crate::world::all_scopes;

on_each_database!(
    a_first_start_overwrites_no_key_file_and_leaves_nothing_half_done,
    three_servers_that_start_at_once_on_an_empty_database_make_one_key,
);

on_sqlite!(what_the_server_keeps_on_disk_is_its_owners_alone_whatever_the_umask);

on_databases_in_turn!(
    the_first_key_is_kept_in_a_private_file_and_not_written_into_a_pipe,
    a_key_pasted_where_an_id_belongs_is_neither_answered_nor_logged,
    refused_calls_fill_no_log_and_are_told_with_key_and_address,
);

async fn the_first_key_is_kept_in_a_private_file_and_not_written_into_a_pipe(backend: Backend) {
    let mut app = App::start_process(backend, NODE, &[]).await;
    let key = app.admin_key();
    assert_eq!(mode(&app.admin_key_file()), 0o600);
    let file = app.admin_key_file().display().to_string();
    let said = &app.node().said;
    assert!(said.iter().any(|line| line.contains(&file)), "{said:?}");
    assert!(!said.iter().any(|line| line.contains("astro_admin_")), "{said:?}");
    app.restart_process(NODE, &[]).await;
    let said = &app.node().said;
    assert!(!said.iter().any(|line| line.contains(&file)), "{said:?}");
    assert_eq!(app.admin_key(), key);
    app.admin.raw().access().get_caller(GetCallerRequest {}).await.unwrap();
}

async fn a_first_start_overwrites_no_key_file_and_leaves_nothing_half_done(backend: Backend) {
    let folder = tempfile::tempdir().unwrap();
    let url = backend.new_database(folder.path()).unwrap();
    let file = folder.path().join("admin.key");
    fs::write(&file, "the key of another database").unwrap();
    assert!(Node::server(NODE, &url, &file, &[]).await.is_err(), "it does not start");
    assert_eq!(fs::read_to_string(&file).unwrap(), "the key of another database");
    fs::remove_file(&file).unwrap();
    let (_node, address) = Node::server(NODE, &url, &file, &[]).await.unwrap();
    assert_eq!(keys(&client(address, &file)).await, 1);
}

async fn three_servers_that_start_at_once_on_an_empty_database_make_one_key(backend: Backend) {
    let folder = tempfile::tempdir().unwrap();
    let url = backend.new_database(folder.path()).unwrap();
    let file = folder.path().join("admin.key");
    let started = join_all((0..3).map(|_| Node::server(NODE, &url, &file, &[]))).await;
    let nodes: Vec<_> = started.into_iter().map(Result::unwrap).collect();
    for (_, address) in &nodes {
        assert_eq!(keys(&client(*address, &file)).await, 1);
    }
}

fn client(address: std::net::SocketAddr, file: &Path) -> Client {
    let key = fs::read_to_string(file).unwrap();
    Client::builder().endpoint(format!("http://{address}")).api_key(key.trim()).build().unwrap()
}

/// How many keys there are.
async fn keys(admin: &Client) -> usize {
    let listed = admin.raw().access().list_api_keys(ListApiKeysRequest::default()).await;
    listed.unwrap().into_inner().api_keys.len()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

async fn what_the_server_keeps_on_disk_is_its_owners_alone_whatever_the_umask() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("astro-data");
    let start = async || {
        let file = own.join("admin.key").display().to_string();
        let url = format!("sqlite://{}", own.join("astro.db").display());
        let args = ["--admin-key-file", &file];
        let mut node = Shelled::new(folder.path()).start(&url, &args);
        node.listens().await.unwrap();
        node
    };
    let private = || {
        assert_eq!(mode(&own), 0o700);
        let mut files: Vec<_> =
            fs::read_dir(&own).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        let names: Vec<_> = files.iter().map(|path| path.file_name().unwrap()).collect();
        assert_eq!(names, ["admin.key", "astro.db", "astro.db-shm", "astro.db-wal"]);
        files.iter().for_each(|path| assert_eq!(mode(path), 0o600, "{}", path.display()));
        files
    };
    let node = start().await;
    let files = private();
    node.kill().await.unwrap();
    fs::set_permissions(&own, Permissions::from_mode(0o755)).unwrap();
    for file in &files {
        fs::set_permissions(file, Permissions::from_mode(0o644)).unwrap();
    }
    let _node = start().await;
    private();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_password_of_a_database_is_in_nothing_that_the_server_says() {
    const PASSWORD: &str = "hunter2hunter";
    let folder = tempfile::tempdir().unwrap();
    for url in [
        // Nobody listens there.
        "postgres://astro:hunter2hunter@127.0.0.1:1/astro",
        "postgres://127.0.0.1:1/astro?password=hunter2hunter&user=astro",
        "postgres://astro:hunter2hunter/@127.0.0.1:1/astro",
        "postgres://astro:x@hunter2hunter@127.0.0.1:1/astro",
        "postgres://astro:hunter2hunter",
        "astro:hunter2hunter@127.0.0.1/astro",
        "sqlite://astro:hunter2hunter@127.0.0.1/astro",
    ] {
        for args in [&[][..], &["migrate"], &["keys", "recover"], &["--listen", url], &[url]] {
            let shelled = Shelled::new(folder.path());
            let mut node = shelled.start(url, args);
            assert!(node.listens().await.is_err(), "{url} {args:?}");
            assert!(!node.ended().await.unwrap().success(), "{url} {args:?}");
            let said = format!("{}{}", shelled.log(), node.said.join("\n"));
            assert!(!said.contains(PASSWORD), "{url} {args:?}: {said}");
            assert!(!shelled.log().is_empty(), "{url} {args:?}: it says what is wrong");
        }
    }
}

async fn a_key_pasted_where_an_id_belongs_is_neither_answered_nor_logged(backend: Backend) {
    let app = App::start(backend).await;
    let second = Shelled::new(app.admin_key_file().parent().unwrap());
    let file = app.admin_key_file().display().to_string();
    let mut node = second.start(&app.database_url, &["--admin-key-file", &file]);
    let raw = Raw::new(node.listens().await.unwrap());
    let key = all_scopes(&app, &app.org_id).await;
    let secret = key.rsplit('_').next().unwrap();
    let id = || key.clone();
    let ids = Ids {
        org: id(),
        bot: id(),
        item: id(),
        reservation: id(),
        assignment: id(),
        donation: id(),
        sync: id(),
        discrepancy: id(),
        key: id(),
        session: id(),
        ..Ids::default()
    };
    let bearer = format!("Bearer {key}");
    for method in METHODS {
        let answer = raw.call(method.path, Some(&bearer), request(method, &ids)).await;
        let Err(status) = answer else { continue };
        let told = format!("{status:?} {:?}", status.get_error_details());
        let details = String::from_utf8_lossy(status.details()).into_owned();
        assert!(!told.contains(secret) && !details.contains(secret), "{}: {told}", method.path);
    }
    let revoke = RevokeApiKeyRequest { api_key_id: key.clone() };
    let refused = Error::from(app.admin.raw().access().revoke_api_key(revoke).await.unwrap_err());
    assert_eq!(refused.code, Code::InvalidArgument, "{refused}");
    assert_eq!(refused.metadata["field"], "api_key_id");
    let log = second.log();
    assert!(log.contains("refused"), "{log}");
    assert!(!log.contains(secret), "{log}");
}

async fn refused_calls_fill_no_log_and_are_told_with_key_and_address(backend: Backend) {
    let app = App::start(backend).await;
    let second = Shelled::new(app.admin_key_file().parent().unwrap());
    let file = app.admin_key_file().display().to_string();
    let mut node = second.start(&app.database_url, &["--admin-key-file", &file]);
    let raw = Raw::new(node.listens().await.unwrap());
    let (path, bearer) =
        ("/astro.v1.AccessService/ListApiKeys", format!("Bearer {}", app.client_key));
    for _ in 0..100 {
        raw.call(path, Some(&bearer), Vec::new()).await.unwrap_err();
    }
    let log = second.log();
    let id = app.client_key.split('_').nth(2).unwrap();
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("refused to")).collect();
    // A machine that needs longer than the limit's ten seconds may tell of more.
    assert!((20..=60).contains(&lines.len()), "{}", lines.len());
    assert!(lines.iter().all(|line| line.contains(id) && line.contains("127.0.0.1:")), "{log}");
}

/// A server behind a shell that lets its files be open to all and keeps its log.
pub(crate) struct Shelled {
    log: std::path::PathBuf,
}

impl Shelled {
    pub(crate) fn new(folder: &Path) -> Self {
        Self { log: folder.join("server.log") }
    }

    pub(crate) fn start(&self, database_url: &str, args: &[&str]) -> Node {
        const SCRIPT: &str = "umask 0; export RUST_LOG=info; exec \"$@\" 2>\"$0\"";
        let log = self.log.display().to_string();
        let mut all = vec!["-c", SCRIPT, &log, NODE, "server"];
        if !args.contains(&"--listen") {
            all.extend(["--listen", "127.0.0.1:0"]);
        }
        all.extend(args);
        Node::start("sh", &all, &[("ASTRO_DATABASE_URL", database_url)]).unwrap()
    }

    /// What it logged so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}
