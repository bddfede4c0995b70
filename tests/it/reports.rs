//! What a bot reports names things of its own organisation, whatever numbers it tells.

use astro_sdk::bot::v1::bot_event::Event as Report;
use astro_sdk::bot::v1::*;
use astro_sdk::v1::{Discrepancy, Item, ItemState};
use astro_tests::{App, Backend, on_each_database};
use steam_sim::Behaviour;

use crate::donations::{DONOR, SHIFT, asset, described, moved, offered, took};
use crate::evidence::{happened, stranger};
use crate::puppet::Puppet;
use crate::world::open_discrepancies;

on_each_database!(what_a_bot_reports_of_another_organisation_changes_nothing_there);

/// What there is of an organisation that a bot of another may name.
struct Theirs {
    attempt: String,
    /// Offer of the attempt, and of the donation.
    offers: [String; 2],
    /// Trade of the donation.
    trade: String,
    /// Assets: one in an offer, one free.
    assets: Vec<u64>,
    winner: u64,
}

/// The name of a report. A new kind needs its name here, and its reports below.
fn name(report: &Report) -> &'static str {
    match report {
        Report::OfferReceived(_) => "offer_received",
        Report::OfferAnswered(_) => "offer_answered",
        Report::AttemptStarted(_) => "attempt_started",
        Report::AttemptSent(_) => "attempt_sent",
        Report::AttemptOffered(_) => "attempt_offered",
        Report::AttemptHeld(_) => "attempt_held",
        Report::AttemptDelivered(_) => "attempt_delivered",
        Report::AttemptEnded(_) => "attempt_ended",
        Report::SteamStatus(_) => "steam_status",
        Report::UserProfiles(_) => "user_profiles",
        Report::FriendChanged(_) => "friend_changed",
        Report::TradesSeen(_) => "trades_seen",
        Report::StrangeOffer(_) => "strange_offer",
    }
}

/// Every kind of report, with all that is theirs in it.
fn reports(theirs: &Theirs) -> Vec<Report> {
    let attempt_id = || theirs.attempt.clone();
    let [sent, donated] = theirs.offers.clone();
    let ids = || theirs.assets.clone().into_iter();
    let moved_all = || -> Vec<ReceivedAsset> {
        ids().map(|id| ReceivedAsset { returned_asset_id: id, ..moved(id) }).collect()
    };
    let mut answered = OfferAnswered {
        trade_offer_id: donated.clone(),
        trade_id: theirs.trade.clone(),
        assets: moved_all(),
        ..Default::default()
    };
    answered.set_outcome(OfferOutcome::Accepted);
    let seen = |outcome: TradeOutcome| TradeSeen {
        trade_id: theirs.trade.clone(),
        partner_steam_id: DONOR + 1,
        outcome: outcome.into(),
        given: moved_all(),
        received: moved_all(),
        ..Default::default()
    };
    let trades = [TradeOutcome::Complete, TradeOutcome::Reversed, TradeOutcome::Undone].map(seen);
    let ended = AttemptEnded {
        attempt_id: attempt_id(),
        failure: AttemptFailure::ItemsUnavailable.into(),
        returned: moved_all(),
        ..Default::default()
    };
    let delivered = AttemptDelivered {
        attempt_id: attempt_id(),
        trade_offer_id: sent.clone(),
        trade_id: theirs.trade.clone(),
        assets: moved_all(),
        ..Default::default()
    };
    let strange = StrangeOffer {
        trade_offer_id: sent.clone(),
        partner_steam_id: theirs.winner,
        give: ids().map(asset).collect(),
        open: true,
        ..Default::default()
    };
    let mut all = vec![
        Report::OfferReceived(OfferReceived {
            trade_offer_id: donated,
            partner_steam_id: DONOR + 1,
            receive: ids().map(asset).collect(),
            descriptions: ids().map(described).collect(),
            message: "a donation".to_owned(),
            ..Default::default()
        }),
        Report::OfferAnswered(answered),
        Report::AttemptStarted(AttemptStarted { attempt_id: attempt_id() }),
        Report::AttemptSent(AttemptSent { attempt_id: attempt_id(), trade_offer_id: sent.clone() }),
        Report::AttemptOffered(AttemptOffered { attempt_id: attempt_id(), trade_offer_id: sent }),
        Report::AttemptHeld(AttemptHeld { attempt_id: attempt_id(), ..Default::default() }),
        Report::AttemptDelivered(delivered),
        Report::AttemptEnded(ended),
        Report::TradesSeen(TradesSeen { trades: trades.to_vec() }),
        Report::StrangeOffer(StrangeOffer { open: false, ..strange.clone() }),
        Report::StrangeOffer(strange),
    ];
    all.extend(of_people(theirs));
    all
}

/// The kinds that tell of the bot itself and of people.
fn of_people(theirs: &Theirs) -> Vec<Report> {
    let friend = |state: FriendState| {
        let steam_id = theirs.winner;
        Report::FriendChanged(FriendChanged { steam_id, state: state.into(), ..Default::default() })
    };
    vec![
        Report::SteamStatus(SteamStatus {
            status: "needs_operator".to_owned(),
            ..Default::default()
        }),
        Report::UserProfiles(UserProfiles {
            profiles: vec![UserProfile {
                steam_id: theirs.winner,
                display_name: "somebody else".to_owned(),
                ..Default::default()
            }],
        }),
        friend(FriendState::Friend),
        friend(FriendState::Refused),
    ]
}

/// One thing of each kind, known to the app's organisation.
async fn theirs(app: &App) -> (Puppet, Theirs) {
    let mut bot = Puppet::connect(app, true).await.unwrap();
    bot.lists(app, &[]).await;
    offered(&mut bot, 1, DONOR + 1, 1..=2).await;
    took(&mut bot, (1, 11), 1..=2, None).await;
    bot.status("online").await;
    let pool = app.items(&[ItemState::Available]).await;
    let winner = app.person("winner", Behaviour::ACCEPT);
    app.assign(&pool[..1], &winner).await;
    let order = bot.offer(77).await;
    let theirs = Theirs {
        attempt: order.attempt_id,
        offers: ["77".to_owned(), "1".to_owned()],
        trade: "11".to_owned(),
        assets: vec![SHIFT + 1, SHIFT + 2],
        winner: winner.steam_id.0,
    };
    (bot, theirs)
}

async fn state(app: &App) -> (Vec<Item>, usize, Vec<Discrepancy>) {
    (app.items(&[]).await, happened(app).await, open_discrepancies(app).await)
}

async fn what_a_bot_reports_of_another_organisation_changes_nothing_there(backend: Backend) {
    let app = App::start(backend).await;
    let (_bot, theirs) = theirs(&app).await;
    let (mut foreign, _, foreign_bot) = stranger(&app).await;
    foreign.lists(&app, &[]).await;
    let before = state(&app).await;
    let mut told = Vec::new();
    for report in reports(&theirs) {
        let name = name(&report);
        told.push(name);
        foreign.report(report).await;
        foreign.committed().await.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(state(&app).await, before, "{name}");
    }
    told.dedup();
    assert_eq!(told.len(), 13, "{told:?}");
    foreign.lists_anew(&app, &foreign_bot, &theirs.assets).await;
    assert_eq!(state(&app).await, before, "an inventory");
}
