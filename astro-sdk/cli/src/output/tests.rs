use astro_sdk::v1::{
    Assignment, AssignmentItem, Item, ItemState, ListItemsResponse, Money, SteamAsset,
};
use prost_types::Timestamp;

use super::*;

fn item() -> Item {
    Item {
        id: "0199".into(),
        state: ItemState::Available.into(),
        item_name: "Strange Knife".into(),
        asset: Some(SteamAsset { app_id: 440, asset_id: u64::MAX, ..SteamAsset::default() }),
        market_value: Some(Money {
            currency_code: "USD".into(),
            minor_units: 1250,
            ..Money::default()
        }),
        labels: [("event".to_owned(), "summer".to_owned())].into(),
        create_time: Some(Timestamp { seconds: 1_700_000_000, nanos: 0 }),
        ..Item::default()
    }
}

/// What `print` writes to the results, and to the remarks.
fn printed(format: Format, print: impl Fn(&mut Output) -> io::Result<()>) -> (String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    print(&mut Output::new(format, None, &mut out, &mut err)).unwrap();
    (String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
}

/// The same when only this field is asked for; an error is the last line.
fn only(field: &str, print: impl Fn(&mut Output) -> io::Result<()>) -> String {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let field = Some(field.to_owned());
    let result = print(&mut Output::new(Format::Table, field, &mut out, &mut err));
    let error = result.err().map(|error| error.to_string()).unwrap_or_default();
    String::from_utf8(out).unwrap() + &error
}

#[test]
fn a_table_has_aligned_columns() {
    let mut second = item();
    second.item_name = "刀".into();
    second.state = ItemState::InOffer.into();
    second.create_time = None;
    let response =
        ListItemsResponse { items: vec![item(), second], next_page_token: String::new() };
    let (out, err) = printed(Format::Table, |output| output.list(&dynamic(&response), false));
    let expected = "\
ID    STATE      ITEM_NAME      ASSET_APP_ID  MARKET_VALUE  CREATE_TIME
0199  AVAILABLE  Strange Knife  440           12.50 USD     2023-11-14T22:13:20Z
0199  IN_OFFER   刀             440           12.50 USD\n";
    assert_eq!((out.as_str(), err.as_str()), (expected, ""));
}

#[test]
fn a_list_that_goes_on_says_so_beside_the_result() {
    let response = ListItemsResponse { items: vec![item()], next_page_token: "abc".into() };
    let (out, err) = printed(Format::Table, |output| output.list(&dynamic(&response), false));
    assert_eq!(out.lines().count(), 2, "{out}");
    assert_eq!(err, "There is more: add --all, or --page-token abc\n");
    let (out, err) = printed(Format::Json, |output| output.list(&dynamic(&response), false));
    assert!(out.contains("\"nextPageToken\": \"abc\""), "{out}");
    assert_eq!(err, "");
}

#[test]
fn a_record_has_a_line_for_each_field_that_is_set() {
    let (out, _) = printed(Format::Table, |output| output.record(&dynamic(&item())));
    let expected = "\
id              0199
state           AVAILABLE
asset.app_id    440
asset.asset_id  18446744073709551615
item_name       Strange Knife
market_value    12.50 USD
labels          event=summer
create_time     2023-11-14T22:13:20Z\n";
    assert_eq!(out, expected);
}

#[test]
fn inner_lists_are_numbered() {
    let item = |id: &str| AssignmentItem { item_id: id.into(), ..AssignmentItem::default() };
    let assignment = Assignment { items: vec![item("a"), item("b")], ..Assignment::default() };
    let (out, _) = printed(Format::Table, |output| output.record(&dynamic(&assignment)));
    assert_eq!(out, "items.0.item_id  a\nitems.1.item_id  b\n");
}

#[test]
fn json_has_long_numbers_as_strings_and_every_field() {
    let (out, _) = printed(Format::Json, |output| output.record(&dynamic(&item())));
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["asset"]["assetId"], "18446744073709551615");
    assert_eq!(json["state"], "ITEM_STATE_AVAILABLE");
    assert_eq!(json["createTime"], "2023-11-14T22:13:20Z");
    assert_eq!(json["botId"], "");
}

#[test]
fn names_cannot_steer_the_terminal() {
    let mut named = item();
    named.item_name = "a\u{1b}[2J\nb".into();
    let response = ListItemsResponse { items: vec![named], ..ListItemsResponse::default() };
    let (out, _) = printed(Format::Table, |output| output.list(&dynamic(&response), false));
    assert!(out.lines().nth(1).unwrap().contains("  a [2J b  "), "{out:?}");
}

#[test]
fn what_turns_the_direction_of_a_text_is_not_sent_to_the_terminal() {
    for c in
        ['\u{202e}', '\u{2066}', '\u{200f}', '\u{61c}', '\u{2028}', '\u{9b}', '\u{e0041}', '\u{7f}']
    {
        let named = Item { item_name: format!("gold{c}nafe"), ..Item::default() };
        let response = ListItemsResponse { items: vec![named.clone()], ..Default::default() };
        let (out, _) = printed(Format::Table, |output| output.list(&dynamic(&response), false));
        assert!(out.ends_with("  gold nafe\n"), "{out:?} of {c:?}");
        assert_eq!(
            only("item_name", |output| output.list(&dynamic(&response), false)),
            "gold nafe\n"
        );
        let (out, _) = printed(Format::Json, |output| output.record(&dynamic(&named)));
        assert!(!out.contains(c), "{c:?} in {out:?}");
        let json: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!(json["itemName"], named.item_name, "a program reads the name as it is");
        let (out, _) = printed(Format::Json, |output| output.entry(&dynamic(&named), ""));
        assert!(!out.contains(c), "{c:?} in {out:?}");
    }
    // These join letters and emoji; they turn nothing.
    assert_eq!(plain("می‌خواهم 👩‍🚀 刀"), "می‌خواهم 👩‍🚀 刀");
}

#[test]
fn one_field_is_printed_alone() {
    let response = ListItemsResponse { items: vec![item(), item()], ..Default::default() };
    assert_eq!(only("id", |output| output.list(&dynamic(&response), false)), "0199\n0199\n");
    assert_eq!(only("asset.app_id", |output| output.record(&dynamic(&item()))), "440\n");
    assert_eq!(only("market_value", |output| output.record(&dynamic(&item()))), "12.50 USD\n");
    assert_eq!(only("update_time", |output| output.record(&dynamic(&item()))), "\n");
    let assignment = Assignment {
        items: vec![AssignmentItem { item_id: "a".into(), ..AssignmentItem::default() }],
        ..Assignment::default()
    };
    let first = only("items.0.item_id", |output| output.record(&dynamic(&assignment)));
    assert_eq!(first, "a\n");
    let rows = [vec!["x".to_owned(), "y".to_owned()]];
    assert_eq!(only("two", |output| output.rows(&["one", "two"], &rows)), "y\n");
}

#[test]
fn a_field_that_a_result_lacks_is_told_and_the_result_kept() {
    for field in ["nothing", "asset.nothing", "id.more", "", "labels.event"] {
        let told = only(field, |output| output.record(&dynamic(&item())));
        assert_eq!(told, format!("--field: the result above has no field {field:?}"));
    }
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut output = Output::new(Format::Table, Some("x".to_owned()), &mut out, &mut err);
    output.record(&dynamic(&item())).unwrap_err();
    assert!(String::from_utf8(err).unwrap().contains("\"id\": \"0199\""));
}
