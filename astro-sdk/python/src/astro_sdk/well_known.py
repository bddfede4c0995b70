"""Google's messages that the contract uses. What they can do is in ``well_known.pyi``."""

from ._pool import message_class

FieldMask = message_class("google.protobuf.FieldMask")
Struct = message_class("google.protobuf.Struct")
Timestamp = message_class("google.protobuf.Timestamp")
