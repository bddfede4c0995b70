//! Why an account cannot send or receive just now.

use reqwest::StatusCode;
use serde_json::json;
use steam_sim::{Account, AccountChange, Behaviour, EconomyBan, Standing};

use crate::client::{Client, START, World, body, str_error};

impl World {
    fn change(&self, who: &Account, change: AccountChange) {
        self.sim.change_account(who.steam_id, change).unwrap();
    }

    fn set(&self, who: &Account, standing: Standing) {
        self.change(who, AccountChange { standing: Some(standing), ..AccountChange::default() });
    }

    async fn refused(&self) -> String {
        let keys = self.keys(&self.bot, 1);
        str_error(self.client.send(&self.alice, &keys, &[], "").await).await
    }
}

fn new_device() -> Standing {
    Standing { new_device: true, ..Standing::default() }
}

fn full_at(cap: usize) -> Standing {
    Standing { inventory_cap: Some(cap), ..Standing::default() }
}

#[tokio::test]
async fn a_full_inventory_takes_no_offer() {
    let world = World::start().await;
    let World { sim, client, bot, alice, .. } = &world;
    let hers = world.keys(alice, 2);
    world.set(alice, full_at(2));
    assert_eq!(
        world.refused().await,
        "This trade is not possible because alice's inventory is full. (15)"
    );
    let keys = world.keys(bot, 1);
    let swap = client.send(alice, &keys, &hers[..1], "swap").await;
    assert_eq!(swap.status(), StatusCode::OK, "as many out as in");
    world.set(bot, full_at(2));
    let own = str_error(client.send(alice, &[], &hers[..1], "").await).await;
    assert!(
        own.contains("maximum number of items allowed in your Team Fortress 2 inventory"),
        "{own}"
    );

    world.set(bot, Standing::default());
    let gift = sim.donate(alice.steam_id, bot.steam_id, &hers[..1], "").unwrap();
    world.set(bot, full_at(2));
    let full = str_error(client.accept(gift, alice.steam_id).await).await;
    assert!(full.contains("maximum number of items"), "{full}");
    assert_eq!(world.state(gift), 2, "it stays to be accepted later");
    world.set(bot, Standing::default());
    let accepted = client.accept(gift, alice.steam_id).await;
    assert!(body(accepted, StatusCode::OK).await["tradeid"].is_string());
}

#[tokio::test]
async fn a_person_who_has_become_full_cannot_accept() {
    let world = World::start().await;
    let keys = world.keys(&world.bot, 1);
    let id = world.send(&keys, &[]).await;
    world.set(&world.alice, full_at(0));
    world.behave(&world.alice, Behaviour::ACCEPT);
    world.client.confirm(START, id).await;
    assert_eq!(world.state(id), 2);
    world.assert_conserved();
}

#[tokio::test]
async fn a_new_device_locks_both_sides_out_of_trading() {
    let world = World::start().await;
    let World { sim, client, bot, alice, .. } = &world;
    world.set(alice, new_device());
    let refused = world.refused().await;
    assert!(
        refused.starts_with("alice is not available to trade. More information will be shown to"),
        "{refused}"
    );
    world.set(alice, Standing::default());
    let gift = sim.donate(alice.steam_id, bot.steam_id, &world.keys(alice, 1), "").unwrap();
    world.set(bot, new_device());
    let sending = world.refused().await;
    let accepting = str_error(client.accept(gift, alice.steam_id).await).await;
    for text in [sending, accepting] {
        assert!(text.starts_with("You have logged in from a new device. In order to"), "{text}");
    }
}

#[tokio::test]
async fn private_inventories_bans_renames_and_old_tokens_have_their_codes() {
    let world = World::start().await;
    let World { sim, client, bot, alice, .. } = &world;
    let change = AccountChange::default;
    world.change(alice, AccountChange { inventory_private: Some(true), ..change() });
    assert!(world.refused().await.ends_with("(15)"));
    world.change(alice, AccountChange { inventory_private: Some(false), ..change() });

    let token = sim.regenerate_trade_token(alice.steam_id);
    assert_ne!(token, alice.trade_token);
    assert!(world.refused().await.ends_with("(15)"), "the old token");
    let renewed = Account { trade_token: token, ..alice.clone() };
    let keys = world.keys(bot, 1);
    assert_eq!(client.send(&renewed, &keys, &[], "").await.status(), StatusCode::OK);
    sim.befriend(bot.steam_id, alice.steam_id);

    world.set(alice, Standing { renamed: true, ..Standing::default() });
    assert!(world.refused().await.ends_with("(34)"));
    world.set(alice, Standing::default());

    let gift = sim.donate(alice.steam_id, bot.steam_id, &world.keys(alice, 1), "").unwrap();
    world.change(bot, AccountChange { economy_ban: Some(EconomyBan::Banned), ..change() });
    assert!(world.refused().await.ends_with("(17)"), "the sender is banned");
    let accepting = str_error(client.accept(gift, alice.steam_id).await).await;
    assert!(accepting.ends_with("(17)"), "{accepting}");
    world.change(bot, AccountChange { economy_ban: Some(EconomyBan::Probation), ..change() });
    world.change(alice, AccountChange { economy_ban: Some(EconomyBan::Banned), ..change() });
    let accepting = str_error(client.accept(gift, alice.steam_id).await).await;
    assert!(accepting.ends_with("(17)"), "the donor was banned meanwhile: {accepting}");
}

#[tokio::test]
async fn bans_of_every_kind_are_told() {
    let world = World::start().await;
    let standing = Standing {
        community_banned: true,
        vac_bans: 2,
        game_bans: 1,
        days_since_last_ban: 30,
        ..Standing::default()
    };
    world.set(&world.alice, standing);
    let query = [("steamids", &*world.alice.steam_id.to_string())];
    let bans = world.client.web_api("ISteamUser/GetPlayerBans", &query).await;
    let bans = &bans["players"][0];
    assert_eq!((&bans["CommunityBanned"], &bans["VACBanned"]), (&json!(true), &json!(true)));
    assert_eq!((&bans["NumberOfVACBans"], &bans["NumberOfGameBans"]), (&json!(2), &json!(1)));
    assert_eq!(bans["DaysSinceLastBan"], 30);
    let client = Client::of(&world.sim, &world.alice).await;
    assert_eq!(client.account.name, "alice");
}
