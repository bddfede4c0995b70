//! What the program says to people.

/// Says a line.
#[allow(clippy::print_stdout, reason = "the result of a command-line tool")]
pub fn say(line: &str) {
    println!("{line}");
}
