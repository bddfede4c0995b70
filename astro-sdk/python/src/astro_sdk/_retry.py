"""When to send a request again, and how long to wait before. Does no I/O."""

from __future__ import annotations

import random
import time
import uuid
from typing import Any

from google.protobuf.message import Message
from grpc import StatusCode

from ._method import Method
from ._status import failure
from .errors import AstroError

# Attempts at one call in all, if the server says that it is full.
ATTEMPTS_MAX = 4
# Seconds: upper bound of the first pause, doubled for each later one, and of all of them.
PAUSE_FIRST = 0.1
PAUSE_MAX = 5.0
# Longest pause that the server may ask for; beyond it the caller is to decide.
ASKED_PAUSE_MAX = 60.0


def pause(error: AstroError, failed: int) -> float | None:
    """Seconds before the next attempt after ``failed`` ones, the last with ``error``; ``None``:
    give up.
    """
    asked = error.retry_delay
    if error.code == StatusCode.RESOURCE_EXHAUSTED:
        # Without a time to come back at, more calls would only add to the load.
        repeatable = asked is not None and failed < ATTEMPTS_MAX
    else:
        # For as long as the call has time: a server that is started anew costs no call.
        repeatable = error.code == StatusCode.UNAVAILABLE
    if not repeatable:
        return None
    if asked is not None:
        return asked if asked <= ASKED_PAUSE_MAX else None
    return backoff(failed)


def backoff(failed: int) -> float:
    """The pause after so many failures in a row: random, so that many clients do not come back at
    the same moment.
    """
    bound = PAUSE_FIRST * 2.0 ** min(failed - 1, 16)
    return min(bound, PAUSE_MAX) * random.random()


class Course:
    """One call on its way: its request, its attempts, its time."""

    def __init__(self, method: Method[Any, Any], request: Message, timeout: float) -> None:
        self.method = method
        self.request = request
        self.request_id = ""
        if method.has_request_id:
            self._name_request()
        self.attempt = 0
        self._deadline = time.monotonic() + timeout

    def _name_request(self) -> None:
        """Lets the server recognise the call when it is sent again."""
        request: Any = self.request
        request.request_id = request.request_id or str(uuid.uuid4())
        self.request_id = request.request_id

    def begin(self) -> float:
        """Counts an attempt; answers the seconds that are left for it."""
        self.attempt += 1
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise failure(StatusCode.DEADLINE_EXCEEDED, "no answer in time", self.request_id)
        return left

    def pause_after(self, error: AstroError) -> float | None:
        """Seconds before the next attempt; ``None``: the call ends with this error."""
        seconds = pause(error, self.attempt) if self.method.may_repeat else None
        # A pause that ends too late would only turn a telling error into DEADLINE_EXCEEDED.
        if seconds is None or time.monotonic() + seconds >= self._deadline:
            return None
        return seconds
