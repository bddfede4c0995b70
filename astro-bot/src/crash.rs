//! Named points at which a test can kill the worker. Nothing is left of them without the cargo
//! feature `crash-points`.

#[cfg(feature = "crash-points")]
static CHOSEN: std::sync::OnceLock<String> = std::sync::OnceLock::new();

/// Chooses the point at which the process aborts.
#[cfg(feature = "crash-points")]
pub(crate) fn choose(name: &str) {
    // A second choice in one process is ignored: a process dies once.
    let _ = CHOSEN.set(name.to_owned());
}

/// Aborts the process if this point was chosen.
#[cfg(feature = "crash-points")]
pub(crate) fn point(name: &'static str) {
    if CHOSEN.get().is_some_and(|chosen| chosen == name) {
        tracing::error!("Crashing at {name}, as asked");
        std::process::abort();
    }
}

/// Does nothing.
#[cfg(not(feature = "crash-points"))]
#[inline(always)]
pub(crate) fn point(_name: &'static str) {}
