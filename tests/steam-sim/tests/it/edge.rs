//! Budgets, maintenance, and faults of whole answers.

use std::time::Duration;

use reqwest::StatusCode;
use steam_sim::{Fault, FaultKind, Matcher, Options, RateLimits, SimTime};

use crate::client::{COMMUNITY, World, builder, http};

const SUMMARY: &str = "IEconService/GetTradeOffersSummary";
const MINUTE: Duration = Duration::from_secs(60);

impl World {
    async fn status(&self) -> u16 {
        self.client.ask(SUMMARY, &[]).await.status().as_u16()
    }

    async fn inventory_status(&self) -> u16 {
        let path = format!("/inventory/{}/440/2?count=10", self.bot.steam_id);
        self.client.get(&path).await.status().as_u16()
    }
}

#[tokio::test]
async fn a_budget_refuses_what_is_beyond_it_until_its_time_has_passed() {
    let limits = RateLimits { window: MINUTE, per_host: 3, inventory: 1, retry_after: true };
    let world = World::with(Options { rate_limits: Some(limits), ..Options::default() }).await;
    assert_eq!((world.status().await, world.status().await), (200, 200), "and one of the login");
    let refused = world.client.ask(SUMMARY, &[]).await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    let wait: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((50..=60).contains(&wait), "{wait}");
    assert_eq!((world.inventory_status().await, world.inventory_status().await), (200, 429));
    assert_eq!(world.client.get("/textfilter/ajaxgetfriendslist").await.status(), StatusCode::OK);
    let journal = world.sim.journal("");
    let refused = journal.iter().filter(|it| it.fault.as_deref() == Some("rate limit"));
    assert_eq!(refused.map(|it| it.status).collect::<Vec<_>>(), [Some(429), Some(429)]);

    world.sim.advance(MINUTE);
    assert_eq!((world.status().await, world.inventory_status().await), (200, 200));
    let silent = RateLimits { per_host: 0, retry_after: false, ..limits };
    world.sim.set_rate_limits(Some(silent));
    let refused = world.client.ask(SUMMARY, &[]).await;
    assert_eq!((refused.status().as_u16(), refused.headers().get("retry-after")), (429, None));
    world.sim.set_rate_limits(None);
    assert_eq!(world.status().await, 200);
}

#[tokio::test]
async fn in_maintenance_every_host_answers_503() {
    let world = World::start().await;
    let now = world.sim.now().0;
    world.sim.maintain(SimTime(now + 60_000), SimTime(now + 120_000));
    assert_eq!(world.status().await, 200);
    world.sim.advance(MINUTE);
    assert_eq!((world.status().await, world.inventory_status().await), (503, 503));
    let shop = world.client.http.get("https://store.steampowered.com/").send().await.unwrap();
    assert_eq!(shop.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(shop.text().await.unwrap().starts_with("<html>"));
    world.sim.advance(MINUTE);
    assert_eq!(world.status().await, 200);
}

#[tokio::test]
async fn a_fault_lasts_for_its_time_on_the_simulators_clock() {
    let world = World::start().await;
    let hour = Duration::from_secs(3600);
    let matcher = Matcher::path("GetTradeOffersSummary");
    world.sim.inject(Fault::lasting(hour, matcher, FaultKind::status(502)));
    assert_eq!((world.status().await, world.status().await), (502, 502));
    world.sim.advance(Duration::from_secs(3500));
    assert_eq!(world.status().await, 502);
    world.sim.advance(Duration::from_secs(100));
    assert_eq!(world.status().await, 200);
}

#[tokio::test]
async fn faults_have_the_headers_and_bodies_of_steams() {
    let world = World::start().await;
    let once = |kind| world.sim.inject(Fault::once(Matcher::path("GetTradeOffersSummary"), kind));
    let ask = async || world.client.ask(SUMMARY, &[]).await;

    once(FaultKind::too_many_requests(Some(30)));
    let answer = ask().await;
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["retry-after"]),
        (429, &"30".parse().unwrap())
    );
    once(FaultKind::too_many_requests(None));
    assert!(ask().await.headers().get("retry-after").is_none());
    once(FaultKind::akamai_denied());
    let answer = ask().await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    assert!(answer.text().await.unwrap().contains("Access Denied"));

    let whole = ask().await.text().await.unwrap();
    once(FaultKind::Truncate);
    let half = ask().await.text().await.unwrap();
    assert!(whole.starts_with(&half) && half.len() == whole.len() / 2, "{half}");
    once(FaultKind::Eresult(2));
    let answer = ask().await;
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["x-eresult"]),
        (200, &"2".parse().unwrap())
    );
    assert_eq!(answer.text().await.unwrap(), whole, "a good body");

    once(FaultKind::Eresult(1).with_header("x-one", "1").with_header("x-two", "2"));
    let answer = ask().await;
    assert!(answer.headers().contains_key("x-one") && answer.headers().contains_key("x-two"));
    world.sim.inject(Fault::once(Matcher::path("/inventory/"), FaultKind::login_redirect()));
    let client = builder(&world.sim).redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let answer = client.get(format!("{COMMUNITY}/inventory/1/2/3")).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::FOUND);
    assert!(answer.headers()["location"].to_str().unwrap().contains("/login/"));
}

#[tokio::test]
async fn the_journal_keeps_the_headers_by_which_clients_are_judged() {
    let world = World::start().await;
    let referer = format!("{COMMUNITY}/tradeoffer/new/?partner=1&token=SeCrEt12&x=1");
    let request = world.client.http.get(format!("{COMMUNITY}/inventory/1/440/2"));
    let request = request.header("cookie", "sessionid=1").header("accept-language", "en");
    request.header("referer", referer).send().await.unwrap();
    let entry = world.sim.journal("/inventory/1/440/2").remove(0);
    let header = |name: &str| entry.headers.get(name).map(String::as_str);
    assert_eq!(header("user-agent"), Some("Mozilla/5.0 (X11; Linux x86_64) Test/1.0"));
    assert_eq!((header("accept-language"), header("origin")), (Some("en"), None));
    let kept = "https://steamcommunity.com/tradeoffer/new/?partner=1&token=<redacted>&x=1";
    assert_eq!(header("referer"), Some(kept));
    assert_eq!(header("cookie"), None);
}

#[tokio::test]
async fn a_closed_proxy_breaks_what_is_open_and_leads_nowhere() {
    let world = World::start().await;
    assert_eq!(world.status().await, 200);
    let answered = world.sim.journal("").len();
    world.sim.close_proxy(true);
    let url = "https://api.steampowered.com/IEconService/GetTradeOffersSummary/v1/";
    assert!(world.client.http.get(url).send().await.is_err(), "the old connection is broken");
    let failed = http(&world.sim).get(url).send().await.unwrap_err();
    assert!(failed.is_connect(), "{failed:?}");
    assert_eq!(world.sim.journal("").len(), answered, "nothing arrived");
    assert_eq!(world.sim.refused_connects(), 0, "the client asked for nothing wrong");
    world.sim.close_proxy(false);
    assert_eq!(world.status().await, 200);
}
