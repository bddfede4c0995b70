use super::{Bot, Hello, Opened, SteamStatus, ops};
use super::{LEASE_HELD, PROTOCOL};
use crate::db::{Address, Conn};
use crate::events::{self, Filter, Range, Severity};
use crate::kernel::{
    BotId, Caller, Clock, KeyKind, OrgId, Principal, Reach, Result, SteamId, Timestamp,
};
use crate::orgs::{self, NewOrg};
use std::time::Duration;

const TTL: Duration = Duration::from_secs(30);
const STEAM_ID: u64 = 76_561_197_961_265_729;

/// A database with one bot, and a time to start from.
struct World {
    conn: Conn,
    bot: BotId,
    now: Timestamp,
    _folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut conn = Conn::open(&Address::Sqlite(folder.path().join("astro.db"))).unwrap();
        conn.migrate().unwrap();
        let now = Clock::default().now();
        let bot = conn
            .write(|conn| {
                let new = NewOrg { slug: "red".to_owned(), ..NewOrg::default() };
                let org = orgs::ops::create(conn, &admin(), new, now)?;
                ops::register(conn, &admin(), &org, steam_id(), "", now)
            })
            .unwrap();
        Self { conn, bot: bot.id, now, _folder: folder }
    }

    fn later(&mut self, seconds: u64) {
        self.now = self.now.plus(Duration::from_secs(seconds));
    }

    fn open(&mut self, hello: Hello) -> Result<Opened> {
        let (bot, now) = (self.bot, self.now);
        self.conn.write(|conn| ops::open_session(conn, bot, hello, TTL, now))
    }

    fn take(&mut self, epoch: i64, seq: i64) -> Result<bool> {
        let bot = self.bot;
        self.conn.write(|conn| ops::take_event(conn, bot, epoch, seq))
    }

    fn extend(&mut self, epoch: i64) -> Result<()> {
        let (bot, now) = (self.bot, self.now);
        self.conn.write(|conn| ops::extend_lease(conn, bot, epoch, TTL, now))
    }

    fn close(&mut self, epoch: i64) {
        let (bot, now) = (self.bot, self.now);
        self.conn.write(|conn| ops::close_session(conn, bot, epoch, "bye", now)).unwrap();
    }

    fn status(&mut self, status: &str, detail: &str) -> Result<()> {
        let (bot, now) = (self.bot, self.now);
        self.conn.write(|conn| ops::set_steam_status(conn, bot, status, detail, None, now))
    }

    fn bot(&mut self) -> Bot {
        ops::get(&mut self.conn, self.bot).unwrap()
    }

    fn events(&mut self, name: &str) -> Vec<events::Event> {
        self.conn.write(events::seal).unwrap();
        let all =
            events::store::page(&mut self.conn, &Filter::of(Reach::Platform), Range::After(0), 500);
        all.unwrap().into_iter().filter(|event| event.event_type == name).collect()
    }
}

fn steam_id() -> SteamId {
    SteamId::parse("steam_id", STEAM_ID).unwrap()
}

fn admin() -> Caller {
    Caller {
        principal: Principal::Key("admin".to_owned()),
        kind: KeyKind::Admin,
        reach: Reach::Platform,
        bot: None,
        scopes: vec!["*".to_owned()],
        expires_at: None,
        rates: Default::default(),
    }
}

fn hello(worker_id: &str) -> Hello {
    Hello { worker_id: worker_id.to_owned(), last_epoch: 0, takeover: false }
}

#[test]
fn the_rule_grants_a_free_a_spent_an_own_and_a_taken_lease() {
    let mut world = World::new();
    let (free, now) = (world.bot(), world.now);
    let held = Bot {
        lease_holder: Some("a".to_owned()),
        lease_expires_at: Some(now.plus(TTL)),
        ..free.clone()
    };
    let until = now.plus(TTL).to_string();
    let refused = Err(super::lease_held(free.id, until));
    assert_eq!(free.grant(&hello("b"), now), Ok(()));
    assert_eq!(held.grant(&hello("b"), now), refused);
    assert_eq!(held.grant(&hello("a"), now), Ok(()));
    assert_eq!(held.grant(&Hello { takeover: true, ..hello("b") }, now), Ok(()));
    assert_eq!(held.grant(&hello("b"), now.plus(TTL)), Ok(()));
    assert!(held.connected(now) && !held.connected(now.plus(TTL)) && !free.connected(now));
}

#[test]
fn one_worker_has_the_session_until_it_is_free_runs_out_or_is_taken_over() {
    let mut world = World::new();
    assert_eq!(world.open(hello("a")).unwrap().epoch, 1);
    assert_eq!(world.open(hello("b")).unwrap_err().reason(), LEASE_HELD);
    assert_eq!(world.open(hello("a")).unwrap().epoch, 2, "the same worker comes back");
    assert_eq!(world.open(Hello { takeover: true, ..hello("b") }).unwrap().epoch, 3);
    world.later(29);
    assert_eq!(world.open(hello("c")).unwrap_err().reason(), LEASE_HELD);
    world.later(1);
    assert_eq!(world.open(hello("c")).unwrap().epoch, 4, "the lease ran out");
    world.close(4);
    assert_eq!(world.open(hello("d")).unwrap().epoch, 5, "the lease is free");
    assert_eq!(world.events("bot.connected").len(), 5);
}

#[test]
fn a_worker_without_an_id_gets_no_session() {
    let mut world = World::new();
    assert_eq!(world.open(hello("")).unwrap_err().reason(), PROTOCOL);
}

#[test]
fn an_older_session_can_do_nothing_once_a_newer_one_took_over() {
    let mut world = World::new();
    world.open(hello("a")).unwrap();
    assert!(world.take(1, 1).unwrap());
    world.open(Hello { takeover: true, ..hello("b") }).unwrap();
    let lost = super::lease_lost(world.bot);
    assert_eq!(world.take(1, 2).unwrap_err(), lost);
    assert_eq!(world.take(1, 1).unwrap_err(), lost, "not even a duplicate");
    assert_eq!(world.extend(1).unwrap_err(), lost);
    let before = world.bot();
    world.close(1);
    assert_eq!(world.bot(), before);
    assert!(world.events("bot.disconnected").is_empty());
}

#[test]
fn events_are_taken_once_and_in_order() {
    let mut world = World::new();
    world.open(hello("a")).unwrap();
    assert!(world.take(1, 1).unwrap());
    assert!(world.take(1, 2).unwrap());
    assert!(!world.take(1, 1).unwrap());
    assert!(!world.take(1, 2).unwrap());
    assert_eq!(world.take(1, 4).unwrap_err().reason(), PROTOCOL);
    assert_eq!(world.take(1, 0).unwrap_err().reason(), PROTOCOL);
    assert!(world.take(1, 3).unwrap());
}

#[test]
fn a_worker_that_comes_back_learns_what_was_committed_in_its_last_session_only() {
    let mut world = World::new();
    world.open(hello("a")).unwrap();
    world.take(1, 1).unwrap();
    world.take(1, 2).unwrap();
    let back = world.open(Hello { last_epoch: 1, ..hello("a") }).unwrap();
    assert_eq!((back.epoch, back.committed_event_seq, back.bot.event_seq), (2, 2, 0));
    world.take(2, 1).unwrap();
    let older = world.open(Hello { last_epoch: 1, ..hello("a") }).unwrap();
    assert_eq!(older.committed_event_seq, 0);
    let nonsense = world.open(Hello { last_epoch: u64::MAX, ..hello("a") }).unwrap();
    assert_eq!(nonsense.committed_event_seq, 0);
}

#[test]
fn a_heartbeat_keeps_the_lease_and_a_closed_session_has_none() {
    let mut world = World::new();
    world.open(hello("a")).unwrap();
    world.later(20);
    world.extend(1).unwrap();
    world.later(20);
    let bot = world.bot();
    assert!(bot.connected(world.now) && bot.last_seen_at < Some(world.now));
    assert_eq!(world.open(hello("b")).unwrap_err().reason(), LEASE_HELD);
    world.close(1);
    world.close(1);
    assert_eq!(world.extend(1).unwrap_err(), super::lease_lost(world.bot));
    assert!(!world.bot().connected(world.now));
    let ends = world.events("bot.disconnected");
    assert_eq!((ends.len(), ends[0].fact("reason")), (1, "bye"));
}

#[test]
fn a_steam_status_is_told_when_it_changes_and_warns_when_a_person_is_wanted() {
    let mut world = World::new();
    world.status("online", "").unwrap();
    world.status("online", "").unwrap();
    world.status("needs_operator", "wrong password").unwrap();
    assert_eq!(world.status("asleep", "").unwrap_err().reason(), PROTOCOL);
    let told = world.events("bot.steam_status");
    assert_eq!(told.len(), 2);
    assert_eq!(told[0].severity, Severity::Info);
    assert_eq!(told[1].severity, Severity::Warning);
    assert_eq!((told[1].fact("from"), told[1].fact("to")), ("online", "needs_operator"));
    assert_eq!(world.bot().steam_status, SteamStatus::NeedsOperator);
    world.status("maintenance", "").unwrap();
    assert_eq!(world.events("bot.steam_status")[2].severity, Severity::Info);
    assert!(!world.bot().steam_status.can_trade());
}

#[test]
fn an_account_is_registered_once_and_paused_once() {
    let mut world = World::new();
    let (bot, now) = (world.bot(), world.now);
    assert_eq!(bot.display_name, STEAM_ID.to_string());
    let again = world.conn.write(|conn| {
        let org = orgs::ops::get(conn, bot.org)?;
        ops::register(conn, &admin(), &org, steam_id(), "again", now)
    });
    assert_eq!(again.unwrap_err(), super::registered_already(steam_id()));
    for _ in 0..2 {
        let paused = world.conn.write(|conn| ops::set_paused(conn, &admin(), bot.id, true, now));
        assert!(paused.unwrap().paused);
    }
    assert_eq!(world.events("bot.paused").len(), 1);
    assert_eq!(ops::all_ids(&mut world.conn).unwrap(), [(bot.org, bot.id)]);
    assert_eq!(ops::of_steam_id(&mut world.conn, steam_id()).unwrap().unwrap().id, bot.id);
}

#[test]
fn a_foreign_bot_does_not_exist() {
    let mut world = World::new();
    let bot = world.bot();
    let mut see = |caller: Caller| ops::visible(&mut world.conn, &caller, bot.id);
    assert!(see(Caller { reach: Reach::Organization(bot.org), ..admin() }).is_ok());
    assert!(
        see(Caller { reach: Reach::Organization(bot.org), bot: Some(bot.id), ..admin() }).is_ok()
    );
    let unseen = super::BOT.missing(bot.id);
    assert_eq!(
        see(Caller { reach: Reach::Organization(OrgId::new()), ..admin() }).unwrap_err(),
        unseen
    );
    let neighbour =
        Caller { reach: Reach::Organization(bot.org), bot: Some(BotId::new()), ..admin() };
    assert_eq!(see(neighbour).unwrap_err(), unseen);
}
