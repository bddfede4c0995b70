//! Injected faults, gates and the journal.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use steam_sim::{Fault, FaultKind, LostAnswer, Matcher};

use crate::client::{SOON, World, plain, str_error};

const SEND: &str = "/tradeoffer/new/send";

#[tokio::test]
async fn an_offer_exists_although_its_answer_was_lost() {
    let world = World::start().await;
    let keys = world.keys(&world.bot, 1);
    for (index, lost) in [
        LostAnswer::Closed,
        LostAnswer::Status500,
        LostAnswer::Status502,
        LostAnswer::StrError16,
        LostAnswer::Empty200,
    ]
    .into_iter()
    .enumerate()
    {
        world.sim.inject(Fault::once(Matcher::path(SEND), FaultKind::EffectThen(lost)));
        let form = world.client.offer_form(&world.alice, &keys, &[], &format!("marker-{index}-"));
        let mut fields = vec![("sessionid", "0123456789abcdef01234567".to_owned())];
        fields.extend(form);
        let request = world.client.community(reqwest::Method::POST, SEND).form(&fields);
        let answer = request.send().await;
        match lost {
            LostAnswer::Closed => assert!(answer.is_err()),
            LostAnswer::Status500 => assert_eq!(answer.unwrap().status().as_u16(), 500),
            LostAnswer::Status502 => assert_eq!(answer.unwrap().status().as_u16(), 502),
            LostAnswer::StrError16 => {
                assert!(str_error(answer.unwrap()).await.ends_with("(16)"));
            }
            LostAnswer::Empty200 => {
                let answer = answer.unwrap();
                assert_eq!(answer.status(), StatusCode::OK);
                assert!(answer.bytes().await.unwrap().is_empty());
            }
        }
        let marker = format!("marker-{index}-");
        assert_eq!(world.sim.look(|books| books.offers_marked(&marker).count()), 1, "{lost:?}");
    }
    let journal = world.sim.journal(SEND);
    assert_eq!(journal.len(), 5);
    assert!(journal.iter().all(|entry| entry.fault.is_some()));
    assert_eq!(journal[0].status, None, "no answer was given");
}

#[tokio::test]
async fn a_failure_has_no_effect_and_ends_after_its_times() {
    let world = World::start().await;
    let keys = world.keys(&world.bot, 1);
    let kind = FaultKind::Fail { status: 429, body: String::new(), eresult: None };
    let matcher = Matcher::path(SEND).method("POST").account(world.bot.steam_id);
    world.sim.inject(Fault::once(matcher, kind));
    let failed = world.client.send(&world.alice, &keys, &[], "").await;
    assert_eq!(failed.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(world.sim.look(|books| books.offers().count()), 0);
    let (path, code) = (Matcher::path(SEND), 26);
    world.sim.inject(Fault::once(path, FaultKind::str_error(code)));
    let refused = str_error(world.client.send(&world.alice, &keys, &[], "").await).await;
    assert!(refused.ends_with("(26)"));
    assert_eq!(world.sim.look(|books| books.offers().count()), 0);
    world.send(&keys, &[]).await;
}

#[tokio::test]
async fn each_third_request_fails() {
    let world = World::start().await;
    let kind = FaultKind::Fail { status: 503, body: "{}".to_owned(), eresult: Some(20) };
    world.sim.inject(Fault::every(3, Matcher::path("GetTradeOffersSummary"), kind));
    let url = "https://api.steampowered.com/IEconService/GetTradeOffersSummary/v1/";
    let mut statuses = Vec::new();
    for _ in 0..6 {
        let request = world.client.http.get(url);
        let response = request.query(&[("access_token", &world.client.access_token)]).send().await;
        statuses.push(response.unwrap().status().as_u16());
    }
    assert_eq!(statuses, [200, 200, 503, 200, 200, 503]);
    world.sim.clear_faults();
}

#[tokio::test]
async fn chance_hits_its_share_and_the_same_requests_for_the_same_seed() {
    let world = World::start().await;
    let control = plain();
    let hits = async |seed: u64, by_json: bool| {
        world.sim.clear_faults();
        let (matcher, kind) = (Matcher::path("GetTradeOffersSummary"), FaultKind::status(503));
        let fault = Fault::by_chance(4, seed, matcher, kind);
        if by_json {
            let post = control.post(format!("{}/faults", world.sim.control_url()));
            let json = serde_json::json!({
                "matcher": fault.matcher, "kind": fault.kind,
                "when": {"chance": {"one_in": 4, "seed": seed}},
            });
            assert_eq!(post.json(&json).send().await.unwrap().status(), StatusCode::OK);
        } else {
            world.sim.inject(fault);
        }
        let mut hits = Vec::new();
        for _ in 0..80 {
            let answer = world.client.ask("IEconService/GetTradeOffersSummary", &[]).await;
            hits.push(answer.status() == StatusCode::SERVICE_UNAVAILABLE);
        }
        hits
    };
    let first = hits(7, false).await;
    let count = first.iter().filter(|hit| **hit).count();
    assert!((10..=30).contains(&count), "{count} of 80");
    assert_eq!(hits(7, true).await, first);
    assert_ne!(hits(8, false).await, first);
}

#[tokio::test]
async fn a_delay_keeps_the_request_waiting() {
    let world = World::start().await;
    let delay = Duration::from_millis(80);
    world.sim.inject(Fault::once(Matcher::default(), FaultKind::Delay(delay)));
    let began = Instant::now();
    world.client.api("GetTradeOffersSummary", &[]).await;
    assert!(began.elapsed() >= delay);
}

#[tokio::test]
async fn a_held_request_has_taken_effect_and_answers_when_released() {
    let world = World::start().await;
    let keys = world.keys(&world.bot, 1);
    let hold = world.sim.hold(Matcher::path(SEND));
    let send = world.send(&keys, &[]);
    let watch = async {
        hold.wait_until_held().await;
        let offers = world.sim.look(|books| books.offers().count());
        hold.release();
        offers
    };
    let (id, offers_while_held) = tokio::join!(send, watch);
    assert_eq!((offers_while_held, world.state(id)), (1, 9));
    world.send(&keys, &[]).await;
}

#[tokio::test]
async fn a_client_which_goes_away_while_held_leaves_its_offer_behind() {
    let world = World::start().await;
    let keys = world.keys(&world.bot, 1);
    let hold = world.sim.hold(Matcher::path(SEND));
    tokio::select! {
        _ = world.client.send(&world.alice, &keys, &[], "lost-marker") => panic!("it was held"),
        () = hold.wait_until_held() => {}
    }
    assert_eq!(world.sim.look(|books| books.offers_marked("lost-marker").count()), 1);
    assert_eq!(world.sim.journal(SEND)[0].status, None);
}

#[tokio::test]
async fn the_journal_tells_requests_without_their_secrets() {
    let world = World::start().await;
    let keys = world.keys(&world.bot, 1);
    world.send(&keys, &[]).await;
    world.client.confirmations(crate::client::START).await;
    let entry = world.sim.wait_for_request(|it| it.path == SEND, SOON).await.unwrap();
    assert_eq!((entry.method.as_str(), entry.status), ("POST", Some(200)));
    assert_eq!(entry.account, Some(world.bot.steam_id));
    assert_eq!(entry.fields["partner"], world.alice.steam_id.to_string());
    assert!(entry.fields["json_tradeoffer"].contains(&keys[0].to_string()));
    let all = format!("{:?}", world.sim.journal(""));
    let key = &world.client.signed(crate::client::START, "list")[2].1;
    for secret in [&world.alice.trade_token, &world.client.access_token, key] {
        assert!(!all.contains(secret.as_str()), "{secret} is in the journal");
    }
}

#[tokio::test]
async fn a_true_answer_is_told_with_odd_parts() {
    let world = World::start().await;
    let keys = world.keys(&world.bot, 1);
    let id = world.send(&keys, &[]).await;
    let (find, put) = (format!(r#""tradeofferid":"{id}""#), r#""tradeofferid":"\ud800""#);
    let kind = FaultKind::rewrite([(find.as_str(), put)]);
    world.sim.inject(Fault::once(Matcher::path("GetTradeOffers"), kind.clone()));
    let query = [("get_sent_offers", "1"), ("active_only", "1")];
    let ask = async || {
        let answer = world.client.ask("IEconService/GetTradeOffers", &query).await;
        answer.text().await.unwrap()
    };
    let told = ask().await;
    assert!(told.contains(put) && !told.contains(&find), "{told}");
    assert!(ask().await.contains(&find), "once");
    let json = serde_json::to_string(&kind).unwrap();
    assert_eq!(serde_json::from_str::<FaultKind>(&json).unwrap(), kind);
}
