//! Calls through a connection whose far end is a closure, in paused time.

use std::sync::{Arc, Mutex};

use prost::Message;
use tonic_types::{ErrorDetails, StatusExt};
use tower::service_fn;

use super::super::request_id::FRAME_HEADER_BYTES;
use super::*;
use crate::v1::access_service_client::AccessServiceClient;
use crate::v1::event_service_client::EventServiceClient;
use crate::v1::item_service_client::ItemServiceClient;
use crate::v1::{
    CreateApiKeyRequest, GetItemRequest, GetItemResponse, ReleaseReservationRequest,
    RevokeApiKeyRequest, WatchEventsRequest,
};

/// One attempt as the far end saw it.
#[derive(Debug, Clone)]
struct Seen {
    headers: HeaderMap,
    message: Bytes,
    at: Instant,
}

type Log = Arc<Mutex<Vec<Seen>>>;
type FarEnd = tower::util::BoxCloneService<Request<Body>, Response<Body>, BoxError>;

/// A far end that answers attempt n (from 0) with `answer(n)` and logs what it saw.
fn far_end<F>(answer: F) -> (Connection<FarEnd>, Log)
where
    F: Fn(usize) -> Result<Response<Body>, BoxError> + Clone + Send + 'static,
{
    let log = Log::default();
    let seen = Arc::clone(&log);
    let service = service_fn(move |request: Request<Body>| {
        let (seen, answer) = (Arc::clone(&seen), answer.clone());
        async move {
            let (parts, body) = request.into_parts();
            let message = body.collect().await?.to_bytes().slice(FRAME_HEADER_BYTES..);
            let mut seen = seen.lock().unwrap();
            seen.push(Seen { headers: parts.headers, message, at: Instant::now() });
            answer(seen.len() - 1)
        }
    });
    let key = HeaderValue::from_static("Bearer key");
    (Connection::new(FarEnd::new(service), Some(key)), log)
}

fn refuse(status: Status) -> Result<Response<Body>, BoxError> {
    Ok(status.into_http())
}

fn succeed() -> Result<Response<Body>, BoxError> {
    let message = GetItemResponse::default().encode_to_vec();
    let mut framed = vec![0];
    framed.extend(u32::try_from(message.len())?.to_be_bytes());
    framed.extend(message);
    let trailers = HeaderMap::from_iter([(Status::GRPC_STATUS, HeaderValue::from_static("0"))]);
    let body = Full::new(Bytes::from(framed)).with_trailers(async move { Some(Ok(trailers)) });
    let mut response = Response::new(Body::new(body));
    let grpc = HeaderValue::from_static("application/grpc");
    response.headers_mut().insert(http::header::CONTENT_TYPE, grpc);
    Ok(response)
}

fn get() -> GetItemRequest {
    GetItemRequest { item_id: "1".into() }
}

#[tokio::test(start_paused = true)]
async fn a_call_is_repeated_until_the_server_is_back() {
    let (connection, log) =
        far_end(|n| if n < 3 { refuse(Status::unavailable("away")) } else { succeed() });
    ItemServiceClient::new(connection).get_item(get()).await.unwrap();
    let log = log.lock().unwrap();
    assert_eq!(log.len(), 4);
    assert!(log.iter().all(|seen| seen.headers["authorization"] == "Bearer key"));
    assert!(log.iter().all(|seen| seen.message == log[0].message));
    let attempts: Vec<&HeaderValue> =
        log.iter().map(|seen| &seen.headers["astro-attempt"]).collect();
    assert_eq!(attempts, ["1", "2", "3", "4"]);
}

#[tokio::test(start_paused = true)]
async fn the_last_failure_is_told_when_the_time_is_up() {
    let (connection, log) = far_end(|n| refuse(Status::unavailable(format!("away {n}"))));
    let started = Instant::now();
    let status = ItemServiceClient::new(connection).get_item(get()).await.unwrap_err();
    let tries = log.lock().unwrap().len();
    assert_eq!(status.message(), format!("away {}", tries - 1));
    assert!(tries > 8 && started.elapsed() > Duration::from_secs(20), "{tries}");
}

#[tokio::test(start_paused = true)]
async fn who_has_less_patience_is_told_sooner() {
    let (mut connection, _) = far_end(|_| refuse(Status::unavailable("away")));
    connection.patience = Some(Duration::from_secs(3));
    let started = Instant::now();
    ItemServiceClient::new(connection).get_item(get()).await.unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn an_endless_patience_is_that_of_the_call() {
    let (mut connection, log) = far_end(|_| refuse(Status::unavailable("away")));
    connection.patience = Some(Duration::MAX);
    let error = ItemServiceClient::new(connection).get_item(get()).await.unwrap_err();
    assert_eq!(error.message(), "away");
    let seen = log.lock().unwrap();
    assert!(seen[seen.len() - 1].at - seen[0].at > Duration::from_secs(20));
}

#[tokio::test(start_paused = true)]
async fn a_stream_without_a_deadline_is_not_opened_for_ever() {
    let begun = Instant::now();
    let (mut connection, log) = far_end(|_| refuse(Status::unavailable("away")));
    let mut events = EventServiceClient::new(connection.clone());
    let error = events.watch_events(WatchEventsRequest::default()).await.unwrap_err();
    assert_eq!((error.code(), error.message()), (tonic::Code::Unavailable, "away"));
    let took = begun.elapsed();
    assert!(took > Duration::from_secs(20) && took <= DEADLINE_DEFAULT, "{took:?}");
    let attempts = log.lock().unwrap().len();
    assert!(attempts > 1, "{attempts} attempts");
    connection.patience = Some(Duration::ZERO);
    let mut events = EventServiceClient::new(connection);
    events.watch_events(WatchEventsRequest::default()).await.unwrap_err();
    assert_eq!(log.lock().unwrap().len(), attempts + 1);
}

#[tokio::test(start_paused = true)]
async fn a_broken_connection_counts_as_unavailable() {
    let (connection, log) = far_end(|n| if n == 0 { Err("broken".into()) } else { succeed() });
    ItemServiceClient::new(connection).get_item(get()).await.unwrap();
    assert_eq!(log.lock().unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_not_repeated() {
    let (connection, log) = far_end(|_| refuse(Status::not_found("no item 1")));
    let status = ItemServiceClient::new(connection).get_item(get()).await.unwrap_err();
    assert_eq!((status.message(), log.lock().unwrap().len()), ("no item 1", 1));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_may_not_be_repeated_is_sent_once() {
    let (connection, log) = far_end(|_| refuse(Status::unavailable("away")));
    let mut access = AccessServiceClient::new(connection);
    access.create_api_key(CreateApiKeyRequest::default()).await.unwrap_err();
    assert_eq!(log.lock().unwrap().len(), 1);
    access.revoke_api_key(RevokeApiKeyRequest::default()).await.unwrap_err();
    assert!(log.lock().unwrap().len() > 2, "an idempotent one is sent again");
}

#[tokio::test(start_paused = true)]
async fn the_servers_pause_is_kept() {
    let details = ErrorDetails::with_retry_info(Some(Duration::from_secs(3)));
    let full = Status::with_error_details(tonic::Code::ResourceExhausted, "full", details);
    let (connection, log) = far_end(move |n| if n == 0 { refuse(full.clone()) } else { succeed() });
    ItemServiceClient::new(connection).get_item(get()).await.unwrap();
    let log = log.lock().unwrap();
    let pause = log[1].at - log[0].at;
    assert!((3000..3010).contains(&pause.as_millis()), "{pause:?}");
}

#[tokio::test(start_paused = true)]
async fn no_pause_goes_past_the_deadline() {
    let details = ErrorDetails::with_retry_info(Some(Duration::from_secs(20)));
    let full = Status::with_error_details(tonic::Code::ResourceExhausted, "full", details);
    let (connection, log) = far_end(move |_| refuse(full.clone()));
    let began = Instant::now();
    let mut request = tonic::Request::new(get());
    request.set_timeout(Duration::from_secs(50));
    let status = ItemServiceClient::new(connection).get_item(request).await.unwrap_err();
    assert_eq!(status.message(), "full");
    assert_eq!((log.lock().unwrap().len(), began.elapsed().as_secs()), (3, 40));
}

#[tokio::test(start_paused = true)]
async fn each_attempt_is_told_the_time_that_is_left() {
    let details = ErrorDetails::with_retry_info(Some(Duration::from_secs(10)));
    let away = Status::with_error_details(tonic::Code::Unavailable, "away", details);
    let (connection, log) = far_end(move |_| refuse(away.clone()));
    ItemServiceClient::new(connection).get_item(get()).await.unwrap_err();
    let log = log.lock().unwrap();
    let left = |seen: &Seen| parse_timeout(&seen.headers["grpc-timeout"]).unwrap().as_secs_f32();
    let left: Vec<i32> = log.iter().map(left).map(|secs| secs.round() as i32).collect();
    assert_eq!(left, [30, 20, 10]);
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_ends_at_the_deadline() {
    let service =
        service_fn(|_: Request<Body>| std::future::pending::<Result<Response<Body>, BoxError>>());
    let connection = Connection::new(FarEnd::new(service), None);
    let status = ItemServiceClient::new(connection).get_item(get()).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::DeadlineExceeded);
}

#[tokio::test(start_paused = true)]
async fn closing_ends_calls_and_those_that_begin_later() {
    let service =
        service_fn(|_: Request<Body>| std::future::pending::<Result<Response<Body>, BoxError>>());
    let connection = Connection::new(FarEnd::new(service), None);
    let lifetime = connection.lifetime.clone();
    let mut items = ItemServiceClient::new(connection);
    let (status, ()) = tokio::join!(items.get_item(get()), async { lifetime.close() });
    assert_eq!(status.unwrap_err().code(), tonic::Code::Cancelled);
    lifetime.close();
    assert_eq!(items.get_item(get()).await.unwrap_err().code(), tonic::Code::Cancelled);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_stops_halfway_ends_at_the_deadline() {
    let (connection, _) = far_end(|_| {
        let never = futures_util::stream::pending::<Result<http_body::Frame<Bytes>, Status>>();
        let mut response = Response::new(Body::new(http_body_util::StreamBody::new(never)));
        let grpc = HeaderValue::from_static("application/grpc");
        response.headers_mut().insert(http::header::CONTENT_TYPE, grpc);
        Ok(response)
    });
    let status = ItemServiceClient::new(connection).get_item(get()).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::DeadlineExceeded);
}

#[tokio::test(start_paused = true)]
async fn an_absent_request_id_is_made_once() {
    let (connection, log) = far_end(|_| refuse(Status::unavailable("away")));
    let request = ReleaseReservationRequest {
        reservation_id: "1".into(),
        ..ReleaseReservationRequest::default()
    };
    let mut items = ItemServiceClient::new(connection);
    let first = items.release_reservation(request.clone()).await.unwrap_err();
    let tries = log.lock().unwrap().len();
    assert!(tries > 1, "it is sent again");
    items.release_reservation(request).await.unwrap_err();
    let log = log.lock().unwrap();
    let ids: Vec<String> = log
        .iter()
        .map(|seen| ReleaseReservationRequest::decode(seen.message.clone()).unwrap())
        .inspect(|request| assert_eq!(request.reservation_id, "1"))
        .map(|request| request.request_id)
        .collect();
    assert_eq!(ids[0].len(), 36);
    assert!(ids[..tries].iter().all(|id| *id == ids[0]), "one call has one id: {ids:?}");
    assert_ne!(ids[0], ids[tries], "two calls have two ids");
    assert_eq!(crate::Error::from(first).request_id, Some(ids[0].clone()));
}

#[tokio::test(start_paused = true)]
async fn a_given_request_id_is_kept() {
    let (connection, log) = far_end(|_| refuse(Status::not_found("none")));
    let request =
        ReleaseReservationRequest { reservation_id: "1".into(), request_id: "mine".into() };
    ItemServiceClient::new(connection).release_reservation(request.clone()).await.unwrap_err();
    let log = log.lock().unwrap();
    assert_eq!(ReleaseReservationRequest::decode(log[0].message.clone()).unwrap(), request);
}

#[test]
fn timeouts_are_read_in_every_unit() {
    let parse = |text| parse_timeout(&HeaderValue::from_static(text));
    assert_eq!(parse("2H"), Some(Duration::from_secs(7200)));
    assert_eq!(parse("3M"), Some(Duration::from_secs(180)));
    assert_eq!(parse("30S"), Some(Duration::from_secs(30)));
    assert_eq!(parse("1500m"), Some(Duration::from_millis(1500)));
    assert_eq!(parse("20u"), Some(Duration::from_micros(20)));
    assert_eq!(parse("99999999n"), Some(Duration::from_nanos(99_999_999)));
    for text in ["", "S", "-1S", "123456789S", "5", "5x"] {
        assert_eq!(parse(text), None, "{text:?}");
    }
}
