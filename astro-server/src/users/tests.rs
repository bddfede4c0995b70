use super::{Profile, User, ops};
use crate::db::{Address, Conn};
use crate::events::{self, Filter, Range};
use crate::kernel::ORGANIZATION;
use crate::kernel::{Caller, Clock, KeyKind, OrgId, Principal, Reach, Result, SteamId, Timestamp};
use std::time::Duration;

/// A database with one organisation, and a time to start from.
struct World {
    conn: Conn,
    org: OrgId,
    now: Timestamp,
    _folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut conn = Conn::open(&Address::Sqlite(folder.path().join("astro.db"))).unwrap();
        conn.migrate().unwrap();
        let now = Clock::default().now();
        let org = OrgId::new();
        conn.write(|conn| crate::orgs::store::insert_for_test(conn, org, now)).unwrap();
        Self { conn, org, now, _folder: folder }
    }

    fn later(&mut self) {
        self.now = self.now.plus(Duration::from_secs(60));
    }

    fn meet(&mut self) {
        let (org, now) = (self.org, self.now);
        self.conn.write(|conn| ops::meet(conn, org, person(), now)).unwrap();
    }

    fn set_token(&mut self, token: &str) -> User {
        let (org, now) = (self.org, self.now);
        self.conn
            .write(|conn| ops::set_trade_token(conn, org, person(), token, "key:k", now))
            .unwrap()
    }

    fn record(&mut self, profile: &Profile) {
        let (org, now) = (self.org, self.now);
        let profiles = std::slice::from_ref(profile);
        self.conn.write(|conn| ops::record_profiles(conn, org, profiles, "bot:b", now)).unwrap();
    }

    fn user(&mut self) -> Result<User> {
        ops::get(&mut self.conn, self.org, person())
    }

    fn events(&mut self, name: &str) -> Vec<events::Event> {
        self.conn.write(events::seal).unwrap();
        let all =
            events::store::page(&mut self.conn, &Filter::of(Reach::Platform), Range::After(0), 500);
        all.unwrap().into_iter().filter(|event| event.event_type == name).collect()
    }
}

fn person() -> SteamId {
    SteamId::parse("user_id", 76_561_197_961_265_730).unwrap()
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

fn profile(name: &str) -> Profile {
    Profile {
        steam_id: person(),
        display_name: name.to_owned(),
        avatar_url: "https://avatars.example/a.jpg".to_owned(),
        profile_url: String::new(),
        account_created_at: None,
        country_code: "DE".to_owned(),
    }
}

#[test]
fn a_person_is_met_once_and_seen_again() {
    let mut world = World::new();
    assert_eq!(world.user().unwrap_err(), super::unknown(person()));
    let first = world.now;
    world.meet();
    world.later();
    world.meet();
    let user = world.user().unwrap();
    assert_eq!((user.first_seen_at, user.last_seen_at), (first, world.now));
    assert_eq!(user.updated_at, first);
    assert_eq!(world.events("user.met").len(), 1);
}

#[test]
fn a_trade_token_is_stored_for_a_stranger_and_never_shown() {
    let mut world = World::new();
    assert!(world.set_token("AbCd-_12").has_trade_url);
    world.later();
    let again = world.set_token("AbCd-_12");
    assert!(again.updated_at < world.now);
    assert_eq!(world.set_token("other").updated_at, world.now);
    let (org, conn) = (world.org, &mut world.conn);
    assert_eq!(ops::trade_token(conn, org, person()).unwrap().as_deref(), Some("other"));
    assert_eq!(ops::trade_token(conn, OrgId::new(), person()).unwrap(), None);
    assert_eq!(world.events("user.met").len(), 1);
    let told = world.events("user.trade_url_set");
    assert_eq!(told.len(), 2);
    let shown = format!("{told:?}{again:?}");
    assert!(!shown.contains("AbCd-_12") && !shown.contains("other"));
}

#[test]
fn a_profile_is_kept_of_people_who_were_met_and_told_when_it_changed() {
    let mut world = World::new();
    world.record(&profile("early"));
    assert!(world.user().is_err());
    world.meet();
    for name in ["Ann", "Ann", "Zoë"] {
        world.later();
        world.record(&profile(name));
    }
    assert_eq!(world.user().unwrap().profile(), profile("Zoë"));
    let told = world.events("user.profile_updated");
    let names: Vec<_> = told.iter().map(|event| event.fact("display_name")).collect();
    assert_eq!(names, ["Ann", "Zoë"]);
}

#[test]
fn an_organisation_that_does_not_exist_has_no_people() {
    let mut world = World::new();
    let nobody = OrgId::new();
    let found = crate::orgs::ops::of_new(&mut world.conn, &admin(), &nobody.to_string());
    assert_eq!(found.unwrap_err(), ORGANIZATION.missing(nobody));
    let own = world.org.to_string();
    assert_eq!(crate::orgs::ops::of_new(&mut world.conn, &admin(), &own).unwrap(), world.org);
}
