//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::ensure;
use clap::Parser;

/// Items in one trade offer, and in one assignment.
const ITEMS_PER_OFFER_MAX: u32 = 100;
/// What one donor gives when nobody says how many there are.
const ITEMS_PER_DONOR: u32 = 20;

/// Plays a donation and a giveaway with an Astro server, a bot and a simulated Steam, all in this
/// process. Nothing of it touches the real Steam.
#[derive(Debug, Parser)]
#[command(
    name = "astro-quickstart",
    version,
    after_help = "Examples:\n  \
        cargo run --release                                          one donor, one winner, then keep running\n  \
        cargo run --release -- --once                                end when every item has arrived\n  \
        cargo run --release -- --once --donors 2 --items 50 --winners 5\n  \
        cargo run --release -- --once --items 200 --winners 40 --lose-every 3\n  \
        cargo run --release -- --inventory inventory.json            items of a saved Steam inventory\n\n\
        RUST_LOG=info shows on standard error what the server and the bot log."
)]
pub(crate) struct Args {
    /// End after the giveaway: exit code 0 only if every item arrived.
    #[arg(long)]
    pub once: bool,
    /// People who donate. Default: one for each 20 items.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100), value_name = "D")]
    pub donors: Option<u32>,
    /// Items to give away, spread over donors and winners; at most 100 in one trade offer.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=10_000), value_name = "N")]
    pub items: u32,
    /// People who win.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100), value_name = "W")]
    pub winners: u32,
    /// Let every K-th send, confirmation and acceptance take effect on Steam while its answer is
    /// lost on the way, as bad connections do: nothing may arrive twice for it.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100), value_name = "K")]
    pub lose_every: Option<u32>,
    /// Inventory saved from Steam's /inventory endpoint (one document or an array of its pages):
    /// the bot has it at the start, and the items come from it instead of from donors.
    #[arg(long, value_name = "FILE", conflicts_with = "donors")]
    pub inventory: Option<PathBuf>,
    /// Database to use instead of a fresh SQLite file: postgres://… or sqlite://FILE.
    #[arg(long, env = "ASTRO_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<String>,
    /// Address to serve on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDR")]
    pub listen: SocketAddr,
    /// Address to serve the web console on, after the giveaway; any free one if that is taken.
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDR", conflicts_with = "once")]
    pub console: SocketAddr,
    /// Let --listen be an address that others reach: keys and data travel to them in plain text.
    #[arg(long)]
    pub plaintext: bool,
}

impl Args {
    /// Checks that the numbers fit together.
    ///
    /// # Errors
    /// What does not fit, and what to ask for instead.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        let Self { items, winners, .. } = *self;
        ensure!(
            self.plaintext || self.listen.ip().to_canonical().is_loopback(),
            "--listen {}: others would reach it, and nothing is encrypted; where you trust everybody \
             on the network, --plaintext",
            self.listen
        );
        ensure!(items >= winners, "{winners} winners need at least {winners} items: --items");
        let per_winner = items.div_ceil(winners);
        ensure!(
            per_winner <= ITEMS_PER_OFFER_MAX,
            "{per_winner} items for one winner do not fit into one offer of \
             {ITEMS_PER_OFFER_MAX}: ask for more --winners or fewer --items"
        );
        if self.inventory.is_some() {
            return Ok(());
        }
        let donors = self.donors();
        ensure!(items >= donors, "{donors} donors need at least {donors} items: --items");
        let per_donor = items.div_ceil(donors);
        ensure!(
            per_donor <= ITEMS_PER_OFFER_MAX,
            "{per_donor} items of one donor do not fit into one offer of {ITEMS_PER_OFFER_MAX}: \
             ask for more --donors or fewer --items"
        );
        Ok(())
    }

    /// How many people donate.
    pub(crate) fn donors(&self) -> u32 {
        self.donors.unwrap_or_else(|| self.items.div_ceil(ITEMS_PER_DONOR).min(100))
    }
}

/// `whole` in `parts` shares that differ by one at most.
pub(crate) fn shares(whole: u32, parts: u32) -> impl Iterator<Item = u32> {
    (0..parts).map(move |part| whole / parts + u32::from(part < whole % parts))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn check(line: &str) -> Result<(), String> {
        let words = std::iter::once("astro-quickstart").chain(line.split_whitespace());
        let args = Args::try_parse_from(words).map_err(|error| error.to_string())?;
        args.check().map_err(|error| error.to_string())
    }

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn numbers_that_do_not_fit_are_refused_with_a_way_out() {
        for line in [
            "",
            "--once",
            "--donors 2 --items 200 --winners 2",
            "--items 100",
            "--items 10000 --winners 100",
            "--items 200 --winners 40 --lose-every 3",
            "--listen 0.0.0.0:0 --plaintext",
        ] {
            check(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        }
        for (line, wanted) in [
            ("--items 1 --winners 2", "--items"),
            ("--items 1 --donors 2", "--items"),
            ("--items 101 --donors 2", "--winners"),
            ("--items 101 --winners 2 --donors 1", "--donors"),
            ("--lose-every 0", "--lose-every"),
            ("--items 0", "--items"),
            ("--donors 2 --inventory a.json", "--inventory"),
            ("--listen here", "--listen"),
            ("--listen 0.0.0.0:0", "--plaintext"),
        ] {
            let error = check(line).unwrap_err();
            assert!(error.contains(wanted), "{line}: {error}");
        }
    }

    #[test]
    fn shares_add_up() {
        assert_eq!(shares(7, 3).collect::<Vec<_>>(), [3, 2, 2]);
        assert_eq!(shares(2, 2).collect::<Vec<_>>(), [1, 1]);
    }
}
