//! What an answer of Steam means when an offer was sent, accepted, declined or cancelled: one test
//! for each row of the table of ambiguous answers, each for sending and for acting.
//!
//! `TABLE` says which test belongs to which row; a test sees to it that none is missing.

mod scenes;
mod turnstile;

use std::time::Duration;

use astro_sdk::bot::v1::AttemptFailure::{
    self, BotRestricted, ItemsUnavailable, OfferLimit, Other, RecipientCannotReceive,
    SteamUnavailable,
};
use steam_sim::{FaultKind, LostAnswer};

use scenes::{
    done_or_read_again, done_then_read, not_done, not_done_without_connection, not_sent,
    not_sent_without_connection, renewed_and_done, renewed_and_not_sent, sent_or_found_out,
    sent_then_found,
};

/// The rows: signal, tests for sending, tests for acting.
const TABLE: &[(&str, &[&str], &[&str])] = &[
    (
        "failure before the request was written",
        &["row_no_connection_on_send_is_not_sent"],
        &["row_no_connection_on_accept_and_cancel_is_not_done"],
    ),
    (
        "timeout or reset after it, 502, 503, 504, 500 without strError, 200 without sense",
        &[
            "row_timeout_on_send_is_found_out",
            "row_reset_on_send_is_found_out",
            "row_502_503_504_on_send_is_found_out",
            "row_500_without_str_error_on_send_is_found_out",
            "row_200_without_sense_on_send_is_found_out",
            "row_lost_answers_of_sends_that_took_effect_lead_to_the_offer",
        ],
        &[
            "row_timeout_on_accept_and_cancel_is_read_again",
            "row_reset_on_accept_and_cancel_is_read_again",
            "row_502_503_504_on_accept_and_cancel_is_read_again",
            "row_500_without_str_error_on_accept_and_cancel_is_read_again",
            "row_200_without_sense_on_accept_and_cancel_is_read_again",
            "row_lost_answers_of_acts_that_took_effect_are_not_repeated",
        ],
    ),
    (
        "302 to the login, 401, 403 of a session",
        &[
            "row_302_to_login_on_send_is_not_sent",
            "row_401_on_send_is_not_sent",
            "row_403_on_send_is_not_sent",
        ],
        &[
            "row_302_to_login_on_accept_and_cancel_is_done_in_a_new_session",
            "row_401_on_accept_and_cancel_is_done_in_a_new_session",
            "row_403_on_accept_and_cancel_is_done_in_a_new_session",
        ],
    ),
    (
        "429, 400, 403 of the firewall",
        &["row_429_400_and_akamai_403_on_send_are_not_sent"],
        &["row_429_400_and_akamai_403_on_accept_and_cancel_are_not_done"],
    ),
    (
        "2 Fail",
        &["eresult_2_fail_on_send_is_found_out"],
        &["eresult_2_fail_on_accept_and_cancel_is_read_again"],
    ),
    (
        "8 InvalidParam",
        &["eresult_8_invalid_param_on_send_is_not_sent"],
        &["eresult_8_invalid_param_on_accept_and_cancel_is_not_done"],
    ),
    (
        "10 Busy",
        &["eresult_10_busy_on_send_is_found_out"],
        &["eresult_10_busy_on_accept_and_cancel_is_read_again"],
    ),
    (
        "11 InvalidState",
        &["eresult_11_invalid_state_on_send_is_not_sent"],
        &["eresult_11_invalid_state_on_accept_and_cancel_is_read_again"],
    ),
    (
        "15 AccessDenied",
        &["eresult_15_access_denied_on_send_is_not_sent"],
        &["eresult_15_access_denied_on_accept_and_cancel_is_not_done"],
    ),
    (
        "16 Timeout",
        &["eresult_16_timeout_on_send_is_found_out"],
        &["eresult_16_timeout_on_accept_and_cancel_is_read_again"],
    ),
    (
        "17 Banned, 19, 24 InsufficientPrivilege",
        &["eresult_17_19_24_on_send_are_not_sent"],
        &["eresult_17_19_24_on_accept_and_cancel_are_not_done"],
    ),
    (
        "20 ServiceUnavailable",
        &["eresult_20_service_unavailable_on_send_is_found_out"],
        &["eresult_20_service_unavailable_on_accept_and_cancel_is_read_again"],
    ),
    (
        "25 LimitExceeded",
        &["eresult_25_limit_exceeded_on_send_is_not_sent"],
        &["eresult_25_limit_exceeded_on_accept_and_cancel_is_not_done"],
    ),
    (
        "26 Revoked",
        &[
            "eresult_26_revoked_on_send_is_not_sent",
            "eresult_26_revoked_of_a_send_that_took_effect_leads_to_the_offer",
        ],
        &["eresult_26_revoked_on_accept_and_cancel_is_not_done"],
    ),
    (
        "28 AlreadyRedeemed",
        &["eresult_28_already_redeemed_on_send_is_found_out"],
        &["eresult_28_already_redeemed_on_accept_and_cancel_is_read_again"],
    ),
    (
        "34 LogonSessionReplaced",
        &["eresult_34_logon_session_replaced_on_send_is_not_sent"],
        &["eresult_34_logon_session_replaced_on_accept_and_cancel_is_not_done"],
    ),
    (
        "42 NoMatch",
        &["eresult_42_no_match_on_send_is_not_sent"],
        &["eresult_42_no_match_on_accept_and_cancel_is_not_done"],
    ),
    (
        "50 AlreadyLoggedInElsewhere",
        &["eresult_50_logged_in_elsewhere_on_send_is_not_sent"],
        &["eresult_50_logged_in_elsewhere_on_accept_and_cancel_is_not_done"],
    ),
    (
        "other and unknown",
        &["eresult_unknown_on_send_is_found_out", "words_unknown_on_send_are_found_out"],
        &[
            "eresult_unknown_on_accept_and_cancel_is_read_again",
            "words_unknown_on_accept_and_cancel_are_read_again",
        ],
    ),
];

/// Makes a test of each line, and a list of their names.
macro_rules! rows {
    ($($name:ident: $scene:expr;)*) => {
        $(
            #[tokio::test(start_paused = true)]
            async fn $name() {
                for scene in $scene {
                    scene.await;
                }
            }
        )*
        const NAMES: &[&str] = &[$(stringify!($name)),*];
    };
}

/// A scene with each of these answers.
fn each<S>(kinds: Vec<FaultKind>, scene: impl Fn(FaultKind) -> S) -> Vec<S> {
    kinds.into_iter().map(scene).collect()
}

/// The same for sends that are refused with this result or status, and end like this.
fn sends<S>(
    endings: Vec<(FaultKind, AttemptFailure)>,
    scene: impl Fn(FaultKind, AttemptFailure) -> S,
) -> Vec<S> {
    endings.into_iter().map(|(kind, failure)| scene(kind, failure)).collect()
}

fn code(code: u32) -> Vec<FaultKind> {
    vec![FaultKind::str_error(code)]
}

fn coded(code: u32, failure: AttemptFailure) -> Vec<(FaultKind, AttemptFailure)> {
    vec![(FaultKind::str_error(code), failure)]
}

fn timeout() -> Vec<FaultKind> {
    vec![FaultKind::Delay(Duration::from_secs(60))]
}

fn gateways() -> Vec<FaultKind> {
    [502, 503, 504].map(FaultKind::status).to_vec()
}

fn without_sense() -> Vec<FaultKind> {
    let bodies = ["", "{\"tradeoff", "<html><body>Hello</body></html>", "null", "[]", "{}"];
    let body = |body: &str| FaultKind::Fail { status: 200, body: body.into(), eresult: None };
    bodies.map(body).to_vec()
}

fn at_the_door() -> Vec<FaultKind> {
    vec![
        FaultKind::too_many_requests(None),
        FaultKind::too_many_requests(Some(1)),
        FaultKind::status(400),
        FaultKind::akamai_denied(),
    ]
}

fn lost() -> Vec<FaultKind> {
    [
        LostAnswer::Closed,
        LostAnswer::Status500,
        LostAnswer::Status502,
        LostAnswer::StrError16,
        LostAnswer::Empty200,
    ]
    .map(FaultKind::EffectThen)
    .to_vec()
}

fn words() -> Vec<FaultKind> {
    let body = r#"{"strError":"Something went wrong that nobody has seen before."}"#.to_owned();
    let item_server = r#"{"strError":"We were unable to contact the game's item server."}"#;
    [body, item_server.to_owned()]
        .map(|body| FaultKind::Fail { status: 500, body, eresult: None })
        .to_vec()
}

rows! {
    row_no_connection_on_send_is_not_sent: [not_sent_without_connection()];
    row_timeout_on_send_is_found_out: each(timeout(), sent_or_found_out);
    row_reset_on_send_is_found_out: each(vec![FaultKind::Drop], sent_or_found_out);
    row_502_503_504_on_send_is_found_out: each(gateways(), sent_or_found_out);
    row_500_without_str_error_on_send_is_found_out:
        each(vec![FaultKind::status(500)], sent_or_found_out);
    row_200_without_sense_on_send_is_found_out: each(without_sense(), sent_or_found_out);
    row_lost_answers_of_sends_that_took_effect_lead_to_the_offer: each(lost(), sent_then_found);
    row_302_to_login_on_send_is_not_sent: [renewed_and_not_sent(FaultKind::login_redirect())];
    row_401_on_send_is_not_sent: [renewed_and_not_sent(FaultKind::status(401))];
    row_403_on_send_is_not_sent: [renewed_and_not_sent(FaultKind::status(403))];
    row_429_400_and_akamai_403_on_send_are_not_sent: sends(
        at_the_door().into_iter().zip([SteamUnavailable, SteamUnavailable, Other, SteamUnavailable])
            .collect(),
        not_sent,
    );
    eresult_2_fail_on_send_is_found_out: each(code(2), sent_or_found_out);
    eresult_8_invalid_param_on_send_is_not_sent: sends(coded(8, Other), not_sent);
    eresult_10_busy_on_send_is_found_out: each(code(10), sent_or_found_out);
    eresult_11_invalid_state_on_send_is_not_sent: sends(coded(11, SteamUnavailable), not_sent);
    eresult_15_access_denied_on_send_is_not_sent: sends(coded(15, RecipientCannotReceive), not_sent);
    eresult_16_timeout_on_send_is_found_out: each(code(16), sent_or_found_out);
    eresult_17_19_24_on_send_are_not_sent: sends(
        vec![
            (FaultKind::str_error(17), BotRestricted),
            (FaultKind::str_error(19), RecipientCannotReceive),
            (FaultKind::str_error(24), BotRestricted),
        ],
        not_sent,
    );
    eresult_20_service_unavailable_on_send_is_found_out: each(code(20), sent_or_found_out);
    eresult_25_limit_exceeded_on_send_is_not_sent: sends(coded(25, OfferLimit), not_sent);
    eresult_26_revoked_on_send_is_not_sent: sends(coded(26, ItemsUnavailable), not_sent);
    eresult_26_revoked_of_a_send_that_took_effect_leads_to_the_offer:
        each(code(26), sent_then_found);
    eresult_28_already_redeemed_on_send_is_found_out: each(code(28), sent_or_found_out);
    eresult_34_logon_session_replaced_on_send_is_not_sent:
        sends(coded(34, SteamUnavailable), not_sent);
    eresult_42_no_match_on_send_is_not_sent: sends(coded(42, Other), not_sent);
    eresult_50_logged_in_elsewhere_on_send_is_not_sent: sends(coded(50, OfferLimit), not_sent);
    eresult_unknown_on_send_is_found_out: each(code(9999), sent_or_found_out);
    words_unknown_on_send_are_found_out: each(words(), sent_or_found_out);

    row_no_connection_on_accept_and_cancel_is_not_done: [not_done_without_connection()];
    row_timeout_on_accept_and_cancel_is_read_again: each(timeout(), done_or_read_again);
    row_reset_on_accept_and_cancel_is_read_again:
        each(vec![FaultKind::Drop], done_or_read_again);
    row_502_503_504_on_accept_and_cancel_is_read_again: each(gateways(), done_or_read_again);
    row_500_without_str_error_on_accept_and_cancel_is_read_again:
        each(vec![FaultKind::status(500)], done_or_read_again);
    row_200_without_sense_on_accept_and_cancel_is_read_again: each(without_sense(), done_or_read_again);
    row_lost_answers_of_acts_that_took_effect_are_not_repeated: each(lost(), done_then_read);
    row_302_to_login_on_accept_and_cancel_is_done_in_a_new_session:
        [renewed_and_done(FaultKind::login_redirect())];
    row_401_on_accept_and_cancel_is_done_in_a_new_session:
        [renewed_and_done(FaultKind::status(401))];
    row_403_on_accept_and_cancel_is_done_in_a_new_session:
        [renewed_and_done(FaultKind::status(403))];
    row_429_400_and_akamai_403_on_accept_and_cancel_are_not_done: each(at_the_door(), not_done);
    eresult_2_fail_on_accept_and_cancel_is_read_again: each(code(2), done_or_read_again);
    eresult_8_invalid_param_on_accept_and_cancel_is_not_done: each(code(8), not_done);
    eresult_10_busy_on_accept_and_cancel_is_read_again: each(code(10), done_or_read_again);
    eresult_11_invalid_state_on_accept_and_cancel_is_read_again:
        each(code(11), done_or_read_again);
    eresult_15_access_denied_on_accept_and_cancel_is_not_done: each(code(15), not_done);
    eresult_16_timeout_on_accept_and_cancel_is_read_again: each(code(16), done_or_read_again);
    eresult_17_19_24_on_accept_and_cancel_are_not_done:
        each([17, 19, 24].map(FaultKind::str_error).to_vec(), not_done);
    eresult_20_service_unavailable_on_accept_and_cancel_is_read_again:
        each(code(20), done_or_read_again);
    eresult_25_limit_exceeded_on_accept_and_cancel_is_not_done: each(code(25), not_done);
    eresult_26_revoked_on_accept_and_cancel_is_not_done: each(code(26), not_done);
    eresult_28_already_redeemed_on_accept_and_cancel_is_read_again:
        each(code(28), done_or_read_again);
    eresult_34_logon_session_replaced_on_accept_and_cancel_is_not_done: each(code(34), not_done);
    eresult_42_no_match_on_accept_and_cancel_is_not_done: each(code(42), not_done);
    eresult_50_logged_in_elsewhere_on_accept_and_cancel_is_not_done: each(code(50), not_done);
    eresult_unknown_on_accept_and_cancel_is_read_again: each(code(9999), done_or_read_again);
    words_unknown_on_accept_and_cancel_are_read_again: each(words(), done_or_read_again);
}

#[test]
fn every_row_has_its_tests_and_every_test_its_row() {
    let listed = || TABLE.iter().flat_map(|(_, send, act)| send.iter().chain(act.iter()));
    for (row, send, act) in TABLE {
        assert!(!send.is_empty() && !act.is_empty(), "{row}");
    }
    for name in listed() {
        assert!(NAMES.contains(name), "there is no test {name}");
    }
    for name in NAMES {
        assert_eq!(listed().filter(|listed| *listed == name).count(), 1, "{name}");
    }
}
