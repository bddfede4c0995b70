"""How a stream goes on after it broke. Does no I/O."""

from __future__ import annotations

import threading
import time
from typing import Any, Generic

from grpc import StatusCode

from . import _retry
from ._method import Entry, Request, Response, WatchMethod, moved
from ._status import failure
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
        # Until when it is tried to open the stream; known from the first attempt on.
        self._opens_until: float | None = None
        self.answered = False
        self._failed = 0
        self._last: Any = None
        self._before = ""

    def begin(self) -> int:
        """Begins an attempt at opening the stream; answers its number, from 1."""
        # A program may make a watch long before it asks for the first entry.
        if self._opens_until is None:
            self._opens_until = time.monotonic() + TIMEOUT_DEFAULT
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
        ``None``: there is no more to follow. Raises what a log that never opens ends with.
        """
        if not self.method.next:
            return None
        error = failure(StatusCode.UNAVAILABLE, "the stream ended")
        pause = self.broken(error)
        if pause is None:
            raise error
        return pause

    def broken(self, error: AstroError) -> float | None:
        """Seconds before the stream is opened again; ``None``: the watch ends with this error."""
        self._failed += 1
        if not self.answered:
            return self._opening(error)
        if not _may_mend(error):
            return None
        asked = error.retry_delay
        return _retry.backoff(self._failed) if asked is None else min(asked, threading.TIMEOUT_MAX)

    def _opening(self, error: AstroError) -> float | None:
        seconds = _retry.pause(error, self._failed) if self.method.may_repeat else None
        until = self._opens_until
        if seconds is None or until is None or time.monotonic() + seconds >= until:
            return None
        return seconds


def _may_mend(error: AstroError) -> bool:
    if error.code == StatusCode.RESOURCE_EXHAUSTED and _TOO_LARGE in error.message:
        return False
    return error.code in _BROKEN or (error.code in _BROKEN_WITHOUT_REASON and not error.reason)
