//! Several bots in one process: each a task of its own, all behind one traffic gate for each
//! address they go out through.

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::bail;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::{backoff::Backoff, config::Config, run::run_beside, steam::Addresses, supervise};

/// A bot by the name that its log lines have.
#[derive(Debug, Clone)]
pub struct Member {
    /// Name for people; empty for the only one.
    pub name: String,
    /// What it is told.
    pub config: Config,
}

/// Runs these bots until `shutdown` is cancelled. One that fails by a fault of its own is begun
/// again; one that cannot work until a person has changed something ends, and the others go on.
///
/// # Errors
/// Two bots that share a key or a token file; and once all have ended, if one could not work.
pub async fn run_all(members: Vec<Member>, shutdown: CancellationToken) -> anyhow::Result<()> {
    check(&members)?;
    let mut bots = JoinSet::new();
    let (several, addresses) = (members.len() > 1, Addresses::default());
    for member in members {
        let span = if several {
            tracing::info_span!("bot", name = member.name)
        } else {
            tracing::Span::none()
        };
        let bot = keep(member, several, addresses.clone(), shutdown.clone());
        bots.spawn(bot.instrument(span));
    }
    let mut failed = None;
    while let Some(ended) = bots.join_next().await {
        if let Err(error) = ended? {
            failed.get_or_insert(error);
        }
    }
    failed.map_or(Ok(()), Err)
}

/// Runs one bot, and begins it again when it fails by a fault of its own.
async fn keep(
    member: Member,
    several: bool,
    addresses: Addresses,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let Member { name, config } = member;
    let begin = || run_beside(config.clone(), addresses.clone(), shutdown.clone());
    let nobody = |_| std::future::ready(());
    let pace = &config.pace;
    let retry = Backoff::new(pace.retry_first, pace.retry_cap, &config.outside.chance);
    match supervise::keep("bot", retry, &shutdown, begin, nobody).await {
        Some(Err(error)) if several => {
            let error = error.context(format!("bot {name}"));
            tracing::error!("The bot ends: {error:#}");
            Err(error)
        }
        Some(ended) => ended,
        None => Ok(()),
    }
}

/// What two bots cannot share: each session would end the other's.
fn check(members: &[Member]) -> anyhow::Result<()> {
    let mut keys: BTreeMap<&str, &str> = BTreeMap::new();
    let mut files: BTreeMap<&PathBuf, &str> = BTreeMap::new();
    for Member { name, config } in members {
        if let Some(other) = keys.insert(config.api_key.expose(), name) {
            bail!(
                "bots {other} and {name} have the same API key: give each its own --api-key-file"
            );
        }
        let file = config.refresh_token_file.as_ref();
        if let Some(other) = file.and_then(|file| files.insert(file, name)) {
            bail!("bots {other} and {name} have the same --refresh-token-file: give each its own");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_bots_with_one_key_or_one_token_are_refused_by_name() {
        let member = |name: &str, key: &str, file: &str| {
            let mut config = Config::new("http://127.0.0.1:1", key);
            config.refresh_token_file = Some(file.into());
            Member { name: name.to_owned(), config }
        };
        let first = member("first", "a", "token-a");
        check(&[first.clone(), member("second", "b", "token-b")]).unwrap();
        for (second, flag) in [
            (member("second", "a", "token-b"), "--api-key-file"),
            (member("second", "b", "token-a"), "--refresh-token-file"),
        ] {
            let error = check(&[first.clone(), second]).unwrap_err().to_string();
            assert!(error.contains("bots first and second") && error.contains(flag), "{error}");
        }
    }
}
