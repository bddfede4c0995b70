"""What a call answers when it fails, and why a client cannot be made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from grpc import StatusCode


@dataclass(frozen=True)
class FieldViolation:
    """One wrong field of a request."""

    # Path of the field: ``filter.states``.
    field: str
    # What is wrong with it.
    description: str


class AstroError(Exception):
    """A refused or failed call.

    There is a class below this one for each gRPC code. A program branches on the class and on
    ``reason``; a person reads the message.
    """

    def __init__(
        self,
        code: StatusCode,
        message: str,
        *,
        reason: str = "",
        metadata: Mapping[str, str] | None = None,
        field_violations: tuple[FieldViolation, ...] = (),
        retry_delay: float | None = None,
        request_id: str = "",
    ) -> None:
        super().__init__(message)
        self.code = code
        """gRPC code."""
        self.message = message
        """Message for people."""
        self.reason = reason
        """Reason within the code, such as ``Reason.ITEM_NOT_FOUND``. Empty when the answer is not
        Astro's own, such as a broken connection. A newer server may send reasons that this package
        does not know."""
        self.metadata = dict(metadata or {})
        """Facts that belong to the reason: ``item_id``, ``state``, …"""
        self.field_violations = field_violations
        """Fields of the request that are wrong."""
        self.retry_delay = retry_delay
        """Seconds to wait before trying again, if the server said so."""
        self.request_id = request_id
        """The ``request_id`` that the call carried, if any."""

    def __str__(self) -> str:
        text = self.message or self.code.name
        return f"{text} ({self.reason})" if self.reason else text


class CancelledError(AstroError):
    """The call was cancelled, or its client closed."""


class UnknownError(AstroError):
    """Something failed that has no code of its own."""


class InvalidArgumentError(AstroError):
    """The request is wrong whatever the state; see ``field_violations``."""


class DeadlineExceededError(AstroError):
    """The time for the call was up. What it asks for may have happened."""


class NotFoundError(AstroError):
    """What the request names does not exist, or not for this key."""


class AlreadyExistsError(AstroError):
    """What the request would make exists."""


class PermissionDeniedError(AstroError):
    """The key may not do this."""


class ResourceExhaustedError(AstroError):
    """A limit is reached; ``retry_delay`` says when to come back."""


class FailedPreconditionError(AstroError):
    """The state does not allow it now."""


class AbortedError(AstroError):
    """Somebody else changed the same thing; read it again."""


class OutOfRangeError(AstroError):
    """The request leads past what there is."""


class UnimplementedError(AstroError):
    """The server does not know the method."""


class InternalError(AstroError):
    """The server has a fault."""


class UnavailableError(AstroError):
    """The server cannot be reached, or stops."""


class DataLossError(AstroError):
    """The server lost data."""


class UnauthenticatedError(AstroError):
    """The key is not good."""


CLASSES: dict[StatusCode, type[AstroError]] = {
    StatusCode.CANCELLED: CancelledError,
    StatusCode.UNKNOWN: UnknownError,
    StatusCode.INVALID_ARGUMENT: InvalidArgumentError,
    StatusCode.DEADLINE_EXCEEDED: DeadlineExceededError,
    StatusCode.NOT_FOUND: NotFoundError,
    StatusCode.ALREADY_EXISTS: AlreadyExistsError,
    StatusCode.PERMISSION_DENIED: PermissionDeniedError,
    StatusCode.RESOURCE_EXHAUSTED: ResourceExhaustedError,
    StatusCode.FAILED_PRECONDITION: FailedPreconditionError,
    StatusCode.ABORTED: AbortedError,
    StatusCode.OUT_OF_RANGE: OutOfRangeError,
    StatusCode.UNIMPLEMENTED: UnimplementedError,
    StatusCode.INTERNAL: InternalError,
    StatusCode.UNAVAILABLE: UnavailableError,
    StatusCode.DATA_LOSS: DataLossError,
    StatusCode.UNAUTHENTICATED: UnauthenticatedError,
}


class ConfigError(ValueError):
    """A client cannot be made of these settings.

    ``problem`` is one of ``key_missing``, ``key_invalid``, ``endpoint_invalid``,
    ``endpoint_insecure``, ``certificate_invalid``, ``user_agent_invalid``.
    """

    def __init__(self, problem: str, message: str) -> None:
        super().__init__(message)
        self.problem = problem
