//! The web console of Astro: pages on which a community's admins do their whole day's work.
//!
//! It is a client of the Rust SDK with the reader's own key, and knows nothing of the server but the
//! contract. Pages are HTML that is made here; each reads and works without JavaScript.
//!
//! Reading order: [`Console`] is what others start; `gate` is what every request passes; `desk` is
//! who asks, and for what; `page` is the frame; then a folder for each part of the work. A page asks
//! (`ask`), reads (by the SDK) and shows (a function to markup); components in `parts` read nothing.
//! All that is said to people is in `words/`, one file for each language.

mod admin;
mod app;
mod ask;
mod assets;
pub mod cli;
mod clock;
mod csv;
mod desk;
mod failure;
mod gate;
mod images;
mod json;
mod limits;
mod live;
mod names;
mod page;
mod parts;
mod readers;
mod session;
mod steam;
mod together;
mod words;

pub use app::{Config, ConfigError, Console, Open};
pub use clock::system as system_clock;
pub use images::{AVATAR_HOST, PICTURE_HOST, Pictures};
pub use limits::PATIENCE;

use axum::Router;

use app::App;

/// A part of the console: its pages, and where they stand in the navigation.
pub(crate) struct Part {
    /// Its heading in the navigation.
    pub group: fn(&words::Words) -> &'static str,
    /// Its pages, in the navigation's order.
    pub places: &'static [Place],
    /// How they are answered.
    pub routes: fn() -> Router<App>,
}

/// A page in the navigation.
pub(crate) struct Place {
    pub path: &'static str,
    pub label: fn(&words::Words) -> &'static str,
    /// What a key must hold to see it; empty: any key may.
    pub scope: &'static str,
}

/// All parts. The frame knows none of them: another one is another line.
const PARTS: &[&Part] = &[&steam::WORK, &steam::OVERSIGHT, &admin::PART];
