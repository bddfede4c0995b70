//! Pure: what a bot was told in this session, and what it is told again.
use super::Subject;
use crate::kernel::Timestamp;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

/// Pause before a command comes again whose report was refused; doubled each time, since a bot that
/// says the same again is refused again.
const PAUSE: Duration = Duration::from_secs(10);
/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(1800);

/// What was sent in this session.
#[derive(Debug, Default)]
pub(super) struct Sent {
    told: HashSet<Subject>,
    refused: HashMap<Subject, Refused>,
}

/// The last report about a subject that was refused.
#[derive(Debug)]
struct Refused {
    at: Timestamp,
    times: u32,
    /// Whether the bot is to be told again.
    waits: bool,
}

impl Refused {
    fn pause(&self) -> Duration {
        PAUSE.saturating_mul(1 << self.times.clamp(1, 16).saturating_sub(1)).min(PAUSE_MAX)
    }

    /// Whether the pause is over. A clock that went back keeps nothing waiting.
    fn is_over(&self, now: Timestamp) -> bool {
        self.waits && (now < self.at || now.since(self.at) >= self.pause())
    }
}

impl Sent {
    /// What the bot was told and need not be told again.
    pub(super) fn told(&self) -> &HashSet<Subject> {
        &self.told
    }

    /// The bot is told.
    pub(super) fn tell(&mut self, subject: Subject) {
        self.told.insert(subject);
    }

    /// What is not `open` any more need not be remembered.
    pub(super) fn keep(&mut self, open: &HashSet<Subject>) {
        self.told.retain(|subject| open.contains(subject));
        self.refused.retain(|subject, _| open.contains(subject));
    }

    /// The bot does not work on it any more: it is told again at once if it is open.
    pub(super) fn forget(&mut self, subject: Subject) {
        self.told.remove(&subject);
    }

    /// A report about it was refused: it is told again, after a pause.
    pub(super) fn refuse(&mut self, subject: Subject, now: Timestamp) {
        let times = self.refused.get(&subject).map_or(0, |before| before.times);
        self.refused.insert(subject, Refused { at: now, times: times + 1, waits: true });
    }

    /// Forgets what is to be told again by now.
    pub(super) fn lapse(&mut self, now: Timestamp) {
        for (subject, refused) in &mut self.refused {
            if refused.is_over(now) {
                refused.waits = false;
                self.told.remove(subject);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assignments::AttemptId;
    use crate::kernel::Clock;

    #[test]
    fn what_was_refused_is_told_again_after_a_growing_pause() {
        let (mut sent, start) = (Sent::default(), Clock::default().now());
        let subject = Subject::Attempt(AttemptId::new());
        let open = HashSet::from([subject]);
        let after = |seconds| start.plus(Duration::from_secs(seconds));
        sent.tell(subject);
        for (refused, early, due) in [(0, 9, 10), (10, 29, 30), (30, 69, 70)] {
            sent.refuse(subject, after(refused));
            sent.keep(&open);
            sent.lapse(after(early));
            assert!(sent.told().contains(&subject), "{early}");
            sent.lapse(after(due));
            assert!(!sent.told().contains(&subject), "{due}");
            sent.tell(subject);
            sent.lapse(after(due + 9000));
            assert!(sent.told().contains(&subject), "once for each refusal");
        }
        // What is over is forgotten, with its pauses.
        sent.keep(&HashSet::new());
        assert!(sent.told().is_empty() && sent.refused.is_empty());
    }

    #[test]
    fn a_clock_that_went_back_keeps_no_command_waiting() {
        let (mut sent, now) = (Sent::default(), Clock::default().now());
        let subject = Subject::Attempt(AttemptId::new());
        sent.tell(subject);
        sent.refuse(subject, now.plus(Duration::from_secs(3600)));
        sent.lapse(now);
        assert!(!sent.told().contains(&subject));
    }
}
