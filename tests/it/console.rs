//! The web console, as readers and their browsers meet it.

mod browser;
mod journeys;
mod live;
mod looks;
mod pages;
mod pictures;
mod reader;
mod sessions;
