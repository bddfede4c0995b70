//! How much there is of everything, and why.

use std::time::Duration;

/// A cookie is kept this long: as long as the server lets a session live.
pub(crate) const SESSION: Duration = Duration::from_secs(12 * 3600);
/// A sign-in link works for this long: from the start of a program until somebody reads its lines.
pub(crate) const LINK: Duration = Duration::from_secs(3600);
/// Sign-in links that wait at once: a program makes one when it starts.
pub(crate) const LINKS_MAX: usize = 100;
/// Letters of the name that a session has.
pub(crate) const NAME_CHARS_MAX: usize = 100;
/// Wrong keys, and cookies that the server does not know, of one address within a minute; more come from a program that guesses.
pub(crate) const WRONG_KEYS_MAX: usize = 5;
/// Addresses that are remembered for it; the oldest is forgotten.
pub(crate) const ADDRESSES_MAX: usize = 10_000;
/// Sessions whose caller is remembered, and as many that were found to be over.
pub(crate) const SESSIONS_MAX: usize = 10_000;
/// What the server says of a session is asked again after this long; it decides each call itself.
pub(crate) const CALLER_KEPT: Duration = Duration::from_secs(60);
/// Names of people are asked again after this long.
pub(crate) const NAMES_KEPT: Duration = Duration::from_secs(300);
/// Names that are remembered: some megabytes.
pub(crate) const NAMES_MAX: usize = 20_000;
/// How long a server that is away is asked again before the page says so.
pub const PATIENCE: Duration = Duration::from_secs(2);
/// Time for one call of a page.
pub(crate) const CALL: Duration = Duration::from_secs(10);
/// Bytes of a form: a hundred ids, labels and a note.
pub(crate) const FORM_BYTES_MAX: usize = 128 * 1024;
/// Rows of a page; 50 are read, more are scrolled past.
pub(crate) const ROWS: i32 = 50;
/// Offers that a bot has out at once, as the contract tells.
pub(crate) const OFFERS_MAX: u64 = 25;
/// Things that one form acts on, and that an assignment takes.
pub(crate) const CHOSEN_MAX: usize = 100;
/// Things that one click ends; of more the number is typed, so that a tick on "all" is noticed.
pub(crate) const ENDED_BY_CLICK: usize = 20;
/// Calls of one form that are under way at once.
pub(crate) const AT_ONCE: usize = 8;
/// Rows of a CSV file; who wants more narrows the filter.
pub(crate) const CSV_ROWS_MAX: usize = 100_000;
/// Entries of one read of a CSV file: the most that the server gives.
pub(crate) const CSV_PAGE: i32 = 500;
/// Changes within this time are told as one.
pub(crate) const COALESCED: Duration = Duration::from_millis(250);
/// A stream says this often that it lives.
pub(crate) const SIGN_OF_LIFE: Duration = Duration::from_secs(15);
/// A stream of the server that says nothing for longer is broken: it sends its place in the log meanwhile.
pub(crate) const SILENT_MAX: Duration = Duration::from_secs(45);
/// Events that a page may be behind before it is told to load anew.
pub(crate) const BEHIND_MAX: usize = 1024;
/// Objects that are read anew for one tick of a page's stream.
pub(crate) const CHANGED_MAX: usize = 50;
/// Organisations in the chooser.
pub(crate) const ORGS_MAX: i32 = 200;
/// Time for one picture; a tile stands there meanwhile and afterwards.
pub(crate) const PICTURE_WAIT: Duration = Duration::from_secs(5);
/// Bytes of one picture: those of 96 by 96 have about ten thousand.
pub(crate) const PICTURE_BYTES_MAX: usize = 256 * 1024;
/// Bytes of all pictures that are kept: some thousands of them.
pub(crate) const PICTURES_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Pictures that are fetched at once.
pub(crate) const PICTURES_AT_ONCE: usize = 8;
/// A picture that could not be had is asked for again after this long.
pub(crate) const PICTURE_AGAIN: Duration = Duration::from_secs(600);
/// Pictures of which that is remembered.
pub(crate) const FAILED_MAX: usize = 10_000;
/// Rows that are kept for a moment, since several pages show them: some megabytes.
pub(crate) const SHARED_ROWS_MAX: usize = 1024;
