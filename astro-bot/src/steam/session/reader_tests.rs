//! Answers that make no sense: every reader says so, and none panics.

use serde_json::Value;

use super::{login, time};
use crate::steam::wire::{
    Signal,
    answer::{Answer, api_json, api_ok, community_json},
};

/// What a host may answer in place of what was asked for.
const BODIES: [&str; 22] = [
    "",
    " ",
    "null",
    "true",
    "5",
    "\"text\"",
    "[]",
    "{}",
    "{\"response\"",
    "{\"response\":{\"server_time\":",
    "{\"response\":null}",
    "{\"response\":[]}",
    "{\"response\":5}",
    "{\"response\":{\"server_time\":[]}}",
    "{\"response\":{\"server_time\":\"soon\"}}",
    "{\"response\":{\"server_time\":1e300}}",
    "{\"response\":{\"server_time\":\"99999999999999999999\"}}",
    "{\"strError\":5,\"success\":\"yes\",\"needauth\":[]}",
    "{\"success\":-99999999999}",
    "<html><body>Sorry!</body></html>",
    "<!DOCTYPE html>",
    "\u{feff}{}",
];

fn answers() -> Vec<Answer> {
    let mut bodies: Vec<Vec<u8>> = BODIES.iter().map(|body| body.as_bytes().to_vec()).collect();
    bodies.push(vec![0xff; 100]);
    bodies.push(b"[".repeat(100_000));
    bodies.push([b"{\"a\":".repeat(1000), b"1".to_vec(), b"}".repeat(1000)].concat());
    bodies.push(vec![0x0a; 10_000]);
    let mut answers = Vec::new();
    for body in bodies {
        for status in [200, 204, 302, 400, 401, 403, 404, 418, 422, 500, 503, 999] {
            for eresult in [None, Some(1), Some(2), Some(42), Some(-7), Some(i32::MAX)] {
                answers.push(Answer {
                    status,
                    eresult,
                    error_message: Some("words".repeat(1000)),
                    location: Some("https://steamcommunity.com/elsewhere".to_owned()),
                    retry_after: None,
                    body: body.clone(),
                });
            }
        }
    }
    answers
}

#[test]
fn an_answer_that_makes_no_sense_is_an_error_to_whoever_wants_a_result() {
    for answer in answers() {
        let (status, eresult) = (answer.status, answer.eresult);
        let text = String::from_utf8_lossy(&answer.body[..answer.body.len().min(60)]).into_owned();
        let about = format!("{status} {eresult:?} {text}");
        assert!(time::read(&answer).is_err(), "a time in {about}");
        // Both say what JSON they read, or an error of moderate length.
        for read in [api_json(&answer), community_json(&answer)] {
            match read {
                Ok(value) => assert!(status < 300 && !value.is_null() || value == Value::Null),
                Err(signal) => assert!(signal.to_string().len() < 2000, "{about}"),
            }
        }
        let good = status < 300 && matches!(eresult, None | Some(1 | 2));
        assert!(good || api_ok(&answer).is_err(), "{about}");
        assert!(status < 300 || community_json(&answer).is_err(), "{about}");
        if let Ok(reply) = login::read::<login::PollReply>(&answer) {
            assert!(reply.refresh_token.is_none(), "{about}");
        }
    }
}

#[test]
fn a_result_of_two_with_a_body_is_a_good_one() {
    let body = br#"{"response":{"server_time":"1644323205"}}"#.to_vec();
    let (error_message, location, retry_after) = (None, None, None);
    let eresult = Some(2);
    let answer = Answer { status: 200, eresult, error_message, location, retry_after, body };
    assert_eq!(time::read(&answer), Ok(1_644_323_205));
    let empty = Answer { body: vec![], ..answer };
    assert!(matches!(time::read(&empty), Err(Signal::EResult { code: 2, .. })));
}
