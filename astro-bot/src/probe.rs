//! A seam for tests: somebody who is told of each round of each task.

use std::{fmt, sync::Arc};

/// Is told the name of a task at the beginning of each of its rounds. A test counts them, or breaks
/// the task by a panic; without one nothing happens.
#[derive(Clone, Default)]
pub struct Probe(Option<Arc<dyn Fn(&'static str) + Send + Sync>>);

impl Probe {
    /// Tells this one.
    pub fn new(tell: impl Fn(&'static str) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(tell)))
    }

    /// A round of this task begins.
    pub(crate) fn at(&self, task: &'static str) {
        if let Some(tell) = &self.0 {
            tell(task);
        }
    }
}

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Probe")
    }
}
