//! The driver as the program that the runner starts.

#![allow(clippy::unwrap_used, reason = "all of it is tests")]

use std::io::Write as _;
use std::process::{Command, Stdio};

/// Lines to the driver, and those that it answers, before it ends by itself.
fn told(asked: &[&str]) -> Vec<String> {
    let mut driver = Command::new(env!("CARGO_BIN_EXE_astro-http-driver"));
    driver.env_remove("ASTRO_ENDPOINT").env_remove("ASTRO_API_KEY");
    let mut driver = driver.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    writeln!(driver.stdin.take().unwrap(), "{}", asked.join("\n")).unwrap();
    let ended = driver.wait_with_output().unwrap();
    assert!(ended.status.success(), "{}", ended.status);
    String::from_utf8(ended.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn a_driver_says_what_it_speaks_and_ends_with_its_input() {
    let lines = told(&[r#"{"id":1,"op":"hello"}"#]);
    assert!(lines.len() == 1 && lines[0].contains(r#""language":"http""#), "{lines:?}");
}

#[test]
fn settings_that_the_sdk_refuses_are_refused_here() {
    let lines = told(&[
        r#"{"id":1,"op":"open","client":"a","endpoint":"http://far.example","api_key":"k"}"#,
    ]);
    assert!(lines.len() == 1 && lines[0].contains("endpoint_insecure"), "{lines:?}");
}
