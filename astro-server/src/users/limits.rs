//! Limits, each with its reason.

/// Characters of a name that people are looked for by: Steam's own persona names have 32.
pub const SEARCH_CHARS_MAX: usize = 100;
