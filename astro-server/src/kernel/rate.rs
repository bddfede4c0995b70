//! How many calls a second are let in, by what they do.
use astro_sdk::methods::Bucket;

/// Calls a second in each bucket; 0 of a key's own: the usual.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rates {
    /// Calls that only read.
    pub read: u32,
    /// Calls that change something.
    pub write: u32,
    /// Calls that stay open.
    pub stream: u32,
}

impl Rates {
    /// The rate of one bucket.
    pub fn of(self, bucket: Bucket) -> u32 {
        match bucket {
            Bucket::Read => self.read,
            Bucket::Write => self.write,
            Bucket::Stream => self.stream,
        }
    }

    /// Changes the rate of one bucket.
    pub fn set(&mut self, bucket: Bucket, rate: u32) {
        match bucket {
            Bucket::Read => self.read = rate,
            Bucket::Write => self.write = rate,
            Bucket::Stream => self.stream = rate,
        }
    }

    /// What holds for a key with these rates of its own, where `usual` hold for the others.
    #[must_use]
    pub fn or(self, usual: Self) -> Self {
        let or = |own, usual| if own == 0 { usual } else { own };
        Self {
            read: or(self.read, usual.read),
            write: or(self.write, usual.write),
            stream: or(self.stream, usual.stream),
        }
    }
}
