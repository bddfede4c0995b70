//! What pages look like, and whether everybody can use them.

use std::collections::BTreeSet;
use std::path::PathBuf;

use astro_sdk::bot::v1::AttemptFailure;
use astro_sdk::v1::Item;
use astro_tests::{App, Backend, not_run, on_databases_in_turn};
use steam_sim::Behaviour;
use tokio::process::Command;

use super::browser::{Browser, Scripts, browse, folder};
use super::pages::{NAMES, PAGES};
use super::reader::Site;
use crate::puppet::Puppet;

on_databases_in_turn!(every_page_can_be_used_by_everybody_on_every_screen);

/// Width, height, scheme, and a word for the picture's name.
const SCREENS: &[(u32, u32, &str, &str)] = &[
    (1280, 900, "light", "desk-light"),
    (390, 844, "dark", "phone-dark"),
    (1280, 900, "dark", "desk-dark"),
    (390, 844, "light", "phone-light"),
];

/// Widths at which nothing may go over the edge, beside those.
const WIDTHS: &[u32] = &[320, 768, 2560];

/// What a finding begins with that is none for certain.
const DOUBT: &str = "in doubt: ";

const RULES: &str = "['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice']";

/// The one version of axe-core, so that nothing new is found by chance.
const AXE: &str = "axe-core@4.14.1";

/// axe-core, from its registry; it is never a part of Astro.
async fn axe() -> Option<String> {
    let folder = folder().join(AXE);
    let file: PathBuf = folder.join("node_modules/axe-core/axe.min.js");
    if !file.is_file() {
        std::fs::create_dir_all(&folder).ok()?;
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-save", "--no-audit", "--no-fund", AXE, "--prefix", "."]);
        let done = npm.current_dir(&folder).output().await.ok()?;
        if !done.status.success() {
            return None;
        }
    }
    std::fs::read_to_string(file).ok()
}

/// Every page's path; what it shows is made here: an assignment that is blocked, so that its group and
/// remedy are seen too.
async fn paths(app: &App, items: &[Item]) -> Vec<String> {
    let winner = app.person("winner", Behaviour::IGNORE);
    let request = app.prize(&items[..2], &winner);
    let assignment = app.client.assignments().create(request).await.unwrap().assignment.unwrap();
    let mut puppet = Puppet::connect(app, true).await.unwrap();
    puppet.status("online").await;
    let attempt = puppet.attempt().await;
    assert!(puppet.ask(&attempt).await);
    puppet.ended(&attempt, AttemptFailure::Declined).await;
    let to = winner.steam_id;
    let mut paths: Vec<String> = PAGES.iter().map(|path| (*path).to_owned()).collect();
    paths.extend([
        format!("/assignments/{}", assignment.id),
        format!("/assignments/cancel?id={}", assignment.id),
        format!("/items/{}", items[0].id),
        "/assignments?state=blocked".to_owned(),
        format!("/people/{to}"),
        format!("/people/{to}?open=trade-url"),
        format!("/bots/{}", app.bot_id),
        format!("/organisations/{}", app.org_id),
        format!("/assignments/new?to={to}&step=items"),
        format!("/assignments/new?to={to}&item={}&step=confirm", items[3].id),
    ]);
    paths
}

async fn every_page_can_be_used_by_everybody_on_every_screen(backend: Backend) {
    let test = "console: every page on every screen";
    let Some(axe) = axe().await else { return not_run(test, "npm has no axe-core") };
    let app = App::start(backend).await;
    let bot = app.bot();
    let long = "W".repeat(200);
    let mut names = NAMES.to_vec();
    names.push(&long);
    app.donate("<b>donor</b>", &names);
    let items = app.available(names.len()).await;
    bot.stop().await;
    let paths = paths(&app, &items).await;
    let site = Site::open(&app).await;
    let (link, url) = (site.link.clone(), site.url.clone());
    browse(test, Scripts::On, |browser| async move {
        browser.go(&link).await;
        let mut found = Vec::new();
        for (width, height, scheme, word) in SCREENS {
            browser.screen(*width, *height, scheme).await;
            for path in &paths {
                browser.go(&format!("{url}{path}")).await;
                found.extend(look(&browser, path, word, *width, Some(&axe)).await);
            }
        }
        for width in WIDTHS {
            browser.screen(*width, 900, "light").await;
            for path in &paths {
                browser.go(&format!("{url}{path}")).await;
                found.extend(overflow(&browser, path, *width).await);
            }
        }
        for language in ["de", "en"] {
            browser.go(&format!("{url}/preferences")).await;
            browser.run(&format!("document.getElementById('language').value = '{language}'")).await;
            browser.click("main button.main").await;
            if language == "de" {
                browser.screen(390, 844, "light").await;
                for path in &paths {
                    browser.go(&format!("{url}{path}")).await;
                    found.extend(look(&browser, path, "phone-german", 390, None).await);
                }
            }
        }
        // What axe could not decide is for people's eyes.
        let doubts: BTreeSet<String> =
            found.iter().filter_map(|it| it.strip_prefix(DOUBT)).map(str::to_owned).collect();
        let doubts: Vec<String> = doubts.into_iter().collect();
        std::fs::write(folder().join("axe-incomplete.txt"), doubts.join("\n")).unwrap();
        found.retain(|it| !it.starts_with(DOUBT));
        assert!(found.is_empty(), "{}", found.join("\n"));
        browser
    })
    .await;
}

/// What is wrong with a page; its picture is kept.
async fn look(
    browser: &Browser,
    path: &str,
    word: &str,
    width: u32,
    axe: Option<&str>,
) -> Vec<String> {
    // Ids are others each time; a picture of the same page takes the place of the last one.
    let id = |word: &&str| word.len() > 12 && word.contains(|c: char| c.is_ascii_digit());
    let words = path.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    let words = words.filter(|word| !word.is_empty());
    let words: Vec<&str> = words.map(|word| if id(&word) { "one" } else { word }).collect();
    let name = if path == "/" { "overview".to_owned() } else { words.join("-") };
    let picture = browser.client.screenshot().await.unwrap();
    std::fs::write(folder().join(format!("{name}-{word}.png")), picture).unwrap();
    let mut found: Vec<String> = overflow(browser, path, width).await.into_iter().collect();
    found.extend(browser.log().await.into_iter().map(|line| format!("{path} {word}: {line}")));
    let Some(axe) = axe else { return found };
    browser.run(axe).await;
    let asked = format!(
        "const done = arguments[0]; const told = (all) => all.map((v) => v.id + ' (' + v.impact + '): ' + \
         v.nodes.map((n) => n.html.slice(0, 160)).slice(0, 3).join(' | ')); \
         axe.run({{runOnly: {RULES}}}).then((r) => done([told(r.violations), told(r.incomplete)]))"
    );
    let told = browser.client.execute_async(&asked, Vec::new()).await.unwrap();
    let all = |at: usize| told[at].as_array().cloned().unwrap_or_default();
    found.extend(all(0).iter().map(|one| format!("{path} {word}: {one}")));
    found.extend(all(1).iter().map(|one| format!("{DOUBT}{path} {word}: {one}")));
    found
}

/// Whether the page goes over the edge.
async fn overflow(browser: &Browser, path: &str, width: u32) -> Option<String> {
    let wide = browser.run("return document.documentElement.scrollWidth").await;
    let over = wide.as_u64().is_some_and(|wide| wide > u64::from(width));
    over.then(|| format!("{path} at {width}: {wide} wide"))
}
