//! What the edge and the proxy refuse.

use reqwest::{Method, StatusCode};
use steam_sim::{EdgeRule, Options, Sim};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::client::{API, COMMUNITY, World, http};

const SESSION: &str = "sessionid=0123456789abcdef01234567";

#[tokio::test]
async fn a_post_without_origin_referer_or_session_id_is_refused() {
    let world = World::start().await;
    let url = format!("{COMMUNITY}/tradeoffer/new/send");
    let post = || world.client.http.request(Method::POST, &url).header("cookie", SESSION);
    let status = async |request: reqwest::RequestBuilder| {
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };
    let right = [("sessionid", "0123456789abcdef01234567")];
    assert_eq!(status(post().form(&right)).await, (403, String::new()));
    let with_origin = || post().header("origin", COMMUNITY);
    assert_eq!(status(with_origin().form(&right)).await.0, 403, "no referer");
    let referer = format!("{COMMUNITY}/tradeoffer/new/?partner=1");
    let complete = || with_origin().header("referer", &referer);
    assert_eq!(status(complete().form(&[("sessionid", "other")])).await.0, 400);
    assert_eq!(status(complete().form(&right)).await.0, 401, "only the session is missing");
}

#[tokio::test]
async fn an_ended_session_is_refused_as_each_page_does() {
    let world = World::start().await;
    let keys = world.keys(&world.alice, 1);
    let (alice, bot) = (world.alice.steam_id, world.bot.steam_id);
    let id = world.sim.donate(alice, bot, &keys, "").unwrap();
    world.sim.end_sessions(bot);
    let sent = world.client.send(&world.alice, &[], &keys, "").await;
    assert_eq!(sent.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(world.client.accept(id, alice).await.status(), StatusCode::FORBIDDEN);
    let url = format!("{API}/IEconService/GetTradeOffers/v1/?access_token=nonsense");
    let read = world.client.http.get(url).send().await.unwrap();
    assert_eq!(read.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn an_excused_rule_does_not_hold_and_the_others_do() {
    let excused = vec![EdgeRule::Origin, EdgeRule::Language];
    let world = World::with(Options { excused, ..Options::default() }).await;
    let inventory = format!("{COMMUNITY}/inventory/{}/440/2", world.bot.steam_id);
    let read = http(&world.sim).get(&inventory).send().await.unwrap();
    assert_eq!(read.status(), StatusCode::OK, "without a language");
    let nobody = world.client.http.get(inventory).header("user-agent", "").send().await.unwrap();
    assert_eq!(nobody.status(), StatusCode::TOO_MANY_REQUESTS, "without a user agent");
    let send = world.client.http.post(format!("{COMMUNITY}/tradeoffer/new/send"));
    let send = send.header("cookie", SESSION).form(&[("sessionid", "0123456789abcdef01234567")]);
    let sent = send.try_clone().unwrap().send().await.unwrap();
    assert_eq!(sent.status(), StatusCode::FORBIDDEN, "without a referer");
    let sent = send.header("referer", format!("{COMMUNITY}/tradeoffer/1")).send().await.unwrap();
    assert_eq!(sent.status(), StatusCode::UNAUTHORIZED, "without an origin");
}

#[tokio::test]
async fn the_proxy_leads_to_steam_only_and_counts_the_rest() {
    let sim = Sim::start(Options::default()).await.unwrap();
    assert!(http(&sim).get("https://example.org/").send().await.is_err());
    assert!(http(&sim).get("https://api.steampowered.com:8443/").send().await.is_err());
    assert_eq!(sim.refused_connects(), 2);
    assert_eq!(sim.journal("")[0].host, "example.org:443");
    let address = sim.proxy_url().replace("http://", "");
    let mut plain = tokio::net::TcpStream::connect(address).await.unwrap();
    plain.write_all(b"GET http://steamcommunity.com/ HTTP/1.1\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    plain.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
}

#[tokio::test]
async fn every_name_of_steams_has_a_valid_certificate() {
    let sim = Sim::start(Options::default()).await.unwrap();
    for host in steam_sim::HOSTS {
        http(&sim).get(format!("https://{host}/")).send().await.unwrap();
    }
    let unknown = format!("{API}/IEconService/Nonsense/v1/");
    assert_eq!(http(&sim).get(unknown).send().await.unwrap().status(), StatusCode::NOT_FOUND);
    let get = format!("{API}/ITwoFactorService/QueryTime/v1/");
    assert_eq!(http(&sim).get(get).send().await.unwrap().status(), StatusCode::METHOD_NOT_ALLOWED);
    sim.shutdown().await;
}
