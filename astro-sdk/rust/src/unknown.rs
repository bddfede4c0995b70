//! What a newer server says beyond what this SDK knows.

use std::fmt;

use prost::DecodeError;
use prost::bytes::{Buf, BufMut};
use prost::encoding::{DecodeContext, WireType, bytes, fixed32, fixed64, skip_field, uint64};

/// Fields of a message that this SDK does not know, from a newer server.
///
/// A program that reads a message, changes it and sends it back sends them as they came. Use
/// `..Default::default()` where a message is made.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct UnknownFields {
    /// As on the wire, one after the other.
    encoded: Vec<u8>,
}

impl UnknownFields {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.encoded.is_empty()
    }

    pub(crate) fn merge(
        &mut self,
        tag: u32,
        wire_type: WireType,
        buf: &mut impl Buf,
        ctx: DecodeContext,
    ) -> Result<(), DecodeError> {
        match wire_type {
            WireType::Varint => {
                let mut value = 0;
                uint64::merge(wire_type, &mut value, buf, ctx)?;
                uint64::encode(tag, &value, &mut self.encoded);
            }
            WireType::SixtyFourBit => {
                let mut value = 0;
                fixed64::merge(wire_type, &mut value, buf, ctx)?;
                fixed64::encode(tag, &value, &mut self.encoded);
            }
            WireType::ThirtyTwoBit => {
                let mut value = 0;
                fixed32::merge(wire_type, &mut value, buf, ctx)?;
                fixed32::encode(tag, &value, &mut self.encoded);
            }
            WireType::LengthDelimited => {
                let mut value = Vec::new();
                bytes::merge(wire_type, &mut value, buf, ctx)?;
                bytes::encode(tag, &value, &mut self.encoded);
            }
            // Groups, which this kind of contract cannot have.
            WireType::StartGroup | WireType::EndGroup => skip_field(wire_type, tag, buf, ctx)?,
        }
        Ok(())
    }

    pub(crate) fn encode(&self, buf: &mut impl BufMut) {
        buf.put_slice(&self.encoded);
    }

    pub(crate) fn encoded_len(&self) -> usize {
        self.encoded.len()
    }
}

impl fmt::Debug for UnknownFields {
    /// Their number of bytes: what they say may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UnknownFields({} bytes)", self.encoded.len())
    }
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use crate::v1::{Item, ItemState, Money, SteamAsset};

    fn item() -> Item {
        Item {
            id: "1".into(),
            state: ItemState::Available.into(),
            asset: Some(SteamAsset { asset_id: u64::MAX, ..Default::default() }),
            market_value: Some(Money { minor_units: i64::MIN, ..Default::default() }),
            labels: [("colour".to_owned(), "blue".to_owned())].into(),
            ..Default::default()
        }
    }

    #[test]
    fn known_fields_are_written_and_read() {
        let bytes = item().encode_to_vec();
        assert_eq!(bytes.len(), item().encoded_len());
        let read = Item::decode(bytes.as_slice()).unwrap();
        assert_eq!((&read, read.unknown_fields.is_empty()), (&item(), true));
        assert_eq!(read.state(), ItemState::Available);
    }

    #[test]
    fn a_field_that_cannot_be_read_is_named() {
        // Field 2 is text, and this is none.
        let error = Item::decode([0x12, 0x01, 0xff].as_slice()).unwrap_err().to_string();
        assert!(error.contains("Item.org_id"), "{error}");
    }

    #[test]
    fn unknown_fields_survive_in_every_form() {
        // Field 9999 as a number, eight bytes, text and four bytes.
        let unknown: [&[u8]; 4] = [
            &[0xf8, 0xf0, 0x04, 0x07],
            &[0xf9, 0xf0, 0x04, 1, 2, 3, 4, 5, 6, 7, 8],
            &[0xfa, 0xf0, 0x04, 0x02, b'h', b'i'],
            &[0xfd, 0xf0, 0x04, 1, 2, 3, 4],
        ];
        let known = item().encode_to_vec();
        let bytes = [known.as_slice(), unknown.concat().as_slice()].concat();
        let mut read = Item::decode(bytes.as_slice()).unwrap();
        assert_eq!(read.encode_to_vec(), bytes);
        assert_eq!(read.encoded_len(), bytes.len());
        read.labels.clear();
        assert!(read.encode_to_vec().ends_with(&unknown.concat()));
        assert!(!format!("{read:?}").contains("104"), "what it says is not shown");
    }
}
