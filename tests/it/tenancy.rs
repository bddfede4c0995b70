//! An organisation's key sees its own organisation: what belongs to another does not exist for it.

use astro_sdk::methods::{METHODS, Method, REASONS};
use astro_sdk::v1::*;
use astro_sdk::{Code, Error};
use astro_tests::{Backend, on_each_database};
use prost::Message;

use crate::requests::{Ids, request};
use crate::world::{World, all_scopes, refusal};

on_each_database!(what_belongs_to_another_organisation_does_not_exist);

/// The reason with which each RPC denies what belongs to another; none if it takes no id. A new RPC
/// needs a row.
const DENIALS: &[(&str, Option<&str>)] = &[
    // A bot's key names its bot: another's SteamID is a mistake, whether that bot exists or not.
    ("/astro.bot.v1.BotSessionService/Session", Some("BOT_PROTOCOL")),
    ("/astro.v1.AccessService/GetCaller", None),
    ("/astro.v1.AccessService/CreateApiKey", Some("ORGANIZATION_NOT_FOUND")),
    ("/astro.v1.AccessService/ListApiKeys", Some("ORGANIZATION_NOT_FOUND")),
    ("/astro.v1.AccessService/UpdateApiKey", Some("API_KEY_NOT_FOUND")),
    ("/astro.v1.AccessService/RevokeApiKey", Some("API_KEY_NOT_FOUND")),
    ("/astro.v1.AccessService/CreateSession", Some("ORGANIZATION_NOT_FOUND")),
    ("/astro.v1.AccessService/ListSessions", Some("ORGANIZATION_NOT_FOUND")),
    ("/astro.v1.AccessService/EndSession", Some("SESSION_NOT_FOUND")),
    ("/astro.v1.AssignmentService/CreateAssignment", Some("ORGANIZATION_NOT_FOUND")),
    ("/astro.v1.AssignmentService/GetAssignment", Some("ASSIGNMENT_NOT_FOUND")),
    ("/astro.v1.AssignmentService/ListAssignments", Some("ORGANIZATION_NOT_FOUND")),
    ("/astro.v1.AssignmentService/CancelAssignment", Some("ASSIGNMENT_NOT_FOUND")),
    ("/astro.v1.AssignmentService/ReassignAssignment", Some("ASSIGNMENT_NOT_FOUND")),
    ("/astro.v1.AssignmentService/RetryAssignment", Some("ASSIGNMENT_NOT_FOUND")),
    ("/astro.v1.AssignmentService/WatchAssignment", Some("ASSIGNMENT_NOT_FOUND")),
    ("/astro.v1.BotService/RegisterBot", Some("ORGANIZATION_NOT_FOUND")),
    ("/astro.v1.BotService/ListBots", Some("ORGANIZATION_NOT_FOUND")),
    ("/astro.v1.BotService/GetBot", Some("BOT_NOT_FOUND")),
    ("/astro.v1.BotService/RemoveBot", Some("BOT_NOT_FOUND")),
    ("/astro.v1.BotService/PauseBot", Some("BOT_NOT_FOUND")),
    ("/astro.v1.DonationService/GetDonation", Some("DONATION_NOT_FOUND")),
    ("/astro.v1.DonationService/ListDonations", Some("ORGANIZATION_NOT_FOUND")),
    ("/astro.v1.EventService/ListEvents", Some("ORGANIZATION_NOT_FOUND")),
    ("/astro.v1.EventService/WatchEvents", Some("ORGANIZATION_NOT_FOUND")),
    ("/astro.v1.ItemService/GetItem", Some("ITEM_NOT_FOUND")),
    ("/astro.v1.ItemService/ListItems", Some("ORGANIZATION_NOT_FOUND")),
    ("/astro.v1.ItemService/UpdateItem", Some("ITEM_NOT_FOUND")),
    ("/astro.v1.ItemService/ReserveItems", Some("ORGANIZATION_NOT_FOUND")),
    ("/astro.v1.ItemService/ListReservations", Some("ORGANIZATION_NOT_FOUND")),
    ("/astro.v1.ItemService/ReleaseReservation", Some("RESERVATION_NOT_FOUND")),
    ("/astro.v1.ItemService/ListItemHistory", Some("ITEM_NOT_FOUND")),
    ("/astro.v1.OrganizationService/CreateOrganization", None),
    ("/astro.v1.OrganizationService/UpdateOrganization", Some("ORGANIZATION_NOT_FOUND")),
    ("/astro.v1.OrganizationService/GetOrganization", Some("ORGANIZATION_NOT_FOUND")),
    ("/astro.v1.OrganizationService/ListOrganizations", None),
    ("/astro.v1.ReportService/GetOverview", Some("ORGANIZATION_NOT_FOUND")),
    ("/astro.v1.ReportService/ListReportRows", Some("ORGANIZATION_NOT_FOUND")),
    ("/astro.v1.SyncService/StartSync", Some("BOT_NOT_FOUND")),
    ("/astro.v1.SyncService/GetSync", Some("SYNC_NOT_FOUND")),
    ("/astro.v1.SyncService/ListSyncs", Some("ORGANIZATION_NOT_FOUND")),
    ("/astro.v1.SyncService/ListDiscrepancies", Some("ORGANIZATION_NOT_FOUND")),
    ("/astro.v1.SyncService/ResolveDiscrepancy", Some("DISCREPANCY_NOT_FOUND")),
    ("/astro.v1.UserService/GetUser", Some("ORGANIZATION_NOT_FOUND")),
    ("/astro.v1.UserService/ListUsers", Some("ORGANIZATION_NOT_FOUND")),
    ("/astro.v1.UserService/SetTradeUrl", Some("ORGANIZATION_NOT_FOUND")),
];

#[test]
fn every_rpc_says_how_it_denies_what_belongs_to_another() {
    let known: Vec<&str> = DENIALS.iter().map(|(path, _)| *path).collect();
    let all: Vec<&str> = METHODS.iter().map(|method| method.path).collect();
    assert_eq!(known, all, "one row for each RPC, in the order of the contract");
}

async fn what_belongs_to_another_organisation_does_not_exist(backend: Backend) {
    let world = World::new(backend, 0).await;
    let (stranger, _) = world.app.another_org("stranger").await;
    let client_key = all_scopes(&world.app, &stranger).await;
    let bot_key = strange_bot(&world, &stranger).await;
    let before = world.app.events().await.len();
    for (path, reason) in DENIALS {
        let Some(reason) = reason else { continue };
        let method = astro_sdk::methods::find(path).unwrap();
        let bot = method.service.starts_with("astro.bot.");
        let key = if bot { &bot_key } else { &client_key };
        let denied = world.call(method, key, request(method, &world.ids)).await.unwrap_err();
        let known = REASONS.iter().find(|known| known.name == *reason).unwrap();
        assert_eq!(refusal(denied), (known.code, (*reason).to_owned()), "{path}");
    }
    for (path, message, reason) in by_the_back_door(&world.ids) {
        let method: &Method = astro_sdk::methods::find(path).unwrap();
        let denied = world.call(method, &client_key, message).await.unwrap_err();
        assert_eq!(refusal(denied), (Code::NotFound, reason.to_owned()), "{path} {reason}");
    }
    assert_eq!(world.app.events().await.len(), before, "a denied call changed something");
    sees_nothing(&world, &client_key).await;
}

async fn strange_bot(world: &World, org_id: &str) -> String {
    let steam_id = world.ids.bot_steam + 5_000;
    let org = org_id.to_owned();
    let request = RegisterBotRequest { org_id: org, steam_id, ..Default::default() };
    let answer = world.app.admin.raw().bots().register_bot(request).await.unwrap().into_inner();
    world.app.key(ApiKeyKind::Bot, org_id, &answer.bot.unwrap().id).await
}

/// Ids of another organisation beside one's own.
fn by_the_back_door(ids: &Ids) -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let item_ids = vec![ids.item.clone()];
    let reservation_id = ids.reservation.clone();
    let assign = CreateAssignmentRequest { user_id: ids.user, ..Default::default() };
    vec![
        (
            "/astro.v1.ItemService/ReserveItems",
            ReserveItemsRequest { item_ids: item_ids.clone(), ..Default::default() }
                .encode_to_vec(),
            "ITEM_NOT_FOUND",
        ),
        (
            "/astro.v1.AssignmentService/CreateAssignment",
            CreateAssignmentRequest { item_ids, ..assign.clone() }.encode_to_vec(),
            "ITEM_NOT_FOUND",
        ),
        (
            "/astro.v1.AssignmentService/CreateAssignment",
            CreateAssignmentRequest { reservation_id, ..assign }.encode_to_vec(),
            "RESERVATION_NOT_FOUND",
        ),
        (
            "/astro.v1.AccessService/CreateApiKey",
            CreateApiKeyRequest {
                kind: ApiKeyKind::Bot.into(),
                display_name: "not mine".to_owned(),
                bot_id: ids.bot.clone(),
                ..Default::default()
            }
            .encode_to_vec(),
            "BOT_NOT_FOUND",
        ),
        (
            "/astro.v1.SyncService/ListSyncs",
            ListSyncsRequest { bot_id: ids.bot.clone(), ..Default::default() }.encode_to_vec(),
            "BOT_NOT_FOUND",
        ),
    ]
}

/// Lists without an organisation are of one's own.
async fn sees_nothing(world: &World, key: &str) {
    let client = world.app.client_with(key);
    let items = client.raw().items().list_items(ListItemsRequest::default()).await.unwrap();
    assert!(items.into_inner().items.is_empty());
    let filter = ItemFilter { bot_ids: vec![world.ids.bot.clone()], ..Default::default() };
    let request = ListItemsRequest { filter: Some(filter), ..Default::default() };
    assert!(client.raw().items().list_items(request).await.unwrap().into_inner().items.is_empty());
    let request = ListAssignmentsRequest::default();
    let assignments =
        client.raw().assignments().list_assignments(request).await.unwrap().into_inner();
    assert!(assignments.assignments.is_empty());
    let request = ListReservationsRequest::default();
    let held = client.raw().items().list_reservations(request).await.unwrap().into_inner();
    assert!(held.reservations.is_empty());
    let text = world.ids.user.to_string();
    for text in [String::new(), text] {
        let filter = Some(UserFilter { text, ..Default::default() });
        let request = ListUsersRequest { filter, ..Default::default() };
        let people = client.raw().users().list_users(request).await.unwrap().into_inner();
        assert!(people.users.is_empty());
    }
    let request = ListOrganizationsRequest::default();
    let orgs = client.raw().organizations().list_organizations(request).await.unwrap().into_inner();
    assert_eq!(orgs.organizations.len(), 1);
    let request = GetUserRequest { user_id: world.ids.user, ..Default::default() };
    let unknown = client.raw().users().get_user(request).await.map_err(Error::from).unwrap_err();
    assert!(unknown.is(ErrorReason::UserNotFound), "{unknown}");
    let request =
        ListEventsRequest { assignment_id: world.ids.assignment.clone(), ..Default::default() };
    let events = client.raw().events().list_events(request).await.map_err(Error::from);
    assert!(events.is_err() || events.unwrap().into_inner().events.is_empty());
}
