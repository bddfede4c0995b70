//! Becoming somebody's friend.

use std::collections::HashSet;
use std::time::Duration;

use astro_sdk::bot::v1::{Befriend, FriendState, command::Command};
use steam_sim::{
    AccountChange, Behaviour, Fault, FaultKind, JournalEntry, Matcher, NewAccount, Options,
    Relationship, Standing, SteamId, When,
};

use crate::{
    await_event,
    server::{PATIENCE, Session},
    stage::{Stage, asset, start},
};

const LIST: &str = "/textfilter/ajaxgetfriendslist";
const ADD: &str = "/actions/AddFriendAjax";
const REMOVE: &str = "/actions/RemoveFriendAjax";

async fn befriend(session: &mut Session, who: SteamId) {
    session.command(Command::Befriend(Befriend { partner_steam_id: who.0 })).await;
}

async fn told(session: &mut Session) -> (SteamId, FriendState) {
    let event = await_event!(session, FriendChanged);
    (SteamId(event.steam_id), event.state())
}

fn how(stage: &Stage, who: SteamId) -> Relationship {
    stage.sim.relationship(stage.bot.steam_id, who)
}

/// Fills the bot's friend list with people, the first of them the oldest friends.
fn fill_list(stage: &Stage, first: &[SteamId]) -> Vec<SteamId> {
    let strangers = (0..).map(|id| SteamId(76_561_198_000_000_000 + id));
    let friends: Vec<SteamId> = first.iter().copied().chain(strangers).take(250).collect();
    for friend in &friends {
        stage.sim.befriend(stage.bot.steam_id, *friend);
        stage.sim.advance(Duration::from_secs(1));
    }
    friends
}

#[tokio::test]
async fn a_person_is_invited_once_and_becomes_a_friend_by_accepting() {
    let mut stage = Stage::new().await;
    let alice = stage.alice.steam_id;
    let patient = Behaviour::IGNORE.accepting_invites_after(Duration::from_secs(3600));
    stage.sim.set_behaviour(alice, patient).unwrap();
    let (_bot, mut session) = stage.begin().await;
    befriend(&mut session, alice).await;
    assert_eq!(told(&mut session).await, (alice, FriendState::Invited));
    befriend(&mut session, alice).await;
    stage.requests(LIST, stage.sim.journal(LIST).len() + 3).await;
    assert_eq!(stage.sim.journal(ADD).len(), 1);
    stage.sim.advance(Duration::from_secs(3601));
    assert_eq!(told(&mut session).await, (alice, FriendState::Friend));
    assert_eq!(how(&stage, alice), Relationship::Friend);
}

#[tokio::test]
async fn whoever_is_a_friend_already_is_told_at_once() {
    let mut stage = Stage::new().await;
    let alice = stage.alice.steam_id;
    stage.sim.befriend(stage.bot.steam_id, alice);
    let (_bot, mut session) = stage.begin().await;
    befriend(&mut session, alice).await;
    assert_eq!(told(&mut session).await, (alice, FriendState::Friend));
    assert!(stage.sim.journal(ADD).is_empty());
}

#[tokio::test]
async fn an_invitation_of_the_person_is_accepted_and_none_is_sent() {
    let mut stage = Stage::new().await;
    let alice = stage.alice.steam_id;
    stage.sim.invite(alice, stage.bot.steam_id).unwrap();
    let bob = stage.sim.add_account(NewAccount::named("bob")).unwrap().steam_id;
    stage.sim.invite(bob, stage.bot.steam_id).unwrap();
    let (_bot, mut session) = stage.begin().await;
    befriend(&mut session, alice).await;
    assert_eq!(told(&mut session).await, (alice, FriendState::Friend));
    assert_eq!(how(&stage, bob), Relationship::RequestRecipient, "nobody asked for him");
}

#[tokio::test]
async fn a_person_who_cannot_be_invited_is_told_with_steams_reason() {
    let mut stage = Stage::new().await;
    let (bot, alice) = (stage.bot.steam_id, stage.alice.steam_id);
    stage.sim.set_relationship(alice, bot, Relationship::Blocked);
    let (_bot, mut session) = stage.begin().await;
    befriend(&mut session, alice).await;
    let event = await_event!(session, FriendChanged);
    assert_eq!(event.state(), FriendState::Refused);
    assert!(event.message.contains("(40)"), "{}", event.message);
}

#[tokio::test]
async fn an_invitation_that_was_turned_down_is_not_repeated() {
    let mut stage = Stage::new().await;
    let (bot, alice) = (stage.bot.steam_id, stage.alice.steam_id);
    let (_bot, mut session) = stage.begin().await;
    befriend(&mut session, alice).await;
    assert_eq!(told(&mut session).await.1, FriendState::Invited);
    stage.sim.unfriend(alice, bot);
    let event = await_event!(session, FriendChanged);
    assert_eq!(event.state(), FriendState::Refused);
    assert!(event.message.contains("turned down"), "{}", event.message);
    assert_eq!(stage.sim.journal(ADD).len(), 1);
}

#[tokio::test]
async fn several_wishes_share_one_list_and_go_out_in_their_order() {
    let mut stage = Stage::new().await;
    let people = three_people(&stage);
    let _bot = start(stage.config());
    let (_, mut session) = stage.server.session(1, 0).await;
    for who in &people {
        befriend(&mut session, *who).await;
    }
    for who in &people {
        assert_eq!(told(&mut session).await, (*who, FriendState::Invited), "in their order");
    }
    assert_eq!(stage.sim.journal(ADD).len(), 3);
}

#[tokio::test]
async fn between_two_invitations_lies_a_pause() {
    let mut stage = Stage::new().await;
    let people = three_people(&stage);
    let mut config = stage.config();
    config.pace.invite_spacing = Duration::from_secs(3600);
    let _bot = start(config);
    let (_, mut session) = stage.server.session(1, 0).await;
    for who in &people {
        befriend(&mut session, *who).await;
    }
    assert_eq!(told(&mut session).await, (people[0], FriendState::Invited));
    stage.requests(LIST, stage.sim.journal(LIST).len() + 10).await;
    assert_eq!(stage.sim.journal(ADD).len(), 1, "the others wait");
}

fn three_people(stage: &Stage) -> [SteamId; 3] {
    let account = |name: &str| stage.sim.add_account(NewAccount::named(name)).unwrap().steam_id;
    ["bob", "carol", "dave"].map(account)
}

#[tokio::test]
async fn after_too_many_invitations_the_bot_is_quiet_for_long() {
    let mut stage = Stage::with(Options { invites_per_day: Some(1), ..Options::default() }).await;
    let bob = stage.sim.add_account(NewAccount::named("bob")).unwrap().steam_id;
    let carol = stage.sim.add_account(NewAccount::named("carol")).unwrap().steam_id;
    let (_bot, mut session) = stage.begin().await;
    for who in [stage.alice.steam_id, bob, carol] {
        befriend(&mut session, who).await;
    }
    assert_eq!(told(&mut session).await, (stage.alice.steam_id, FriendState::Invited));
    stage.requests(ADD, 2).await;
    stage.requests(LIST, stage.sim.journal(LIST).len() + 10).await;
    assert_eq!(stage.sim.journal(ADD).len(), 2, "one went out, one was too many");
    // Nobody is refused for it: whoever comes to the bot by themselves is told as ever.
    stage.sim.befriend(stage.bot.steam_id, carol);
    assert_eq!(told(&mut session).await, (carol, FriendState::Friend));
}

#[tokio::test]
async fn one_who_cannot_be_invited_for_now_holds_nobody_up_and_is_invited_later() {
    let mut stage = Stage::new().await;
    let bob = stage.sim.add_account(NewAccount::named("bob")).unwrap().steam_id;
    let busy = r#"{"failed_invites":["1"],"failed_invites_result":[25],"success":1}"#;
    let kind = FaultKind::Fail { status: 200, body: busy.into(), eresult: None };
    stage.sim.inject(Fault { matcher: Matcher::path(ADD), kind, when: When::Every(1) });
    let mut config = stage.config();
    config.pace.invite_pause = Duration::from_millis(50);
    let _bot = start(config);
    let (_, mut session) = stage.server.session(1, 0).await;
    befriend(&mut session, stage.alice.steam_id).await;
    stage.requests(ADD, 1).await;
    befriend(&mut session, bob).await;
    let text = bob.to_string();
    let is_bobs = |entry: &JournalEntry| {
        entry.path.contains(ADD) && entry.fields.get("steamid") == Some(&text)
    };
    stage.sim.wait_for_request(is_bobs, PATIENCE).await.unwrap();
    stage.sim.clear_faults();
    let told = HashSet::from([told(&mut session).await, told(&mut session).await]);
    assert_eq!(told, [stage.alice.steam_id, bob].map(|who| (who, FriendState::Invited)).into());
}

#[tokio::test]
async fn a_full_list_loses_the_oldest_friends_whom_nobody_waits_for() {
    let mut stage = Stage::new().await;
    let account = |name: &str| stage.sim.add_account(NewAccount::named(name)).unwrap().steam_id;
    let (bob, carol, dave) = (account("bob"), account("carol"), account("dave"));
    let friends = fill_list(&stage, &[bob, carol, dave]);
    let items = stage.stock(1);
    let (_bot, mut session) = stage.begin().await;
    // Bob has an open offer, and Dave is waited for.
    let (bot, sim) = (stage.bot.steam_id, stage.sim.clone());
    let offer = sim.offer(bot, bob, &items, &[], "prize").unwrap();
    let mut deliver = stage.offered(offer, vec![asset(items[0])]);
    deliver.partner_steam_id = bob.0;
    session.deliver(&deliver).await;
    await_event!(session, UserProfiles);
    befriend(&mut session, dave).await;
    assert_eq!(told(&mut session).await, (dave, FriendState::Friend));
    befriend(&mut session, dave).await;
    befriend(&mut session, stage.alice.steam_id).await;
    assert_eq!(told(&mut session).await, (dave, FriendState::Friend));
    assert_eq!(told(&mut session).await, (stage.alice.steam_id, FriendState::Invited));

    // 250 places, of which 20 stay free and one is Alice's.
    assert_eq!(stage.sim.journal(REMOVE).len(), 21);
    assert_eq!(how(&stage, bob), Relationship::Friend);
    assert_eq!(how(&stage, carol), Relationship::None);
    let kept = friends.iter().filter(|who| how(&stage, **who) == Relationship::Friend);
    assert_eq!(kept.count(), 229);
    assert_eq!(how(&stage, friends[249]), Relationship::Friend, "the youngest");
}

#[tokio::test]
async fn a_higher_level_has_room_for_more_friends() {
    let mut stage = Stage::new().await;
    fill_list(&stage, &[]);
    let standing = Some(Standing { level: 5, ..Standing::default() });
    let grown = AccountChange { standing, ..AccountChange::default() };
    stage.sim.change_account(stage.bot.steam_id, grown).unwrap();
    let (_bot, mut session) = stage.begin().await;
    befriend(&mut session, stage.alice.steam_id).await;
    assert_eq!(told(&mut session).await.1, FriendState::Invited);
    assert!(stage.sim.journal(REMOVE).is_empty());
}

#[tokio::test]
async fn nobody_is_removed_because_the_level_could_not_be_read_once() {
    let mut stage = Stage::new().await;
    fill_list(&stage, &[]);
    let standing = Some(Standing { level: 5, ..Standing::default() });
    let grown = AccountChange { standing, ..AccountChange::default() };
    stage.sim.change_account(stage.bot.steam_id, grown).unwrap();
    let away = FaultKind::Fail { status: 503, body: String::new(), eresult: None };
    let matcher = Matcher::path("GetSteamLevel");
    stage.sim.inject(Fault { matcher, kind: away, when: When::Times(2) });
    let (_bot, mut session) = stage.begin().await;
    befriend(&mut session, stage.alice.steam_id).await;
    assert_eq!(told(&mut session).await.1, FriendState::Invited);
    assert!(stage.sim.journal(REMOVE).is_empty());
}

#[tokio::test]
async fn in_the_next_session_the_wishes_come_again_and_no_invitation_goes_out_twice() {
    let mut stage = Stage::new().await;
    let alice = stage.alice.steam_id;
    let (_bot, mut session) = stage.begin().await;
    befriend(&mut session, alice).await;
    assert_eq!(told(&mut session).await.1, FriendState::Invited);
    let last = *session.seqs.last().unwrap();
    drop(session);
    let (_, mut session) = stage.server.session(2, last).await;
    befriend(&mut session, alice).await;
    assert_eq!(told(&mut session).await, (alice, FriendState::Invited));
    assert_eq!(stage.sim.journal(ADD).len(), 1);
}

#[tokio::test]
async fn a_list_that_cannot_be_read_is_read_again() {
    let mut stage = Stage::new().await;
    let alice = stage.alice.steam_id;
    let kind = FaultKind::Fail { status: 503, body: String::new(), eresult: None };
    stage.sim.inject(Fault { matcher: Matcher::path(LIST), kind, when: When::Times(2) });
    let (_bot, mut session) = stage.begin().await;
    befriend(&mut session, alice).await;
    assert_eq!(told(&mut session).await, (alice, FriendState::Invited));
}
