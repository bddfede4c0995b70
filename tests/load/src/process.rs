//! What processes took of the machine, as `/proc` tells it.

use std::fs;
use std::time::Duration;

/// Ticks of the kernel's clock a second, on every Linux that there is.
const TICKS: u64 = 100;

/// A process, and with it its children if it is a database's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Process {
    id: u32,
    children: bool,
}

impl Process {
    pub(crate) fn alone(id: u32) -> Self {
        Self { id, children: false }
    }

    pub(crate) fn with_children(id: u32) -> Self {
        Self { id, children: true }
    }

    /// Time that processors spent on it so far. Children that ended are counted by their parent.
    pub(crate) fn cpu(&self) -> Duration {
        let Some(own) = Stat::read(self.id) else { return Duration::ZERO };
        let mut ticks = own.ticks;
        if self.children {
            ticks += own.children_ticks;
            ticks += children(self.id).map(|child| child.ticks).sum::<u64>();
        }
        Duration::from_millis(ticks * 1000 / TICKS)
    }

    /// The most memory that it had, and what it has now, in bytes.
    pub(crate) fn memory(&self) -> (u64, u64) {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id)).unwrap_or_default();
        let of = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
            kib.unwrap_or_default() * 1024
        };
        (of("VmHWM:"), of("VmRSS:"))
    }

    /// Lets the most memory be counted from now on.
    pub(crate) fn forget_peak(&self) {
        // Who may not is told of the peak since the start, which is no less true.
        let _ = fs::write(format!("/proc/{}/clear_refs", self.id), "5");
    }
}

/// What `/proc/ID/stat` tells.
struct Stat {
    parent: u32,
    ticks: u64,
    children_ticks: u64,
}

impl Stat {
    fn read(id: u32) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{id}/stat")).ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        // The name comes in brackets and may have any.
        let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
        let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
        Some(Self {
            parent: fields.get(1)?.parse().ok()?,
            ticks: number(11)? + number(12)?,
            children_ticks: number(13)? + number(14)?,
        })
    }
}

fn children(parent: u32) -> impl Iterator<Item = Stat> {
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = all.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    ids.filter_map(Stat::read).filter(move |stat| stat.parent == parent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_whose_name_has_brackets_is_read() {
        let stat =
            Stat::parse("7 (a) b (c) S 3 1 1 0 -1 4194560 0 0 0 0 11 22 33 44 20 0").unwrap();
        assert_eq!((stat.parent, stat.ticks, stat.children_ticks), (3, 33, 77));
    }

    #[test]
    fn this_process_has_memory_and_its_peak() {
        let (peak, now) = Process::alone(std::process::id()).memory();
        assert!(peak >= now && now > 0, "{peak} {now}");
    }
}
