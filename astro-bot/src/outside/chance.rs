//! The only place that draws chance.

use std::{fmt, io, sync::Arc};

type Draw = dyn Fn(&mut [u8]) + Send + Sync;

/// Chance: the machine's, or what a simulation draws from its seed.
#[derive(Clone, Default)]
pub(crate) struct Chance(Option<Arc<Draw>>);

impl Chance {
    /// Drawn by this.
    pub(super) fn drawn(draw: impl Fn(&mut [u8]) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(draw)))
    }

    /// Every byte is this one.
    #[cfg(test)]
    pub(crate) fn loaded(byte: u8) -> Self {
        Self::drawn(move |bytes| bytes.fill(byte))
    }

    /// So many random bytes.
    ///
    /// # Errors
    /// If the machine has none.
    pub(crate) fn bytes<const N: usize>(&self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    /// Fills this with random bytes.
    ///
    /// # Errors
    /// If the machine has none.
    pub(crate) fn fill(&self, bytes: &mut [u8]) -> io::Result<()> {
        match &self.0 {
            Some(draw) => {
                draw(bytes);
                Ok(())
            }
            None => getrandom::fill(bytes).map_err(|error| io::Error::other(error.to_string())),
        }
    }

    /// One random byte, for what is merely spread.
    pub(crate) fn dice(&self) -> u8 {
        self.bytes().map_or(0, |[byte]| byte)
    }
}

impl fmt::Debug for Chance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Chance")
    }
}
