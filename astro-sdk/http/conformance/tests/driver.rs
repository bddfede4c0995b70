//! The driver as the program that the runner starts.

#![allow(clippy::unwrap_used, reason = "all of it is tests")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

/// What the driver answers to a line; it must end well once its input does.
fn told(asked: &str) -> String {
    let mut driver = Command::new(env!("CARGO_BIN_EXE_astro-http-driver"));
    driver.env_remove("ASTRO_ENDPOINT").env_remove("ASTRO_API_KEY");
    let mut driver = driver.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = driver.stdin.take().unwrap();
    writeln!(input, "{asked}").unwrap();
    let mut line = String::new();
    BufReader::new(driver.stdout.take().unwrap()).read_line(&mut line).unwrap();
    drop(input);
    assert!(driver.wait().unwrap().success());
    line
}

#[test]
fn a_driver_says_what_it_speaks_and_ends_with_its_input() {
    let line = told(r#"{"id":1,"op":"hello"}"#);
    assert!(line.contains(r#""language":"http""#), "{line}");
}

#[test]
fn settings_that_the_sdk_refuses_are_refused_here() {
    let asked =
        r#"{"id":1,"op":"open","client":"a","endpoint":"http://far.example","api_key":"k"}"#;
    let line = told(asked);
    assert!(line.contains("endpoint_insecure"), "{line}");
}
