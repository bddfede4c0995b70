//! Stacks stay out of circulation, openly, and no unit of them is lost from the books.

use std::collections::BTreeMap;
use std::time::Duration;

use astro_sdk::bot::v1::bot_event::Event as Report;
use astro_sdk::bot::v1::session_request::Frame;
use astro_sdk::bot::v1::{AppContext, Asset, InventoryChunk, OfferReceived};
use astro_sdk::v1::*;
use astro_sdk::{Error, new_request_id};
use astro_tests::{App, Backend, Worker, on_each_database, sql};
use prost_types::value::Kind;
use steam_sim::{AssetId, Behaviour, ItemSpec, OfferState};

use crate::donations::{DONOR, SHIFT, asset, described, fact, told, took};
use crate::puppet::Puppet;
use crate::world::sync;

on_each_database!(
    a_stack_that_somebody_donates_is_declined_in_words,
    a_stack_in_an_inventory_is_set_aside_and_told_once,
    an_amount_of_nothing_is_no_item,
    an_item_that_becomes_a_stack_blocks_its_promise_which_can_be_cancelled,
    a_promise_goes_on_when_its_stack_is_a_single_item_again,
    a_stack_is_written_off_for_good_and_its_promise_with_it,
    a_stack_that_the_pool_had_before_is_promised_no_more,
    a_stack_that_is_accepted_against_the_decision_stays_out_of_circulation,
    a_donated_stack_that_a_person_would_adopt_is_refused,
    books_and_steam_agree_to_the_unit_whatever_becomes_of_stacks,
);

/// Two runs: the one that was under way, and one that begins now.
async fn look(app: &App) -> Sync {
    sync(app).await;
    let run = sync(app).await;
    assert_eq!(run.state(), SyncState::Succeeded, "{run:?}");
    run
}

/// The open differences about stacks.
async fn open(app: &App) -> Vec<Discrepancy> {
    let request = ListDiscrepanciesRequest { open_only: true, ..Default::default() };
    let listed = app.client.raw().syncs().list_discrepancies(request).await.unwrap().into_inner();
    let mut rows = listed.discrepancies;
    rows.retain(|row| row.kind() == DiscrepancyKind::Stack);
    rows
}

fn number(item: &Item) -> AssetId {
    AssetId(item.asset.clone().unwrap().asset_id)
}

/// The bot has a stack of wood from now on.
fn wood(app: &App, amount: u64) -> AssetId {
    let spec = ItemSpec::named("Wood").stack_of(amount);
    app.sim.give_items(app.bot_account.steam_id, 440, 2, &[spec], 1)[0]
}

fn set_amount(app: &App, asset: AssetId, amount: u64) {
    app.sim.set_amount(app.bot_account.steam_id, asset, amount).unwrap();
}

/// The worker of a bot that is paused: it looks at its inventory and sends nothing.
async fn onlooker(app: &App) -> Worker {
    pause(app, true).await;
    app.bot()
}

async fn pause(app: &App, paused: bool) {
    let request = PauseBotRequest { bot_id: app.bot_id.clone(), paused, ..Default::default() };
    app.admin.raw().bots().pause_bot(request).await.unwrap();
}

async fn resolve(
    app: &App,
    row: &Discrepancy,
    resolution: DiscrepancyResolution,
) -> Result<Discrepancy, Error> {
    let request = ResolveDiscrepancyRequest {
        discrepancy_id: row.id.clone(),
        resolution: resolution.into(),
        ..Default::default()
    };
    let answer = app.admin.raw().syncs().resolve_discrepancy(request).await?;
    Ok(answer.into_inner().discrepancy.unwrap())
}

/// A number that an event tells.
fn figure(event: &Event, key: &str) -> Option<u64> {
    let value = event.event_data.as_ref()?.fields.get(key)?.kind.clone()?;
    let Kind::NumberValue(number) = value else { return None };
    format!("{number}").parse().ok()
}

/// What the books say of the bot, with the stacks that are set aside, is what Steam shows, to the
/// unit; and whoever folds the log knows the same of each item.
async fn agree(app: &App) {
    let shown: u64 = app.sim.look(|books| {
        books.assets_of(app.bot_account.steam_id).iter().map(|asset| asset.amount).sum()
    });
    let here = [
        ItemState::Available,
        ItemState::Reserved,
        ItemState::Assigned,
        ItemState::InOffer,
        ItemState::Quarantined,
    ];
    let units = |item: &Item| u64::from(item.asset.clone().unwrap().amount);
    let booked: u64 = app.items(&here).await.iter().map(units).sum();
    let rows = open(app).await;
    let aside = rows.iter().filter(|row| row.item_id.is_empty());
    let aside: u64 = aside.map(|row| u64::from(row.amount)).sum();
    assert_eq!(booked + aside, shown, "{rows:?}");
    let mut folded = BTreeMap::new();
    for event in app.events().await {
        if let Some(amount) = figure(&event, "amount")
            && event.event_category == "item"
        {
            let state = fact(&event, "to").to_owned();
            let before = folded.insert(event.item_id.clone(), (state, amount));
            if let Some(told) = figure(&event, "amount_before") {
                assert_eq!(before.map(|(_, amount)| amount), Some(told), "{event:?}");
            }
        }
    }
    for item in app.items(&[]).await {
        let state = item.state().as_str_name().trim_start_matches("ITEM_STATE_").to_owned();
        assert_eq!(folded.get(&item.id), Some(&(state, units(&item))), "{item:?}");
    }
}

async fn a_stack_that_somebody_donates_is_declined_in_words(backend: Backend) {
    let app = App::start(backend).await;
    let bot = app.bot();
    let donor = app.person("donor", Behaviour::IGNORE);
    let spec = ItemSpec::named("Wood").stack_of(40);
    let mut assets = app.sim.give_items(donor.steam_id, 440, 2, &[spec], 1);
    assets.extend(app.give(&donor, &["Key"]));
    let to = app.bot_account.steam_id;
    let offer = app.sim.donate(donor.steam_id, to, &assets, "my donation").unwrap();
    let declined = app.until("the donation to be declined", async || {
        let request = ListDonationsRequest::default();
        let answer = app.client.raw().donations().list_donations(request).await.unwrap();
        let donation = answer.into_inner().donations.into_iter().next()?;
        (donation.state() == DonationState::Declined).then_some(donation)
    });
    let declined = declined.await;
    assert_eq!(declined.decline_reason(), DeclineReason::Stack);
    assert_eq!(declined.status_message, "\"Wood\" is a stack of 40, and stacks are not taken");
    let state = app.sim.look(|books| books.offer(offer).unwrap().state);
    assert_eq!(state, OfferState::Declined);
    assert!(app.items(&[]).await.is_empty());
    bot.stop().await;
}

async fn a_stack_in_an_inventory_is_set_aside_and_told_once(backend: Backend) {
    let app = App::start(backend).await;
    let stack = wood(&app, 40);
    app.give(&app.bot_account, &["Key"]);
    let bot = app.bot();
    app.available(1).await;
    look(&app).await;
    let found = open(&app).await;
    assert_eq!(found.len(), 1, "{found:?}");
    let row = &found[0];
    assert_eq!((row.asset_id, row.amount, row.recorded_amount), (stack.0, 40, 0));
    assert_eq!((&*row.item_name, &*row.item_id), ("Wood", ""));
    assert_eq!(app.items(&[]).await.len(), 1, "the key alone is in the books");
    assert_eq!(told(&app, "sync.discrepancy_found").await.len(), 1);
    agree(&app).await;

    set_amount(&app, stack, 31);
    look(&app).await;
    let changed = open(&app).await;
    assert_eq!((&changed[0].id, changed[0].amount), (&row.id, 31));
    assert_eq!(told(&app, "sync.discrepancy_found").await.len(), 1);
    let news = told(&app, "sync.discrepancy_changed").await;
    assert_eq!((news.len(), figure(&news[0], "amount")), (1, Some(31)));
    agree(&app).await;

    set_amount(&app, stack, 1);
    look(&app).await;
    assert!(open(&app).await.is_empty(), "a single one is an item like any other");
    assert_eq!(app.items(&[ItemState::Available]).await.len(), 2);
    agree(&app).await;
    bot.stop().await;
}

async fn an_amount_of_nothing_is_no_item(backend: Backend) {
    let app = App::start(backend).await;
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    let sync_id = bot.sync().await;
    inventory(&mut bot, &app, &sync_id, vec![Asset { amount: 0, ..asset(7) }]).await;
    assert!(app.items(&[]).await.is_empty());
    let rows = open(&app).await;
    assert_eq!((rows.len(), rows[0].asset_id, rows[0].amount), (1, 7, 0));
    let ignored = resolve(&app, &rows[0], DiscrepancyResolution::Ignore).await.unwrap();
    assert_eq!(ignored.resolution(), DiscrepancyResolution::Ignore);
    bot.wait(&app, Duration::from_secs(3600)).await;
    let sync_id = bot.sync().await;
    inventory(&mut bot, &app, &sync_id, vec![Asset { amount: 5, ..asset(7) }]).await;
    assert!(open(&app).await.is_empty(), "what is ignored is not told again");
}

/// Answers a run with these assets, and waits for its end.
pub(crate) async fn inventory(bot: &mut Puppet, app: &App, sync_id: &str, assets: Vec<Asset>) {
    let chunk = InventoryChunk {
        sync_id: sync_id.to_owned(),
        last: true,
        covered: vec![AppContext { app_id: 440, context_id: 2 }],
        descriptions: assets.iter().map(|asset| described(asset.asset_id)).collect(),
        assets,
        ..Default::default()
    };
    bot.send(Frame::Inventory(chunk)).await;
    let ended = app.until("the run to end", async || {
        let request = GetSyncRequest { sync_id: sync_id.to_owned() };
        let sync = app.client.raw().syncs().get_sync(request).await.unwrap().into_inner().sync;
        (sync.unwrap().state() == SyncState::Succeeded).then_some(())
    });
    ended.await;
}

async fn an_item_that_becomes_a_stack_blocks_its_promise_which_can_be_cancelled(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(2).await;
    let winner = app.person("winner", Behaviour::ACCEPT);
    let assignment = app.assign(&pool, &winner).await;
    set_amount(&app, number(&pool[0]), 3);
    let bot = onlooker(&app).await;
    look(&app).await;
    let blocked = app.assignment(&assignment.id).await;
    assert_eq!(
        (blocked.state(), blocked.blocked_reason()),
        (AssignmentState::Blocked, BlockedReason::Stack)
    );
    assert!(blocked.status_message.contains("astro assignments cancel"), "{blocked:?}");
    let item = app.item(&pool[0].id).await;
    assert_eq!((item.state(), &item.assignment_id), (ItemState::Quarantined, &assignment.id));
    let rows = open(&app).await;
    assert_eq!((rows[0].amount, rows[0].recorded_amount, &rows[0].item_id), (3, 1, &item.id));
    let booked = told(&app, "item.amount_changed").await;
    assert_eq!(figure(&booked[0], "amount_before"), Some(1));
    assert_eq!(figure(&booked[0], "amount"), Some(3));
    agree(&app).await;

    let assignment_id = assignment.id.clone();
    let retry =
        RetryAssignmentRequest { assignment_id: assignment_id.clone(), ..Default::default() };
    let refused = app.client.raw().assignments().retry_assignment(retry).await;
    let refused = refused.map_err(Error::from).unwrap_err();
    assert_eq!(refused.metadata["state"], "BLOCKED: STACK", "{refused}");
    let cancel = CancelAssignmentRequest { assignment_id, ..Default::default() };
    let over = app.client.raw().assignments().cancel_assignment(cancel).await.unwrap().into_inner();
    assert_eq!(over.assignment.unwrap().state(), AssignmentState::Cancelled);
    let out = app.item(&pool[0].id).await;
    assert_eq!((out.state(), &*out.assignment_id), (ItemState::Quarantined, ""));
    let other = app.prize(&pool[..1], &winner);
    let refused = app.client.raw().assignments().create_assignment(other).await;
    let refused = refused.map_err(Error::from).unwrap_err();
    assert!(refused.is(ErrorReason::ItemNotAvailable), "{refused}");
    assert_eq!(refused.metadata["state"], "QUARANTINED, a stack of 3");

    // The other one is given instead, as the remedy says.
    let again = app.assign(&pool[1..], &winner).await;
    pause(&app, false).await;
    app.delivered(&again.id).await;
    assert_eq!(app.belongings(&winner), ["Item 2"]);
    set_amount(&app, number(&pool[0]), 1);
    look(&app).await;
    assert_eq!(app.item(&pool[0].id).await.state(), ItemState::Available);
    assert!(open(&app).await.is_empty());
    agree(&app).await;
    bot.stop().await;
    app.audit();
}

async fn a_promise_goes_on_when_its_stack_is_a_single_item_again(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(1).await;
    let winner = app.person("winner", Behaviour::ACCEPT);
    let heir = app.person("heir", Behaviour::ACCEPT);
    let assignment = app.assign(&pool, &winner).await;
    set_amount(&app, number(&pool[0]), 40);
    let bot = onlooker(&app).await;
    look(&app).await;
    // Whoever it passes on to waits as well.
    let request = ReassignAssignmentRequest {
        assignment_id: assignment.id.clone(),
        user_id: heir.steam_id.0,
        trade_url: heir.trade_url(),
        request_id: new_request_id(),
        ..Default::default()
    };
    let answer = app.client.raw().assignments().reassign_assignment(request).await.unwrap();
    let next = answer.into_inner().successor.unwrap().id;
    assert_eq!(app.assignment(&next).await.blocked_reason(), BlockedReason::Stack);
    set_amount(&app, number(&pool[0]), 1);
    look(&app).await;
    assert_eq!(app.assignment(&next).await.state(), AssignmentState::Queued);
    agree(&app).await;
    pause(&app, false).await;
    app.delivered(&next).await;
    assert_eq!(app.belongings(&heir), ["Item 1"]);
    bot.stop().await;
    app.audit();
}

async fn a_stack_is_written_off_for_good_and_its_promise_with_it(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(2).await;
    let winner = app.person("winner", Behaviour::ACCEPT);
    let assignment = app.assign(&pool, &winner).await;
    set_amount(&app, number(&pool[0]), 40);
    let bot = onlooker(&app).await;
    look(&app).await;
    let row = open(&app).await.remove(0);
    resolve(&app, &row, DiscrepancyResolution::WriteOff).await.unwrap();
    assert_eq!(app.item(&pool[0].id).await.state(), ItemState::Withdrawn);
    assert_eq!(app.item(&pool[1].id).await.state(), ItemState::Available);
    let failed = app.assignment(&assignment.id).await;
    assert_eq!(failed.state(), AssignmentState::Failed);
    assert_eq!(failed.blocked_reason(), BlockedReason::Stack);
    look(&app).await;
    assert!(open(&app).await.is_empty(), "what was written off is not told again");
    assert_eq!(app.items(&[]).await.len(), 2);
    bot.stop().await;
}

async fn a_stack_that_the_pool_had_before_is_promised_no_more(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(3).await;
    let winner = app.person("winner", Behaviour::ACCEPT);
    let promised = app.assign(&pool[..1], &winner).await;
    let item_ids = vec![pool[1].id.clone()];
    let request = ReserveItemsRequest { item_ids, ..Default::default() };
    let reserved = app.client.raw().items().reserve_items(request).await.unwrap().into_inner();
    for item in &pool {
        set_amount(&app, number(item), 40);
    }
    // As a server had them that knew nothing of stacks.
    let mut conn = sql::open(&app.database_url).unwrap();
    sql::run(&mut conn, "UPDATE items SET amount = 40").unwrap();
    let request =
        ReserveItemsRequest { filter: Some(ItemFilter::default()), count: 1, ..Default::default() };
    let none = app.client.raw().items().reserve_items(request).await.map_err(Error::from);
    assert!(none.unwrap_err().is(ErrorReason::NotEnoughItems));
    let by_id = app.prize(&pool[2..], &winner);
    let held = CreateAssignmentRequest {
        item_ids: Vec::new(),
        reservation_id: reserved.reservation.unwrap().id,
        ..app.prize(&[], &winner)
    };
    for request in [by_id, held] {
        let refused = app.client.raw().assignments().create_assignment(request).await;
        let refused = refused.map_err(Error::from).unwrap_err();
        assert!(refused.is(ErrorReason::ItemNotAvailable), "{refused}");
        assert!(refused.metadata["state"].ends_with("a stack of 40"), "{refused}");
    }
    let bot = app.bot();
    let blocked = app.assignment_in(&promised.id, &[AssignmentState::Blocked]).await;
    assert_eq!(blocked.blocked_reason(), BlockedReason::Stack);
    look(&app).await;
    assert_eq!(app.items(&[ItemState::Quarantined]).await.len(), 3);
    assert_eq!(open(&app).await.len(), 3);
    bot.stop().await;
    assert!(app.belongings(&winner).is_empty());
}

async fn a_stack_that_is_accepted_against_the_decision_stays_out_of_circulation(backend: Backend) {
    let app = App::start(backend).await;
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    let sync_id = bot.sync().await;
    inventory(&mut bot, &app, &sync_id, vec![]).await;
    let event = OfferReceived {
        trade_offer_id: "1".to_owned(),
        partner_steam_id: DONOR,
        receive: vec![Asset { amount: 40, ..asset(1) }],
        descriptions: vec![described(1)],
        message: "a donation".to_owned(),
        ..Default::default()
    };
    bot.report(Report::OfferReceived(event)).await;
    took(&mut bot, (1, 11), 1..=1, None).await;
    let item = app.items(&[]).await.remove(0);
    assert_eq!((item.state(), item.asset.unwrap().amount), (ItemState::Quarantined, 40));
    bot.wait(&app, Duration::from_secs(3600)).await;
    let sync_id = bot.sync().await;
    inventory(&mut bot, &app, &sync_id, vec![Asset { amount: 40, ..asset(SHIFT + 1) }]).await;
    let rows = open(&app).await;
    assert_eq!((rows.len(), &rows[0].item_id, rows[0].amount), (1, &item.id, 40));
    bot.wait(&app, Duration::from_secs(3600)).await;
    let sync_id = bot.sync().await;
    inventory(&mut bot, &app, &sync_id, vec![Asset { amount: 40, ..asset(SHIFT + 1) }]).await;
    assert_eq!(open(&app).await, rows);
    assert!(told(&app, "sync.discrepancy_changed").await.is_empty());
}

async fn a_donated_stack_that_a_person_would_adopt_is_refused(backend: Backend) {
    let app = App::start(backend).await;
    let organization =
        Organization { id: app.org_id.clone(), adopt_unknown_items: false, ..Default::default() };
    let paths = vec!["adopt_unknown_items".to_owned()];
    let request = UpdateOrganizationRequest {
        organization: Some(organization),
        update_mask: Some(prost_types::FieldMask { paths }),
        ..Default::default()
    };
    app.admin.raw().organizations().update_organization(request).await.unwrap();
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    let sync_id = bot.sync().await;
    inventory(&mut bot, &app, &sync_id, vec![asset(7)]).await;
    let request = ListDiscrepanciesRequest { open_only: true, ..Default::default() };
    let listed = app.client.raw().syncs().list_discrepancies(request).await.unwrap().into_inner();
    let unknown = listed.discrepancies[0].clone();
    assert_eq!((unknown.kind(), unknown.amount), (DiscrepancyKind::UnknownAsset, 1));
    bot.wait(&app, Duration::from_secs(3600)).await;
    let sync_id = bot.sync().await;
    inventory(&mut bot, &app, &sync_id, vec![Asset { amount: 2, ..asset(7) }]).await;
    let rows = open(&app).await;
    assert_eq!((&rows[0].id, rows[0].amount), (&unknown.id, 2), "the same difference");
    let refused = resolve(&app, &rows[0], DiscrepancyResolution::Adopt).await.unwrap_err();
    assert!(refused.is(ErrorReason::FieldInvalid), "{refused}");
    assert!(app.items(&[]).await.is_empty());
}

async fn books_and_steam_agree_to_the_unit_whatever_becomes_of_stacks(backend: Backend) {
    let app = App::start(backend).await;
    let owner = app.bot_account.steam_id;
    let keys = app.give(&app.bot_account, &["Key", "Key", "Key", "Key"]);
    let stack = wood(&app, 40);
    let bot = app.bot();
    app.available(4).await;
    let settled = async || {
        look(&app).await;
        // What is gone is missing after two looks a minute apart.
        app.clock.advance(Duration::from_secs(90));
        look(&app).await;
        agree(&app).await;
    };
    settled().await;
    // Merged: one asset is gone, the other has its unit.
    app.sim.merge(owner, keys[0], keys[1]).unwrap();
    settled().await;
    // Grown, shrunk and split, both an item and a stack that is no item.
    set_amount(&app, keys[2], 9);
    let part = app.sim.split(owner, stack, 15).unwrap();
    settled().await;
    app.sim.split(owner, keys[2], 4).unwrap();
    set_amount(&app, part, 2);
    settled().await;
    // A part is traded away by hand, and a single unit that comes joins a stack.
    let friend = app.person("friend", Behaviour::ACCEPT);
    app.sim.give_part(owner, friend.steam_id, (keys[2], 2), "by hand").unwrap();
    settled().await;
    app.sim.merge_arrivals(440, true);
    app.donate("donor", &["Key"]);
    let came = app.until("the gift to come", async || {
        let events = told(&app, "donation.received").await;
        (!events.is_empty()).then_some(())
    });
    came.await;
    settled().await;
    // All units of an item are used up but one.
    for key in [keys[0], keys[2]] {
        if app.sim.look(|books| books.find(owner, key).is_some()) {
            set_amount(&app, key, 1);
        }
    }
    settled().await;
    bot.stop().await;
    app.audit();
}
