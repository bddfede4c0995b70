//! Every row of the table of ambiguous answers.

use super::answer::*;
use super::error::*;

fn eresult(code: i32) -> Signal {
    Signal::EResult { code, text: format!("Please try again later. ({code})") }
}

fn http(status: u16) -> Signal {
    Signal::Http { status, page: true }
}

#[track_caller]
fn not_sent(signal: Signal, cause: Cause) {
    match SendError::from(signal) {
        SendError::NotSent(reason) => assert_eq!(reason.cause, cause),
        SendError::Ambiguous(reason) => panic!("ambiguous: {reason}"),
    }
}

#[track_caller]
fn open_send(signal: Signal) {
    assert!(matches!(SendError::from(signal), SendError::Ambiguous(_)));
}

#[track_caller]
fn not_done(signal: Signal) {
    assert!(matches!(ActError::from(signal), ActError::NotDone(_)));
}

#[track_caller]
fn reread(signal: Signal) {
    assert!(matches!(ActError::from(signal), ActError::Reread(_)));
}

#[test]
fn without_a_connection_nothing_was_done() {
    not_sent(Signal::NotConnected("dns".into()), Cause::SteamAway);
    not_done(Signal::NotConnected("dns".into()));
    let none = Signal::NoSession { operator_needed: true, text: String::new() };
    for signal in [none, Signal::Away] {
        not_sent(signal.clone(), Cause::SteamAway);
        not_done(signal);
    }
}

#[test]
fn a_lost_answer_leaves_it_open() {
    for signal in [
        Signal::Lost("timeout".into()),
        http(502),
        http(503),
        http(504),
        http(500),
        Signal::Garbled(String::new()),
        Signal::Said("Something new went wrong.".into()),
    ] {
        open_send(signal.clone());
        reread(signal);
    }
}

#[test]
fn without_a_session_nothing_was_done_and_a_new_one_is_wanted() {
    let forbidden = Signal::Http { status: 403, page: false };
    for signal in [Signal::LoggedOut, http(401), forbidden] {
        not_sent(signal.clone(), Cause::SteamAway);
        not_done(signal.clone());
        assert!(signal.wants_new_session(Purpose::Send));
        assert!(signal.wants_new_session(Purpose::Act));
    }
}

#[test]
fn limits_and_refusals_at_the_door_mean_not_done() {
    let limited = Signal::Limited { suspect: None };
    for (signal, cause) in [
        (limited, Cause::RateLimited),
        (Signal::Spent, Cause::RateLimited),
        (Signal::Unleased("lost"), Cause::SteamAway),
        (http(403), Cause::RateLimited),
        (http(400), Cause::Refused),
    ] {
        not_sent(signal.clone(), cause);
        not_done(signal.clone());
        assert!(!signal.wants_new_session(Purpose::Send));
        assert!(!signal.wants_new_session(Purpose::Act));
    }
}

#[test]
fn results_that_leave_it_open_do_so_for_both() {
    for code in [2, 10, 16, 20, 28, 7, 9999] {
        open_send(eresult(code));
        reread(eresult(code));
    }
}

#[test]
fn an_invalid_state_was_not_sent_but_perhaps_done() {
    not_sent(eresult(11), Cause::SteamAway);
    reread(eresult(11));
}

#[test]
fn results_that_are_certain_name_their_cause() {
    for (code, cause) in [
        (8, Cause::Refused),
        (15, Cause::NoAccess),
        (17, Cause::TradeBanned),
        (19, Cause::RecipientCannotReceive),
        (24, Cause::BotRestricted),
        (25, Cause::OfferLimit),
        (26, Cause::ItemsUnavailable),
        (34, Cause::SteamAway),
        (42, Cause::Refused),
        (50, Cause::OfferLimit),
    ] {
        not_sent(eresult(code), cause);
        not_done(eresult(code));
    }
    assert!(eresult(8).wants_new_session(Purpose::Send));
}

#[test]
fn words_without_a_number_name_their_cause() {
    for (text, cause) in [
        ("You cannot trade with bob because they have a trade ban.", Cause::RecipientTradeBanned),
        ("You have logged in from a new device. In order to …", Cause::BotNewDevice),
        ("bob is not available to trade. More information …", Cause::RecipientCannotReceive),
        ("You have sent too many trade offers, or have …", Cause::OfferLimit),
        ("Trade offers can only be sent to friends.", Cause::TradeUrlNeeded),
        ("the maximum number of items allowed in your Team …", Cause::RecipientInventoryFull),
        ("bob's inventory is full", Cause::RecipientInventoryFull),
    ] {
        not_sent(Signal::Said(text.into()), cause);
    }
    let full = Signal::EResult { code: 15, text: "bob's inventory is full. (15)".into() };
    not_sent(full, Cause::RecipientInventoryFull);
    open_send(Signal::Said("We were unable to contact the game's item server.".into()));
}

#[test]
fn the_number_at_the_end_of_an_error_is_its_result() {
    assert_eq!(number_in("Please try again later. (26)"), Some(26));
    assert_eq!(number_in("Please try again later.  (16) "), Some(16));
    assert_eq!(number_in("You cannot trade (yet)"), None);
    assert_eq!(number_in("no number"), None);
}

fn answer(status: u16, eresult: Option<i32>, body: &str) -> Answer {
    let body = body.as_bytes().to_vec();
    Answer { status, eresult, error_message: None, location: None, retry_after: None, body }
}

#[test]
fn community_answers_are_told_apart() {
    let str_error = r#"{"strError":"There was an error.  Please try again later. (26)"}"#;
    let seen = community_json(&answer(500, None, str_error)).unwrap_err();
    assert!(matches!(seen, Signal::EResult { code: 26, .. }));
    let seen = community_json(&answer(422, None, r#"{"success":42}"#)).unwrap_err();
    assert!(matches!(seen, Signal::EResult { code: 42, .. }));
    let seen = community_json(&answer(403, None, "<HTML>Access Denied</HTML>")).unwrap_err();
    assert_eq!(seen, Signal::Http { status: 403, page: true });
    let seen = community_json(&answer(403, None, "null")).unwrap_err();
    assert_eq!(seen, Signal::Http { status: 403, page: false });
    let seen = community_json(&answer(200, None, "<html>g_steamID = false;</html>")).unwrap_err();
    assert_eq!(seen, Signal::LoggedOut);
    let need = r#"{"success":false,"needauth":true}"#;
    assert_eq!(community_json(&answer(200, None, need)).unwrap_err(), Signal::LoggedOut);
    for garbled in ["", "{\"tradeoff", "null"] {
        let seen = community_json(&answer(200, None, garbled)).unwrap_err();
        assert!(matches!(seen, Signal::Garbled(_)), "{garbled}");
    }
    let mut redirect = answer(302, None, "");
    redirect.location = Some("https://steamcommunity.com/login/home/".into());
    assert_eq!(community_json(&redirect).unwrap_err(), Signal::LoggedOut);
    assert!(community_json(&answer(200, None, r#"{"tradeofferid":"1"}"#)).is_ok());
}

#[test]
fn long_words_are_cut() {
    let long = "é".repeat(100_000);
    let body = serde_json::json!({ "strError": format!("{long} (26)") }).to_string();
    let seen = community_json(&answer(500, None, &body)).unwrap_err();
    let Signal::EResult { code: 26, text } = seen else { panic!("{seen:?}") };
    assert_eq!(text.chars().count(), 301);
}

#[test]
fn web_api_answers_are_told_apart() {
    assert!(api_json(&answer(200, None, r#"{"response":{}}"#)).is_ok());
    assert!(api_json(&answer(200, Some(2), r#"{"response":{}}"#)).is_ok());
    let seen = api_json(&answer(200, Some(2), "")).unwrap_err();
    assert!(matches!(seen, Signal::EResult { code: 2, .. }));
    let seen = api_json(&answer(200, Some(42), r#"{"response":{}}"#)).unwrap_err();
    assert!(matches!(seen, Signal::EResult { code: 42, .. }));
    assert_eq!(
        api_json(&answer(401, None, "")).unwrap_err(),
        Signal::Http { status: 401, page: false }
    );
    assert!(matches!(api_json(&answer(200, None, "{\"resp")).unwrap_err(), Signal::Garbled(_)));
}

#[test]
fn reads_know_what_to_try_again() {
    let class = |signal: Signal| SteamError::from(signal).class;
    assert_eq!(class(Signal::Limited { suspect: Some("getlist") }), Class::RateLimited);
    assert_eq!(class(Signal::Spent), Class::RateLimited);
    assert_eq!(class(Signal::Away), Class::Transient);
    assert_eq!(class(http(503)), Class::Transient);
    assert_eq!(class(eresult(16)), Class::Transient);
    assert_eq!(class(eresult(42)), Class::Permanent);
    assert_eq!(class(Signal::LoggedOut), Class::Session { operator_needed: false });
    assert_eq!(class(Signal::Lost(String::new())), Class::Transient);
}
