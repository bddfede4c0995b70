//! One valid request for every RPC of the contract. A new RPC needs a case here before the tests of
//! tenancy, access, idempotency and input cover it.

use astro_sdk::bot::v1::session_request::Frame;
use astro_sdk::bot::v1::{Hello, SessionRequest};
use astro_sdk::methods::{METHODS, Method};
use astro_sdk::v1::*;
use prost::Message;

/// What the requests name.
#[derive(Clone, Default)]
pub(crate) struct Ids {
    pub(crate) org: String,
    pub(crate) bot: String,
    pub(crate) bot_steam: u64,
    pub(crate) item: String,
    pub(crate) reservation: String,
    pub(crate) assignment: String,
    pub(crate) donation: String,
    pub(crate) sync: String,
    pub(crate) discrepancy: String,
    pub(crate) key: String,
    pub(crate) session: String,
    pub(crate) user: u64,
    /// Idempotency key of requests that have one.
    pub(crate) request: String,
    /// Chooses one of many requests of the same kind.
    pub(crate) variant: u32,
}

/// A valid request to `method` about `ids`.
pub(crate) fn request(method: &Method, ids: &Ids) -> Vec<u8> {
    let service = method.service.rsplit('.').next().unwrap_or_default();
    match service {
        "AccessService" => access(method.name, ids),
        "AssignmentService" => assignments(method.name, ids),
        "BotService" => bots(method.name, ids),
        "BotSessionService" => session(ids),
        "DonationService" => donations(method.name, ids),
        "EventService" => events(method.name, ids),
        "ItemService" => items(method.name, ids),
        "OrganizationService" => organizations(method.name, ids),
        "ReportService" => reports(method.name, ids),
        "SyncService" => syncs(method.name, ids),
        "UserService" => users(method.name, ids),
        _ => missing(service),
    }
}

fn missing(name: &str) -> Vec<u8> {
    panic!("{name} has no request in tests/it/requests.rs: add one")
}

fn access(name: &str, ids: &Ids) -> Vec<u8> {
    match name {
        "GetCaller" => GetCallerRequest {}.encode_to_vec(),
        "CreateApiKey" => CreateApiKeyRequest {
            kind: ApiKeyKind::Client.into(),
            display_name: "made by a test".to_owned(),
            org_id: ids.org.clone(),
            ..Default::default()
        }
        .encode_to_vec(),
        "ListApiKeys" => {
            ListApiKeysRequest { org_id: ids.org.clone(), ..Default::default() }.encode_to_vec()
        }
        "UpdateApiKey" => UpdateApiKeyRequest {
            api_key: Some(ApiKey {
                id: ids.key.clone(),
                display_name: format!("name {}", ids.variant),
                ..Default::default()
            }),
            update_mask: Some(prost_types::FieldMask { paths: vec!["display_name".to_owned()] }),
            request_id: ids.request.clone(),
        }
        .encode_to_vec(),
        "RevokeApiKey" => RevokeApiKeyRequest { api_key_id: ids.key.clone() }.encode_to_vec(),
        "CreateSession" => {
            CreateSessionRequest { org_id: ids.org.clone(), ..Default::default() }.encode_to_vec()
        }
        "ListSessions" => {
            ListSessionsRequest { org_id: ids.org.clone(), ..Default::default() }.encode_to_vec()
        }
        "EndSession" => EndSessionRequest { session_id: ids.session.clone() }.encode_to_vec(),
        _ => missing(name),
    }
}

fn assignments(name: &str, ids: &Ids) -> Vec<u8> {
    let assignment_id = ids.assignment.clone();
    match name {
        "CreateAssignment" => CreateAssignmentRequest {
            org_id: ids.org.clone(),
            user_id: ids.user,
            item_ids: vec![ids.item.clone()],
            assignment_priority: i32::try_from(ids.variant).unwrap_or_default(),
            request_id: ids.request.clone(),
            ..Default::default()
        }
        .encode_to_vec(),
        "GetAssignment" => GetAssignmentRequest { assignment_id }.encode_to_vec(),
        "ListAssignments" => {
            ListAssignmentsRequest { org_id: ids.org.clone(), ..Default::default() }.encode_to_vec()
        }
        "CancelAssignment" => CancelAssignmentRequest {
            assignment_id,
            reason: format!("reason {}", ids.variant),
            request_id: ids.request.clone(),
            ..Default::default()
        }
        .encode_to_vec(),
        "ReassignAssignment" => ReassignAssignmentRequest {
            assignment_id,
            user_id: ids.user + 9_000,
            reason: format!("reason {}", ids.variant),
            request_id: ids.request.clone(),
            ..Default::default()
        }
        .encode_to_vec(),
        "RetryAssignment" => {
            RetryAssignmentRequest { assignment_id, request_id: ids.request.clone() }
                .encode_to_vec()
        }
        "WatchAssignment" => WatchAssignmentRequest { assignment_id }.encode_to_vec(),
        _ => missing(name),
    }
}

fn bots(name: &str, ids: &Ids) -> Vec<u8> {
    match name {
        "RegisterBot" => RegisterBotRequest {
            org_id: ids.org.clone(),
            steam_id: ids.bot_steam + 7_000 + u64::from(ids.variant),
            request_id: ids.request.clone(),
            ..Default::default()
        }
        .encode_to_vec(),
        "ListBots" => {
            ListBotsRequest { org_id: ids.org.clone(), ..Default::default() }.encode_to_vec()
        }
        "GetBot" => GetBotRequest { bot_id: ids.bot.clone() }.encode_to_vec(),
        "RemoveBot" => {
            RemoveBotRequest { bot_id: ids.bot.clone(), request_id: ids.request.clone() }
                .encode_to_vec()
        }
        "PauseBot" => PauseBotRequest {
            bot_id: ids.bot.clone(),
            paused: ids.variant.is_multiple_of(2),
            request_id: ids.request.clone(),
        }
        .encode_to_vec(),
        _ => missing(name),
    }
}

fn session(ids: &Ids) -> Vec<u8> {
    let hello = Hello { steam_id: ids.bot_steam, takeover: true, ..Default::default() };
    SessionRequest { event_seq: 0, frame: Some(Frame::Hello(hello)) }.encode_to_vec()
}

fn donations(name: &str, ids: &Ids) -> Vec<u8> {
    let (org_id, donation_id) = (ids.org.clone(), ids.donation.clone());
    match name {
        "GetDonation" => GetDonationRequest { donation_id }.encode_to_vec(),
        "ListDonations" => ListDonationsRequest { org_id, ..Default::default() }.encode_to_vec(),
        _ => missing(name),
    }
}

fn events(name: &str, ids: &Ids) -> Vec<u8> {
    let org_id = ids.org.clone();
    match name {
        "ListEvents" => ListEventsRequest { org_id, ..Default::default() }.encode_to_vec(),
        "WatchEvents" => WatchEventsRequest { org_id, ..Default::default() }.encode_to_vec(),
        _ => missing(name),
    }
}

fn items(name: &str, ids: &Ids) -> Vec<u8> {
    let (org_id, item_id) = (ids.org.clone(), ids.item.clone());
    let request_id = ids.request.clone();
    match name {
        "GetItem" => GetItemRequest { item_id }.encode_to_vec(),
        "ListItems" => ListItemsRequest { org_id, ..Default::default() }.encode_to_vec(),
        "UpdateItem" => {
            let labels = [("variant".to_owned(), ids.variant.to_string())].into();
            let item = Item { id: item_id, labels, ..Default::default() };
            let update_mask = prost_types::FieldMask { paths: vec!["labels".to_owned()] };
            UpdateItemRequest { item: Some(item), update_mask: Some(update_mask), request_id }
                .encode_to_vec()
        }
        "ReserveItems" => ReserveItemsRequest {
            org_id,
            item_ids: vec![item_id],
            ttl_seconds: 600 + i32::try_from(ids.variant).unwrap_or_default(),
            request_id,
            ..Default::default()
        }
        .encode_to_vec(),
        "ListReservations" => {
            ListReservationsRequest { org_id, ..Default::default() }.encode_to_vec()
        }
        "ReleaseReservation" => {
            ReleaseReservationRequest { reservation_id: ids.reservation.clone(), request_id }
                .encode_to_vec()
        }
        "ListItemHistory" => {
            ListItemHistoryRequest { item_id, ..Default::default() }.encode_to_vec()
        }
        _ => missing(name),
    }
}

fn organizations(name: &str, ids: &Ids) -> Vec<u8> {
    match name {
        "CreateOrganization" => CreateOrganizationRequest {
            slug: format!("made-by-a-test-{}", ids.variant),
            request_id: ids.request.clone(),
            ..Default::default()
        }
        .encode_to_vec(),
        "UpdateOrganization" => {
            let organization = Organization {
                id: ids.org.clone(),
                display_name: format!("Changed by a test {}", ids.variant),
                ..Default::default()
            };
            let update_mask = prost_types::FieldMask { paths: vec!["display_name".to_owned()] };
            UpdateOrganizationRequest {
                organization: Some(organization),
                update_mask: Some(update_mask),
                request_id: ids.request.clone(),
            }
            .encode_to_vec()
        }
        "GetOrganization" => GetOrganizationRequest { org_id: ids.org.clone() }.encode_to_vec(),
        "ListOrganizations" => ListOrganizationsRequest::default().encode_to_vec(),
        _ => missing(name),
    }
}

fn reports(name: &str, ids: &Ids) -> Vec<u8> {
    let org_id = ids.org.clone();
    match name {
        "GetOverview" => GetOverviewRequest { org_id }.encode_to_vec(),
        "ListReportRows" => ListReportRowsRequest {
            org_id,
            dimension: ReportDimension::Day.into(),
            of_dimension: ReportDimension::Method.into(),
            of_key: "giveaway".to_owned(),
            ..Default::default()
        }
        .encode_to_vec(),
        _ => missing(name),
    }
}

fn syncs(name: &str, ids: &Ids) -> Vec<u8> {
    let (org_id, bot_id) = (ids.org.clone(), ids.bot.clone());
    match name {
        "StartSync" => StartSyncRequest { bot_id, request_id: ids.request.clone() }.encode_to_vec(),
        "GetSync" => GetSyncRequest { sync_id: ids.sync.clone() }.encode_to_vec(),
        "ListSyncs" => ListSyncsRequest { org_id, bot_id, ..Default::default() }.encode_to_vec(),
        "ListDiscrepancies" => {
            ListDiscrepanciesRequest { org_id, ..Default::default() }.encode_to_vec()
        }
        "ResolveDiscrepancy" => ResolveDiscrepancyRequest {
            discrepancy_id: ids.discrepancy.clone(),
            resolution: DiscrepancyResolution::Ignore.into(),
            note: format!("note {}", ids.variant),
            request_id: ids.request.clone(),
        }
        .encode_to_vec(),
        _ => missing(name),
    }
}

fn users(name: &str, ids: &Ids) -> Vec<u8> {
    let (org_id, user_id) = (ids.org.clone(), ids.user);
    match name {
        "GetUser" => GetUserRequest { org_id, user_id }.encode_to_vec(),
        "ListUsers" => ListUsersRequest { org_id, ..Default::default() }.encode_to_vec(),
        "SetTradeUrl" => {
            let partner = user_id & 0xFFFF_FFFF;
            let token = format!("token{:03}", ids.variant);
            SetTradeUrlRequest {
                org_id,
                user_id,
                trade_url: format!(
                    "https://steamcommunity.com/tradeoffer/new/?partner={partner}&token={token}"
                ),
                request_id: ids.request.clone(),
            }
            .encode_to_vec()
        }
        _ => missing(name),
    }
}

#[test]
fn every_rpc_has_a_request() {
    for method in METHODS {
        request(method, &Ids::default());
    }
}
