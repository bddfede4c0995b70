//! The server keeps the contract: its generated code, its reasons, and what it tells of itself.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use astro_sdk::methods::{METHODS, REASONS};
use astro_server::donations::{DONATION, DonationId};
use astro_server::items::{ITEM, RESERVATION, ReservationId};
use astro_server::kernel::error::Error as Refusal;
use astro_server::kernel::{AssignmentId, BotId, ItemId, ORGANIZATION, OrgId, SteamId};
use astro_server::sync::{DISCREPANCY, DiscrepancyId, SYNC, SyncId};
use astro_server::{assignments, auth, bots, events, items, orgs, sync, users};
use astro_tests::{App, Backend, on_databases_in_turn};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tonic_reflection::pb::{v1, v1alpha};
use uuid::Uuid;

on_databases_in_turn!(
    reflection_tells_every_service_in_both_versions,
    reflection_knows_the_details_that_errors_carry,
    health_is_serving_for_the_server_and_for_each_service,
);

const HEALTH: &str = "grpc.health.v1.Health";

#[test]
fn the_generated_code_is_that_of_the_contract() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    sdk_gen::check(root).unwrap();
}

#[test]
fn the_server_gives_exactly_the_reasons_of_the_contract_with_their_codes() {
    let given: BTreeMap<&str, Code> = refusals().map(|refusal| pair(&refusal)).collect();
    let promised: BTreeMap<&str, Code> = REASONS.iter().map(|r| (r.name, r.code)).collect();
    let names = |of: &BTreeMap<&str, Code>| {
        of.iter().map(|(name, code)| format!("{name} {code:?}")).collect::<BTreeSet<String>>()
    };
    assert_eq!(names(&given), names(&promised));
}

#[test]
fn a_refusal_carries_the_details_that_its_reason_documents() {
    for refusal in refusals() {
        let error = astro_sdk::Error::from(Status::from(refusal));
        let reason = REASONS.iter().find(|reason| reason.name == error.reason).unwrap();
        crate::input::check_details(reason, &error).unwrap();
    }
}

async fn reflection_tells_every_service_in_both_versions(backend: Backend) {
    let app = App::start(backend).await;
    let wanted = services();
    let channel = channel(&app);

    use v1::server_reflection_request::MessageRequest;
    use v1::server_reflection_response::MessageResponse;
    let asked = v1::ServerReflectionRequest {
        message_request: Some(MessageRequest::ListServices(String::new())),
        ..Default::default()
    };
    let mut client = v1::server_reflection_client::ServerReflectionClient::new(channel.clone());
    let answers = client.server_reflection_info(tokio_stream::once(asked)).await.unwrap();
    let answer = answers.into_inner().message().await.unwrap().unwrap().message_response;
    let Some(MessageResponse::ListServicesResponse(list)) = answer else { panic!("{answer:?}") };
    let told: BTreeSet<String> = list.service.into_iter().map(|service| service.name).collect();
    assert!(told.is_superset(&wanted), "{told:?}");

    use v1alpha::server_reflection_request::MessageRequest as AlphaRequest;
    use v1alpha::server_reflection_response::MessageResponse as AlphaResponse;
    let asked = v1alpha::ServerReflectionRequest {
        message_request: Some(AlphaRequest::FileContainingSymbol("astro.v1.ItemService".into())),
        ..Default::default()
    };
    let mut client = v1alpha::server_reflection_client::ServerReflectionClient::new(channel);
    let asked = [asked.clone(), {
        let list = Some(AlphaRequest::ListServices(String::new()));
        v1alpha::ServerReflectionRequest { message_request: list, ..asked }
    }];
    let answers = client.server_reflection_info(tokio_stream::iter(asked)).await.unwrap();
    let mut answers = answers.into_inner();
    let file = answers.message().await.unwrap().unwrap().message_response;
    assert!(matches!(file, Some(AlphaResponse::FileDescriptorResponse(_))), "{file:?}");
    let list = answers.message().await.unwrap().unwrap().message_response;
    let Some(AlphaResponse::ListServicesResponse(list)) = list else { panic!("{list:?}") };
    let told: BTreeSet<String> = list.service.into_iter().map(|service| service.name).collect();
    assert!(told.is_superset(&wanted), "{told:?}");
}

async fn reflection_knows_the_details_that_errors_carry(backend: Backend) {
    use v1::server_reflection_request::MessageRequest;
    use v1::server_reflection_response::MessageResponse;
    let app = App::start(backend).await;
    let symbols = ["google.rpc.Status", "google.rpc.ErrorInfo", "google.rpc.BadRequest"];
    let symbols = symbols.into_iter().chain(["google.rpc.RetryInfo"]);
    let files = ["google/protobuf/any.proto", "google/protobuf/duration.proto"];
    let asked = symbols
        .map(|symbol| MessageRequest::FileContainingSymbol(symbol.to_owned()))
        .chain(files.map(|file| MessageRequest::FileByFilename(file.to_owned())))
        .map(Some)
        .map(|message_request| v1::ServerReflectionRequest {
            message_request,
            ..Default::default()
        });
    let mut client = v1::server_reflection_client::ServerReflectionClient::new(channel(&app));
    let asked: Vec<_> = asked.collect();
    let stream = tokio_stream::iter(asked.clone());
    let mut answers = client.server_reflection_info(stream).await.unwrap().into_inner();
    for asked in asked {
        let answer = answers.message().await.unwrap().unwrap().message_response;
        let found = matches!(answer, Some(MessageResponse::FileDescriptorResponse(_)));
        assert!(found, "{asked:?}: {answer:?}");
    }
}

async fn health_is_serving_for_the_server_and_for_each_service(backend: Backend) {
    let app = App::start(backend).await;
    let mut client = HealthClient::new(channel(&app));
    let services = METHODS.iter().map(|method| method.service).chain([""]);
    for service in services.collect::<BTreeSet<&str>>() {
        let request = HealthCheckRequest { service: service.to_owned() };
        let answer = client.check(request).await.unwrap().into_inner();
        assert_eq!(answer.status(), ServingStatus::Serving, "{service:?}");
    }
    let request = HealthCheckRequest { service: "astro.v1.NoService".to_owned() };
    assert_eq!(client.check(request).await.unwrap_err().code(), Code::NotFound);
}

fn channel(app: &App) -> Channel {
    Endpoint::from_shared(app.relay.endpoint()).unwrap().connect_lazy()
}

fn services() -> BTreeSet<String> {
    let own = METHODS.iter().map(|method| method.service.to_owned());
    own.chain([HEALTH.to_owned()]).collect()
}

fn pair(refusal: &Refusal) -> (&'static str, Code) {
    let (_, reason) = refusal.kind_and_reason();
    (reason, Status::from(refusal.clone()).code())
}

/// One of each kind.
fn refusals() -> impl Iterator<Item = Refusal> {
    let own = std::iter::successors(Some(Refusal::invalid("field", "is wrong")), after);
    own.chain(of_slices())
}

/// One of each kind that the slices have.
fn of_slices() -> Vec<Refusal> {
    let steam = SteamId::parse("steam_id", 76_561_197_960_265_729).expect("a person's number");
    let (item, assignment) = (ItemId(Uuid::nil()), AssignmentId(Uuid::nil()));
    let (reservation, bot) = (ReservationId(Uuid::nil()), BotId(Uuid::nil()));
    vec![
        events::resume_token_invalid(),
        events::resume_token_expired(),
        ITEM.missing(item),
        items::not_available(item, "text"),
        items::not_enough(2, 1),
        RESERVATION.missing(reservation),
        items::reservation_ended(reservation, "text"),
        assignments::ASSIGNMENT.missing(assignment),
        assignments::state_forbids(assignment, "text"),
        assignments::external_id_exists(assignment),
        bots::BOT.missing(bot),
        bots::registered_already(steam),
        bots::lease_held(bot, "text"),
        bots::lease_lost(bot),
        bots::protocol_broken("text"),
        bots::in_use(bot, "text"),
        SYNC.missing(SyncId(Uuid::nil())),
        DISCREPANCY.missing(DiscrepancyId(Uuid::nil())),
        sync::resolved_already(DiscrepancyId(Uuid::nil())),
        DONATION.missing(DonationId(Uuid::nil())),
        users::unknown(steam),
        ORGANIZATION.missing(OrgId(Uuid::nil())),
        orgs::slug_taken("text"),
        auth::API_KEY.missing("text"),
        auth::SESSION.missing("text"),
    ]
}

/// The kind of the kernel's own that follows in the list. A new kind does not compile before it stands here: let the
/// one above it lead to it.
fn after(refusal: &Refusal) -> Option<Refusal> {
    use Refusal as R;
    let text = || "text".to_owned();
    Some(match refusal {
        R::Invalid { .. } => R::KeyInvalid,
        R::KeyInvalid => R::ScopeMissing(text()),
        R::ScopeMissing(_) => R::LimitExceeded("text"),
        R::LimitExceeded(_) => R::TooFast { limit: "read", rate: 1, wait: Duration::from_secs(1) },
        R::TooFast { wait, .. } => R::LockedOut { wait: *wait },
        R::LockedOut { .. } => R::RequestIdReused(text()),
        R::RequestIdReused(_) => R::PageToken,
        R::PageToken => R::Etag(text()),
        R::Etag(_) => R::Conflict(text()),
        R::Conflict(_) => R::Taken(text()),
        R::Taken(_) => R::Unavailable(text()),
        R::Unavailable(_) => R::Stopping,
        R::Stopping => R::MethodUnknown(text()),
        R::MethodUnknown(_) => R::Internal(text()),
        R::Internal(_) | R::NotFound { .. } | R::Refused(_) => return None,
    })
}
