//! The people of the story and what they own, on the simulated Steam.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use astro_bot::AppContext;
use serde_json::{Value, json};
use steam_sim::{
    Account, Behaviour, Fault, FaultKind, ItemSpec, LostAnswer, Matcher, NewAccount, Steam, SteamId,
};

/// How long a winner takes to look at the phone.
const REACTION: Duration = Duration::from_secs(2);
/// What donors give, in turn.
const GIFTS: [&str; 4] =
    ["Mann Co. Supply Crate Key", "Refined Metal", "Team Captain", "Strange Rocket Launcher"];
/// The game and inventory of the gifts.
const TEAM_FORTRESS: (u32, u64) = (440, 2);

/// Winners are counted from here on.
const WINNERS: u32 = 1000;

/// Accounts of one story. Their numbers differ from run to run, so that a database may be used
/// again.
pub(crate) struct People {
    steam: Steam,
    first: u32,
}

impl People {
    /// Picks a range of numbers.
    ///
    /// # Errors
    /// Those of the simulated Steam.
    pub(crate) fn new(steam: Steam) -> anyhow::Result<Self> {
        let chance = chance();
        let people = Self { steam, first: 1_000_000 + chance % 2_000_000_000 };
        people.skip_asset_numbers(17_200_000_000 + u64::from(chance))?;
        Ok(people)
    }

    /// The bot's account.
    pub(crate) fn bot(&self) -> anyhow::Result<Account> {
        self.add("astro-bot", 0, Behaviour::IGNORE)
    }

    /// Someone who gives.
    pub(crate) fn donor(&self, number: u32) -> anyhow::Result<Account> {
        self.add(&format!("donor-{number}"), number, Behaviour::IGNORE)
    }

    /// Someone who wins, and accepts what comes.
    pub(crate) fn winner(&self, number: u32) -> anyhow::Result<Account> {
        let accepts = Behaviour::ACCEPT.after(REACTION);
        self.add(&format!("winner-{number}"), WINNERS + number, accepts)
    }

    /// The SteamID of the winner with this number.
    pub(crate) fn winner_id(&self, number: u32) -> SteamId {
        SteamId::from_account_id(self.first + WINNERS + number)
    }

    /// Someone who gives when all is over.
    pub(crate) fn regular(&self) -> anyhow::Result<Account> {
        self.add("regular", 998, Behaviour::IGNORE)
    }

    /// Someone who answers no offer.
    pub(crate) fn absent(&self) -> anyhow::Result<Account> {
        self.add("absent", 997, Behaviour::IGNORE)
    }

    fn add(&self, name: &str, number: u32, behaviour: Behaviour) -> anyhow::Result<Account> {
        let steam_id = Some(SteamId::from_account_id(self.first + number));
        let new = NewAccount { steam_id, ..NewAccount::named(name).behaving(behaviour) };
        self.steam.add_account(new)
    }

    /// Asset numbers of an earlier run must not come again: the database may remember them.
    fn skip_asset_numbers(&self, to: u64) -> anyhow::Result<()> {
        let nobody = self.add("nobody", 999, Behaviour::IGNORE)?;
        let (app, context) = TEAM_FORTRESS;
        let asset = json!({
            "appid": app, "contextid": context.to_string(), "assetid": to.to_string(),
            "classid": "1", "instanceid": "0", "amount": "1",
        });
        let class = json!({
            "appid": app, "classid": "1", "instanceid": "0", "tradable": 0,
            "name": "A memory", "market_hash_name": "A memory",
        });
        let page = json!({
            "assets": [asset], "descriptions": [class], "total_inventory_count": 1, "success": 1,
        });
        self.steam.load_inventory(nobody.steam_id, page.to_string().as_bytes()).map(drop)
    }
}

fn chance() -> u32 {
    let bytes = uuid::Uuid::new_v4().into_bytes();
    u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

/// Gives `donor` so many things and lets them send all to `bot` as a donation.
pub(crate) fn donate(
    steam: &Steam,
    donor: &Account,
    bot: &Account,
    count: u32,
) -> anyhow::Result<()> {
    let (app, context) = TEAM_FORTRESS;
    let gifts = GIFTS.iter().cycle().take(usize::try_from(count)?);
    let specs: Vec<ItemSpec> = gifts.map(|name| ItemSpec::named(*name)).collect();
    let assets = steam.give_items(donor.steam_id, app, context, &specs, 1);
    let message = "A donation for the next giveaway";
    steam.donate(donor.steam_id, bot.steam_id, &assets, message)?;
    Ok(())
}

/// Requests of the bot that move items, or let them move.
const MOVING: [&str; 3] = ["/tradeoffer/new/send", "/mobileconf/ajaxop", "/accept"];

/// Loses the answer to every `k`-th of the bot's requests of each kind that moves items; the
/// request itself takes effect.
pub(crate) fn lose_answers(steam: &Steam, bot: &Account, k: u32) {
    for path in MOVING {
        let requests = Matcher::path(path).account(bot.steam_id);
        steam.inject(Fault::every(k, requests, FaultKind::EffectThen(LostAnswer::Closed)));
    }
}

/// The inventory that the bot begins with.
pub(crate) struct Inventory {
    /// How many assets it has.
    pub assets: usize,
    /// The games and inventories they lie in.
    pub contexts: Vec<AppContext>,
}

/// Loads a saved inventory into the bot's account.
///
/// # Errors
/// When the file cannot be read, or what is wrong with it.
pub(crate) fn load_inventory(
    steam: &Steam,
    bot: &Account,
    file: &Path,
) -> anyhow::Result<Inventory> {
    let name = file.display();
    let text = std::fs::read(file).with_context(|| format!("cannot read --inventory {name}"))?;
    let assets = steam.load_inventory(bot.steam_id, &text).with_context(|| {
        format!("{name} is no inventory as steamcommunity.com/inventory/… gives it")
    })?;
    Ok(Inventory { assets, contexts: contexts(&serde_json::from_slice(&text)?) })
}

fn contexts(document: &Value) -> Vec<AppContext> {
    let pages = document.as_array().map_or(std::slice::from_ref(document), Vec::as_slice);
    let assets = pages.iter().filter_map(|page| page["assets"].as_array()).flatten();
    let mut found: Vec<(u32, u64)> = assets
        .filter_map(|asset| {
            let app = u32::try_from(number(&asset["appid"])?).ok()?;
            Some((app, number(&asset["contextid"])?))
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found.into_iter().map(|(app_id, context_id)| AppContext { app_id, context_id }).collect()
}

/// Steam writes numbers as numbers and as text.
fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contexts_of_a_saved_inventory_are_found_once_each() {
        let page = json!({"assets": [
            {"appid": 730, "contextid": "2"}, {"appid": "440", "contextid": 2},
            {"appid": 730, "contextid": "2"},
        ]});
        let found = |document| -> Vec<(u32, u64)> {
            contexts(&document).iter().map(|c| (c.app_id, c.context_id)).collect()
        };
        assert_eq!(found(page.clone()), [(440, 2), (730, 2)]);
        assert_eq!(found(json!([page])), [(440, 2), (730, 2)]);
    }
}
