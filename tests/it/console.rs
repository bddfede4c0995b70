//! The web console, as readers and their browsers meet it.

mod alone;
mod browser;
mod faults;
mod journeys;
mod keyboard;
mod lists;
mod live;
mod looks;
mod pages;
mod pictures;
mod reader;
mod repairs;
mod reports;
mod sessions;
mod several;
