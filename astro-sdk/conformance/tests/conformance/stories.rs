//! The example programs, as a community runs them: against a server, a bot and a simulated Steam.

use std::process::{Output, Stdio};

use anyhow::{Context, ensure};
use astro_conformance::language::Language;
use astro_conformance::output::say;
use astro_sdk::v1::ItemState;
use astro_tests::{App, Backend, DEADLINE};
use regex::Regex;
use steam_sim::{Account, Behaviour};
use tokio::process::Command;

/// Who has this one has all of them.
const LAST_STORY: &str = "audit";

/// Runs the stories in every language; gives what is wrong.
pub(crate) async fn run(languages: &[&Language]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut first: Option<(String, Vec<String>)> = None;
    let has = |language: &Language, story: &str| language.example(story).is_some();
    let mut telling: Vec<&Language> =
        languages.iter().copied().filter(|one| has(one, "giveaway")).collect();
    // Who has all stories says what the others are compared with.
    telling.sort_by_key(|one| !has(one, LAST_STORY));
    for language in telling {
        let name = &language.name;
        match tell(language).await {
            Err(error) => wrong.push(format!("examples in {name}: {error:#}")),
            Ok(said) => {
                say(&format!("examples in {name}: ok"));
                match &first {
                    None => first = Some((name.clone(), said)),
                    Some((other, wanted)) if !same_story(language, wanted, &said) => wrong.push(format!(
                        "examples in {name} do not say what they say in {other}:\n{said:#?}\n{wanted:#?}"
                    )),
                    Some(_) => {}
                }
            }
        }
    }
    wrong
}

/// Whether it said what another language said, as far as it has the stories.
fn same_story(language: &Language, wanted: &[String], said: &[String]) -> bool {
    let whole = language.example(LAST_STORY).is_some();
    wanted.starts_with(said) && (!whole || wanted.len() == said.len())
}

/// A whole Astro and a program that talks to it.
struct Stage<'a> {
    app: App,
    language: &'a Language,
    /// Every line that was said, without what differs from run to run.
    said: Vec<String>,
}

/// All stories in one language; gives what they said.
async fn tell(language: &Language) -> anyhow::Result<Vec<String>> {
    let app = App::start(Backend::Sqlite).await;
    let mut stage = Stage { app, language, said: Vec::new() };
    let bot = stage.app.bot();
    stage.app.donate("donor", &["A", "B", "C", "D", "E", "F", "G", "H"]);
    stage.app.available(8).await;
    stage.giveaway().await.context("giveaway")?;
    bot.stop().await;
    if language.example(LAST_STORY).is_none() {
        return Ok(stage.said);
    }
    stage.vip().await.context("vip")?;
    stage.tournament().await.context("tournament")?;
    stage.last_items().await.context("vip")?;
    stage.audit().await.context("audit")?;
    Ok(stage.said)
}

impl Stage<'_> {
    /// A prize is delivered once, however often the program is run.
    async fn giveaway(&mut self) -> anyhow::Result<()> {
        let winner = self.app.person("winner", Behaviour::ACCEPT);
        let url = winner.trade_url();
        let lines = self.play("giveaway", &["summer", "2", &url], 0).await?;
        let steam_id = winner.steam_id;
        let first = lines.first().context("it says something")?;
        let id = first.strip_prefix("assignment ").context("it tells the assignment")?.to_owned();
        let last = lines.last().context("it says something")?;
        ensure!(*last == format!("delivered 2 items to {steam_id}"), "{lines:?}");
        let states: Vec<&str> =
            lines.iter().filter_map(|line| line.strip_prefix("state ")).collect();
        ensure!(states.len() == lines.len() - 2, "{lines:?}");
        ensure!(states.windows(2).all(|pair| pair[0] != pair[1]), "a state twice: {states:?}");
        ensure!(matches!(states.last(), Some(&"DELIVERED" | &"SETTLED")), "{states:?}");
        let has = self.app.belongings(&winner).len();
        ensure!(has == 2, "the winner has {has} items");

        let again = self.play("giveaway", &["summer", "2", &url], 0).await?;
        ensure!(again == [format!("paid before: assignment {id}")], "{again:?}");
        let too_many = self.play("giveaway", &["winter", "7", &url], 3).await?;
        ensure!(too_many == ["not enough items: found 6"], "{too_many:?}");
        self.usage("giveaway").await?;
        self.free(6).await
    }

    /// Each gets one item a month, whatever form the id has.
    async fn vip(&mut self) -> anyhow::Result<()> {
        let (one, other) = (self.person("vip one"), self.person("vip two"));
        let (first, second) = (one.steam_id.to_string(), other.steam_id.to_string());
        let steam3 = format!("[U:1:{}]", other.steam_id.0 - 76_561_197_960_265_728);
        let lines = self.play("vip", &["2026-11", &first, &steam3], 0).await?;
        ensure!(lines.len() == 2, "{lines:?}");
        ensure!(lines[0].starts_with(&format!("{first} gets ")), "{lines:?}");
        ensure!(lines[1].starts_with(&format!("{second} gets ")), "{lines:?}");
        let again = self.play("vip", &["2026-11", &first, &second], 0).await?;
        let had = [format!("{first} had it before"), format!("{second} had it before")];
        ensure!(again == had, "{again:?}");
        self.free(4).await
    }

    /// All places or none.
    async fn tournament(&mut self) -> anyhow::Result<()> {
        let winners: Vec<Account> =
            (1..=5).map(|place| self.person(&format!("place {place}"))).collect();
        let ids: Vec<String> = winners.iter().map(|one| one.steam_id.to_string()).collect();
        let mut arguments = vec!["cup"];
        arguments.extend(ids.iter().map(String::as_str));
        let lines = self.play("tournament", &arguments, 3).await?;
        ensure!(lines == ["nobody gets anything: 4 of 5 prizes"], "{lines:?}");
        self.free(4).await?;
        let lines = self.play("tournament", &arguments[..3], 0).await?;
        ensure!(lines.len() == 2, "{lines:?}");
        ensure!(lines[0].starts_with(&format!("place 1: {} assignment ", ids[0])), "{lines:?}");
        ensure!(lines[1].starts_with(&format!("place 2: {} assignment ", ids[1])), "{lines:?}");
        self.free(2).await?;
        // Place 1 is paid already: nobody gets anything the second time.
        let lines = self.play("tournament", &arguments[..3], 1).await?;
        let told = lines.len() == 1 && lines[0].starts_with("nobody gets anything: ");
        ensure!(told, "{lines:?}");
        self.free(2).await
    }

    /// More people than items.
    async fn last_items(&mut self) -> anyhow::Result<()> {
        let people: Vec<Account> = ["vip 3", "vip 4", "vip 5"].map(|name| self.person(name)).into();
        let ids: Vec<String> = people.iter().map(|one| one.steam_id.to_string()).collect();
        let lines = self.play("vip", &["2026-12", &ids[0], &ids[1], &ids[2]], 3).await?;
        ensure!(lines.len() == 3, "{lines:?}");
        ensure!(lines[2] == format!("{} waits: no item left", ids[2]), "{lines:?}");
        self.free(0).await
    }

    /// What happened to an item, oldest first.
    async fn audit(&mut self) -> anyhow::Result<()> {
        let delivered = self.app.items(&[ItemState::Delivered]).await;
        let item = delivered.first().context("an item was delivered")?;
        let lines = self.play("audit", &[&item.id], 0).await?;
        ensure!(lines[0] == format!("{}: DELIVERED", item.item_name), "{lines:?}");
        let steps: Vec<&str> =
            lines[1..].iter().filter_map(|line| line.split(' ').next()).collect();
        let told = ["item.accepted", "item.received", "item.reserved", "item.assigned"];
        ensure!(steps.starts_with(&told), "{lines:?}");
        let delivered = |line: &String| line.starts_with("item.delivered IN_OFFER -> DELIVERED ");
        ensure!(lines.iter().any(delivered), "{lines:?}");
        let unknown = "01890000-0000-7000-8000-000000000000";
        let lines = self.play("audit", &[unknown], 3).await?;
        ensure!(lines == ["no such item"], "{lines:?}");
        for story in ["audit", "tournament", "vip"] {
            self.usage(story).await?;
        }
        Ok(())
    }

    /// Called wrongly, it says how it is called.
    async fn usage(&mut self, story: &str) -> anyhow::Result<()> {
        let lines = self.play(story, &[], 2).await?;
        ensure!(lines.is_empty(), "the usage of {story} is no output: {lines:?}");
        Ok(())
    }

    fn person(&self, name: &str) -> Account {
        self.app.person(name, Behaviour::IGNORE)
    }

    /// Nothing is held back: so many items are free.
    async fn free(&self, wanted: usize) -> anyhow::Result<()> {
        let free = self.app.items(&[ItemState::Available]).await.len();
        ensure!(free == wanted, "{free} items are free, and {wanted} should be");
        Ok(())
    }

    /// Runs a story to its end; gives the lines that it said.
    async fn play(
        &mut self,
        story: &str,
        arguments: &[&str],
        code: i32,
    ) -> anyhow::Result<Vec<String>> {
        let command = self.language.example(story).context("it has examples")?;
        let mut start = Command::new(&command[0]);
        start.args(&command[1..]).args(arguments).stdin(Stdio::null()).kill_on_drop(true);
        start.env("ASTRO_ENDPOINT", self.app.relay.endpoint());
        start.env("ASTRO_API_KEY", &self.app.client_key);
        let ended = tokio::time::timeout(DEADLINE, start.output()).await;
        let Output { status, stdout, stderr } = ended.context("it does not end")??;
        let (said, complaint) =
            (String::from_utf8(stdout)?, String::from_utf8_lossy(&stderr).into_owned());
        let asked = || format!("{story} {}", arguments.join(" "));
        ensure!(status.code() == Some(code), "{}: {status}\n{said}{complaint}", asked());
        ensure!(
            code != 2 || complaint.contains("usage"),
            "{}: tells no usage: {complaint}",
            asked()
        );
        let lines: Vec<String> = said.lines().map(str::to_owned).collect();
        // Which states a program gets to see is a matter of time.
        let kept = lines.iter().filter(|line| !line.starts_with("state "));
        self.said.extend(kept.map(|line| same(line)));
        Ok(lines)
    }
}

/// The line without what differs from run to run.
fn same(line: &str) -> String {
    let uuid = Regex::new("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").unwrap();
    let steam_id = Regex::new("7656[0-9]{13}").unwrap();
    let key = Regex::new("key:[0-9a-z]+").unwrap();
    let line = uuid.replace_all(line, "<id>");
    key.replace_all(&steam_id.replace_all(&line, "<steam>"), "key:<key>").into_owned()
}
