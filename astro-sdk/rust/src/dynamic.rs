//! Messages whose type is known only when the program runs, for [`tonic::client::Grpc`].

use prost::Message as _;
use prost_reflect::{DynamicMessage, MessageDescriptor};
use tonic::Status;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};

/// Writes any message, and reads messages of this type.
#[derive(Debug, Clone)]
pub struct Dynamic(pub MessageDescriptor);

impl Codec for Dynamic {
    type Encode = DynamicMessage;
    type Decode = DynamicMessage;
    type Encoder = AnyMessage;
    type Decoder = Self;

    fn encoder(&mut self) -> AnyMessage {
        AnyMessage
    }

    fn decoder(&mut self) -> Self {
        self.clone()
    }
}

/// Writes any message.
#[derive(Debug)]
pub struct AnyMessage;

impl Encoder for AnyMessage {
    type Item = DynamicMessage;
    type Error = Status;

    fn encode(&mut self, item: DynamicMessage, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        item.encode(to).map_err(|error| Status::internal(error.to_string()))
    }
}

impl Decoder for Dynamic {
    type Item = DynamicMessage;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<DynamicMessage>, Status> {
        let message = DynamicMessage::decode(self.0.clone(), from);
        message.map(Some).map_err(|error| Status::internal(error.to_string()))
    }
}
