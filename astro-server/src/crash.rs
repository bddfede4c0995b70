//! Named places where a test ends the process as a crash would. Without the feature
//! `crash-points` there is nothing here to end.
#[cfg(feature = "crash-points")]
mod armed {
    use std::sync::OnceLock;

    static AT: OnceLock<String> = OnceLock::new();

    /// Ends the process at the place of this name, each time it is passed.
    pub fn arm(name: &str) {
        let _ = AT.set(name.to_owned());
    }

    /// Ends the process if a test asked for it here.
    pub fn point(name: &str) {
        if AT.get().is_some_and(|at| at == name) {
            std::process::abort();
        }
    }
}

#[cfg(feature = "crash-points")]
pub use armed::{arm, point};

/// Does nothing in this build.
#[cfg(not(feature = "crash-points"))]
pub const fn point(_name: &str) {}
