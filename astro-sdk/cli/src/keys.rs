//! `astro keys scopes`: what keys can be allowed to do.

use std::collections::BTreeMap;

use astro_sdk::methods::METHODS;
use clap::Command;

use crate::context::Context;
use crate::failure::Failure;

/// The command.
pub(crate) fn command() -> Command {
    Command::new("scopes")
        .about("Lists the scopes that a key can have, and the RPCs that each allows. Needs no key")
        .after_help(
            "\
\"items.*\" stands for every scope that begins so, and \"*\" for all of them. Whoever makes a key hands
on at most what its own key may.

Example:
  astro keys scopes",
        )
}

/// Prints what the contract knows of scopes.
pub(crate) fn scopes(cx: &mut Context<'_>) -> Result<(), Failure> {
    let mut allowed: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for method in METHODS {
        if let Some(scope) = method.scope {
            allowed.entry(scope).or_default().push(method.name);
        }
    }
    let row = |(scope, methods): (&str, Vec<&str>)| vec![scope.to_owned(), methods.join(", ")];
    let rows: Vec<_> = allowed.into_iter().map(row).collect();
    Ok(cx.out.rows(&["scope", "allows"], &rows)?)
}
