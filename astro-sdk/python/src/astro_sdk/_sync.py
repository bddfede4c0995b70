"""Calls, lists and watches for programs with threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Any, Generic, TypeVar

import grpc

from . import _channel
from ._cancel import Cancellation
from ._follow import Follow
from ._method import Entry, ListMethod, Method, Request, Response, WatchMethod
from ._retry import Course
from ._status import error_of, failure
from .errors import AstroError
from .settings import Settings

_Self = TypeVar("_Self", bound="Watch[Any, Any]")


class Calls:
    """The connection of one client; it connects at the first call."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.closing = Cancellation()
        self._lock = threading.Lock()
        self._channel: grpc.Channel | None = None

    def call(
        self,
        method: Method[Request, Response],
        fields: Mapping[str, object],
        timeout: float | None,
        cancellation: Cancellation | None = None,
    ) -> Response:
        """Makes a call of one answer."""
        return self.send(method, method.build(fields), timeout, cancellation)

    def list(
        self,
        method: ListMethod[Request, Response, Entry],
        fields: Mapping[str, object],
        timeout: float | None,
    ) -> Paged[Response, Entry]:
        """Begins a list; nothing is asked for yet."""
        return Paged(self, method, method.build(fields), timeout)

    def watch(
        self, method: WatchMethod[Request, Response, Entry], fields: Mapping[str, object]
    ) -> Watch[Response, Entry]:
        """Begins a watch; its stream is opened when the first entry is wanted."""
        return Watch(self, Follow(method, method.build(fields), self.settings.watch_idle))

    def send(
        self,
        method: Method[Request, Response],
        request: Request,
        timeout: float | None,
        cancellation: Cancellation | None = None,
    ) -> Response:
        """Makes a call, in as many attempts as are allowed."""
        course = Course(method, request, self.settings.timeout if timeout is None else timeout)
        turn = _Turn()
        given = cancellation or Cancellation()
        with self.closing.calling(turn.cancel), given.calling(turn.cancel):
            while True:
                try:
                    response: Response = self._attempt(course, turn)
                    return response
                except AstroError as error:
                    pause = course.pause_after(error)
                    if pause is None:
                        raise
                turn.wait(pause)

    def _attempt(self, course: Course, turn: _Turn) -> Any:
        timeout = _channel.timeout(course.begin())
        if turn.cancelled:
            raise failure(grpc.StatusCode.CANCELLED, "cancelled", course.request_id)
        method = course.method
        start = self._channel_now().unary_unary(
            method.path,
            request_serializer=method.request.SerializeToString,
            response_deserializer=method.response.FromString,
        )
        headers = _channel.metadata(self.settings, course.attempt)
        call: Any = start.future(course.request, timeout=timeout, metadata=headers)
        try:
            with turn.calling(call.cancel):
                return call.result()
        except grpc.FutureCancelledError:
            raise failure(grpc.StatusCode.CANCELLED, "cancelled", course.request_id) from None
        except grpc.RpcError as error:
            raise error_of(error, course.request_id) from None
        finally:
            # An interrupt of the program's leaves nothing behind.
            call.cancel()

    def open(self, follow: Follow[Any, Response, Any]) -> Any:
        """Opens a stream: an iterator of messages with ``cancel()``."""
        method = follow.method
        start = self._channel_now().unary_stream(
            method.path,
            request_serializer=method.request.SerializeToString,
            response_deserializer=method.response.FromString,
        )
        return start(follow.request, metadata=_channel.metadata(self.settings, follow.begin()))

    def _channel_now(self) -> grpc.Channel:
        """The channel, made when it is first wanted."""
        with self._lock:
            if self.closing.cancelled:
                raise failure(grpc.StatusCode.CANCELLED, "the client is closed")
            if self._channel is None:
                options = _channel.options(self.settings)
                target = self.settings.target
                if self.settings.secure:
                    credentials = _channel.credentials(self.settings)
                    self._channel = grpc.secure_channel(target, credentials, options)
                else:
                    self._channel = grpc.insecure_channel(target, options)
            return self._channel

    def close(self) -> None:
        """Ends calls and streams, and the connection."""
        self.closing.cancel()
        with self._lock:
            channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()


class _Turn(Cancellation):
    """What one thread is doing for a call, an attempt or a pause; both end when it is cancelled."""

    def __init__(self) -> None:
        super().__init__()
        self._woken = threading.Event()

    def cancel(self) -> None:
        self._woken.set()
        super().cancel()

    def wait(self, seconds: float) -> None:
        """Pauses, unless and until it is cancelled."""
        self._woken.wait(seconds)


class Paged(Generic[Response, Entry]):
    """A list, entry by entry. A page is asked for when its first entry is wanted."""

    def __init__(
        self,
        calls: Calls,
        method: ListMethod[Any, Response, Entry],
        request: Any,
        timeout: float | None,
    ) -> None:
        self._calls = calls
        self._method = method
        self._request = request
        self._timeout = timeout
        self._entries = self._each()

    def pages(self) -> Iterator[Response]:
        """The same list from its beginning, page by page: each the whole response message."""
        request = self._request
        while request is not None:
            page = self._calls.send(self._method, request, self._timeout)
            yield page
            request = self._method.following(request, page)

    def _each(self) -> Iterator[Entry]:
        for page in self.pages():
            yield from self._method.entries_of(page)

    def __iter__(self) -> Iterator[Entry]:
        return self

    def __next__(self) -> Entry:
        return next(self._entries)


class Watch(Generic[Response, Entry]):
    """What happens, entry by entry, across lost connections. Iterate it; as a context manager it is
    cancelled at the end of the block.
    """

    def __init__(self, calls: Calls, follow: Follow[Any, Response, Entry]) -> None:
        self._stream: Any = None
        self._calls = calls
        self._follow = follow
        self._turn = _Turn()
        self._ready: list[Entry] = []
        self._done = False

    def cancel(self) -> None:
        """Ends the watch at once, from any thread. A second time does nothing."""
        self._done = True
        self._turn.cancel()
        self._drop()

    def __enter__(self: _Self) -> _Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.cancel()

    def __del__(self) -> None:
        # Who forgets a watch would otherwise leave its stream open.
        self._drop()

    def __iter__(self) -> Iterator[Entry]:
        return self

    def __next__(self) -> Entry:
        while not self._done and not self._ready:
            self._step()
        if self._done and (self._turn.cancelled or not self._ready):
            raise StopIteration
        return self._ready.pop(0)

    def position(self) -> str:
        """The resume token that goes on after what was given so far, for a program to store at the
        very start, before the first event, for which it does not wait. Empty for a stream without
        tokens.
        """
        while not self._done and not self._follow.answered:
            self._step()
        return self._follow.position(bool(self._ready))

    def _step(self) -> None:
        try:
            with self._calls.closing.calling(self._turn.cancel):
                self._advance()
        except AstroError:
            if not self._done:
                self._done = True
                raise

    def _advance(self) -> None:
        """Waits for the next message, or out the pause after a broken stream."""
        try:
            message = self._message()
        except AstroError as error:
            self._drop()
            if self._calls.closing.cancelled:
                raise
            pause = self._follow.broken(error)
            if pause is None:
                raise
        else:
            if message is not None:
                self._ready = self._follow.received(message)
                return
            self._drop()
            pause = self._follow.ended()
            if pause is None:
                self._done = True
                return
        self._turn.wait(pause)

    def _message(self) -> Response | None:
        """The next message; ``None``: the server ended the stream in good order."""
        if self._stream is None:
            self._stream = self._calls.open(self._follow)
        stream = self._stream
        alarm = _Alarm(self._follow.idle, stream.cancel)
        try:
            with self._turn.calling(stream.cancel), alarm:
                message: Response | None = next(stream, None)
                return message
        except grpc.RpcError as error:
            if alarm.rang:
                raise failure(grpc.StatusCode.UNAVAILABLE, "the stream fell silent") from None
            raise error_of(error, "") from None

    def _drop(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.cancel()


class _Alarm:
    """Calls ``ring`` when its block takes longer than so many seconds."""

    def __init__(self, seconds: float | None, ring: Callable[[], object]) -> None:
        self.rang = False
        self._ring = ring
        self._timer = None if seconds is None else threading.Timer(seconds, self._late)

    def _late(self) -> None:
        self.rang = True
        self._ring()

    def __enter__(self) -> None:
        if self._timer is not None:
            self._timer.daemon = True
            self._timer.start()

    def __exit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
