//! The gates of Steam's hosts, with a clock of their own, and the budget of a day.

use std::time::Duration;

use tokio::time::Instant;

use super::{gate::*, host::Host};
use crate::{pace::Pace, steam::wire::Signal};

const LIMITED: Outcome = Outcome::Limited { retry_after: None };

/// A gate whose clock stands still until it is moved.
struct World {
    gate: Gate,
    now: Instant,
    pace: Pace,
    maintenance: bool,
}

impl World {
    fn new() -> Self {
        let pace = Pace {
            limit_first: secs(60),
            limit_cap: secs(3600),
            away_after: 3,
            away_first: secs(1),
            away_cap: secs(60),
            maintenance_wait: secs(300),
            ..Pace::default()
        };
        Self { gate: Gate::default(), now: Instant::now(), pace, maintenance: false }
    }

    fn enter(&mut self, patience: u64) -> Answer {
        self.gate.enter(self.now, self.now + secs(patience))
    }

    /// A request that is let through, and what comes of it.
    #[track_caller]
    fn request(&mut self, outcome: Outcome) {
        let probe = match self.enter(0) {
            Answer::Go => false,
            Answer::Probe => true,
            other @ (Answer::Wait(_) | Answer::Refused(_)) => panic!("{other:?}"),
        };
        self.report(outcome, probe);
    }

    fn report(&mut self, outcome: Outcome, probe: bool) {
        let report = Report { outcome, endpoint: "x", probe, maintenance: self.maintenance };
        self.gate.report(report, &self.pace, self.now, 0);
    }

    /// Moves the clock to the moment at which the host may be tried; says how long that was.
    fn pass_closure(&mut self) -> u64 {
        let until = self.gate.closed.as_ref().expect("it is closed").until;
        let wait = until.saturating_duration_since(self.now);
        self.now = until;
        wait.as_secs()
    }
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn limited() -> Answer {
    Answer::Refused(Signal::Limited { suspect: None })
}

#[test]
fn a_429_closes_the_host_for_longer_each_time() {
    let mut world = World::new();
    world.request(LIMITED);
    assert_eq!(world.enter(0), limited());
    let mut waits = Vec::new();
    for _ in 0..8 {
        waits.push(world.pass_closure());
        world.request(LIMITED);
    }
    assert_eq!(waits, [60, 120, 240, 480, 960, 1920, 3600, 3600]);
}

#[test]
fn a_429_soon_after_the_host_opened_goes_on_with_the_series_and_a_late_one_does_not() {
    let mut world = World::new();
    world.request(LIMITED);
    assert_eq!(world.pass_closure(), 60);
    world.request(Outcome::Answered);
    world.now += secs(59);
    world.request(LIMITED);
    assert_eq!(world.pass_closure(), 120);
    world.request(Outcome::Answered);
    world.now += secs(120);
    world.request(LIMITED);
    assert_eq!(world.pass_closure(), 60);
}

#[test]
fn retry_after_is_honoured_up_to_the_cap_and_never_shortened() {
    for (asked, expected) in [(5, 60), (300, 300), (1_000_000, 3600)] {
        let mut world = World::new();
        world.request(Outcome::Limited { retry_after: Some(secs(asked)) });
        assert_eq!(world.pass_closure(), expected);
    }
    let mut gate = World::new();
    let outcome = Outcome::Limited { retry_after: Some(secs(400)) };
    let report = Report { outcome, endpoint: "x", probe: false, maintenance: false };
    gate.gate.report(report, &gate.pace, gate.now, 255);
    let wait = gate.pass_closure();
    assert!((400..=500).contains(&wait), "{wait}");
}

#[test]
fn a_read_waits_for_the_end_of_a_limit_if_that_is_near() {
    let mut world = World::new();
    world.request(LIMITED);
    let until = world.now + secs(60);
    assert_eq!(world.enter(60), Answer::Wait(until));
    assert_eq!(world.enter(59), limited());
}

#[test]
fn refusals_that_were_under_way_together_count_as_one() {
    let mut world = World::new();
    for _ in 0..10 {
        assert_eq!(world.enter(0), Answer::Go);
    }
    for _ in 0..10 {
        world.report(LIMITED, false);
    }
    assert_eq!(world.pass_closure(), 60);
    // Nor does a late answer from before the limit open the host again.
    world.report(Outcome::Answered, false);
    assert_eq!(world.enter(0), Answer::Probe);
}

#[test]
fn a_429_in_spite_of_little_traffic_makes_the_headers_suspect() {
    let mut world = World::new();
    world.request(LIMITED);
    world.pass_closure();
    assert_eq!(world.gate.limited(), Signal::Limited { suspect: None });
    world.request(LIMITED);
    assert_eq!(world.gate.limited(), Signal::Limited { suspect: Some("x") });
    assert!(world.gate.limited().to_string().contains("a 429 may mean wrong headers"));
    world.pass_closure();
    world.request(Outcome::Answered);
    assert_eq!(world.gate.limited(), Signal::Limited { suspect: None });
}

#[test]
fn a_429_after_much_traffic_says_nothing_about_headers() {
    let mut world = World::new();
    for _ in 0..3 {
        for _ in 0..50 {
            world.request(Outcome::Answered);
        }
        world.request(LIMITED);
        world.pass_closure();
        world.request(Outcome::Answered);
    }
    assert_eq!(world.gate.limited(), Signal::Limited { suspect: None });
}

#[test]
fn a_host_that_fails_often_enough_is_tried_by_one_request_at_a_time() {
    let mut world = World::new();
    world.request(Outcome::Down);
    world.request(Outcome::Down);
    world.request(Outcome::Answered);
    // In a row, that is.
    for _ in 0..3 {
        world.request(Outcome::Down);
    }
    let away = || Answer::Refused(Signal::Away);
    assert_eq!(world.enter(3600), away(), "nobody waits for a host that is away");
    assert_eq!(world.pass_closure(), 1);
    assert_eq!(world.enter(0), Answer::Probe);
    assert_eq!(world.enter(0), away(), "one at a time");
    world.report(Outcome::Down, true);
    assert_eq!(world.pass_closure(), 2);
    world.request(Outcome::Answered);
    assert_eq!(world.enter(0), Answer::Go);
}

#[test]
fn an_hour_of_failures_costs_a_few_requests() {
    let mut world = World::new();
    let (start, mut made) = (world.now, 0);
    // Somebody asks ten times a second.
    while world.now < start + secs(3600) {
        if matches!(world.enter(0), Answer::Go | Answer::Probe) {
            let probe = world.gate.closed.is_some();
            world.report(Outcome::Down, probe);
            made += 1;
        }
        world.now += Duration::from_millis(100);
    }
    // Three until it is away, then 1, 2, 4 … 60 seconds, then once a minute.
    assert!((60..=70).contains(&made), "{made}");
}

#[test]
fn in_the_maintenance_a_host_is_left_alone_for_longer() {
    let mut world = World::new();
    world.maintenance = true;
    for _ in 0..3 {
        world.request(Outcome::Down);
    }
    assert_eq!(world.pass_closure(), 300);
    world.request(Outcome::Answered);
    assert_eq!(world.enter(0), Answer::Go);
}

#[tokio::test]
async fn a_probe_that_is_given_up_leaves_the_next_one_to_try() {
    let traffic = Traffic::default();
    let pace = Pace {
        request_spacing: Duration::ZERO,
        away_after: 1,
        away_first: Duration::ZERO,
        ..Pace::default()
    };
    let admit = || traffic.admit(Host::Api, None, "x", Duration::ZERO, &pace);
    admit().await.unwrap().report(Outcome::Down, &pace, false, 0);
    let probe = admit().await.unwrap();
    assert_eq!(admit().await.unwrap_err(), Signal::Away);
    let other = traffic.admit(Host::Community, None, "x", Duration::ZERO, &pace).await;
    other.unwrap().report(Outcome::Answered, &pace, false, 0);
    drop(probe);
    admit().await.unwrap().report(Outcome::Answered, &pace, false, 0);
    assert_eq!(traffic.trouble(), None);
    admit().await.unwrap().report(Outcome::Limited { retry_after: None }, &pace, false, 0);
    assert!(matches!(traffic.trouble(), Some(Signal::Limited { .. })));
}

#[tokio::test]
async fn turns_of_one_lane_are_spaced_and_lanes_do_not_wait_for_each_other() {
    let traffic = Traffic::default();
    let ms = Duration::from_millis;
    let pace = Pace { request_spacing: ms(1), inventory_spacing: ms(60), ..Pace::default() };
    let start = Instant::now();
    let admit = |lane| traffic.admit(Host::Community, lane, "x", Duration::ZERO, &pace);
    for _ in 0..3 {
        drop(admit(Some(Lane::Inventory)).await.unwrap());
    }
    assert!(start.elapsed() >= ms(120));
    let turn = traffic.state().take_turn(Lane::Host(Host::Api), ms(1), Instant::now());
    assert!(turn <= Instant::now(), "another host is free");
}

#[test]
fn bots_that_go_out_through_one_address_share_their_traffic() {
    let all = Addresses::default();
    let first = all.through(Some("http://one.test"));
    assert!(std::ptr::eq(&*first, &*all.through(Some("http://one.test"))));
    assert!(!std::ptr::eq(&*first, &*all.through(Some("http://two.test"))));
    assert!(!std::ptr::eq(&*first, &*all.through(None)));
}

#[test]
fn a_day_has_so_many_calls_and_a_warning_before_the_last_tenth() {
    let mut budget = DayBudget::new(100);
    for call in 1..=100 {
        let expected = if call == 90 { Budget::NearlySpent } else { Budget::Enough };
        // All within a day, over several hours.
        assert_eq!(budget.take(call / 10), expected, "{call}");
    }
    assert_eq!(budget.take(10), Budget::Spent);
    assert_eq!(budget.take(23), Budget::Spent);
    // The nine calls of the first hour are forgotten a day later.
    for _ in 0..9 {
        assert_ne!(budget.take(24), Budget::Spent);
    }
    assert_eq!(budget.take(24), Budget::Spent);
    for _ in 0..100 {
        assert_ne!(budget.take(1_000_000), Budget::Spent);
    }
    assert_eq!(budget.take(1_000_000), Budget::Spent);
}
