"""Turns what grpc says about a failed call into an error with its details decoded.

The details are messages of ``google.rpc``. They are declared here, field for field, so that no
other package is needed to read them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import grpc
from google.protobuf import descriptor_pb2
from google.protobuf.message import DecodeError

from . import _pool
from .errors import CLASSES, AstroError, FieldViolation

_DETAILS_KEY = "grpc-status-details-bin"
# The domain of the server's own reasons.
_DOMAIN = "astro.dev"
_PACKAGE = "astro.sdk.rpc"

_Field = descriptor_pb2.FieldDescriptorProto
_FIELDS: dict[str, list[tuple[str, int, str]]] = {
    "Duration": [("seconds", 1, "int64"), ("nanos", 2, "int32")],
    "Any": [("type_url", 1, "string"), ("value", 2, "bytes")],
    "Status": [("code", 1, "int32"), ("message", 2, "string"), ("details", 3, "Any*")],
    "Entry": [("key", 1, "string"), ("value", 2, "string")],
    "ErrorInfo": [("reason", 1, "string"), ("domain", 2, "string"), ("metadata", 3, "Entry*")],
    "RetryInfo": [("retry_delay", 1, "Duration")],
    "FieldViolation": [("field", 1, "string"), ("description", 2, "string")],
    "BadRequest": [("field_violations", 1, "FieldViolation*")],
}
_SCALARS = {
    "int32": _Field.TYPE_INT32,
    "int64": _Field.TYPE_INT64,
    "string": _Field.TYPE_STRING,
    "bytes": _Field.TYPE_BYTES,
}


def _declare() -> None:
    file = descriptor_pb2.FileDescriptorProto(
        name="astro/sdk/rpc.proto", package=_PACKAGE, syntax="proto3"
    )
    for message, fields in _FIELDS.items():
        declared = file.message_type.add(name=message)
        for name, number, kind in fields:
            repeated = kind.endswith("*")
            field = declared.field.add(name=name, number=number)
            field.label = _Field.LABEL_REPEATED if repeated else _Field.LABEL_OPTIONAL
            scalar = _SCALARS.get(kind)
            field.type = _Field.TYPE_MESSAGE if scalar is None else scalar
            if scalar is None:
                field.type_name = f".{_PACKAGE}.{kind.rstrip('*')}"
    _pool.add(file)


_declare()
_Status = _pool.message_class(f"{_PACKAGE}.Status")
_KINDS = {
    f"google.rpc.{name}": _pool.message_class(f"{_PACKAGE}.{name}")
    for name in ("ErrorInfo", "RetryInfo", "BadRequest")
}


def failure(code: grpc.StatusCode, message: str, request_id: str = "") -> AstroError:
    """An error that the client itself finds."""
    return CLASSES[code](code, message, request_id=request_id)


def error_of(failed: Any, request_id: str) -> AstroError:
    """The error that a failed call of grpc's stands for."""
    code = failed.code() or grpc.StatusCode.UNKNOWN
    facts: dict[str, Any] = {}
    for detail in _details(failed.trailing_metadata() or ()):
        facts.update(_facts(detail))
    return CLASSES[code](code, failed.details() or "", request_id=request_id, **facts)


def _details(trailers: Iterable[tuple[str, str | bytes]]) -> Iterable[Any]:
    for key, value in trailers:
        if key != _DETAILS_KEY:
            continue
        try:
            found = _Status.FromString(value).details
        except DecodeError:
            # Damaged on the way; the code and the message still tell what happened.
            continue
        for packed in found:
            kind = _KINDS.get(packed.type_url.rpartition("/")[2])
            if kind is not None:
                yield kind.FromString(packed.value)


def _facts(detail: Any) -> dict[str, Any]:
    if isinstance(detail, _KINDS["google.rpc.ErrorInfo"]):
        if detail.domain != _DOMAIN:
            return {}
        metadata = {entry.key: entry.value for entry in detail.metadata}
        return {"reason": detail.reason, "metadata": metadata}
    if isinstance(detail, _KINDS["google.rpc.RetryInfo"]):
        delay = detail.retry_delay
        return {"retry_delay": delay.seconds + delay.nanos / 1e9}
    violations = (FieldViolation(v.field, v.description) for v in detail.field_violations)
    return {"field_violations": tuple(violations)}
