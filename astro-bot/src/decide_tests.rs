//! The rules of `decide`, one story each.

use std::sync::Arc;

use crate::{
    decide::*,
    frames::{self, AttemptFailure, Event, FriendState, TradeOutcome, TradeSeen},
    steam::{Asset, AssetKey, Offer, OfferId, OfferState, OffersPage, SteamId},
};

const PARTNER: SteamId = SteamId(76_561_197_961_265_729);

fn order(phase: Phase) -> Order {
    let key = AssetKey { app_id: 440, context_id: 2, asset_id: 1 };
    Order {
        attempt_id: "attempt".into(),
        marker: "A7F3K2Q9".into(),
        partner: PARTNER,
        token: None,
        give: vec![(key, 1)],
        message: "Astro prize A7F3K2Q9".into(),
        started_at: None,
        age: std::time::Duration::ZERO,
        phase,
    }
}

fn deliver(phase: Phase) -> Input {
    Input::Command(Command::Deliver(order(phase)))
}

fn cancel() -> Input {
    Input::Command(Command::Cancel { attempt_id: "attempt".into() })
}

fn progress(progress: Progress) -> Input {
    Input::Attempt { attempt_id: "attempt".into(), progress }
}

fn ended() -> Event {
    frames::attempt_ended("attempt".into(), AttemptFailure::Declined, "no".into(), None)
}

fn offer(id: u64, state: OfferState) -> Offer {
    let item = Asset {
        app_id: 440,
        context_id: 2,
        asset_id: 1,
        class_id: 1,
        instance_id: 0,
        amount: 1,
        estimated_usd_cents: 0,
    };
    Offer {
        id: OfferId(id),
        partner: PARTNER,
        message: "Astro prize A7F3K2Q9".into(),
        state,
        give: vec![item],
        receive: vec![],
        created_at: 0,
        trade_id: None,
        escrow_end_at: None,
        odd: None,
    }
}

fn polled(sent: Vec<Offer>, received: Vec<Offer>) -> Input {
    Input::Polled(Arc::new(OffersPage { sent, received, complete: true, ..Default::default() }))
}

fn connected() -> State {
    let mut state = State::default();
    state.on(Input::Connected { epoch: 7 });
    state
}

fn emitted(actions: &[Action]) -> usize {
    actions.iter().filter(|action| matches!(action, Action::Emit(_))).count()
}

#[test]
fn a_command_that_comes_twice_starts_one_task() {
    let mut state = connected();
    let first = state.on(deliver(Phase::Planned));
    assert_eq!(first[0], Action::Deliver(order(Phase::Planned)));
    assert_eq!(state.on(deliver(Phase::Planned)), []);
    assert_eq!(state.on(deliver(Phase::Started)), []);
}

#[test]
fn a_decision_reaches_the_task_that_asked_and_only_once() {
    let mut state = connected();
    state.on(deliver(Phase::Planned));
    let decision = || Input::Decision { attempt_id: "attempt".into(), go: true, epoch: 7 };
    assert_eq!(state.on(decision()), [], "nobody asked yet");
    assert_eq!(emitted(&state.on(progress(Progress::Asks))), 1);
    let word = Word::Decided { go: true, epoch: 7 };
    assert_eq!(state.on(decision()), [Action::Tell { attempt_id: "attempt".into(), word }]);
    assert_eq!(state.on(decision()), []);
}

#[test]
fn a_decision_lost_with_its_session_is_not_acted_upon() {
    let mut state = connected();
    state.on(deliver(Phase::Planned));
    state.on(progress(Progress::Asks));
    state.on(Input::Disconnected);
    state.on(Input::Connected { epoch: 8 });
    assert_eq!(state.on(deliver(Phase::Planned)), [], "the question is asked again");
    let word = Word::Decided { go: false, epoch: 8 };
    let told = state.on(deliver(Phase::Started));
    assert_eq!(told[0], Action::Tell { attempt_id: "attempt".into(), word });
    assert!(matches!(&told[1], Action::Deliver(order) if order.phase == Phase::Started));
}

#[test]
fn a_command_that_crossed_the_last_event_is_answered_with_it() {
    let mut state = connected();
    state.on(deliver(Phase::Planned));
    state.on(progress(Progress::Over(ended())));
    assert_eq!(state.on(deliver(Phase::Started)), [Action::Emit(ended())]);
    assert_eq!(state.on(cancel()), [Action::Emit(ended())]);
}

#[test]
fn an_attempt_that_was_called_off_may_come_again() {
    let mut state = connected();
    state.on(deliver(Phase::Planned));
    state.on(progress(Progress::Asks));
    state.on(Input::Decision { attempt_id: "attempt".into(), go: false, epoch: 7 });
    assert!(!state.on(deliver(Phase::Planned)).is_empty());
}

#[test]
fn a_bot_whose_failed_delivery_is_called_off_is_online_again() {
    let mut state = connected();
    let (condition, detail) = (Condition::Online, String::new());
    state.on(Input::Steam(Standing { condition, detail, token_ends_at: None }));
    state.on(deliver(Phase::Planned));
    let crashed = state.on(Input::Crashed(Work::Attempt("attempt".into())));
    assert_eq!(standings(&crashed), ["reconnecting"]);
    state.on(Input::Connected { epoch: 8 });
    state.on(deliver(Phase::Planned));
    state.on(progress(Progress::Asks));
    let called_off = Input::Decision { attempt_id: "attempt".into(), go: false, epoch: 8 };
    assert_eq!(standings(&state.on(called_off)), ["online"]);
}

#[test]
fn a_cancel_that_comes_first_waits_for_its_attempt() {
    let mut state = connected();
    assert_eq!(state.on(cancel()), []);
    let actions = state.on(deliver(Phase::Offered(OfferId(5))));
    assert!(actions.contains(&Action::Cancel { attempt_id: "attempt".into() }));
}

#[test]
fn a_received_offer_is_announced_once_a_session() {
    let mut state = connected();
    let poll = || polled(vec![], vec![offer(1, OfferState::Active)]);
    let first = state.on(poll());
    assert_eq!(emitted(&first), 1);
    assert!(first.contains(&Action::ReadProfiles(vec![PARTNER])));
    assert_eq!(state.on(poll()), []);
    state.on(Input::Disconnected);
    assert_eq!(state.on(poll()), [], "nobody to tell");
    state.on(Input::Connected { epoch: 8 });
    assert_eq!(emitted(&state.on(poll())), 1);
}

#[test]
fn an_offer_that_is_being_answered_is_not_announced() {
    let mut state = connected();
    let order = AnswerOrder {
        offer: OfferId(1),
        partner: PARTNER,
        accept: true,
        accepted_before: false,
        reason: String::new(),
    };
    let command = || Input::Command(Command::Answer(order.clone()));
    assert_eq!(state.on(command()), [Action::Answer(order.clone())]);
    assert_eq!(state.on(command()), []);
    assert_eq!(state.on(polled(vec![], vec![offer(1, OfferState::Active)])), []);
    state.on(Input::AnswerOver(OfferId(1)));
    assert_eq!(state.on(command()), [Action::Answer(order.clone())]);
}

#[test]
fn a_double_is_cancelled_and_the_recorded_offer_is_not() {
    let mut state = connected();
    state.on(deliver(Phase::Planned));
    let both = || {
        polled(vec![offer(1, OfferState::Active), offer(2, OfferState::NeedsConfirmation)], vec![])
    };
    assert_eq!(state.on(both()), [], "either may be the one that was sent");
    let sent = frames::attempt_sent("attempt".into(), OfferId(1));
    state.on(progress(Progress::Recorded(OfferId(1), sent)));
    assert_eq!(state.on(both()), [Action::CancelDouble(OfferId(2))]);
    assert_eq!(state.on(both()), [], "under way");
    state.on(Input::DoubleTried(OfferId(2)));
    assert_eq!(state.on(both()), [Action::CancelDouble(OfferId(2))]);
}

#[test]
fn an_offer_that_shows_up_after_its_attempt_is_a_double() {
    let mut state = connected();
    state.on(deliver(Phase::Started));
    state.on(progress(Progress::Over(ended())));
    let late = polled(vec![offer(3, OfferState::NeedsConfirmation)], vec![]);
    assert_eq!(state.on(late), [Action::CancelDouble(OfferId(3))]);
}

#[test]
fn offers_without_one_of_our_markers_are_left_alone() {
    let mut state = connected();
    state.on(deliver(Phase::Sent(OfferId(1))));
    let foreign = Offer { message: "by hand".into(), ..offer(2, OfferState::Active) };
    assert_eq!(state.on(polled(vec![foreign], vec![])), []);
}

#[test]
fn a_reading_of_the_inventory_ends_with_its_session() {
    let mut state = connected();
    let command = || Input::Command(Command::ReadInventory { sync_id: "s".into() });
    let read = |epoch| Action::ReadInventory { sync_id: "s".into(), epoch };
    assert_eq!(state.on(command()), [read(7)]);
    assert_eq!(state.on(command()), []);
    assert_eq!(state.on(Input::Disconnected), [Action::StopReading]);
    state.on(Input::Connected { epoch: 8 });
    assert_eq!(state.on(command()), [read(8)]);
}

#[test]
fn steams_condition_is_told_on_change_and_in_each_session() {
    let mut state = State::default();
    let steam = |condition, detail: &str| {
        let detail = detail.to_owned();
        Input::Steam(Standing { condition, detail, token_ends_at: Some(5) })
    };
    let online = || steam(Condition::Online, "");
    assert_eq!(state.on(online()), []);
    assert_eq!(emitted(&state.on(Input::Connected { epoch: 1 })), 1);
    assert_eq!(state.on(online()), []);
    let away = steam(Condition::Reconnecting, "503");
    assert_eq!(emitted(&state.on(away)), 1);
}

fn standings(actions: &[Action]) -> Vec<String> {
    let standing = |action: &Action| {
        let Action::Emit(Event::SteamStatus(event)) = action else { return None };
        Some(event.status.clone())
    };
    actions.iter().filter_map(standing).collect()
}

fn strangers(actions: &[Action]) -> Vec<(String, bool)> {
    let strange = |action: &Action| {
        let Action::Emit(Event::StrangeOffer(event)) = action else { return None };
        Some((event.trade_offer_id.clone(), event.open))
    };
    actions.iter().filter_map(strange).collect()
}

fn by_hand(id: u64, state: OfferState) -> Offer {
    Offer { message: "by hand".into(), ..offer(id, state) }
}

/// After the polls in which the server may still send its commands.
fn settled() -> State {
    let mut state = connected();
    state.on(polled(vec![], vec![]));
    state.on(polled(vec![], vec![]));
    state
}

#[test]
fn an_offer_that_no_attempt_explains_is_told_once_open_and_once_gone() {
    let mut state = connected();
    let poll = || polled(vec![by_hand(3, OfferState::NeedsConfirmation)], vec![]);
    for _ in 0..2 {
        assert_eq!(strangers(&state.on(poll())), [], "its order may be on the way");
    }
    assert_eq!(strangers(&state.on(poll())), [("3".to_owned(), true)]);
    assert_eq!(strangers(&state.on(poll())), []);
    let partial = OffersPage { complete: false, ..Default::default() };
    assert_eq!(strangers(&state.on(Input::Polled(Arc::new(partial)))), []);
    assert_eq!(strangers(&state.on(polled(vec![], vec![]))), [("3".to_owned(), false)]);
    assert_eq!(strangers(&state.on(polled(vec![], vec![]))), []);
}

#[test]
fn a_strange_offer_is_told_again_in_the_next_session() {
    let mut state = settled();
    let poll = || polled(vec![by_hand(3, OfferState::Active)], vec![]);
    assert_eq!(strangers(&state.on(poll())).len(), 1);
    state.on(Input::Disconnected);
    assert_eq!(strangers(&state.on(poll())), [], "nobody to tell");
    state.on(Input::Connected { epoch: 8 });
    let told: Vec<usize> = (0..4).map(|_| strangers(&state.on(poll())).len()).collect();
    assert_eq!(told, [0, 0, 1, 0]);
}

#[test]
fn what_an_attempt_explains_or_may_look_for_is_not_strange() {
    for known in [
        vec![deliver(Phase::Offered(OfferId(3)))],
        vec![deliver(Phase::Started)],
        vec![deliver(Phase::Planned), progress(Progress::Asks)],
        vec![deliver(Phase::Offered(OfferId(3))), progress(Progress::Over(ended()))],
    ] {
        let mut state = settled();
        known.into_iter().for_each(|input| drop(state.on(input)));
        let poll = polled(vec![by_hand(3, OfferState::Active)], vec![]);
        assert_eq!(strangers(&state.on(poll)), []);
    }
    let mut state = settled();
    state.on(deliver(Phase::Started));
    state.on(progress(Progress::Over(ended())));
    let poll = polled(vec![by_hand(3, OfferState::Active)], vec![]);
    assert_eq!(strangers(&state.on(poll)).len(), 1, "nobody looks for it any more");
}

#[test]
fn a_strange_offer_is_cancelled_on_order_and_its_end_is_told_once() {
    let mut state = settled();
    let (id, poll) = (OfferId(3), || polled(vec![by_hand(3, OfferState::Active)], vec![]));
    state.on(poll());
    let order = || Input::Command(Command::CancelOffer(id));
    assert_eq!(state.on(order()), [Action::CancelStranger(id)]);
    assert_eq!(state.on(order()), [], "under way");
    let gone = polled(vec![by_hand(3, OfferState::Canceled)], vec![]);
    assert_eq!(strangers(&state.on(gone)), []);
    let offer = Some(Box::new(by_hand(3, OfferState::Canceled)));
    let over = state.on(Input::StrangerGone(id, offer));
    assert_eq!(strangers(&over), [("3".to_owned(), false)]);
    assert_eq!(strangers(&state.on(polled(vec![], vec![]))), []);
}

#[test]
fn the_offer_of_an_open_attempt_is_never_cancelled_as_a_strange_one() {
    let mut state = connected();
    state.on(deliver(Phase::Offered(OfferId(3))));
    assert_eq!(state.on(Input::Command(Command::CancelOffer(OfferId(3)))), []);
    state.on(progress(Progress::Over(ended())));
    let cancelled = state.on(Input::Command(Command::CancelOffer(OfferId(3))));
    assert_eq!(cancelled, [Action::CancelStranger(OfferId(3))]);
}

fn trade(id: u64, new_asset_id: u64) -> TradeSeen {
    let asset = astro_sdk::bot::v1::ReceivedAsset { new_asset_id, ..Default::default() };
    TradeSeen {
        trade_id: id.to_string(),
        outcome: TradeOutcome::Complete.into(),
        given: vec![asset],
        ..Default::default()
    }
}

fn told(actions: &[Action]) -> Vec<Vec<String>> {
    let trades = |action: &Action| {
        let Action::Emit(Event::TradesSeen(seen)) = action else { return None };
        Some(seen.trades.iter().map(|trade| trade.trade_id.clone()).collect())
    };
    actions.iter().filter_map(trades).collect()
}

#[test]
fn trades_are_told_when_new_or_changed_and_afresh_in_each_session() {
    let mut state = connected();
    let swept = |trades: &[TradeSeen]| Input::Swept(trades.to_vec());
    assert_eq!(told(&state.on(swept(&[trade(1, 0), trade(2, 5)]))), [["1", "2"]]);
    assert_eq!(state.on(swept(&[trade(1, 0), trade(2, 5)])), []);
    assert_eq!(told(&state.on(swept(&[trade(1, 9), trade(2, 5)]))), [["1"]]);
    let reversed = TradeSeen { outcome: TradeOutcome::Reversed.into(), ..trade(2, 5) };
    assert_eq!(told(&state.on(swept(&[trade(1, 9), reversed.clone()]))), [["2"]]);
    state.on(Input::Disconnected);
    assert_eq!(state.on(swept(&[trade(3, 1)])), []);
    assert!(state.on(Input::Connected { epoch: 8 }).contains(&Action::Sweep));
    assert_eq!(told(&state.on(swept(&[trade(1, 9), reversed]))), [["1", "2"]]);
}

#[test]
fn many_trades_are_told_in_portions() {
    let trades: Vec<TradeSeen> = (0..250).map(|id| trade(id, 1)).collect();
    let events = told(&connected().on(Input::Swept(trades)));
    assert_eq!(events.iter().map(Vec::len).collect::<Vec<_>>(), [100, 100, 50]);
}

#[test]
fn a_reversed_offer_has_the_history_read_once() {
    let mut state = connected();
    let reversed = || polled(vec![], vec![offer(4, OfferState::Reverted)]);
    assert_eq!(state.on(reversed()), [Action::Sweep]);
    assert_eq!(state.on(reversed()), []);
    let both = [offer(4, OfferState::Reverted), offer(5, OfferState::Reverted)];
    assert_eq!(state.on(polled(both.to_vec(), vec![])), [Action::Sweep]);
}

#[test]
fn a_friendship_is_told_at_each_step_and_no_longer_wanted_at_its_end() {
    let mut state = connected();
    let befriend = || Input::Command(Command::Befriend(PARTNER));
    let seen = |state| Input::Friend(PARTNER, state, String::new());
    state.on(befriend());
    state.on(befriend());
    assert_eq!(state.people().wanted, [PARTNER]);
    assert_eq!(emitted(&state.on(seen(FriendState::Invited))), 1);
    assert_eq!(state.on(seen(FriendState::Invited)), []);
    assert_eq!(emitted(&state.on(seen(FriendState::Friend))), 1);
    assert_eq!(state.people().wanted, []);
    assert_eq!(state.on(seen(FriendState::Friend)), [], "nobody asked");
    state.on(befriend());
    state.on(Input::Connected { epoch: 8 });
    assert_eq!(state.people().wanted, [], "what still stands comes again");
    assert_eq!(state.people().session, Some(8));
}

#[test]
fn who_has_an_open_attempt_is_spared() {
    let mut state = connected();
    state.on(deliver(Phase::Planned));
    assert!(state.people().busy.contains(&PARTNER));
    state.on(progress(Progress::Over(ended())));
    assert!(state.people().busy.is_empty());
}
