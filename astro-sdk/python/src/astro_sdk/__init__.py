"""Client of Astro, the item platform for gaming communities.

``Client`` is for programs with threads, ``AsyncClient`` for asyncio. Messages and enums of the
contract are in this package by their names.
"""

from ._aio import AsyncPaged, AsyncWatch
from ._cancel import Cancellation
from ._sync import Paged, Watch
from .client import AsyncClient, Client
from .errors import (
    AbortedError,
    AlreadyExistsError,
    AstroError,
    CancelledError,
    ConfigError,
    DataLossError,
    DeadlineExceededError,
    FailedPreconditionError,
    FieldViolation,
    InternalError,
    InvalidArgumentError,
    NotFoundError,
    OutOfRangeError,
    PermissionDeniedError,
    ResourceExhaustedError,
    UnauthenticatedError,
    UnavailableError,
    UnimplementedError,
    UnknownError,
)
from .gen import enums, messages
from .gen.enums import *
from .gen.event_types import EventType
from .gen.messages import *
from .gen.reasons import Reason
from .gen.version import VERSION as __version__
from .steam import SteamId, SteamIdError, TradeUrl, TradeUrlError
from .well_known import FieldMask, Struct, Timestamp

__all__ = [
    "AbortedError",
    "AlreadyExistsError",
    "AstroError",
    "AsyncClient",
    "AsyncPaged",
    "AsyncWatch",
    "CancelledError",
    "Cancellation",
    "Client",
    "ConfigError",
    "DataLossError",
    "DeadlineExceededError",
    "EventType",
    "FailedPreconditionError",
    "FieldMask",
    "FieldViolation",
    "InternalError",
    "InvalidArgumentError",
    "NotFoundError",
    "OutOfRangeError",
    "Paged",
    "PermissionDeniedError",
    "Reason",
    "ResourceExhaustedError",
    "SteamId",
    "SteamIdError",
    "Struct",
    "Timestamp",
    "TradeUrl",
    "TradeUrlError",
    "UnauthenticatedError",
    "UnavailableError",
    "UnimplementedError",
    "UnknownError",
    "Watch",
    "__version__",
]
__all__ += enums.__all__
__all__ += messages.__all__
