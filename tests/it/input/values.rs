//! Values that no field of their kind takes.

use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Timestamp, Value};

/// The token in trade URLs that are refused: no answer may repeat it.
pub(crate) const TOKEN: &str = "S3cretTk";

/// Texts that are no ids.
pub(crate) fn ids() -> Vec<String> {
    let texts = [
        "x",
        " ",
        "0199b3a0-0000-7000-8000-00000000000",
        "0199b3a0-0000-7000-8000-00000000000g",
        "0199b3a0-0000-7000-8000-000000000000 ",
        "{0199b3a0-0000-7000-8000-000000000000}",
        "0199b3a0000070008000000000000000",
        "предмет-№1-предмет-№1-предмет-№1-пре",
        "0199b3a0-0000-7000-8000-00000000000\0",
        "'; DROP TABLE items; --",
    ];
    texts.into_iter().map(str::to_owned).chain(["7".repeat(20_000)]).collect()
}

/// The same, where the field is required.
pub(crate) fn ids_and_none() -> Vec<String> {
    ids().into_iter().chain([String::new()]).collect()
}

/// An id of nothing.
pub(crate) fn unknown() -> String {
    uuid::Uuid::now_v7().to_string()
}

/// Different ids of nothing.
pub(crate) fn many(count: usize) -> Vec<String> {
    (0..count).map(|_| unknown()).collect()
}

/// Texts that a field for `max` characters does not take.
pub(crate) fn texts(max: usize) -> Vec<String> {
    let control = ["a\0b", "\u{1b}[2J", "a\u{85}b"].map(str::to_owned);
    ["a".repeat(max + 1), "ü".repeat(max + 1), "☃".repeat(max * 2 + 1)]
        .into_iter()
        .chain(control)
        .collect()
}

/// SteamIDs of nobody: too small, account 0, another instance, a group, another universe, too large.
pub(crate) const NO_PEOPLE: [u64; 8] = [
    1,
    76_561_197_960_265_727,
    76_561_197_960_265_728,
    76_561_202_255_233_025,
    103_582_791_429_521_408,
    148_618_791_998_193_665,
    i64::MAX as u64,
    u64::MAX,
];

/// What is no trade URL.
pub(crate) fn trade_urls() -> Vec<String> {
    let partner = "?partner=1000001";
    let site = "https://steamcommunity.com/tradeoffer/new/";
    vec![
        "x".to_owned(),
        site.to_owned(),
        format!("{site}{partner}"),
        format!("{site}{partner}&token="),
        format!("{site}?token={TOKEN}"),
        format!("{site}?partner=x&token={TOKEN}"),
        format!("{site}?partner=0&token={TOKEN}"),
        format!("{site}?partner=4294967296&token={TOKEN}"),
        format!("{site}{partner}&token=a%20{TOKEN}"),
        format!("{site}{partner}&token={}", TOKEN.repeat(4)),
        format!("https://steamcommunity.com/tradeoffer/old/{partner}&token={TOKEN}"),
        format!("https://steamcommunity.com.evil.example/tradeoffer/new/{partner}&token={TOKEN}"),
        format!("https://evil.example/tradeoffer/new/{partner}&token={TOKEN}"),
        format!("javascript://steamcommunity.com/tradeoffer/new/{partner}&token={TOKEN}"),
        format!("{site}{partner}\0&token={TOKEN}\0"),
    ]
}

/// Moments that nobody means.
pub(crate) fn times() -> Vec<Timestamp> {
    let numbers = [
        (i64::MAX, 0),
        (i64::MIN, 0),
        (253_402_300_800, 0),
        (-62_135_596_801, 0),
        (4_000_000_000, -1),
        (4_000_000_000, 1_000_000_000),
        (4_000_000_000, i32::MAX),
    ];
    numbers.map(|(seconds, nanos)| Timestamp { seconds, nanos }).to_vec()
}

/// Objects that JSON or a database cannot hold, that are too deep or too large.
pub(crate) fn objects() -> Vec<Struct> {
    let of = |kind: Kind| object("a", kind);
    let list = |inner| Kind::ListValue(ListValue { values: vec![value(inner)] });
    let nest = |inner| Kind::StructValue(object("a", inner));
    vec![
        of((0..30).fold(Kind::BoolValue(true), |inner, _| list(inner))),
        of((0..17).fold(Kind::BoolValue(true), |inner, _| nest(inner))),
        of((0..40).fold(Kind::BoolValue(true), |inner, _| nest(inner))),
        of(Kind::StringValue("a".repeat(16 * 1024))),
        of(Kind::StringValue("a\0".to_owned())),
        object("\0", Kind::BoolValue(true)),
        of(Kind::NumberValue(f64::NAN)),
        of(Kind::NumberValue(f64::NEG_INFINITY)),
    ]
}

fn object(key: &str, kind: Kind) -> Struct {
    Struct { fields: [(key.to_owned(), value(kind))].into() }
}

fn value(kind: Kind) -> Value {
    Value { kind: Some(kind) }
}
