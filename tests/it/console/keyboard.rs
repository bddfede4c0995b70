//! Without a mouse, and with large letters.

use astro_sdk::v1::ListAssignmentsRequest;
use astro_tests::{App, Backend, DEADLINE, on_databases_in_turn};
use fantoccini::key::Key;
use steam_sim::Behaviour;

use super::browser::{Browser, Scripts, browse};
use super::pages::{NAMES, PAGES};
use super::reader::Site;

on_databases_in_turn!(
    a_keyboard_is_enough_to_give_items_away,
    names_of_all_kinds_are_text_on_a_phone_and_nothing_goes_over_the_edge,
    letters_of_twice_the_size_fit,
);

/// What has the focus, as the page sees it: whether it is the one that is looked for, whether it can
/// be seen, and whether it is marked.
const FOCUS: &str = "const it = document.activeElement; const box = it.getBoundingClientRect(); \
     const style = getComputedStyle(it); \
     const marked = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0; \
     const seen = box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0; \
     return [it.matches(arguments[0]), seen, marked, it.outerHTML.slice(0, 100)]";

/// Stops on the way to anything on a page.
const STOPS_MAX: usize = 80;

async fn focus(browser: &Browser, css: &str) -> (bool, bool, bool, String) {
    let told = browser.client.execute(FOCUS, vec![css.into()]).await.unwrap();
    let is = |at: usize| told[at] == true;
    (is(0), is(1), is(2), told[3].to_string())
}

async fn press(browser: &Browser, keys: &str) {
    // What has the focus may be gone before it hears of the key, when a page comes.
    let pressed = async {
        loop {
            let Ok(here) = browser.client.active_element().await else { continue };
            if here.send_keys(keys).await.is_ok() {
                return;
            }
        }
    };
    tokio::time::timeout(DEADLINE, pressed).await.expect("something takes keys");
}

/// Goes on by the tabulator until this has the focus; whatever has it on the way can be seen.
async fn tab_to(browser: &Browser, css: &str) {
    let tab = char::from(Key::Tab).to_string();
    for _ in 0..STOPS_MAX {
        press(browser, &tab).await;
        let (found, seen, marked, what) = focus(browser, css).await;
        assert!(seen && marked, "the focus is not seen on {what}");
        if found {
            return;
        }
    }
    panic!("the tabulator never comes to {css}");
}

async fn a_keyboard_is_enough_to_give_items_away(backend: Backend) {
    let app = App::start(backend).await;
    app.pool_of(3).await;
    let winner = app.person("winner", Behaviour::IGNORE);
    let site = Site::open(&app).await;
    let (url, key) = (site.url.clone(), app.client_key.clone());
    let to = winner.steam_id.to_string();
    browse("console: a giveaway by keyboard", Scripts::On, |browser| async move {
        let enter = char::from(Key::Enter).to_string();
        browser.go(&format!("{url}/assignments")).await;
        browser.says("Sign in").await;
        // The field has the focus from the start.
        press(&browser, &key).await;
        tab_to(&browser, "button.main").await;
        press(&browser, &enter).await;
        browser.arrives("/assignments").await;
        // The first stop leads past the navigation.
        tab_to(&browser, "a.skip").await;
        press(&browser, &enter).await;
        assert!(focus(&browser, "main").await.0, "the content has the focus");
        tab_to(&browser, "a[data-new]").await;
        press(&browser, &enter).await;
        browser.arrives("/assignments/new").await;
        tab_to(&browser, "#f-who").await;
        press(&browser, &to).await;
        press(&browser, &enter).await;
        browser.arrives("step=items").await;
        tab_to(&browser, "tbody tr:nth-child(1) .pick input").await;
        press(&browser, " ").await;
        tab_to(&browser, "tbody tr:nth-child(3) .pick input").await;
        press(&browser, " ").await;
        tab_to(&browser, "button[value=confirm]").await;
        press(&browser, &enter).await;
        browser.arrives("step=confirm").await;
        tab_to(&browser, "#f-reason").await;
        press(&browser, "by hand").await;
        tab_to(&browser, "main form.card button.main").await;
        press(&browser, &enter).await;
        browser.says("Assigned 2 items").await;
        assert_eq!(browser.log().await, Vec::<String>::new());
        browser
    })
    .await;
    let listed = app.client.assignments().list(ListAssignmentsRequest::default());
    let listed = { listed.pages() }.try_next().await.unwrap().unwrap().assignments;
    assert!(listed.iter().all(|it| it.assignment_reason == "by hand"), "{listed:?}");
}

async fn names_of_all_kinds_are_text_on_a_phone_and_nothing_goes_over_the_edge(backend: Backend) {
    let app = App::start(backend).await;
    let bot = app.bot();
    let long = "W".repeat(200);
    let mut names = NAMES.to_vec();
    names.push(&long);
    app.donate("<b>donor</b> \"quoted\" \u{202e}kcab 🎁", &names);
    let items = app.available(names.len()).await;
    bot.stop().await;
    let site = Site::open(&app).await;
    let (link, url) = (site.link.clone(), site.url.clone());
    browse("console: names on a phone", Scripts::On, |browser| async move {
        browser.go(&link).await;
        browser.screen(360, 800, "light").await;
        let list = ["/items", "/items?as=tiles", "/donations", "/people", "/events"];
        let mut paths: Vec<String> = list.map(str::to_owned).to_vec();
        paths.extend(items.iter().map(|item| format!("/items/{}", item.id)));
        let said = "return [document.body.textContent, document.querySelectorAll('main b, main i').length, \
                    document.documentElement.scrollWidth]";
        for path in &paths {
            browser.go(&format!("{url}{path}")).await;
            let told = browser.run(said).await;
            assert!(told[1] == 0 && told[2].as_u64().unwrap() <= 360, "{path}: {told}");
            let body = told[0].as_str().unwrap();
            let named = path.starts_with("/items") && !path.contains("/items/");
            let all = items.iter().all(|item| body.contains(&item.item_name));
            assert!(all || !named, "{path}: {body}");
        }
        assert_eq!(browser.log().await, Vec::<String>::new());
        browser
    })
    .await;
}

async fn letters_of_twice_the_size_fit(backend: Backend) {
    let app = App::start(backend).await;
    app.pool_of(2).await;
    let site = Site::open(&app).await;
    let (link, url) = (site.link.clone(), site.url.clone());
    browse("console: large letters", Scripts::On, |browser| async move {
        browser.go(&link).await;
        browser.screen(1280, 900, "light").await;
        for path in PAGES {
            browser.go(&format!("{url}{path}")).await;
            let large = "document.documentElement.style.fontSize = '200%'; \
                         return document.documentElement.scrollWidth";
            let wide = browser.run(large).await;
            assert!(wide.as_u64().unwrap() <= 1280, "{path}: {wide} wide");
        }
        browser
    })
    .await;
}
