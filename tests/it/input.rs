//! Whatever comes in is answered as the contract says: a refusal has its documented code, reason
//! and details, names the field, tells no secret and changes nothing.

mod pool;
mod rest;
mod table;
mod values;

use std::collections::BTreeSet;

use astro_sdk::methods::{METHODS, Method, Reason, reason};
use astro_sdk::v1::*;
use astro_sdk::{Code, Error, new_request_id};
use astro_tests::{Backend, DEADLINE, Raw, on_databases_in_turn, on_each_database, sql};
use prost_reflect::{DescriptorPool, Kind, MessageDescriptor};
use tonic::Status;
use tonic_types::StatusExt;

use crate::requests::{Ids, request};
use crate::world::World;
use table::{Case, Facts};

on_each_database!(
    a_request_that_cannot_be_served_is_refused_by_name_and_changes_nothing,
    a_good_request_is_taken_and_one_that_works_once_is_refused_the_second_time,
    mangled_messages_are_refused_or_served,
);

on_databases_in_turn!(
    a_message_that_is_too_large_or_none_is_refused_and_the_server_goes_on,
    a_method_that_nobody_knows_is_said_to_be_so,
);

/// Methods whose requests have no field.
const FIELDLESS: [&str; 1] = ["/astro.v1.AccessService/GetCaller"];

/// What an item may carry into UpdateItem; the mask keeps everything else out.
const UPDATED: [&str; 6] = [
    "item.id",
    "item.etag",
    "item.labels",
    "item.custom_metadata",
    "item.market_value.currency_code",
    "item.market_value.minor_units",
];

/// What an organisation carries into UpdateOrganization likewise.
const SETTINGS: [&str; 12] = [
    "organization.id",
    "organization.display_name",
    "organization.donation_keyword",
    "organization.donation_app_ids",
    "organization.claim_ttl_seconds",
    "organization.offer_ttl_seconds",
    "organization.donation_rules.items_per_day_max",
    "organization.donation_rules.value_per_day_max_cents",
    "organization.donation_rules.item_value_min_cents",
    "organization.donation_rules.junk_names",
    "organization.donation_rules.denied_user_ids",
    "organization.donation_rules.thanks",
];

/// What a key carries into UpdateApiKey likewise.
const KEY: [&str; 5] = [
    "api_key.id",
    "api_key.display_name",
    "api_key.read_rate",
    "api_key.write_rate",
    "api_key.stream_rate",
];

/// How much there is of what a request can change. A worker's session may end by itself.
const EVERYTHING: &str = "
    SELECT 'event ' || seq AS line FROM system_events WHERE source NOT LIKE 'bot:%'
    UNION SELECT 'item ' || count(*) || ' ' || sum(version) FROM items
    UNION SELECT 'assignment ' || count(*) || ' ' || sum(version) FROM assignments
    UNION SELECT 'assignment item ' || count(*) FROM assignment_items
    UNION SELECT 'attempt ' || count(*) FROM delivery_attempts
    UNION SELECT 'reservation ' || state || ' ' || count(*) FROM reservations GROUP BY state
    UNION SELECT 'request ' || count(*) FROM request_log
    UNION SELECT 'key ' || count(*) || ' ' || count(revoked_at) FROM api_keys
    UNION SELECT 'key ' || display_name || ' ' || (read_rate + write_rate + stream_rate) FROM api_keys
    UNION SELECT 'user ' || count(*) || ' ' || count(trade_token) FROM users
    UNION SELECT 'organization ' || count(*) FROM organizations
    UNION SELECT 'bot ' || count(*) FROM bots
    UNION SELECT 'sync ' || count(*) FROM inventory_sync_log
    UNION SELECT 'discrepancy ' || count(*) || ' ' || count(resolved_at) FROM discrepancies
    ORDER BY line";

/// Methods that take the same request once, and why not again.
const ONCE: [(&str, ErrorReason); 8] = [
    ("/astro.v1.AssignmentService/CreateAssignment", ErrorReason::ItemNotAvailable),
    ("/astro.v1.AssignmentService/CancelAssignment", ErrorReason::AssignmentState),
    ("/astro.v1.AssignmentService/ReassignAssignment", ErrorReason::AssignmentState),
    ("/astro.v1.BotService/RegisterBot", ErrorReason::BotExists),
    ("/astro.v1.ItemService/ReserveItems", ErrorReason::ItemNotAvailable),
    ("/astro.v1.ItemService/ReleaseReservation", ErrorReason::ReservationEnded),
    ("/astro.v1.OrganizationService/CreateOrganization", ErrorReason::OrganizationExists),
    ("/astro.v1.SyncService/ResolveDiscrepancy", ErrorReason::DiscrepancyState),
];

async fn a_request_that_cannot_be_served_is_refused_by_name_and_changes_nothing(backend: Backend) {
    let (world, facts) = prepared(backend).await;
    let mut conn = sql::open(&world.app.database_url).unwrap();
    let before = sql::lines(&mut conn, EVERYTHING).unwrap();
    let raw = world.app.raw();
    let mut wrong = Vec::new();
    let cases = table::cases(&facts);
    for case in &cases {
        let answer = send(&raw, &world, case.method, case.message.clone()).await;
        if let Err(problem) = answer
            .map_or_else(|status| judge(&world, case, &status), |()| Err("was served".to_owned()))
        {
            let Case { method, field, value, .. } = case;
            wrong.push(format!("{}: {field} = {value}: {problem}", method.path));
        }
    }
    let count = cases.len();
    assert!(wrong.is_empty(), "{} of {count} cases:\n{}", wrong.len(), wrong.join("\n"));
    let after = sql::lines(&mut conn, EVERYTHING).unwrap();
    assert_eq!(after, before, "a refused request changed something");
    world.app.client.raw().access().get_caller(GetCallerRequest {}).await.unwrap();
}

async fn a_good_request_is_taken_and_one_that_works_once_is_refused_the_second_time(
    backend: Backend,
) {
    let world = World::new(backend, 2).await;
    let raw = world.app.raw();
    // Cancelling ends what the others need.
    let (last, mut methods): (Vec<&Method>, Vec<&Method>) =
        public().partition(|method| method.name == "CancelAssignment");
    methods.extend(last);
    for method in methods {
        let mut ids = world.ids.clone();
        if method.name == "ReserveItems" {
            ids.item.clone_from(&world.free[0].id);
        }
        if method.name == "ReassignAssignment" {
            let winner = world.app.sim.account_named("winner").unwrap();
            ids.assignment = world.app.assign(&world.free[1..], &winner).await.id;
        }
        if method.name == "RemoveBot" {
            ids.bot = world.app.further_bot("mistake").await.id;
        }
        let message = request(method, &ids);
        let taken = send(&raw, &world, method, message.clone()).await;
        assert!(taken.is_ok(), "{}: {taken:?}", method.path);
        let Some((_, reason)) = ONCE.iter().find(|(path, _)| *path == method.path) else {
            continue;
        };
        let value = "sent twice".to_owned();
        let case = Case { method, field: "", value, message: message.clone(), reason: *reason };
        let status = send(&raw, &world, method, message).await.unwrap_err();
        judge(&world, &case, &status).unwrap_or_else(|why| panic!("{}: {why}", method.path));
    }
}

#[test]
fn every_field_of_every_rpc_has_a_case() {
    let cases = table::cases(&Facts { ids: some_ids(), ..Facts::default() });
    let pool = DescriptorPool::decode(astro_sdk::file_descriptor_set()).unwrap();
    let mut missing = Vec::new();
    for method in public() {
        let service = pool.get_service_by_name(method.service).unwrap();
        let found = service.methods().find(|found| found.name() == method.name).unwrap();
        let own: BTreeSet<&str> =
            cases.iter().filter(|case| case.method == method).map(|case| case.field).collect();
        assert_eq!(own.is_empty(), FIELDLESS.contains(&method.path), "{} has no case", method.path);
        let mut fields = Vec::new();
        leaves(&found.input(), "", &mut fields);
        fields.retain(|field| !field.starts_with("item.") || UPDATED.contains(&field.as_str()));
        let outside = |field: &str| !field.starts_with("organization.");
        fields.retain(|field| outside(field) || SETTINGS.contains(&field.as_str()));
        fields.retain(|field| !field.starts_with("api_key.") || KEY.contains(&field.as_str()));
        fields.retain(|field| !own.contains(field.as_str()));
        missing.extend(fields.into_iter().map(|field| format!("{}: {field}", method.path)));
    }
    assert!(missing.is_empty(), "no case in tests/it/input/ for\n{}", missing.join("\n"));
}

#[test]
fn every_reason_that_an_rpc_documents_has_a_case_and_the_other_way_round() {
    let cases = table::cases(&Facts { ids: some_ids(), ..Facts::default() });
    let once = |method: &Method, reason| ONCE.contains(&(method.path, reason));
    for method in public() {
        for reason in method.reasons {
            let tried = cases.iter().any(|case| case.method == method && case.reason == *reason);
            assert!(tried || once(method, *reason), "{}: no case for {reason:?}", method.path);
        }
    }
    for Case { method, reason, .. } in &cases {
        let documented = method.reasons.contains(reason) || *reason == ErrorReason::FieldInvalid;
        assert!(documented, "{}: {reason:?} is not documented", method.path);
    }
}

async fn a_message_that_is_too_large_or_none_is_refused_and_the_server_goes_on(backend: Backend) {
    let world = World::new(backend, 0).await;
    let raw = world.app.raw();
    let unreadable = [vec![0xff; 3], vec![0x0a, 0x7f], vec![0x0b], b"not a message".to_vec()];
    for method in public() {
        let case =
            |reason| Case { method, field: "", value: String::new(), message: Vec::new(), reason };
        let status = send(&raw, &world, method, vec![0; 5 << 20]).await.unwrap_err();
        let judged = judge(&world, &case(ErrorReason::LimitExceeded), &status);
        judged.unwrap_or_else(|why| panic!("{}: 5 MiB: {why}", method.path));
        for message in &unreadable {
            let status = send(&raw, &world, method, message.clone()).await.unwrap_err();
            let judged = judge(&world, &case(ErrorReason::FieldInvalid), &status);
            judged.unwrap_or_else(|why| panic!("{}: {message:?}: {why}", method.path));
        }
    }
    world.app.client.raw().access().get_caller(GetCallerRequest {}).await.unwrap();
}

async fn a_method_that_nobody_knows_is_said_to_be_so(backend: Backend) {
    let world = World::new(backend, 0).await;
    let bearer = format!("Bearer {}", world.key);
    for path in [
        "/astro.v1.ItemService/StealItem",
        "/astro.v1.NoService/GetItem",
        "/astro.v2.ItemService/GetItem",
        "/astro.v1.ItemService/GetItem/",
        "/astro.v1.ItemService/getitem",
        "/astro.v1.ItemService",
    ] {
        let status = world.app.raw().call(path, Some(&bearer), Vec::new()).await.unwrap_err();
        let error = Error::from(status);
        assert_eq!(error.code, Code::Unimplemented, "{path}: {error}");
        assert!(error.is(ErrorReason::MethodUnknown), "{path}: {error:?}");
    }
    let refused = world.app.raw().call("/other.Service/Method", Some(&bearer), Vec::new()).await;
    assert_eq!(refused.unwrap_err().code(), Code::Unimplemented);
}

/// Bytes that no encoder makes, from every valid message: cut short, one bit changed, doubled.
async fn mangled_messages_are_refused_or_served(backend: Backend) {
    let world = World::new(backend, 0).await;
    let admin_key = world.app.admin_key();
    let mut chance = Chance(0x5DEE_CE66);
    for method in METHODS {
        let message = request(method, &Ids { variant: 1, ..world.ids.clone() });
        let keys = [&world.key, &world.app.bot_key, &admin_key];
        for round in 0..24 {
            let mangled = chance.mangle(&message, round);
            let call = world.call(method, keys[round % keys.len()], mangled.clone());
            let Ok(answer) = tokio::time::timeout(DEADLINE, call).await else {
                panic!("{}: no answer to {mangled:?}", method.path);
            };
            let Err(status) = answer else { continue };
            let error = Error::from(status);
            // The first message of a session is read after the layer has let it in.
            let session = error.code == Code::Internal && method.client_streaming;
            let documented =
                error.known_reason().is_some_and(|reason| reason != ErrorReason::Internal);
            assert!(documented || session, "{}: {error:?}: {mangled:?}", method.path);
        }
    }
    world.app.client.raw().access().get_caller(GetCallerRequest {}).await.unwrap();
}

/// Checks that an error has the details which its reason documents: "+ BadRequest", "+ RetryInfo"
/// and "metadata: item_id, state.".
///
/// # Errors
/// What is missing.
pub(crate) fn check_details(reason: &Reason, error: &Error) -> Result<(), String> {
    if let Some((_, rest)) = reason.docs.split_once("metadata: ") {
        for key in rest.split('.').next().unwrap_or_default().split(", ") {
            if error.metadata.get(key).is_none_or(String::is_empty) {
                return Err(format!("no {key} in the metadata: {error:?}"));
            }
        }
    }
    if reason.docs.contains("+ BadRequest") && error.field_violations.is_empty() {
        return Err(format!("no BadRequest: {error:?}"));
    }
    if reason.docs.contains("+ RetryInfo") && error.retry_delay.is_none() {
        return Err(format!("no RetryInfo: {error:?}"));
    }
    Ok(())
}

/// Compares a refusal with what the case and the contract ask for.
fn judge(world: &World, case: &Case, status: &Status) -> Result<(), String> {
    let wanted = reason(case.reason).ok_or("the contract has no such reason")?;
    let error = Error::from(status.clone());
    let info = status.get_details_error_info();
    let domain = info.map(|info| info.domain).unwrap_or_default();
    let found = (error.code, error.reason.as_str(), domain.as_str());
    if found != (wanted.code, wanted.name, "astro.dev") {
        return Err(format!("not {} {:?} but {found:?}: {error}", wanted.name, wanted.code));
    }
    check_details(wanted, &error)?;
    if case.reason == ErrorReason::FieldInvalid && !case.field.is_empty() {
        let named = (error.metadata["field"].as_str(), error.field_violations[0].field.as_str());
        if named != (case.field, case.field) {
            return Err(format!("names {named:?}: {error}"));
        }
    }
    let text = format!("{status:?} {}", String::from_utf8_lossy(status.details()));
    let keys = [&world.key, &world.app.admin_key(), &world.app.client_key, &world.app.bot_key];
    let secrets = keys.into_iter().filter_map(|key| key.rsplit('_').next());
    match secrets.chain([values::TOKEN]).find(|secret| text.contains(*secret)) {
        Some(secret) => Err(format!("tells {secret}: {text}")),
        None => Ok(()),
    }
}

async fn send(raw: &Raw, world: &World, method: &Method, message: Vec<u8>) -> Result<(), Status> {
    // Only the platform makes organisations.
    let platform = method.name == "CreateOrganization";
    let key = if platform { world.app.admin_key() } else { world.key.clone() };
    let bearer = format!("Bearer {key}");
    let call = raw.call(method.path, Some(&bearer), message);
    let answer = tokio::time::timeout(DEADLINE, call).await;
    answer.unwrap_or_else(|_| Err(Status::deadline_exceeded("no answer"))).map(drop)
}

/// The methods that clients call; bots have a protocol of their own.
fn public() -> impl Iterator<Item = &'static Method> {
    METHODS.iter().filter(|method| method.service.starts_with("astro.v1."))
}

/// A world with everything that the table names.
async fn prepared(backend: Backend) -> (World, Facts) {
    let mut world = World::new(backend, 3).await;
    let request = ListEventsRequest::default();
    let listed = world.app.client.raw().events().list_events(request).await.unwrap().into_inner();
    let expired_token = listed.resume_token;
    world.app.stop_server().await;
    let mut conn = sql::open(&world.app.database_url).unwrap();
    let other = match backend {
        Backend::Postgres => "gen_random_uuid()",
        Backend::Sqlite => "randomblob(16)",
    };
    sql::run(&mut conn, &format!("UPDATE event_chain SET log_id = {other}")).unwrap();
    drop(conn);
    world.app.restart_server().await;

    let (app, free) = (&world.app, &world.free);
    let winner = app.sim.account_named("winner").unwrap();
    let item_ids = vec![free[0].id.clone()];
    let request = ReserveItemsRequest { item_ids, ..Default::default() };
    let reserved = app.client.raw().items().reserve_items(request).await.unwrap().into_inner();
    let ended_reservation = reserved.reservation.unwrap().id;
    let reservation_id = ended_reservation.clone();
    let request = ReleaseReservationRequest { reservation_id, ..Default::default() };
    app.client.raw().items().release_reservation(request).await.unwrap();
    let cancelled = app.assign(&free[1..2], &winner).await.id;
    let assignment_id = cancelled.clone();
    let request = CancelAssignmentRequest { assignment_id, ..Default::default() };
    app.client.raw().assignments().cancel_assignment(request).await.unwrap();
    let external_id = "taken".to_owned();
    let request = CreateAssignmentRequest {
        external_system: "tests".to_owned(),
        external_id: external_id.clone(),
        ..app.prize(&free[2..3], &winner)
    };
    app.client.raw().assignments().create_assignment(request).await.unwrap();
    let used_request = new_request_id();
    for client in [app.admin.clone(), app.client_with(&world.key)] {
        let request = SetTradeUrlRequest {
            org_id: app.org_id.clone(),
            trade_url: winner.trade_url(),
            request_id: used_request.clone(),
            ..Default::default()
        };
        client.raw().users().set_trade_url(request).await.unwrap();
    }
    let request =
        ListItemsRequest { page_size: 1, org_id: app.org_id.clone(), ..Default::default() };
    let page = app.client_with(&world.key).raw().items().list_items(request).await.unwrap();
    let page_token = page.into_inner().next_page_token;
    assert!(!page_token.is_empty());
    let ids = world.ids.clone();
    let facts = Facts {
        ids,
        page_token,
        expired_token,
        used_request,
        ended_reservation,
        cancelled,
        external_id,
    };
    (world, facts)
}

/// Ids that are good enough to build requests with, when no server looks at them.
fn some_ids() -> Ids {
    Ids { item: values::unknown(), assignment: values::unknown(), ..Ids::default() }
}

/// Paths of the fields that can be wrong: all but the booleans.
fn leaves(message: &MessageDescriptor, prefix: &str, found: &mut Vec<String>) {
    for field in message.fields() {
        let path = format!("{prefix}{}", field.name());
        let kind = field.kind();
        let inner = kind.as_message().filter(|inner| inner.full_name().starts_with("astro.v1."));
        match inner {
            Some(inner) if !field.is_map() => leaves(inner, &format!("{path}."), found),
            Some(_) | None if kind != Kind::Bool => found.push(path),
            Some(_) | None => {}
        }
    }
}

/// The same numbers in each run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % limit.max(1)
    }

    fn mangle(&mut self, message: &[u8], round: usize) -> Vec<u8> {
        let mut bytes = message.to_vec();
        match round % 4 {
            0 => bytes.truncate(self.below(message.len())),
            1 if !bytes.is_empty() => {
                let at = self.below(bytes.len());
                bytes[at] ^= 1 << self.below(8);
            }
            2 => bytes = (0..self.below(64)).map(|_| self.below(256).to_le_bytes()[0]).collect(),
            _ => bytes.extend_from_slice(message),
        }
        bytes
    }
}
