//! The simulator by itself: `steam-sim --help`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Parser;
use serde_json::json;
use steam_sim::{NewAccount, Options, Scene, Sim, SteamId};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// A local Steam for tests and trials: point a client at its proxy and let it trust its authority.
///
/// It answers HTTPS for steamcommunity.com, api.steampowered.com and Steam's other names, keeps its
/// own accounts, inventories, trade offers and trades, and plays the people on the other side. It
/// never talks to the real Steam, and neither do clients whose proxy it is.
///
/// At the start it prints one line of JSON with its ports. It ends on Ctrl-C or SIGTERM.
#[derive(Parser)]
#[command(version, after_long_help = EXAMPLES)]
struct Args {
    /// Where to write the authority's certificate (PEM), which clients must trust.
    #[arg(long, value_name = "PATH", default_value = "steam-sim-ca.pem")]
    ca_out: PathBuf,
    /// Port of the CONNECT proxy on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    proxy_port: u16,
    /// Port of the HTTPS listener on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    https_port: u16,
    /// Port of the control API (plain HTTP, JSON) on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    control_port: u16,
    /// Load an inventory saved from Steam's /inventory endpoint (one document or an array of its
    /// pages). The account is made if no scene has it. May be repeated.
    #[arg(long, value_name = "STEAMID=FILE", value_parser = inventory_arg)]
    inventory: Vec<(SteamId, PathBuf)>,
    /// Accounts, items and friends to begin with, as JSON.
    #[arg(long, value_name = "FILE")]
    scene: Option<PathBuf>,
    /// Further settings as JSON, such as {"excused": ["origin"], "trade_protection_secs": 60}.
    #[arg(long, value_name = "JSON", default_value = "{}", value_parser = options_arg)]
    options: Box<Options>,
}

const EXAMPLES: &str = r#"Examples:
  A bot and a person who accepts every offer after two seconds:
    cat > scene.json <<'END'
    {"accounts": [
       {"name": "bot", "password": "secret"},
       {"name": "alice", "behaviour": {"answer": "accept", "after_secs": 2}}],
     "items": [
       {"owner": "bot", "count": 3, "items": [{"market_hash_name": "Mann Co. Supply Crate Key"}]}]}
    END
    steam-sim --scene scene.json --proxy-port 18080 --control-port 18081

  A client through it:
    curl --proxy http://127.0.0.1:18080 --cacert steam-sim-ca.pem \
      -X POST -d '' https://api.steampowered.com/ITwoFactorService/QueryTime/v1/

  The control API lists itself; secrets and login codes are there:
    curl http://127.0.0.1:18081/
    curl http://127.0.0.1:18081/accounts/bot

  A saved inventory:
    steam-sim --inventory 76561197961265729=inventory.json"#;

fn inventory_arg(text: &str) -> anyhow::Result<(SteamId, PathBuf)> {
    let (id, file) = text.split_once('=').context("expected STEAMID=FILE")?;
    let id = id.parse::<SteamId>().with_context(|| format!("{id:?} is not a SteamID64"))?;
    Ok((id, PathBuf::from(file)))
}

fn options_arg(text: &str) -> anyhow::Result<Box<Options>> {
    Ok(Box::new(serde_json::from_str(text)?))
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let sim = Sim::start(Options {
        proxy_port: args.proxy_port,
        https_port: args.https_port,
        control_port: args.control_port,
        ..*args.options
    })
    .await?;
    if let Some(path) = &args.scene {
        let scene: Scene = serde_json::from_slice(&read(path)?)
            .with_context(|| format!("the scene {}", path.display()))?;
        sim.set_scene(scene)?;
    }
    for (owner, path) in &args.inventory {
        if sim.account(*owner).is_none() {
            let name = format!("user{owner}");
            sim.add_account(NewAccount { steam_id: Some(*owner), ..NewAccount::named(name) })?;
        }
        sim.load_inventory(*owner, &read(path)?)
            .with_context(|| format!("the inventory {}", path.display()))?;
    }
    std::fs::write(&args.ca_out, sim.ca_pem())
        .with_context(|| format!("cannot write {}", args.ca_out.display()))?;
    // Whoever reads the line may end the program at once.
    let terminate = signal(SignalKind::terminate())?;
    announce(&sim, &args.ca_out);
    wait_for_end(terminate).await?;
    sim.shutdown().await;
    Ok(())
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

#[allow(clippy::print_stdout, reason = "the line with the ports is the program's output")]
fn announce(sim: &Sim, ca: &Path) {
    let accounts = sim.accounts().into_iter();
    let accounts = accounts.map(|account| (account.name, json!(account.steam_id)));
    let line = json!({
        "proxy": sim.proxy_url(),
        "https": sim.https_addr(),
        "control": sim.control_url(),
        "ca": ca,
        "accounts": accounts.collect::<serde_json::Map<_, _>>(),
    });
    println!("{line}");
}

async fn wait_for_end(mut terminate: Signal) -> anyhow::Result<()> {
    tokio::select! {
        ended = tokio::signal::ctrl_c() => Ok(ended?),
        _ = terminate.recv() => Ok(()),
    }
}
