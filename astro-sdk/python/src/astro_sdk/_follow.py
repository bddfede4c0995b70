"""How a stream goes on after it broke. Does no I/O."""

from __future__ import annotations

import threading
import time
from typing import Any, Generic

from grpc import StatusCode

from . import _retry
from ._method import Entry, Request, Response, WatchMethod, moved
from .errors import AstroError
from .settings import TIMEOUT_DEFAULT

# What grpc says of a message that is larger than it reads.
_TOO_LARGE = "message larger than max"
_BROKEN = (StatusCode.UNAVAILABLE, StatusCode.RESOURCE_EXHAUSTED)
# What a broken connection looks like; with a reason it is the server's own word.
_BROKEN_WITHOUT_REASON = (
    StatusCode.UNKNOWN,
    StatusCode.INTERNAL,
    StatusCode.CANCELLED,
    StatusCode.DEADLINE_EXCEEDED,
)


class Follow(Generic[Request, Response, Entry]):
    """Where a watch is: the request that goes on from here, and what failed since."""

    def __init__(
        self, method: WatchMethod[Request, Response, Entry], request: Request, idle: float
    ) -> None:
        self.method = method
        self.request = request
        # A stream without checkpoints may be silent for as long as it likes.
        self.idle = idle if method.next and idle < threading.TIMEOUT_MAX else None
        self._opens_until = time.monotonic() + TIMEOUT_DEFAULT
        self.answered = False
        self._failed = 0
        self._last: Any = None
        self._before = ""

    @property
    def attempt(self) -> int:
        """The number of the next attempt at opening the stream, from 1."""
        return max(self._failed, 1) if self.answered else self._failed + 1

    def received(self, message: Response) -> list[Entry]:
        """Goes on to this message; answers what it tells."""
        self.answered = True
        self._failed = 0
        entries = self.method.entries_of(message)
        if not self.method.next:
            return self._news(entries)
        self._before = self._place()
        # Moved before the entries are handed out: all of them are here already, so a connection
        # lost meanwhile neither repeats nor skips one.
        token = getattr(message, self.method.next)
        if token:
            self.request = moved(self.request, self.method.start, token)
        return entries

    def position(self, is_amid: bool) -> str:
        """The token that goes on after what was given; ``is_amid``: not yet all of a message."""
        return self._before if is_amid else self._place()

    def _place(self) -> str:
        place: str = getattr(self.request, self.method.start) if self.method.start else ""
        return place

    def _news(self, entries: list[Entry]) -> list[Entry]:
        """A new stream begins with the state as it is, which may be known."""
        entries = [entry for entry in entries if entry != self._last]
        if entries:
            self._last = entries[-1]
        return entries

    def ended(self) -> float | None:
        """Seconds before the stream is opened again after the server ended it in good order;
        ``None``: there is no more to follow.
        """
        if not self.method.next:
            return None
        self._failed += 1
        return _retry.backoff(self._failed)

    def broken(self, error: AstroError) -> float | None:
        """Seconds before the stream is opened again; ``None``: the watch ends with this error."""
        self._failed += 1
        if not self.answered:
            return self._opening(error)
        if not _may_mend(error):
            return None
        return _retry.backoff(self._failed) if error.retry_delay is None else error.retry_delay


    def _opening(self, error: AstroError) -> float | None:
        seconds = _retry.pause(error, self._failed) if self.method.may_repeat else None
        if seconds is None or time.monotonic() + seconds >= self._opens_until:
            return None
        return seconds


def _may_mend(error: AstroError) -> bool:
    if error.code == StatusCode.RESOURCE_EXHAUSTED and _TOO_LARGE in error.message:
        return False
    return error.code in _BROKEN or (error.code in _BROKEN_WITHOUT_REASON and not error.reason)
