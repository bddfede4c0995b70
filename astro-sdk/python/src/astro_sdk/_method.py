"""What is known of an RPC, and how its request is made of a method's arguments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from google.protobuf import message_factory
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from .well_known import FieldMask, Struct, Timestamp

_WIDE = (
    FieldDescriptor.TYPE_INT64,
    FieldDescriptor.TYPE_UINT64,
    FieldDescriptor.TYPE_SINT64,
    FieldDescriptor.TYPE_FIXED64,
    FieldDescriptor.TYPE_SFIXED64,
)
# Entries of a page: the most that a server gives.
_PAGE_SIZE = 500

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)
Entry = TypeVar("Entry", bound=Message)


@dataclass(frozen=True)
class Method(Generic[Request, Response]):
    """One RPC."""

    path: str
    request: type[Request]
    response: type[Response]
    # Whether it may be sent again when its answer got lost.
    may_repeat: bool
    has_request_id: bool

    def build(self, fields: Mapping[str, object]) -> Request:
        """The request with these fields; ``None`` is a field that is not set."""
        known = self.request.DESCRIPTOR.fields_by_name
        given = {name: value for name, value in fields.items() if value is not None}
        return self.request(
            **{name: _adapted(known[name], value) for name, value in given.items()}
        )


@dataclass(frozen=True)
class ListMethod(Method[Request, Response], Generic[Request, Response, Entry]):
    """An RPC that answers a list in pages."""

    # Field of the response with the entries.
    entries: str
    # Field of the request that says where to go on, and that of the response with its next value.
    start: str
    next: str
    # Whether the list ends with a page without entries, and not with an empty ``next``.
    ends_when_empty: bool

    def build(self, fields: Mapping[str, object]) -> Request:
        """The request with these fields, for large pages unless another size is given."""
        return super().build({**fields, "page_size": fields.get("page_size") or _PAGE_SIZE})

    def entries_of(self, page: Response) -> Iterable[Entry]:
        """The page's entries."""
        found: Iterable[Entry] = getattr(page, self.entries)
        return found

    def following(self, request: Request, page: Response) -> Request | None:
        """The request for the page after this one; ``None``: it was the last."""
        token = getattr(page, self.next)
        if not token or (self.ends_when_empty and not getattr(page, self.entries)):
            return None
        return moved(request, self.start, token)


@dataclass(frozen=True)
class WatchMethod(Method[Request, Response], Generic[Request, Response, Entry]):
    """An RPC that a client follows."""

    # Field of the response with what is told, and whether it is a list.
    entries: str
    many: bool
    # Field of the request that takes the token, and that of the response that has it; both empty
    # when the stream begins with the state as it is.
    start: str
    next: str

    def entries_of(self, message: Response) -> list[Entry]:
        """What the message tells; nothing in a checkpoint."""
        if self.many:
            return list(getattr(message, self.entries))
        return [getattr(message, self.entries)] if message.HasField(self.entries) else []


def _check_wide(name: str, value: object) -> None:
    for number in value if isinstance(value, (list, tuple)) else (value,):
        if isinstance(number, float):
            raise TypeError(
                f"{name}: a float does not hold 64 bits and may have become another number "
                "already: give an int or a SteamId"
            )


def moved(request: Request, field: str, token: str) -> Request:
    """The same request from another place on."""
    copy = type(request)()
    copy.CopyFrom(request)
    setattr(copy, field, token)
    return copy


def _adapted(field: Any, value: object) -> object:
    """Python's own forms of Google's messages, and such messages of another pool."""
    message_type = field.message_type
    if field.type in _WIDE:
        _check_wide(field.name, value)
    wanted = message_type.full_name if message_type else None
    if isinstance(value, Message) and value.DESCRIPTOR.full_name == wanted:
        if value.DESCRIPTOR is message_type:
            return value
        own: Any = message_factory.GetMessageClass(message_type)
        return own.FromString(value.SerializeToString())
    if wanted == Timestamp.DESCRIPTOR.full_name and isinstance(value, datetime):
        timestamp = Timestamp()
        timestamp.FromDatetime(value)
        return timestamp
    if wanted == Struct.DESCRIPTOR.full_name and isinstance(value, Mapping):
        struct = Struct()
        struct.update(value)
        return struct
    if wanted == FieldMask.DESCRIPTOR.full_name and isinstance(value, (list, tuple, set)):
        return FieldMask(paths=value)
    return value
