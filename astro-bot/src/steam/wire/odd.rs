//! What of Steam's answers is set aside because it cannot be read: told, so that people can look.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use super::ids::AppContext;

/// Entries of one place that are named; of more, only the number is told.
const NAMED_MAX: usize = 3;

/// A reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    Offers,
    Confirmations,
    History,
    Inventory(AppContext),
}

/// What the last reading of each place set aside.
#[derive(Debug, Default)]
pub(crate) struct SetAside(Mutex<BTreeMap<Source, Vec<String>>>);

impl SetAside {
    /// Keeps what a complete reading of this place set aside, in place of what the one before did.
    pub(crate) fn note(&self, source: Source, odd: Vec<String>) {
        let mut readings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = readings.remove(&source).unwrap_or_default();
        for why in odd.iter().filter(|why| !before.contains(why)) {
            tracing::warn!("Steam tells something that makes no sense; it is set aside: {why}");
        }
        if !odd.is_empty() {
            readings.insert(source, odd);
        }
    }

    /// All of it in words, the same for the same entries; none if there is nothing.
    pub(crate) fn words(&self) -> Option<String> {
        let readings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut words = Vec::new();
        for odd in readings.values() {
            words.extend(odd.iter().take(NAMED_MAX).cloned());
            if odd.len() > NAMED_MAX {
                words.push(format!("{} more like it", odd.len() - NAMED_MAX));
            }
        }
        let all = words.join("; ");
        (!all.is_empty()).then(|| format!("set aside because it makes no sense: {all}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_aside_is_told_until_it_is_read() {
        let aside = SetAside::default();
        assert_eq!(aside.words(), None);
        aside.note(Source::History, vec!["trade 1".to_owned()]);
        aside.note(Source::Offers, (1..=5).map(|id| format!("offer {id}")).collect());
        let words = aside.words().unwrap();
        assert!(words.ends_with("offer 1; offer 2; offer 3; 2 more like it; trade 1"), "{words}");
        aside.note(Source::Offers, vec![]);
        aside.note(Source::History, vec![]);
        assert_eq!(aside.words(), None);
    }
}
