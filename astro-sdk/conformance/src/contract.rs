//! Messages of the contract as JSON, whatever their type, with the fields that this build does not
//! know.

use anyhow::Context;
use prost::Message as _;
use prost_reflect::{
    DescriptorPool, DeserializeOptions, DynamicMessage, MessageDescriptor, MethodDescriptor,
    ReflectMessage, SerializeOptions, UnknownField, Value as Field,
};
use serde_json::{Map, Value};

/// Every message, enum and service of the contract.
#[derive(Debug, Clone)]
pub struct Contract {
    pool: DescriptorPool,
}

impl Contract {
    /// The contract that this program was built with.
    ///
    /// # Errors
    /// Never: the SDK's descriptors decode.
    pub fn load() -> anyhow::Result<Self> {
        let pool = DescriptorPool::decode(astro_sdk::file_descriptor_set())?;
        Ok(Self { pool })
    }

    /// The RPC that is written `astro.v1.ItemService/GetItem`.
    pub fn method(&self, name: &str) -> Option<MethodDescriptor> {
        let (service, method) = name.split_once('/')?;
        let service = self.pool.get_service_by_name(service)?;
        service.methods().find(|found| found.name() == method)
    }

    /// The RPC of this name.
    ///
    /// # Errors
    /// When the contract has none.
    pub fn expect(&self, name: &str) -> anyhow::Result<MethodDescriptor> {
        self.method(name).with_context(|| format!("the contract has no method {name:?}"))
    }
}

/// A message as JSON with the contract's names, its unknown fields as `"#9999": "<hex>"`.
///
/// # Errors
/// When the bytes are no such message, or one that has no JSON.
pub fn to_json(descriptor: MessageDescriptor, bytes: &[u8]) -> anyhow::Result<Value> {
    let message = DynamicMessage::decode(descriptor, bytes)?;
    let options = SerializeOptions::new().use_proto_field_name(true);
    let mut value = message.serialize_with_options(serde_json::value::Serializer, &options)?;
    add_unknown(&message, &mut value);
    Ok(value)
}

/// A message from JSON with the contract's names.
///
/// # Errors
/// When the JSON is no such message.
pub fn from_json(descriptor: MessageDescriptor, value: &Value) -> anyhow::Result<Vec<u8>> {
    let options = DeserializeOptions::new();
    let message = DynamicMessage::deserialize_with_options(descriptor, value, &options)?;
    Ok(message.encode_to_vec())
}

fn add_unknown(message: &DynamicMessage, value: &mut Value) {
    // Google's own have a JSON form that is not their fields.
    if message.descriptor().full_name().starts_with("google.protobuf.") {
        return;
    }
    let Value::Object(object) = value else { return };
    for field in message.unknown_fields() {
        add_field(field, object);
    }
    for (field, found) in message.fields() {
        let Some(inner) = object.get_mut(field.name()) else { continue };
        match (found, inner) {
            (Field::Message(message), inner) => add_unknown(message, inner),
            (Field::List(messages), Value::Array(list)) => {
                let pairs = messages.iter().zip(list);
                pairs.for_each(|(found, inner)| add_to_entry(found, inner));
            }
            _ => {}
        }
    }
}

fn add_to_entry(found: &Field, inner: &mut Value) {
    if let Field::Message(message) = found {
        add_unknown(message, inner);
    }
}

/// All occurrences of a field, as they were on the wire, their tags included.
fn add_field(field: &UnknownField, object: &mut Map<String, Value>) {
    let mut bytes = Vec::new();
    field.encode(&mut bytes);
    let entry = object.entry(format!("#{}", field.number()));
    let text = entry.or_insert_with(|| Value::String(String::new()));
    if let Value::String(text) = text {
        text.push_str(&hex(&bytes));
    }
}

/// Bytes as text.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Text as bytes; spaces are left out.
///
/// # Errors
/// When it is not hexadecimal.
pub fn from_hex(text: &str) -> anyhow::Result<Vec<u8>> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    anyhow::ensure!(digits.len().is_multiple_of(2), "{text:?} has an odd number of digits");
    let pairs = digits.chunks(2).map(|pair| {
        let pair = std::str::from_utf8(pair)?;
        u8::from_str_radix(pair, 16).with_context(|| format!("{text:?} is not hexadecimal"))
    });
    pairs.collect()
}

/// Puts raw bytes at the end of the message at `path`, as a newer server would: of every entry of a
/// list on the way, or of the one whose place is written (`items.0`). A message that is not there
/// appears.
///
/// # Errors
/// When there is no such path, or the bytes are no message.
pub fn append(
    descriptor: &MessageDescriptor,
    bytes: &[u8],
    path: &[&str],
    extra: &[u8],
) -> anyhow::Result<Vec<u8>> {
    let Some((name, mut rest)) = path.split_first() else { return Ok([bytes, extra].concat()) };
    let field = descriptor.get_field_by_name(name);
    let field = field.with_context(|| format!("{} has no {name}", descriptor.full_name()))?;
    let kind = field.kind();
    let inner = kind.as_message().with_context(|| format!("{name} is no message"))?;
    let place: Option<usize> = rest.first().and_then(|place| place.parse().ok());
    if place.is_some() {
        rest = &rest[1..];
    }
    let (mut left, mut out, mut seen) = (bytes, Vec::new(), 0);
    while !left.is_empty() {
        let record = Record::take(&mut left)?;
        match record.content {
            Some(content) if record.number == field.number() => {
                if place.is_none_or(|place| place == seen) {
                    put(&mut out, field.number(), &append(inner, content, rest, extra)?);
                } else {
                    out.extend_from_slice(record.all);
                }
                seen += 1;
            }
            _ => out.extend_from_slice(record.all),
        }
    }
    if seen == 0 && !field.is_list() {
        put(&mut out, field.number(), &append(inner, &[], rest, extra)?);
    }
    Ok(out)
}

fn put(out: &mut Vec<u8>, number: u32, content: &[u8]) {
    use prost::encoding::{WireType, encode_key, encode_varint};
    encode_key(number, WireType::LengthDelimited, out);
    encode_varint(content.len() as u64, out);
    out.extend_from_slice(content);
}

/// One field on the wire.
struct Record<'a> {
    number: u32,
    /// With its tag.
    all: &'a [u8],
    /// What is in one that has a length.
    content: Option<&'a [u8]>,
}

impl<'a> Record<'a> {
    fn take(left: &mut &'a [u8]) -> anyhow::Result<Self> {
        use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};
        let whole = *left;
        let (number, kind) = decode_key(left)?;
        let mut content = None;
        if kind == WireType::LengthDelimited {
            let length = usize::try_from(decode_varint(left)?)?;
            let (inside, rest) = left.split_at_checked(length).context("a message is cut short")?;
            content = Some(inside);
            *left = rest;
        } else {
            skip_field(kind, number, left, DecodeContext::default())?;
        }
        Ok(Self { number, all: &whole[..whole.len() - left.len()], content })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn bytes_go_into_each_entry_of_a_list_and_show_in_the_json() {
        let contract = Contract::load().unwrap();
        let list = contract.expect("astro.v1.ItemService/ListItems").unwrap().output();
        let bytes = from_json(list.clone(), &json!({"items": [{"id": "a"}, {"id": "b"}]})).unwrap();
        let extra = from_hex("f8f0 0401").unwrap();
        let all = append(&list, &bytes, &["items"], &extra).unwrap();
        let shown = to_json(list.clone(), &all).unwrap();
        let entry = |id: &str| json!({"id": id, "#9999": "f8f00401"});
        assert_eq!(shown, json!({"items": [entry("a"), entry("b")]}));
        let second = append(&list, &bytes, &["items", "1"], &extra).unwrap();
        let shown = to_json(list, &second).unwrap();
        assert_eq!(shown, json!({"items": [{"id": "a"}, entry("b")]}));
    }

    #[test]
    fn a_message_that_is_not_there_appears() {
        let contract = Contract::load().unwrap();
        let get = contract.expect("astro.v1.ItemService/GetItem").unwrap().output();
        let bytes = append(&get, &[], &["item", "asset"], &[0xf8, 0xf0, 0x04, 1]).unwrap();
        let shown = to_json(get, &bytes).unwrap();
        assert_eq!(shown, json!({"item": {"asset": {"#9999": "f8f00401"}}}));
    }
}
