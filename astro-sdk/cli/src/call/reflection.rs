//! What a server tells about itself: gRPC server reflection v1.

use std::collections::{HashSet, VecDeque};

use astro_sdk::Client;
use futures_util::stream;
use prost::Message;
use prost_reflect::DescriptorPool;
use prost_types::FileDescriptorProto;
use tonic::{Code, Status};
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

/// Full names of the server's services, in its order.
pub(super) async fn services(client: &Client) -> Result<Vec<String>, Status> {
    let answer = ask(client, MessageRequest::ListServices(String::new())).await?;
    let MessageResponse::ListServicesResponse(list) = answer else { return Err(odd(&answer)) };
    Ok(list.service.into_iter().map(|service| service.name).collect())
}

/// Descriptors of these services and of everything they use.
pub(super) async fn pool(client: &Client, services: &[String]) -> Result<DescriptorPool, Status> {
    let mut files = Vec::new();
    let mut seen = HashSet::new();
    let symbols = services.iter().cloned().map(MessageRequest::FileContainingSymbol);
    let mut questions: VecDeque<MessageRequest> = symbols.collect();
    while let Some(question) = questions.pop_front() {
        if matches!(&question, MessageRequest::FileByFilename(name) if seen.contains(name)) {
            continue;
        }
        let answer = ask(client, question).await?;
        let MessageResponse::FileDescriptorResponse(found) = answer else {
            return Err(odd(&answer));
        };
        for bytes in found.file_descriptor_proto {
            let file = FileDescriptorProto::decode(bytes.as_slice())
                .map_err(|error| Status::internal(format!("odd descriptor: {error}")))?;
            if seen.insert(file.name().to_owned()) {
                questions.extend(file.dependency.into_iter().map(MessageRequest::FileByFilename));
                files.push(bytes);
            }
        }
    }
    // The server's own bytes, put together to a FileDescriptorSet: decoding and encoding the files
    // would lose their options.
    let mut set = Vec::new();
    for file in &files {
        prost::encoding::bytes::encode(1, file, &mut set);
    }
    DescriptorPool::decode(set.as_slice())
        .map_err(|error| Status::internal(format!("the server's descriptors do not fit: {error}")))
}

async fn ask(client: &Client, question: MessageRequest) -> Result<MessageResponse, Status> {
    let request = ServerReflectionRequest { host: String::new(), message_request: Some(question) };
    let mut reflection = ServerReflectionClient::new(client.raw().connection());
    let answers = reflection.server_reflection_info(stream::iter([request])).await?;
    let answer = answers.into_inner().message().await?;
    match answer.and_then(|answer| answer.message_response) {
        Some(MessageResponse::ErrorResponse(error)) => {
            Err(Status::new(Code::from_i32(error.error_code), error.error_message))
        }
        Some(answer) => Ok(answer),
        None => Err(Status::internal("the server's reflection gave no answer")),
    }
}

fn odd(answer: &MessageResponse) -> Status {
    Status::internal(format!("the server's reflection answered something else: {answer:?}"))
}
