//! Refused requests about items and assignments.

use astro_sdk::v1::*;
use prost::Message;
use prost_types::FieldMask;

use super::table::{Rpc, Table};
use super::values::{self, NO_PEOPLE};

/// Somebody else's trade URL.
const SOMEONE: &str = "https://steamcommunity.com/tradeoffer/new/?partner=1&token=S3cretTk";
/// Times to claim that are too short or too long.
const TTLS: [i32; 6] = [-1, 1, 59, 31_536_001, i32::MIN, i32::MAX];

pub(crate) fn items(table: &mut Table<'_>) {
    let facts = table.facts;
    let unknown = ErrorReason::ItemNotFound;
    table.rpc::<GetItemRequest>("ItemService/GetItem").id("item_id", unknown, |q| &mut q.item_id);
    table
        .rpc::<ListItemHistoryRequest>("ItemService/ListItemHistory")
        .id("item_id", unknown, |q| &mut q.item_id)
        .page(|q| &mut q.page_size, |q| &mut q.page_token);
    let rpc = table.rpc::<ListItemsRequest>("ItemService/ListItems").org(|q| &mut q.org_id).bad(
        "order_by",
        orders(),
        |q, order| q.order_by = order,
    );
    item_filter(rpc, |q| q.filter.get_or_insert_default())
        .bad("filter.states", [vec![0], vec![99], vec![-1], vec![2; 101]], |q, states| {
            q.filter.get_or_insert_default().states = states;
        })
        // So that the token, which is of the usual order, is one of another list.
        .page(
            |q| &mut q.page_size,
            |q| {
                q.order_by = "item_name".to_owned();
                &mut q.page_token
            },
        );
    let unknown_reservation = ErrorReason::ReservationNotFound;
    table
        .rpc::<ReleaseReservationRequest>("ItemService/ReleaseReservation")
        .id("reservation_id", unknown_reservation, |q| &mut q.reservation_id)
        .refused("reservation_id", ErrorReason::ReservationEnded, |q| {
            q.reservation_id.clone_from(&facts.ended_reservation);
        })
        .request_id(|q| &mut q.request_id);
    table
        .rpc::<ListReservationsRequest>("ItemService/ListReservations")
        .org(|q| &mut q.org_id)
        .page(
            |q| &mut q.page_size,
            |q| {
                q.held_only = true;
                &mut q.page_token
            },
        );
    reserve(table);
    update(table);
}

fn orders() -> Vec<String> {
    let orders = ["state", "create_time asc", "create_time  desc", "item_name; DROP TABLE items"];
    orders.map(str::to_owned).into_iter().chain(["a".repeat(10_000)]).collect()
}

fn item_filter<'a, M: Message + Default + Clone>(
    rpc: Rpc<'a, M>,
    filter: fn(&mut M) -> &mut ItemFilter,
) -> Rpc<'a, M> {
    rpc.bad("filter.app_ids", [vec![u32::MAX], vec![440; 101]], |q, apps| {
        filter(q).app_ids = apps;
    })
    .bad("filter.market_hash_names", values::texts(500), |q, name| {
        filter(q).market_hash_names = vec![name];
    })
    .bad("filter.market_hash_names", [101], |q, count| {
        filter(q).market_hash_names = vec!["Key".to_owned(); count];
    })
    .bad("filter.bot_ids", values::ids_and_none(), |q, id| filter(q).bot_ids = vec![id])
    .bad("filter.bot_ids", [values::many(101)], |q, ids| filter(q).bot_ids = ids)
    .bad("filter.received_from_user_id", NO_PEOPLE, |q, id| filter(q).received_from_user_id = id)
    .bad("filter.assigned_to_user_id", NO_PEOPLE, |q, id| filter(q).assigned_to_user_id = id)
    .bad("filter.text", values::texts(200), |q, text| filter(q).text = text)
}

fn reserve(table: &mut Table<'_>) {
    let rpc = table
        .rpc::<ReserveItemsRequest>("ItemService/ReserveItems")
        .org(|q| &mut q.org_id)
        .request_id(|q| &mut q.request_id)
        .bad("item_ids", values::ids_and_none(), |q, id| q.item_ids = vec![id])
        .bad("item_ids", [2], |q, times| q.item_ids = vec![q.item_ids[0].clone(); times])
        .bad("item_ids", [101], |q, count| q.item_ids = values::many(count))
        .bad("item_ids", [1, -1], |q, count| q.count = count)
        .bad("item_ids", [ItemFilter::default()], |q, filter| q.filter = Some(filter))
        .refused("item_ids", ErrorReason::ItemNotFound, |q| q.item_ids.push(values::unknown()))
        .bad("ttl_seconds", [-1, 86_401, i32::MIN, i32::MAX], |q, ttl| q.ttl_seconds = ttl)
        .bad("count", [0, -1, 101, i32::MIN, i32::MAX], |q, count| {
            q.item_ids.clear();
            q.count = count;
        })
        .refused("count", ErrorReason::NotEnoughItems, |q| {
            q.item_ids.clear();
            q.count = 100;
        })
        .bad("filter.states", [vec![2], vec![99]], |q, states| any(q).states = states);
    item_filter(rpc, any);
}

/// One item of those that match, instead of a certain one.
fn any(q: &mut ReserveItemsRequest) -> &mut ItemFilter {
    q.item_ids.clear();
    q.count = 1;
    q.filter.get_or_insert_default()
}

fn update(table: &mut Table<'_>) {
    fn item(q: &mut UpdateItemRequest) -> &mut Item {
        q.item.get_or_insert_default()
    }
    fn masked<'a>(q: &'a mut UpdateItemRequest, path: &str) -> &'a mut Item {
        q.update_mask = Some(FieldMask { paths: vec![path.to_owned()] });
        item(q)
    }
    let pair = |key: &str, value: &str| [(key.to_owned(), value.to_owned())].into();
    let labels = [
        (0..33).map(|n| (n.to_string(), String::new())).collect(),
        pair(&"k".repeat(65), ""),
        pair("k", &"v".repeat(257)),
        pair("k\0", ""),
        pair("k", "\u{1}"),
    ];
    let masks = ["state", "org_id", "", "*", "asset.asset_id", "market_value.currency_code", "\0"];
    table
        .rpc::<UpdateItemRequest>("ItemService/UpdateItem")
        .request_id(|q| &mut q.request_id)
        .bad("item", [()], |q, ()| q.item = None)
        .id("item.id", ErrorReason::ItemNotFound, |q| &mut item(q).id)
        .refused("item.etag", ErrorReason::EtagMismatch, |q| item(q).etag = "v0".to_owned())
        .bad("update_mask", [()], |q, ()| q.update_mask = None)
        .bad("update_mask", masks, |q, path| drop(masked(q, path).etag.clone()))
        .bad("update_mask", ["a".repeat(10_000)], |q, path| drop(masked(q, &path).etag.clone()))
        .bad("update_mask", [4], |q, count| {
            q.update_mask = Some(FieldMask { paths: vec!["labels".to_owned(); count] });
        })
        .bad("item.labels", labels, |q, labels| masked(q, "labels").labels = labels)
        .bad("item.custom_metadata", values::objects(), |q, object| {
            masked(q, "custom_metadata").custom_metadata = Some(object);
        })
        .bad("item.market_value.minor_units", [-1, i64::MIN], |q, minor_units| {
            let money =
                Money { currency_code: "USD".to_owned(), minor_units, ..Default::default() };
            masked(q, "market_value").market_value = Some(money);
        })
        .bad(
            "item.market_value.currency_code",
            ["", "usd", "USDX", "US\0", "U$D", "ÜSD"],
            |q, code| {
                let money =
                    Money { currency_code: code.to_owned(), minor_units: 1, ..Default::default() };
                masked(q, "market_value").market_value = Some(money);
            },
        );
}

pub(crate) fn assignments(table: &mut Table<'_>) {
    let facts = table.facts;
    let unknown = ErrorReason::AssignmentNotFound;
    let wrong_state = ErrorReason::AssignmentState;
    table.rpc::<GetAssignmentRequest>("AssignmentService/GetAssignment").id(
        "assignment_id",
        unknown,
        |q| &mut q.assignment_id,
    );
    table.rpc::<WatchAssignmentRequest>("AssignmentService/WatchAssignment").id(
        "assignment_id",
        unknown,
        |q| &mut q.assignment_id,
    );
    table
        .rpc::<CancelAssignmentRequest>("AssignmentService/CancelAssignment")
        .id("assignment_id", unknown, |q| &mut q.assignment_id)
        .refused("assignment_id", wrong_state, |q| q.assignment_id.clone_from(&facts.cancelled))
        .refused("etag", ErrorReason::EtagMismatch, |q| q.etag = "v0".to_owned())
        .text("reason", 500, |q| &mut q.reason)
        .request_id(|q| &mut q.request_id);
    let recipient = facts.ids.user;
    table
        .rpc::<ReassignAssignmentRequest>("AssignmentService/ReassignAssignment")
        .id("assignment_id", unknown, |q| &mut q.assignment_id)
        .refused("assignment_id", wrong_state, |q| q.assignment_id.clone_from(&facts.cancelled))
        .bad("user_id", NO_PEOPLE.into_iter().chain([0, recipient]), |q, id| q.user_id = id)
        .bad("trade_url", values::trade_urls(), |q, url| q.trade_url = url)
        .bad("trade_url", [SOMEONE], |q, url| q.trade_url = url.to_owned())
        .text("reason", 500, |q| &mut q.reason)
        .bad("ttl_seconds", TTLS, |q, ttl| q.ttl_seconds = ttl)
        .refused("etag", ErrorReason::EtagMismatch, |q| q.etag = "v0".to_owned())
        .request_id(|q| &mut q.request_id);
    table
        .rpc::<RetryAssignmentRequest>("AssignmentService/RetryAssignment")
        .id("assignment_id", unknown, |q| &mut q.assignment_id)
        .refused("assignment_id", wrong_state, |q| q.assignment_id.clone_from(&facts.cancelled))
        .request_id(|q| &mut q.request_id);
    fn filter(q: &mut ListAssignmentsRequest) -> &mut AssignmentFilter {
        q.filter.get_or_insert_default()
    }
    table
        .rpc::<ListAssignmentsRequest>("AssignmentService/ListAssignments")
        .org(|q| &mut q.org_id)
        .bad("order_by", orders(), |q, order| q.order_by = order)
        .bad("filter.states", [vec![0], vec![99], vec![-1], vec![1; 101]], |q, states| {
            filter(q).states = states;
        })
        .bad("filter.user_id", NO_PEOPLE, |q, id| filter(q).user_id = id)
        .text("filter.external_system", 100, |q| &mut filter(q).external_system)
        .text("filter.external_id", 200, |q| &mut filter(q).external_id)
        .bad("filter.assignment_types", values::texts(40), |q, kind| {
            filter(q).assignment_types = vec![kind];
        })
        .bad("filter.assignment_types", [101], |q, count| {
            filter(q).assignment_types = vec!["vip".to_owned(); count];
        })
        .bad("filter.blocked_reasons", [vec![0], vec![99], vec![-1], vec![1; 101]], |q, reasons| {
            filter(q).blocked_reasons = reasons;
        })
        .bad("filter.bot_ids", values::ids_and_none(), |q, id| filter(q).bot_ids = vec![id])
        .bad("filter.bot_ids", [values::many(101)], |q, ids| filter(q).bot_ids = ids)
        .text("filter.trade_offer_id", 40, |q| &mut filter(q).trade_offer_id)
        .page(|q| &mut q.page_size, |q| &mut q.page_token);
    create(table);
}

fn create(table: &mut Table<'_>) {
    let facts = table.facts;
    fn reserved(q: &mut CreateAssignmentRequest) -> &mut String {
        q.item_ids.clear();
        &mut q.reservation_id
    }
    let rpc = table
        .rpc::<CreateAssignmentRequest>("AssignmentService/CreateAssignment")
        .org(|q| &mut q.org_id)
        .request_id(|q| &mut q.request_id)
        .bad("user_id", NO_PEOPLE.into_iter().chain([0]), |q, id| q.user_id = id)
        .bad("item_ids", values::ids_and_none(), |q, id| q.item_ids = vec![id])
        .bad("item_ids", [2], |q, times| q.item_ids = vec![q.item_ids[0].clone(); times])
        .bad("item_ids", [101, 0], |q, count| q.item_ids = values::many(count))
        .refused("item_ids", ErrorReason::ItemNotFound, |q| q.item_ids.push(values::unknown()))
        .bad("reservation_id", [values::unknown()], |q, id| q.reservation_id = id)
        .bad("reservation_id", values::ids(), |q, id| *reserved(q) = id)
        .refused("reservation_id", ErrorReason::ReservationNotFound, |q| {
            *reserved(q) = values::unknown();
        })
        .refused("reservation_id", ErrorReason::ReservationEnded, |q| {
            reserved(q).clone_from(&facts.ended_reservation);
        });
    rpc.text("assignment_type", 40, |q| &mut q.assignment_type)
        .text("assignment_reason", 500, |q| &mut q.assignment_reason)
        .text("external_system", 100, |q| &mut q.external_system)
        .text("external_id", 200, |q| {
            q.external_system = "tests".to_owned();
            &mut q.external_id
        })
        .bad("external_system", ["giveaway 1"], |q, id| q.external_id = id.to_owned())
        .refused("external_id", ErrorReason::ExternalIdExists, |q| {
            q.external_system = "tests".to_owned();
            q.external_id.clone_from(&facts.external_id);
        })
        .bad("external_context", values::objects(), |q, object| q.external_context = Some(object))
        .bad("assignment_priority", [1001, -1001, i32::MIN, i32::MAX], |q, priority| {
            q.assignment_priority = priority;
        })
        .bad("trade_url", values::trade_urls(), |q, url| q.trade_url = url)
        // Somebody else's trade URL would send the prize to them.
        .bad("trade_url", [SOMEONE], |q, url| q.trade_url = url.to_owned())
        .bad("ttl_seconds", TTLS, |q, ttl| q.ttl_seconds = ttl)
        .bad("runner_up_user_ids", NO_PEOPLE.into_iter().chain([0]), |q, id| {
            q.runner_up_user_ids = vec![id];
        })
        .bad("runner_up_user_ids", [21], |q, count| {
            q.runner_up_user_ids = (1..=count).map(|number| q.user_id + number).collect();
        })
        // Nobody gets the items twice.
        .bad("runner_up_user_ids", [(1, 1), (0, 1)], |q, (one, other)| {
            q.runner_up_user_ids = vec![q.user_id + one, q.user_id + other];
        });
}
