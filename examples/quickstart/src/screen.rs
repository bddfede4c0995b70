//! What the person in front of the terminal sees: plain lines, the same in a file.

use std::io::Write;
use std::time::Instant;

/// Prints the story.
pub(crate) struct Screen {
    started: Instant,
}

impl Screen {
    /// The clock of the story starts now.
    pub(crate) fn new() -> Self {
        Self { started: Instant::now() }
    }

    /// A step that was taken, with the time since the start.
    pub(crate) fn step(&self, text: &str) {
        let elapsed = self.started.elapsed().as_secs_f64();
        self.plain(&format!("[{elapsed:6.1} s] {text}"));
    }

    /// A line as it is.
    pub(crate) fn plain(&self, text: &str) {
        // Nobody may read any more (`| head`): that is no reason to stop the giveaway.
        let _ = writeln!(std::io::stdout().lock(), "{text}");
    }

    /// What went wrong.
    pub(crate) fn complain(&self, error: &anyhow::Error) {
        let _ = writeln!(std::io::stderr().lock(), "astro-quickstart: {error:#}");
    }
}
