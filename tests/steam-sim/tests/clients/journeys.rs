//! What every client plays alike.

use serde_json::{Value, json};
use steam_sim::{
    Behaviour, Fault, FaultKind, ItemSpec, LostAnswer, Matcher, NewAccount, OFFERS_PER_PARTNER_MAX,
    OfferState,
};

use crate::stage::{KEY, Stage, ids, texts};

const SEND: &str = "/tradeoffer/new/send";
/// More than two pages of any client's.
const MANY: usize = 4100;

/// Logs in as a phone, and as a browser whose cookies come from `finalizelogin`.
pub(crate) async fn log_in(stage: &mut Stage) {
    let refused = json!({"platform": "phone", "password": "wrong"});
    let trouble = stage.steam.fails("login", refused).await;
    assert!(trouble.is(5) || trouble.message.contains("BadCredentials"), "{trouble:?}");
    let account = json!({"steam_id": stage.bot.steam_id, "account": "bot"});
    let gift = stage.gift("for you");
    for (platform, finalized) in [("phone", 0), ("browser", 1)] {
        let logged_in = stage.steam.does("login", json!({"platform": platform})).await;
        assert_eq!(logged_in, account);
        assert_eq!(stage.answered("/jwt/finalizelogin", 200).len(), finalized, "{platform}");
        // The cookies open the community, the token the Web API.
        stage.steam.does("acknowledge", json!({})).await;
        assert_eq!(stage.offer(&json!(gift)).await["message"], "for you");
    }
    assert_eq!(stage.answered("/PollAuthSessionStatus/", 200).len(), 2);
    assert!(stage.answered("/login/settoken", 200).len() >= 3);
    for entry in stage.answered("/trade/new/acknowledge", 200) {
        assert_eq!(entry.account, Some(stage.bot.steam_id));
    }
}

/// Reads an inventory of several pages.
pub(crate) async fn read_a_large_inventory(stage: &mut Stage) {
    let specs = [ItemSpec::named(KEY), ItemSpec::named("Refined Metal")];
    let given = stage.sim.give_items(stage.bot.steam_id, 440, 2, &specs, MANY / 2);
    let items = stage.steam.does("inventory", json!({})).await;
    let items = items.as_array().unwrap();
    let read: Value = items.iter().map(|item| item["asset"].clone()).collect();
    assert_eq!((items.len(), ids(&read)), (MANY, texts(&given)));
    let keys = items.iter().filter(|item| item["name"] == KEY).count();
    assert_eq!(keys, MANY / 2);
    assert!(stage.answered("/inventory/", 200).len() >= 3);
}

/// Sends items, confirms on the phone, and learns the new asset ids once alice has accepted.
pub(crate) async fn deliver(stage: &mut Stage) {
    let keys = stage.keys_of(&stage.bot, 2);
    let offer = stage.send(&keys, "your prize").await;
    let seen = stage.offer(&offer).await;
    assert_eq!((&seen["state"], &seen["message"]), (&json!(9), &json!("your prize")));
    assert_eq!(
        (&seen["partner"], ids(&seen["give"])),
        (&json!(stage.alice.steam_id), texts(&keys))
    );
    stage.confirm(&offer).await;
    assert_eq!(stage.offer(&offer).await["state"], 2);
    stage.alice_answers(Behaviour::ACCEPT);
    assert_eq!(stage.offer(&offer).await["state"], 3);
    let moved = stage.steam.does("moved", json!({"offer": offer})).await;
    assert_eq!(moved["status"], 3);
    assert_eq!(ids(&moved["given"]), stage.has(&stage.alice));
    assert!(ids(&moved["given"]).is_disjoint(&texts(&keys)), "each asset has a new number");
    assert!(stage.has(&stage.bot).is_empty());
}

/// Accepts a gift, for which the phone is not asked.
pub(crate) async fn accept_a_gift(stage: &mut Stage) {
    let gift = json!(stage.gift("a gift"));
    let offers = stage.steam.does("offers", json!({})).await;
    let received = offers["received"].as_array().unwrap();
    assert_eq!((received.len(), &received[0]["offer"]), (1, &gift));
    assert_eq!((&received[0]["ours"], &received[0]["give"]), (&json!(false), &json!([])));
    let accepted = stage.steam.does("accept", json!({"offer": gift})).await;
    assert_eq!(accepted["pending"], false);
    let moved = stage.steam.does("moved", json!({"offer": gift})).await;
    assert_eq!(ids(&moved["received"]), stage.has(&stage.bot));
    assert_eq!(stage.steam.does("inventory", json!({})).await.as_array().unwrap().len(), 1);
}

/// Accepts an offer that asks for something, for which the phone is asked.
pub(crate) async fn accept_an_exchange(stage: &mut Stage) {
    let (hers, mine) = (stage.keys_of(&stage.alice, 1), stage.keys_of(&stage.bot, 1));
    let (alice, bot) = (stage.alice.steam_id, stage.bot.steam_id);
    let offer = json!(stage.sim.offer(alice, bot, &hers, &mine, "swap?").unwrap());
    let accepted = stage.steam.does("accept", json!({"offer": offer})).await;
    assert_eq!((&accepted["pending"], stage.state(&offer)), (&json!(true), OfferState::Active));
    stage.confirm(&offer).await;
    let moved = stage.steam.does("moved", json!({"offer": offer})).await;
    assert_eq!(ids(&moved["received"]), stage.has(&stage.bot));
    assert_eq!(ids(&moved["given"]), stage.has(&stage.alice));
}

/// Declines what came, and cancels what was sent, confirmed or not.
pub(crate) async fn decline_and_cancel(stage: &mut Stage) {
    let gift = json!(stage.gift("unwanted"));
    stage.steam.does("decline", json!({"offer": gift})).await;
    assert_eq!(stage.offer(&gift).await["state"], 7);
    let keys = stage.keys_of(&stage.bot, 2);
    let unconfirmed = stage.send(&keys[..1], "one").await;
    let active = stage.send(&keys[1..], "two").await;
    stage.confirm(&active).await;
    for offer in [unconfirmed, active] {
        stage.steam.does("cancel", json!({"offer": offer})).await;
        assert_eq!(stage.offer(&offer).await["state"], 6);
        stage.steam.fails("confirm", json!({"offer": offer})).await;
    }
    assert_eq!(stage.has(&stage.bot), texts(&keys));
}

/// Learns of an alice who declines.
pub(crate) async fn see_a_refusal(stage: &mut Stage) {
    let keys = stage.keys_of(&stage.bot, 1);
    let offer = stage.send(&keys, "please?").await;
    stage.alice_answers(Behaviour::DECLINE);
    stage.confirm(&offer).await;
    assert_eq!(stage.offer(&offer).await["state"], 7);
    assert_eq!(stage.has(&stage.bot), texts(&keys));
}

/// Gets no or no true answer to a send, finds the offer among the sent ones and goes on with it.
pub(crate) async fn find_an_offer_whose_answer_was_lost(stage: &mut Stage) {
    for lost in [
        LostAnswer::Closed,
        LostAnswer::Status500,
        LostAnswer::Status502,
        LostAnswer::StrError16,
        LostAnswer::Empty200,
    ] {
        let marker = format!("marker {lost:?}");
        let keys = stage.keys_of(&stage.bot, 1);
        stage.sim.inject(Fault::once(Matcher::path(SEND), FaultKind::EffectThen(lost)));
        let sends = stage.sim.journal(SEND).len();
        let trouble = stage.steam.fails("send", stage.to_alice(&keys, &marker)).await;
        assert_eq!(trouble.is(16), lost == LostAnswer::StrError16, "{trouble:?}");
        assert_eq!(stage.sim.journal(SEND).len(), sends + 1, "no library sends twice by itself");
        let offers = stage.steam.does("offers", json!({})).await;
        let sent = offers["sent"].as_array().unwrap().iter();
        let found: Vec<_> = sent.filter(|offer| offer["message"] == marker).collect();
        assert_eq!((found.len(), &found[0]["state"]), (1, &json!(9)), "{lost:?}");
        assert_eq!(ids(&found[0]["give"]), texts(&keys));
        stage.confirm(&found[0]["offer"]).await;
        assert_eq!(stage.state(&found[0]["offer"]), OfferState::Active);
        stage.steam.does("cancel", json!({"offer": found[0]["offer"]})).await;
    }
}

/// Is refused with the reason Steam gives.
pub(crate) async fn be_refused(stage: &mut Stage) {
    let keys = stage.keys_of(&stage.bot, 1);
    let stale = stage.keys_of(&stage.alice, 1);
    let gone = stage.steam.fails("send", stage.to_alice(&stale, "")).await;
    assert!(gone.is(26), "{gone:?}");
    let mut stranger = stage.to_alice(&keys, "");
    stranger["token"] = "wrong123".into();
    let denied = stage.steam.fails("send", stranger).await;
    assert!(denied.is(15), "{denied:?}");
    for number in 0..OFFERS_PER_PARTNER_MAX {
        stage.send(&keys, &format!("offer {number}")).await;
    }
    let limit = stage.steam.fails("send", stage.to_alice(&keys, "")).await;
    assert!(limit.is(50) && limit.message.contains("too many trade offers"), "{limit:?}");
    assert_eq!(stage.sim.look(|books| books.offers().count()), OFFERS_PER_PARTNER_MAX);
    // What was offered moves elsewhere: its siblings are no longer valid.
    let bob = NewAccount::named("bob").behaving(Behaviour::ACCEPT);
    let bob = stage.sim.add_account(bob).unwrap();
    stage.sim.offer(stage.bot.steam_id, bob.steam_id, &keys, &[], "").unwrap();
    let offers = stage.steam.does("offers", json!({})).await;
    let to_alice = |offer: &&Value| offer["partner"] == json!(stage.alice.steam_id);
    let states: Vec<_> = offers["sent"].as_array().unwrap().iter().filter(to_alice).collect();
    assert!(states.iter().all(|offer| offer["state"] == 8), "{offers}");
}

/// Is told to slow down, which has no effect and ends.
pub(crate) async fn be_told_to_slow_down(stage: &mut Stage) {
    let keys = stage.keys_of(&stage.bot, 1);
    let slow_down = || FaultKind::Fail { status: 429, body: String::new(), eresult: None };
    for path in ["/inventory/", SEND, "/mobileconf/getlist", "/GetTradeOffers/"] {
        stage.sim.inject(Fault::once(Matcher::path(path), slow_down()));
    }
    let told = |trouble: &crate::driver::Trouble| trouble.message.contains("429");
    assert!(told(&stage.steam.fails("inventory", json!({})).await));
    assert!(told(&stage.steam.fails("offers", json!({})).await));
    assert!(told(&stage.steam.fails("send", stage.to_alice(&keys, "")).await));
    assert_eq!(stage.sim.look(|books| books.offers().count()), 0);
    let offer = stage.send(&keys, "").await;
    assert!(told(&stage.steam.fails("confirm", json!({"offer": offer})).await));
    stage.confirm(&offer).await;
    assert_eq!(stage.steam.does("inventory", json!({})).await.as_array().unwrap().len(), 1);
}

/// Notices that its session is over, renews it, and logs in anew once that is refused too.
pub(crate) async fn outlive_its_session(stage: &mut Stage) {
    let keys = stage.keys_of(&stage.bot, 1);
    stage.sim.end_sessions(stage.bot.steam_id);
    let read = stage.steam.fails("offers", json!({})).await;
    let sent = stage.steam.fails("send", stage.to_alice(&keys, "")).await;
    assert!(read.session_over && sent.session_over, "{read:?} {sent:?}");
    assert_eq!(stage.sim.look(|books| books.offers().count()), 0);
    stage.steam.does("renew", json!({})).await;
    let offer = stage.send(&keys, "").await;
    stage.sim.end_sessions(stage.bot.steam_id);
    let confirmed = stage.steam.fails("confirm", json!({"offer": offer})).await;
    assert!(confirmed.session_over, "{confirmed:?}");
    stage.sim.revoke_refresh_tokens(stage.bot.steam_id);
    let renewed = stage.steam.fails("renew", json!({})).await;
    assert!(renewed.is(15), "{renewed:?}");
    stage.steam.does("login", json!({"platform": "phone"})).await;
    stage.confirm(&offer).await;
    assert_eq!(stage.state(&offer), OfferState::Active);
}

/// Has a delivery taken back by alice; gives its offer, which is in state 12 then and keeps nobody
/// from reading the others.
pub(crate) async fn have_a_trade_reversed(stage: &mut Stage) -> Value {
    let keys = stage.keys_of(&stage.bot, 1);
    stage.alice_answers(Behaviour::ACCEPT);
    let offer = stage.send(&keys, "your prize").await;
    stage.confirm(&offer).await;
    assert_eq!(stage.offer(&offer).await["state"], 3);
    let gift = stage.gift("another");
    assert_eq!(stage.sim.reverse_trades(stage.alice.steam_id).len(), 1);
    assert_eq!(stage.offer(&offer).await["state"], 12);
    let offers = stage.steam.does("offers", json!({})).await;
    assert_eq!(offers["sent"][0]["state"], 12);
    assert_eq!(offers["received"][0]["offer"], json!(gift));
    let items = stage.steam.does("inventory", json!({})).await;
    let back: Value = items.as_array().unwrap().iter().map(|item| item["asset"].clone()).collect();
    assert_eq!(ids(&back), stage.has(&stage.bot), "the item is back");
    offer
}

/// Makes each kind of request once, whatever becomes of it; gives the commands that failed.
pub(crate) async fn try_everything(stage: &mut Stage) -> Vec<&'static str> {
    let keys = stage.keys_of(&stage.bot, 3);
    let (alice, bot) = (stage.alice.steam_id, stage.bot.steam_id);
    let [to_accept, to_decline] = ["one", "two"].map(|message| json!(stage.gift(message)));
    let sent = json!(stage.sim.offer(bot, alice, &keys[..1], &[], "sent before").unwrap());
    stage.steam.does("login", json!({"platform": "browser"})).await;
    stage.steam.does("login", json!({"platform": "phone"})).await;
    let exchange = stage.sim.offer(alice, bot, &[], &keys[1..2], "give me").unwrap();
    let send = stage.to_alice(&keys[2..], "sent by the client");
    let mut failed = Vec::new();
    for (command, arguments) in [
        ("acknowledge", json!({})),
        ("inventory", json!({})),
        ("offers", json!({})),
        ("accept", json!({"offer": to_accept})),
        ("decline", json!({"offer": to_decline})),
        ("cancel", json!({"offer": sent})),
        ("accept", json!({"offer": exchange})),
        ("confirm", json!({"offer": exchange})),
        ("send", send),
    ] {
        if stage.steam.tries(command, arguments).await.is_err() {
            failed.push(command);
        }
    }
    failed
}
