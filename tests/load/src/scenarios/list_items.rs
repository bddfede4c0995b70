//! `ListItems` in each order and by each filter, at the start and deep within.

use astro_sdk::v1::{ItemFilter, ItemState, ListItemsRequest};
use astro_tests::fill;

use crate::bench::Bench;
use crate::report::Target;

const CALLERS: usize = 8;
/// Items before a deep page, if there are as many.
const DEEP: usize = 100_000;
/// Items of a page, and of the pages that lead to a deep one.
const PAGE: (i32, i32) = (50, 500);
/// Part of the time that each page has.
const PART: u32 = 4;

fn cases() -> Vec<(&'static str, ListItemsRequest)> {
    let ordered = |order: &str| ListItemsRequest {
        order_by: order.to_owned(),
        page_size: PAGE.0,
        ..Default::default()
    };
    let filtered =
        |filter: ItemFilter| ListItemsRequest { filter: Some(filter), ..ordered("create_time") };
    let person = fill::FIRST_PERSON + 7;
    vec![
        ("newest first", ordered("create_time desc")),
        (
            "by state",
            filtered(ItemFilter {
                states: vec![ItemState::Available.into()],
                ..Default::default()
            }),
        ),
        ("by name", ordered("item_name")),
        ("oldest first", ordered("create_time")),
        ("by name, from the end", ordered("item_name desc")),
        (
            "by kind",
            filtered(ItemFilter {
                market_hash_names: vec!["Key 7".to_owned()],
                ..Default::default()
            }),
        ),
        ("by donor", filtered(ItemFilter { received_from_user_id: person, ..Default::default() })),
        (
            "by recipient",
            filtered(ItemFilter { assigned_to_user_id: person, ..Default::default() }),
        ),
        (
            "by two states",
            filtered(ItemFilter {
                states: vec![ItemState::Available.into(), ItemState::Delivered.into()],
                ..Default::default()
            }),
        ),
        ("tradable now", filtered(ItemFilter { tradable_now: true, ..Default::default() })),
        ("by text", filtered(ItemFilter { text: "key 4".to_owned(), ..Default::default() })),
    ]
}

pub(super) async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let cases = cases();
    let number = if bench.plan.quick { 3 } else { cases.len() };
    for (name, first) in cases.into_iter().take(number) {
        let time = bench.plan.time / if bench.plan.quick { 1 } else { PART };
        let measured = bench.read(CALLERS, time, vec![first.clone()]).await?;
        let p99 = measured.tally.at(0.99);
        let mut targets = vec![Target::at_least("ratio", measured.ratio(), 0.6)];
        targets.extend(bench.flat(name, p99));
        bench.row(&format!("{name}, first page"), "8", "echo", &measured, targets)?;
        let Some((skipped, deep)) = deep(bench, &first).await? else { continue };
        let measured = bench.read(CALLERS, time, vec![deep]).await?;
        let longer = measured.tally.at(0.99).as_secs_f64() / p99.as_secs_f64();
        let targets = vec![
            Target::at_least("ratio", measured.ratio(), 0.6),
            Target::at_most("p99 against the first page's", longer, 1.5),
        ];
        bench.row(&format!("{name}, {skipped} items in"), "8", "echo", &measured, targets)?;
    }
    Ok(())
}

/// The request of a page deep in the list, and how deep; none when the list has no second half.
async fn deep(
    bench: &Bench,
    first: &ListItemsRequest,
) -> anyhow::Result<Option<(usize, ListItemsRequest)>> {
    let calls = bench.stage.calls(1).await?;
    let mut request = ListItemsRequest { page_size: PAGE.1, ..first.clone() };
    let (mut skipped, mut token) = (0, String::new());
    while skipped < DEEP {
        let page = calls.call(0, request.clone()).await?;
        if page.next_page_token.is_empty() {
            break;
        }
        skipped += page.items.len();
        token.clone_from(&page.next_page_token);
        request.page_token = page.next_page_token;
    }
    let deep = ListItemsRequest { page_token: token, ..first.clone() };
    Ok((skipped > 0).then_some((skipped, deep)))
}
