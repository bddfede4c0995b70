//! Friends and invitations.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use steam_sim::{
    Account, AccountChange, Behaviour, InviteRefusal, NewAccount, Options, Relationship, Standing,
    SteamId,
};

use crate::client::{Client, World, body};

impl Client {
    async fn invite(&self, who: SteamId, accept: u8) -> Value {
        let fields = [("steamid", who.to_string()), ("accept_invite", accept.to_string())];
        body(self.act("AddFriendAjax", &fields).await, StatusCode::OK).await
    }

    /// These pages spell the session's field in their own way.
    async fn act(&self, action: &str, fields: &[(&str, String)]) -> reqwest::Response {
        let mut form = vec![("sessionID", "0123456789abcdef01234567".to_owned())];
        form.extend_from_slice(fields);
        let path = format!("/actions/{action}");
        self.community(reqwest::Method::POST, &path).form(&form).send().await.unwrap()
    }

    async fn relationships(&self) -> Vec<(String, u64)> {
        let list = body(self.get("/textfilter/ajaxgetfriendslist").await, StatusCode::OK).await;
        assert_eq!(
            (&list["success"], &list["friendslist"]["bincremental"]),
            (&json!(1), &json!(false))
        );
        let friends = list["friendslist"]["friends"].as_array().unwrap().iter();
        friends
            .map(|it| {
                let how = it["efriendrelationship"].as_u64().unwrap();
                (it["ulfriendid"].as_str().unwrap().to_owned(), how)
            })
            .collect()
    }
}

impl World {
    fn stand(&self, who: &Account, standing: Standing) {
        let change = AccountChange { standing: Some(standing), ..AccountChange::default() };
        self.sim.change_account(who.steam_id, change).unwrap();
    }
}

fn failed(who: &Account, code: u32) -> Value {
    let id = who.steam_id.to_string();
    json!({"failed_invites": [id], "failed_invites_result": [code], "success": 1})
}

#[tokio::test]
async fn an_invitation_is_sent_accepted_and_ended() {
    let world = World::start().await;
    let World { sim, client, bot, alice, .. } = &world;
    let hers = Client::of(sim, alice).await;
    let (bots, alices) = (bot.steam_id.to_string(), alice.steam_id.to_string());
    let sent = client.invite(alice.steam_id, 0).await;
    let entry = sim.journal("/actions/AddFriendAjax").remove(0);
    assert_eq!((&*entry.fields["steamid"], &*entry.fields["accept_invite"]), (&*alices, "0"));
    assert_eq!(sent, json!({"invited": [alices], "success": 1}));
    assert_eq!(client.relationships().await, [(alices.clone(), 4)]);
    assert_eq!(hers.relationships().await, [(bots.clone(), 2)]);
    assert_eq!(client.invite(alice.steam_id, 1).await, failed(alice, 42), "she must accept");
    hers.invite(bot.steam_id, 1).await;
    assert_eq!(client.relationships().await, [(alices.clone(), 3)]);
    assert_eq!(client.invite(alice.steam_id, 0).await, failed(alice, 29));

    let keys = world.keys(bot, 1);
    let stale = Account { trade_token: String::new(), ..alice.clone() };
    assert_eq!(client.send(&stale, &keys, &[], "").await.status(), StatusCode::OK);
    let query = [("steamid", &*bots), ("relationship", "friend")];
    let list = client.web_api("ISteamUser/GetFriendList", &query).await;
    let friend = &list["friendslist"]["friends"][0];
    assert_eq!((&friend["steamid"], &friend["relationship"]), (&json!(alices), &json!("friend")));
    assert!(friend["friend_since"].as_i64().unwrap() >= crate::client::START);

    let removed = hers.act("RemoveFriendAjax", &[("steamid", bots)]).await;
    assert_eq!(body(removed, StatusCode::OK).await, json!(true));
    assert!(client.relationships().await.is_empty());
}

#[tokio::test]
async fn an_ignored_invitation_still_looks_sent_and_a_blocked_one_fails() {
    let world = World::start().await;
    let World { sim, client, bot, alice, .. } = &world;
    let hers = Client::of(sim, alice).await;
    client.invite(alice.steam_id, 0).await;
    let bots = bot.steam_id.to_string();
    let ignored = hers.act("IgnoreFriendInviteAjax", &[("steamid", bots.clone())]).await;
    assert_eq!(body(ignored, StatusCode::OK).await, json!(true));
    assert_eq!(client.relationships().await[0].1, 4);
    assert!(hers.relationships().await.is_empty());

    client.act("RemoveFriendAjax", &[("steamid", alice.steam_id.to_string())]).await;
    let me = alice.steam_id;
    let action = |action: &str| {
        vec![
            ("steamid", me.to_string()),
            ("ajax", "1".to_owned()),
            ("action", action.to_owned()),
            ("steamids[]", bots.clone()),
        ]
    };
    let page = format!("/profiles/{me}/friends/action");
    let blocked = hers.post(&page, &action("block")).await;
    assert_eq!(body(blocked, StatusCode::OK).await, json!({"success": 1}));
    assert_eq!(sim.relationship(me, bot.steam_id), Relationship::Ignored);
    assert_eq!(client.invite(me, 0).await, failed(alice, 40));
    sim.set_relationship(me, bot.steam_id, Relationship::None);
    client.invite(me, 0).await;
    let accepted = hers.post(&page, &action("accept")).await;
    assert_eq!(body(accepted, StatusCode::OK).await, json!({"success": 1}));
    assert_eq!(sim.relationship(bot.steam_id, me), Relationship::Friend);
    let foreign = client.post(&page, &action("remove")).await;
    assert_eq!(foreign.status(), StatusCode::FORBIDDEN, "each acts on their own page");
    hers.post(&page, &action("remove")).await;
    assert_eq!(sim.relationship(bot.steam_id, me), Relationship::None);
}

#[tokio::test]
async fn people_accept_invitations_after_their_time() {
    let world = World::start().await;
    let World { sim, client, bot, alice, .. } = &world;
    let slowly = Behaviour::IGNORE.accepting_invites_after(Duration::from_secs(3600));
    world.behave(alice, slowly);
    client.invite(alice.steam_id, 0).await;
    sim.advance(Duration::from_secs(3000));
    assert_eq!(sim.relationship(bot.steam_id, alice.steam_id), Relationship::RequestInitiator);
    sim.advance(Duration::from_secs(600));
    assert_eq!(sim.relationship(bot.steam_id, alice.steam_id), Relationship::Friend);

    let bob = sim.add_account(NewAccount::named("bob")).unwrap();
    client.invite(bob.steam_id, 0).await;
    world.behave(&bob, Behaviour::IGNORE.accepting_invites_after(Duration::ZERO));
    assert_eq!(sim.relationship(bob.steam_id, bot.steam_id), Relationship::Friend);
}

#[tokio::test]
async fn a_limited_account_a_full_list_and_too_many_invitations_are_refused() {
    let world = World::with(Options { invites_per_day: Some(2), ..Options::default() }).await;
    let World { sim, client, bot, alice, .. } = &world;
    world.stand(bot, Standing { limited: true, ..Standing::default() });
    assert_eq!(client.invite(alice.steam_id, 0).await, failed(alice, 24));
    world.stand(bot, Standing { level: 2, ..Standing::default() });
    let mut friends = (0..260).map(|number| SteamId(76_561_198_000_000_000 + number));
    friends.by_ref().take(259).for_each(|friend| sim.befriend(bot.steam_id, friend));
    client.invite(alice.steam_id, 0).await;
    sim.befriend(bot.steam_id, friends.next().unwrap());
    let bob = sim.add_account(NewAccount::named("bob")).unwrap();
    assert_eq!(client.invite(bob.steam_id, 0).await, failed(&bob, 25), "250 and 5 for each level");
    let full = sim.invite(alice.steam_id, bot.steam_id);
    assert_eq!(full, Err(InviteRefusal::ListFull), "accepting needs room on both sides");

    world.stand(bot, Standing { level: 20, ..Standing::default() });
    client.invite(bob.steam_id, 0).await;
    let carol = sim.add_account(NewAccount::named("carol")).unwrap();
    assert_eq!(client.invite(carol.steam_id, 0).await, failed(&carol, 84));
    sim.advance(Duration::from_secs(86_400));
    let client = Client::of(sim, bot).await;
    assert_eq!(client.invite(carol.steam_id, 0).await["success"], 1);
    assert_eq!(sim.relationship(carol.steam_id, bot.steam_id), Relationship::RequestRecipient);
}

#[tokio::test]
async fn levels_and_friends_are_told_unless_the_profile_is_private() {
    let world = World::start().await;
    let World { client, alice, .. } = &world;
    world.stand(alice, Standing { level: 12, ..Standing::default() });
    let id = alice.steam_id.to_string();
    let query = [("steamid", &*id)];
    for method in ["IPlayerService/GetSteamLevel", "IPlayerService/GetBadges"] {
        assert_eq!(
            client.web_api(method, &query).await["response"]["player_level"],
            12,
            "{method}"
        );
    }
    world.stand(alice, Standing { profile_private: true, ..Standing::default() });
    assert_eq!(client.web_api("IPlayerService/GetSteamLevel", &query).await["response"], json!({}));
    let hidden = client.ask("ISteamUser/GetFriendList", &query).await;
    assert_eq!(hidden.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn without_a_session_the_friend_pages_say_so() {
    let world = World::start().await;
    world.sim.end_sessions(world.bot.steam_id);
    let list = world.client.get("/textfilter/ajaxgetfriendslist").await;
    assert_eq!(body(list, StatusCode::OK).await, json!({"success": 21}));
    let added = world.client.act("AddFriendAjax", &[("steamid", "1".to_owned())]).await;
    assert_eq!(added.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_quick_invitation_makes_one_friend() {
    let world = World::start().await;
    let World { sim, client, bot, alice, .. } = &world;
    let fields = [("steamid_user", bot.steam_id.to_string()), ("duration", "60".to_owned())];
    let made = body(client.post("/invites/ajaxcreate", &fields).await, StatusCode::OK).await;
    assert_eq!((&made["success"], &made["invite"]["invite_limit"]), (&json!(1), &json!(1)));
    let token = made["invite"]["invite_token"].as_str().unwrap();
    sim.follow_invite(alice.steam_id, token).unwrap();
    assert_eq!(sim.relationship(bot.steam_id, alice.steam_id), Relationship::Friend);
    assert_eq!(sim.follow_invite(alice.steam_id, token), Err(InviteRefusal::Unknown), "used");
    let late = body(client.post("/invites/ajaxcreate", &fields).await, StatusCode::OK).await;
    sim.advance(Duration::from_secs(60));
    let late = sim.follow_invite(alice.steam_id, late["invite"]["invite_token"].as_str().unwrap());
    assert_eq!(late, Err(InviteRefusal::Unknown), "over");
}
