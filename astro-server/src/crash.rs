//! Named places where a test ends the process as a crash would, or lets a task panic. Without the
//! feature `crash-points` there is nothing here to end.
#[cfg(feature = "crash-points")]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicBool, Ordering};

    static AT: OnceLock<String> = OnceLock::new();
    static PANIC_AT: OnceLock<String> = OnceLock::new();
    static PANICKED: AtomicBool = AtomicBool::new(false);

    /// Ends the process at the place of this name, each time it is passed.
    pub fn arm(name: &str) {
        let _ = AT.set(name.to_owned());
    }

    /// Panics at the place of this name, the first time it is passed.
    pub fn arm_panic(name: &str) {
        let _ = PANIC_AT.set(name.to_owned());
    }

    /// Ends the process, or panics, if a test asked for it here.
    pub fn point(name: &str) {
        if AT.get().is_some_and(|at| at == name) {
            std::process::abort();
        }
        let here = PANIC_AT.get().is_some_and(|at| at == name);
        assert!(!here || PANICKED.swap(true, Ordering::SeqCst), "planted at {name}");
    }
}

#[cfg(feature = "crash-points")]
pub use armed::{arm, arm_panic, point};

/// Does nothing in this build.
#[cfg(not(feature = "crash-points"))]
pub const fn point(_name: &str) {}
