//! The console as people start it: beside a server with a certificate, or in a process of its own.

use std::path::Path;

use astro_server::Server;
use astro_tests::{App, Backend, Node, on_databases_in_turn};

use super::reader::{Page, Reader};
use crate::NODE;
use crate::tls::authority::{Authority, HERE, put};

on_databases_in_turn!(
    a_console_alone_finds_its_server_by_tls,
    a_server_with_a_certificate_serves_its_console,
    whoever_works_on_the_files_of_pages_sees_them_at_once,
);

/// What the process tells after these words.
async fn told(node: &mut Node, words: &str) -> String {
    node.says(words).await.unwrap();
    let line = node.said.last().unwrap();
    line[line.find(words).unwrap() + words.len()..].trim().to_owned()
}

async fn console(endpoint: &str, args: &[&str]) -> (Node, String) {
    let mut all = vec!["console", "--endpoint", endpoint, "--listen", "127.0.0.1:0"];
    all.extend(args);
    let mut node = Node::start(NODE, &all, &[]).unwrap();
    let url = told(&mut node, "the console is on ").await;
    (node, url)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

async fn sign_in(url: &str, key: &str) -> (Reader, Page) {
    let nobody = Reader::nobody(url);
    let page = nobody.send("/sign-in", &[("key", key)]).await;
    (nobody.with_cookie(page.cookie().unwrap_or_default()), page)
}

async fn a_console_alone_finds_its_server_by_tls(backend: Backend) {
    let app = App::start(backend).await;
    let item = app.pool_of(1).await.remove(0);
    let (authority, folder) = (Authority::new("Astro tests"), tempfile::tempdir().unwrap());
    let mut config = app.server_config();
    config.tls = Some(authority.server(&HERE).write(folder.path()));
    let server = Server::start(config).await.unwrap();
    let ca = put(folder.path(), "ca.pem", &authority.pem);
    let key = app.admin_key_file();
    let args = ["--ca-cert", text(&ca), "--link-for-key-file", text(&key)];
    let (mut node, url) = console(&server.endpoint(), &args).await;
    let (reader, page) = sign_in(&url, &app.client_key).await;
    assert_eq!(page.status, 303, "{}", page.body);
    assert!(reader.get("/items").await.body.contains(&item.item_name));
    let link = told(&mut node, "sign in once: ").await;
    let page = Reader::nobody(&url).get(link.strip_prefix(&url).unwrap()).await;
    assert!(page.status == 303 && page.cookie().is_some(), "{}", page.body);
    // Whoever does not trust the server's authority says nothing to it.
    let (_node, url) = console(&server.endpoint(), &[]).await;
    let (_, page) = sign_in(&url, &app.client_key).await;
    assert!(page.status == 503 && page.cookie().is_none(), "{}", page.body);
}

async fn a_server_with_a_certificate_serves_its_console(backend: Backend) {
    let app = App::start(backend).await;
    let (authority, folder) = (Authority::new("Astro tests"), tempfile::tempdir().unwrap());
    let files = authority.server(&HERE).write(folder.path());
    let ca = put(folder.path(), "ca.pem", &authority.pem);
    let key_file = app.admin_key_file();
    let env = [("ASTRO_DATABASE_URL", app.database_url.as_str())];
    let mut args = vec!["server", "--listen", "127.0.0.1:0", "--admin-key-file", text(&key_file)];
    args.extend(["--tls-cert", text(&files.certificate), "--tls-key", text(&files.key)]);
    args.extend(["--console", "127.0.0.1:0"]);
    // Without the name in its certificate it cannot be found.
    let mut unnamed = Node::start(NODE, &args, &env).unwrap();
    assert!(!unnamed.ended().await.unwrap().success());
    args.extend(["--console-endpoint", "https://localhost:0", "--console-ca-cert", text(&ca)]);
    let mut node = Node::start(NODE, &args, &env).unwrap();
    let url = told(&mut node, "the console is on ").await;
    let link = told(&mut node, "within an hour: ").await;
    let page = Reader::nobody(&url).get(link.strip_prefix(&url).unwrap()).await;
    assert_eq!(page.status, 303, "{}", page.body);
    let reader = Reader::nobody(&url).with_cookie(page.cookie().unwrap());
    assert_eq!(reader.get("/organisations").await.status, 200);
}

async fn whoever_works_on_the_files_of_pages_sees_them_at_once(backend: Backend) {
    let app = App::start(backend).await;
    let folder = tempfile::tempdir().unwrap();
    let style = folder.path().join("console.css");
    std::fs::write(&style, "p { color: red }").unwrap();
    let endpoint = app.relay.endpoint();
    let (_node, url) = console(&endpoint, &["--assets", text(folder.path())]).await;
    let nobody = Reader::nobody(&url);
    assert!(nobody.get("/sign-in").await.body.contains("href=\"/assets/console.css\""));
    let file = nobody.get("/assets/console.css").await;
    assert_eq!(
        (file.body.as_str(), file.header("cache-control")),
        ("p { color: red }", "no-store")
    );
    std::fs::write(&style, "p { color: blue }").unwrap();
    assert_eq!(nobody.get("/assets/console.css").await.body, "p { color: blue }");
    assert_eq!(nobody.get("/assets/console.js").await.status, 404, "the folder has none");
}
