//! The web console, as readers and their browsers meet it.

mod browser;
mod journeys;
mod lists;
mod looks;
mod pages;
mod reader;
mod repairs;
mod sessions;
mod several;
