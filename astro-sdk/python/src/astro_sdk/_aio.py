"""Calls, lists and watches for programs with asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping
from types import TracebackType
from typing import Any, Generic, TypeVar

import grpc
import grpc.aio

from . import _channel
from ._follow import Follow
from ._method import Entry, ListMethod, Method, Request, Response, WatchMethod
from ._retry import Course
from ._status import error_of, failure
from .errors import AstroError
from .settings import Settings

_Result = TypeVar("_Result")
_Self = TypeVar("_Self", bound="AsyncWatch[Any, Any]")


class AsyncCalls:
    """The connection of one client; it connects at the first call, in that call's event loop."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.closed = False
        self._channel: grpc.aio.Channel | None = None
        self._turns: set[_Turn] = set()

    async def call(
        self,
        method: Method[Request, Response],
        fields: Mapping[str, object],
        timeout: float | None,
    ) -> Response:
        """Makes a call of one answer."""
        return await self.send(method, method.build(fields), timeout)

    def list(
        self,
        method: ListMethod[Request, Response, Entry],
        fields: Mapping[str, object],
        timeout: float | None,
    ) -> AsyncPaged[Response, Entry]:
        """Begins a list; nothing is asked for yet."""
        return AsyncPaged(self, method, method.build(fields), timeout)

    def watch(
        self, method: WatchMethod[Request, Response, Entry], fields: Mapping[str, object]
    ) -> AsyncWatch[Response, Entry]:
        """Begins a watch; its stream is opened when the first entry is wanted."""
        return AsyncWatch(self, Follow(method, method.build(fields), self.settings.watch_idle))

    async def send(
        self, method: Method[Request, Response], request: Request, timeout: float | None
    ) -> Response:
        """Makes a call, in as many attempts as are allowed."""
        course = Course(method, request, self.settings.timeout if timeout is None else timeout)
        turn = _Turn(self)
        while True:
            try:
                response: Response = await self._attempt(course, turn)
                return response
            except AstroError as error:
                pause = course.pause_after(error)
                if pause is None:
                    raise
            await turn.pause(pause)

    async def _attempt(self, course: Course, turn: _Turn) -> Any:
        timeout = _channel.timeout(course.begin())
        method = course.method
        start = self._channel_now().unary_unary(
            method.path,
            request_serializer=method.request.SerializeToString,
            response_deserializer=method.response.FromString,
        )
        headers = _channel.metadata(self.settings, course.attempt)
        call: Any = start(course.request, timeout=timeout, metadata=headers)
        try:
            return await turn.take(call)
        except _Stopped:
            raise failure(grpc.StatusCode.CANCELLED, "cancelled", course.request_id) from None
        except grpc.aio.AioRpcError as error:
            raise error_of(error, course.request_id) from None
        finally:
            call.cancel()

    def open(self, follow: Follow[Any, Response, Any]) -> Any:
        """Opens a stream of messages."""
        method = follow.method
        start = self._channel_now().unary_stream(
            method.path,
            request_serializer=method.request.SerializeToString,
            response_deserializer=method.response.FromString,
        )
        return start(follow.request, metadata=_channel.metadata(self.settings, follow.begin()))

    def _channel_now(self) -> grpc.aio.Channel:
        """The channel, made when it is first wanted."""
        if self.closed:
            raise failure(grpc.StatusCode.CANCELLED, "the client is closed")
        if self._channel is None:
            options = _channel.options(self.settings)
            target = self.settings.target
            if self.settings.secure:
                credentials = _channel.credentials(self.settings)
                self._channel = grpc.aio.secure_channel(target, credentials, options)
            else:
                self._channel = grpc.aio.insecure_channel(target, options)
        return self._channel

    def entered(self, turn: _Turn) -> None:
        """Something waits, and is to be stopped when the client is closed."""
        self._turns.add(turn)

    def left(self, turn: _Turn) -> None:
        """It waits no more."""
        self._turns.discard(turn)

    async def close(self) -> None:
        """Ends calls and streams, and the connection."""
        self.closed = True
        for turn in list(self._turns):
            turn.stop()
        channel, self._channel = self._channel, None
        if channel is not None:
            await channel.close()


class _Stopped(Exception):
    """The client was closed or the watch cancelled."""


class _Turn:
    """What one task waits for: an attempt, a message or a pause; ``stop`` ends any of them."""

    def __init__(self, calls: AsyncCalls) -> None:
        self._calls = calls
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """Ends what is waited for now, and all of it later."""
        self._stop.set()

    async def take(self, work: Awaitable[_Result], seconds: float | None = None) -> _Result:
        """The result of the work, within so many seconds."""
        task = asyncio.ensure_future(work)
        stop = asyncio.ensure_future(self._stop.wait())
        self._calls.entered(self)
        try:
            await asyncio.wait({task, stop}, timeout=seconds, return_when="FIRST_COMPLETED")
            # A call that is cancelled from elsewhere ends as one that is stopped.
            if self._stop.is_set() or task.cancelled():
                raise _Stopped
            if not task.done():
                raise asyncio.TimeoutError
            return task.result()
        finally:
            self._calls.left(self)
            stop.cancel()
            # Also marks an error that nobody asks for any more as seen.
            if not task.cancel() and not task.cancelled():
                task.exception()

    async def pause(self, seconds: float) -> None:
        """Pauses, unless and until it is stopped."""
        try:
            await self.take(asyncio.sleep(seconds))
        except _Stopped:
            pass


class AsyncPaged(Generic[Response, Entry]):
    """A list, entry by entry. A page is asked for when its first entry is wanted."""

    def __init__(
        self,
        calls: AsyncCalls,
        method: ListMethod[Any, Response, Entry],
        request: Any,
        timeout: float | None,
    ) -> None:
        self._calls = calls
        self._method = method
        self._request = request
        self._timeout = timeout
        self._entries = self._each()

    async def pages(self) -> AsyncIterator[Response]:
        """The same list from its beginning, page by page: each the whole response message."""
        request = self._request
        while request is not None:
            page = await self._calls.send(self._method, request, self._timeout)
            yield page
            request = self._method.following(request, page)

    async def _each(self) -> AsyncIterator[Entry]:
        async for page in self.pages():
            for entry in self._method.entries_of(page):
                yield entry

    def __aiter__(self) -> AsyncIterator[Entry]:
        return self

    async def __anext__(self) -> Entry:
        return await self._entries.__anext__()


class AsyncWatch(Generic[Response, Entry]):
    """What happens, entry by entry, across lost connections. Iterate it; as a context manager it is
    cancelled at the end of the block.
    """

    def __init__(self, calls: AsyncCalls, follow: Follow[Any, Response, Entry]) -> None:
        self._calls = calls
        self._follow = follow
        self._turn = _Turn(calls)
        self._stream: Any = None
        self._ready: list[Entry] = []
        self._done = False
        self._cancelled = False

    def cancel(self) -> None:
        """Ends the watch at once. A second time does nothing."""
        self._cancelled = True
        self._turn.stop()
        self._drop()

    async def __aenter__(self: _Self) -> _Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.cancel()

    def __aiter__(self) -> AsyncIterator[Entry]:
        return self

    async def __anext__(self) -> Entry:
        while not self._cancelled and not self._done and not self._ready:
            await self._step()
        if self._cancelled or not self._ready:
            raise StopAsyncIteration
        return self._ready.pop(0)

    async def position(self) -> str:
        """The resume token that goes on after what was given so far, for a program to store at the
        very start, before the first event, for which it does not wait. Empty for a stream without
        tokens.
        """
        while not self._cancelled and not self._done and not self._follow.answered:
            await self._step()
        return self._follow.position(bool(self._ready))

    async def _step(self) -> None:
        try:
            await self._advance()
        except AstroError:
            if not self._cancelled:
                self._done = True
                raise

    async def _advance(self) -> None:
        """Waits for the next message, or out the pause after a broken stream."""
        try:
            message = await self._message()
        except AstroError as error:
            if self._calls.closed or self._cancelled:
                raise
            pause = self._follow.broken(error)
            if pause is None:
                raise
        else:
            if message is not None:
                self._ready = self._follow.received(message)
                return
            pause = self._follow.ended()
            if pause is None:
                self._done = True
                return
        await self._turn.pause(pause)

    async def _message(self) -> Response | None:
        """The next message; ``None``: the server ended the stream in good order."""
        if self._stream is None:
            self._stream = self._calls.open(self._follow)
        message: Any = grpc.aio.EOF
        try:
            message = await self._turn.take(self._stream.read(), self._follow.idle)
        except _Stopped:
            raise failure(grpc.StatusCode.CANCELLED, "cancelled") from None
        except asyncio.TimeoutError:
            raise failure(grpc.StatusCode.UNAVAILABLE, "the stream fell silent") from None
        except grpc.aio.AioRpcError as error:
            raise error_of(error, "") from None
        finally:
            # A stream that is not read to its end is of no more use.
            if message is grpc.aio.EOF:
                self._drop()
        return None if message is grpc.aio.EOF else message

    def _drop(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.cancel()
