//! `astro call`: any RPC of any gRPC server, by reflection.

mod curl;
mod reflection;
pub(crate) mod wide;

use astro_sdk::Client;
use astro_sdk::dynamic::Dynamic;
use clap::Args;
use futures_util::stream;
use prost_reflect::{DescriptorPool, DeserializeOptions, DynamicMessage, MethodDescriptor};
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::{Code, Request, Status, Streaming};

use crate::context::Context;
use crate::contract::POOL;
use crate::failure::Failure;
use crate::values::text_or_file;

/// The largest answer that is read: several times what a server puts into a page.
const MESSAGE_BYTES_MAX: usize = 16 * 1024 * 1024;

const EXAMPLES: &str = "\
Examples:
  astro call --list
  astro call AccessService/GetCaller
  astro call astro.v1.ItemService/ListItems -d '{\"pageSize\": 3, \"filter\": {\"appIds\": [440]}}'
  astro call EventService/WatchEvents -d '{\"fromEarliest\": true}'      one JSON object a line
  astro call AssignmentService/CreateAssignment -d @request.json
  astro call ItemService/ListItems -d '{\"pageSize\": 3}' --curl                 the same for a shell
  jq … | astro call AssignmentService/CreateAssignment -d -";

/// Which RPC to call, and with what.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CallArgs {
    /// Service and RPC: ItemService/GetItem; the package may be left out.
    #[arg(value_name = "SERVICE/METHOD", required_unless_present = "list")]
    method: Option<String>,
    /// Request as JSON; @FILE reads a file, - the standard input. An RPC that takes a stream takes
    /// several objects one after the other.
    #[arg(long, short, default_value = "{}", value_name = "JSON")]
    data: String,
    /// Print the line that makes this call with curl, by HTTP and JSON, and do not make it. Its key is
    /// the variable ASTRO_API_KEY, never the key itself.
    #[arg(long, conflicts_with = "list")]
    curl: bool,
    /// List the server's services and RPCs.
    #[arg(long, conflicts_with = "method")]
    list: bool,
}

impl CallArgs {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result<(), Failure> {
        match &self.method {
            Some(method) if self.curl => show(method, &self.data, cx),
            Some(method) => call(method, &self.data, cx).await,
            None => list(cx).await,
        }
    }
}

async fn list(cx: &mut Context<'_>) -> Result<(), Failure> {
    let (names, pool) = describe(None, cx).await?;
    let mut rows = Vec::new();
    for service in names.iter().filter_map(|name| pool.get_service_by_name(name)) {
        for method in service.methods() {
            let stream = |streams: bool| if streams { "stream " } else { "" };
            rows.push(vec![
                format!("{}/{}", service.full_name(), method.name()),
                format!("{}{}", stream(method.is_client_streaming()), method.input().name()),
                format!("{}{}", stream(method.is_server_streaming()), method.output().name()),
            ]);
        }
    }
    Ok(cx.out.rows(&["method", "request", "response"], &rows)?)
}

async fn call(method: &str, data: &str, cx: &mut Context<'_>) -> Result<(), Failure> {
    let (service, name) = parted(method)?;
    let (names, pool) = describe(Some(service), cx).await?;
    let method = find(&names, &pool, service, name)?;
    let requests = requests(&method, &text_or_file(data)?)?;
    let mut responses = send(&cx.client, &method, requests).await?;
    while let Some(response) = responses.message().await? {
        if method.is_server_streaming() {
            cx.out.json_line(&response)?;
        } else {
            cx.out.json_pretty(&response)?;
        }
    }
    Ok(())
}

/// Prints the call as a line of a shell. Routes are in this program's own contract.
fn show(method: &str, data: &str, cx: &mut Context<'_>) -> Result<(), Failure> {
    let (service, name) = parted(method)?;
    let all = POOL.services().map(|service| service.full_name().to_owned());
    let names = chosen(matching(all, Some(service)), Some(service))?;
    let method = find(&names, &POOL, service, name)?;
    let requests = requests(&method, &text_or_file(data)?)?;
    let request = requests.first().cloned();
    let request = request.unwrap_or_else(|| DynamicMessage::new(method.input()));
    Ok(cx.out.line(&curl::line(&cx.endpoint, &method, &request)?)?)
}

/// "a.B/C" and grpcurl's other form "a.B.C".
fn parted(method: &str) -> Result<(&str, &str), Failure> {
    let parted = method.split_once('/').or_else(|| method.rsplit_once('.'));
    parted.ok_or_else(|| Failure::Usage(format!("{method:?} is not SERVICE/METHOD; see --list")))
}

fn find(
    names: &[String],
    pool: &DescriptorPool,
    service: &str,
    name: &str,
) -> Result<MethodDescriptor, Failure> {
    names
        .iter()
        .filter_map(|name| pool.get_service_by_name(name))
        .find_map(|service| service.methods().find(|method| method.name() == name))
        .ok_or_else(|| unknown(&format!("{service} has no RPC {name}")))
}

/// Sends the requests; the connection adds the key, and repeats what may be repeated.
pub(crate) async fn send(
    client: &Client,
    method: &MethodDescriptor,
    requests: Vec<DynamicMessage>,
) -> Result<Streaming<DynamicMessage>, Status> {
    let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
    let path = PathAndQuery::try_from(path).expect("names of services and RPCs make a path");
    let grpc = Grpc::new(client.raw().connection());
    let mut grpc = grpc.max_decoding_message_size(MESSAGE_BYTES_MAX);
    grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
    // On the wire every RPC is a stream; a unary one has one message each way.
    let requests = Request::new(stream::iter(requests));
    let codec = Dynamic(method.output());
    Ok(grpc.streaming(requests, path, codec).await?.into_inner())
}

/// The answer to one request.
pub(crate) async fn one(
    client: &Client,
    method: &MethodDescriptor,
    request: DynamicMessage,
) -> Result<DynamicMessage, Failure> {
    let answer = send(client, method, vec![request]).await?.message().await?;
    Ok(answer.unwrap_or_else(|| DynamicMessage::new(method.output())))
}

/// Full names of the services that are meant (all when `wanted` is none), with their descriptors:
/// from the server, or from this program's own contract if the server does not describe itself.
async fn describe(
    wanted: Option<&str>,
    cx: &Context<'_>,
) -> Result<(Vec<String>, DescriptorPool), Failure> {
    let all = match reflection::services(&cx.client).await {
        Ok(all) => all,
        Err(status) if status.code() == Code::Unimplemented => {
            let names =
                matching(POOL.services().map(|service| service.full_name().to_owned()), wanted);
            return Ok((chosen(names, wanted)?, POOL.clone()));
        }
        Err(status) => return Err(status.into()),
    };
    let names = chosen(matching(all.into_iter(), wanted), wanted)?;
    let pool = reflection::pool(&cx.client, &names).await?;
    Ok((names, pool))
}

/// Names that are `wanted`, or end in it after a dot.
fn matching(names: impl Iterator<Item = String>, wanted: Option<&str>) -> Vec<String> {
    let Some(wanted) = wanted else { return names.collect() };
    let suffix = format!(".{wanted}");
    let names: Vec<String> =
        names.filter(|name| name == wanted || name.ends_with(&suffix)).collect();
    let exact = names.iter().find(|name| *name == wanted).cloned();
    exact.map_or(names, |name| vec![name])
}

fn chosen(names: Vec<String>, wanted: Option<&str>) -> Result<Vec<String>, Failure> {
    match (wanted, names.as_slice()) {
        (Some(wanted), []) => Err(unknown(&format!("the server has no service {wanted}"))),
        (Some(wanted), [_, _, ..]) => Err(Failure::Usage(format!(
            "{wanted} may be {}: write the whole name",
            names.join(" or ")
        ))),
        (None, _) | (Some(_), [_]) => Ok(names),
    }
}

fn unknown(problem: &str) -> Failure {
    Failure::Call(Status::not_found(format!("{problem}; see astro call --list")).into())
}

/// The JSON objects in `text` as requests of `method`.
fn requests(method: &MethodDescriptor, text: &str) -> Result<Vec<DynamicMessage>, Failure> {
    let mut requests = Vec::new();
    let options = DeserializeOptions::new().deny_unknown_fields(true);
    let values = serde_json::Deserializer::from_str(text).into_iter::<serde_json::Value>();
    for value in values {
        let wrong = |problem: String| {
            Failure::Usage(format!("the data is not a {}: {problem}", method.input().name()))
        };
        let value = value.map_err(|error| wrong(error.to_string()))?;
        if let Some(problem) = wide::problem(&method.input(), &value) {
            return Err(wrong(problem));
        }
        let request = DynamicMessage::deserialize_with_options(method.input(), value, &options);
        requests.push(request.map_err(|error| wrong(error.to_string()))?);
    }
    if requests.len() != 1 && !method.is_client_streaming() {
        let count = requests.len();
        let problem = format!("{} takes one JSON object, not {count}", method.name());
        return Err(Failure::Usage(problem));
    }
    Ok(requests)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn method(name: &str) -> MethodDescriptor {
        let service = POOL.get_service_by_name("astro.v1.ItemService").unwrap();
        service.methods().find(|method| method.name() == name).unwrap()
    }

    #[test]
    fn both_spellings_of_fields_are_taken() {
        for json in ["{\"itemId\": \"1\"}", "{\"item_id\": \"1\"}"] {
            let requests = requests(&method("GetItem"), json).unwrap();
            assert_eq!(requests[0].get_field_by_name("item_id").unwrap().as_str(), Some("1"));
        }
    }

    #[test]
    fn a_misspelt_field_is_told() {
        let failure = requests(&method("GetItem"), "{\"item\": 1}").unwrap_err();
        let text = failure.explain(&crate::failure::Typed::default());
        assert!(text.contains("GetItemRequest") && text.contains("item"), "{text}");
        assert_eq!(failure.exit_code(), 2);
    }

    /// What is told of a request of this RPC; nothing if it is taken.
    fn told(service: &str, name: &str, json: &str) -> Option<String> {
        let service = POOL.get_service_by_name(&format!("astro.v1.{service}")).unwrap();
        let method = service.methods().find(|method| method.name() == name).unwrap();
        let failure = requests(&method, json).err()?;
        Some(failure.explain(&crate::failure::Typed::default()))
    }

    #[test]
    fn a_number_of_64_bits_that_may_have_been_rounded_is_refused_by_its_field() {
        for number in
            ["1.5", "1e30", "1.0", "76561198046968201.0", "7.65e16", "18446744073709551616"]
        {
            for (service, name, json, field) in [
                ("AssignmentService", "CreateAssignment", r#"{"userId": N}"#, "user_id"),
                ("AssignmentService", "CreateAssignment", r#"{"user_id": N}"#, "user_id"),
                (
                    "AssignmentService",
                    "CreateAssignment",
                    r#"{"runnerUpUserIds": ["1", N]}"#,
                    "runner_up_user_ids[1]",
                ),
                (
                    "ItemService",
                    "ListItems",
                    r#"{"filter": {"receivedFromUserId": N}}"#,
                    "filter.received_from_user_id",
                ),
            ] {
                let json = json.replace('N', number);
                let told = told(service, name, &json).unwrap_or_else(|| panic!("{json} is taken"));
                assert!(told.contains(&format!(" {field}: ")), "{json}: {told}");
            }
        }
    }

    #[test]
    fn whole_numbers_and_numbers_of_other_kinds_are_taken() {
        for number in ["76561198046968201", "18446744073709551615", "\"18446744073709551615\""] {
            let json = format!("{{\"userId\": {number}, \"runnerUpUserIds\": [{number}]}}");
            assert_eq!(told("AssignmentService", "CreateAssignment", &json), None, "{json}");
        }
        let json = "{\"pageSize\": 3.0, \"filter\": {\"appIds\": [440]}}";
        assert_eq!(told("ItemService", "ListItems", json), None);
        let json = "{\"item\": {\"customMetadata\": {\"user_id\": 1.5, \"a\": [1e30]}}}";
        assert_eq!(told("ItemService", "UpdateItem", json), None);
    }

    #[test]
    fn a_unary_call_takes_one_object() {
        assert!(requests(&method("GetItem"), "{} {}").is_err());
        assert!(requests(&method("GetItem"), "").is_err());
        assert!(requests(&method("GetItem"), "{").is_err());
    }

    #[test]
    fn a_service_is_found_by_the_end_of_its_name() {
        let names = ["a.v1.Items", "b.v1.Items", "c.Other"].map(str::to_owned);
        let find = |wanted| matching(names.clone().into_iter(), Some(wanted));
        assert_eq!(find("Other"), ["c.Other"]);
        assert_eq!(find("a.v1.Items"), ["a.v1.Items"]);
        assert!(chosen(find("Items"), Some("Items")).is_err(), "two may be meant");
        assert!(chosen(find("tems"), Some("tems")).is_err());
    }
}
