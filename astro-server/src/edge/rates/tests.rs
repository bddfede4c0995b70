//! Calls on a clock that the test moves.
use super::*;
use crate::edge::limits::RATES;
use crate::kernel::{KeyKind, Principal};

const FEW: Rates = Rates { read: 10, write: 2, stream: 1 };

fn rate(usual: Rates) -> (Rate, Clock) {
    let shown = Clock::default().shown();
    let clock = crate::outside::Outside::default().with_clock(move || shown).clock;
    (Rate::new(Some(usual), clock.clone()), clock)
}

fn key(id: &str, org: Option<OrgId>) -> Caller {
    Caller {
        principal: Principal::Key(id.to_owned()),
        kind: KeyKind::Client,
        reach: org.map_or(Reach::Platform, Reach::Organization),
        bot: None,
        scopes: vec![],
        expires_at: None,
        rates: Rates::default(),
    }
}

fn wait(rate: &Rate, caller: &Caller, bucket: Bucket) -> Option<Duration> {
    rate.take(caller, bucket).unwrap().wait
}

/// How many calls are let in at once.
fn at_once(rate: &Rate, caller: &Caller, bucket: Bucket) -> usize {
    (0..1000).take_while(|_| wait(rate, caller, bucket).is_none()).count()
}

#[test]
fn a_key_may_hurry_for_a_moment_and_then_goes_on_at_its_rate() {
    let ((rate, clock), one) = (rate(FEW), key("one", None));
    assert_eq!(at_once(&rate, &one, Bucket::Read), 20);
    assert_eq!(wait(&rate, &one, Bucket::Read), Some(Duration::from_millis(100)));
    clock.advance(Duration::from_millis(100));
    assert_eq!(at_once(&rate, &one, Bucket::Read), 1);
    clock.advance(Duration::from_secs(1));
    assert_eq!(at_once(&rate, &one, Bucket::Read), 10);
    clock.advance(Duration::from_secs(3600));
    assert_eq!(at_once(&rate, &one, Bucket::Read), 20);
}

#[test]
fn buckets_and_keys_are_apart() {
    let ((rate, _), one) = (rate(FEW), key("one", None));
    for (bucket, most) in [(Bucket::Read, 20), (Bucket::Write, 10), (Bucket::Stream, 10)] {
        assert_eq!(at_once(&rate, &one, bucket), most);
    }
    assert_eq!(at_once(&rate, &key("other", None), Bucket::Read), 20);
}

#[test]
fn all_keys_of_an_organisation_have_five_times_what_one_has() {
    let ((rate, clock), org) = (rate(FEW), OrgId::new());
    let keys: Vec<Caller> = (0..8).map(|n| key(&format!("key {n}"), Some(org))).collect();
    let total: usize = keys.iter().map(|key| at_once(&rate, key, Bucket::Write)).sum();
    assert_eq!(total, 50);
    let refused = rate.take(&keys[7], Bucket::Write).unwrap().refusal();
    let wait = Duration::from_millis(100);
    assert_eq!(refused, Some(Error::TooFast { limit: "organization/write", rate: 10, wait }));
    assert_eq!(at_once(&rate, &key("elsewhere", Some(OrgId::new())), Bucket::Write), 10);
    assert_eq!(at_once(&rate, &key("platform", None), Bucket::Write), 10);
    // What a key is refused for its own sake its neighbours do not lack.
    clock.advance(Duration::from_secs(1));
    for _ in 0..100 {
        rate.take(&keys[0], Bucket::Write);
    }
    assert_eq!(at_once(&rate, &keys[1], Bucket::Write), 2);
}

#[test]
fn a_rate_of_ones_own_holds_at_once_and_a_larger_one_beside_the_organisation() {
    let ((rate, _), org) = (rate(FEW), OrgId::new());
    let mut one = key("one", Some(org));
    assert_eq!(at_once(&rate, &one, Bucket::Write), 10);
    one.rates.write = 1;
    assert_eq!(at_once(&rate, &one, Bucket::Write), 5);
    one.rates.write = 100;
    assert_eq!(at_once(&rate, &one, Bucket::Write), 500);
    assert_eq!(at_once(&rate, &key("other", Some(org)), Bucket::Write), 10);
}

#[test]
fn a_clock_that_is_set_back_keeps_nobody_out() {
    let ((rate, clock), one) = (rate(FEW), key("one", None));
    clock.advance(Duration::from_secs(10));
    assert_eq!(at_once(&rate, &one, Bucket::Read), 20);
    clock.turn_back(Duration::from_secs(3600));
    assert!(wait(&rate, &one, Bucket::Read).is_some());
    clock.advance(Duration::from_secs(1));
    assert_eq!(at_once(&rate, &one, Bucket::Read), 10);
}

#[test]
fn a_caller_is_told_what_is_left() {
    let (rate, _) = rate(RATES);
    let told = |level: Level| {
        let mut headers = HeaderMap::new();
        level.tell(&mut headers);
        let text = |name: &HeaderName| headers[name].to_str().unwrap().to_owned();
        (text(&POLICY), text(&LEFT))
    };
    let first = told(rate.take(&key("one", None), Bucket::Read).unwrap());
    let expected = ("\"read\";q=2000;w=2", "\"read\";r=1999;t=1");
    assert_eq!((first.0.as_str(), first.1.as_str()), expected);
    let own = Caller { rates: Rates { stream: 1, ..Rates::default() }, ..key("two", None) };
    at_once(&rate, &own, Bucket::Stream);
    let last = told(rate.take(&own, Bucket::Stream).unwrap());
    assert_eq!(last.0, "\"stream\";q=10;w=10");
    assert_eq!(last.1, "\"stream\";r=0;t=10");
}

#[test]
fn nothing_is_counted_without_limits() {
    let rate = Rate::new(None, Clock::default());
    assert_eq!(rate.take(&key("one", None), Bucket::Read), None);
}

#[test]
fn a_million_keys_take_bounded_memory() {
    let (rate, clock) = rate(RATES);
    let count = || {
        let calls = rate.0.as_ref().unwrap().calls.lock().unwrap();
        (calls.keys.each.len(), calls.orgs.each.len(), calls.keys.each.capacity())
    };
    for n in 0..1_000_000 {
        rate.take(&key(&n.to_string(), Some(OrgId::new())), Bucket::Read);
    }
    let (keys, orgs, _) = count();
    assert_eq!((keys, orgs), (COUNTED_MAX, COUNTED_MAX));
    assert!(
        wait(&rate, &key("late", None), Bucket::Read).is_some(),
        "those beyond share one count"
    );
    assert_eq!(wait(&rate, &key("1", None), Bucket::Read), None);
    clock.advance(Duration::from_secs(60));
    assert_eq!(wait(&rate, &key("late", None), Bucket::Read), None);
    let (keys, _, room) = count();
    assert_eq!(keys, 1);
    assert!(room < 100, "{room}");
}
