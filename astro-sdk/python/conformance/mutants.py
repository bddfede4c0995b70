"""Faults that the scenarios must find. Each is planted into the SDK of this process alone."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import grpc
from google.protobuf.message import Message

from astro_sdk import AstroError, Reason, _aio, _channel, _follow, _retry, _status, _sync, settings
from astro_sdk._method import moved

WIDE_MAX = {"int64": 2**63 - 1, "uint64": 2**64 - 1}


def plant(name: str) -> None:
    """Plants the fault with this name."""
    FAULTS[name]()


def replace(owner: Any, name: str, make: Callable[[Any], Any]) -> None:
    """Puts in place of the owner's member what ``make`` makes of it."""
    setattr(owner, name, make(getattr(owner, name)))


def no_retry() -> None:
    replace(_retry, "pause", lambda original: lambda error, failed: None)


def retry_everything() -> None:
    def make(original: Any) -> Any:
        def init(course: _retry.Course, method: Any, *arguments: Any) -> None:
            original(course, dataclasses.replace(method, may_repeat=True), *arguments)

        return init

    replace(_retry.Course, "__init__", make)


def new_request_id_per_attempt() -> None:
    def make(original: Any) -> Any:
        def begin(course: _retry.Course) -> float:
            if course.method.has_request_id:
                setattr(course.request, "request_id", str(uuid.uuid4()))
            left: float = original(course)
            return left

        return begin

    replace(_retry.Course, "begin", make)


def number_ids() -> None:
    def make_sync(original: Any) -> Any:
        return lambda *arguments: rounded(original(*arguments))

    def make_async(original: Any) -> Any:
        async def send(*arguments: Any) -> Any:
            return rounded(await original(*arguments))

        return send

    replace(_sync.Calls, "send", make_sync)
    replace(_aio.AsyncCalls, "send", make_async)


def rounded(message: Message) -> Message:
    """The message with each number of 64 bits as a double has it."""
    for field, value in message.ListFields():
        kind = {field.TYPE_INT64: "int64", field.TYPE_UINT64: "uint64"}.get(field.type)
        if isinstance(value, Message):
            rounded(value)
        elif kind and isinstance(value, int):
            setattr(message, field.name, min(int(float(value)), WIDE_MAX[kind]))
        elif field.message_type and not field.message_type.GetOptions().map_entry:
            for entry in value:
                rounded(entry)
    return message


def skip_after_reconnect() -> None:
    def make_broken(original: Any) -> Any:
        def broken(follow: Any, *arguments: Any) -> Any:
            follow.skips = True
            return original(follow, *arguments)

        return broken

    def make_received(original: Any) -> Any:
        def received(follow: Any, message: Any) -> Any:
            entries = original(follow, message)
            if entries and getattr(follow, "skips", False):
                follow.skips = False
                return entries[1:]
            return entries

        return received

    replace(_follow.Follow, "broken", make_broken)
    replace(_follow.Follow, "ended", make_broken)
    replace(_follow.Follow, "received", make_received)


def repeat_after_reconnect() -> None:
    replace(_follow, "moved", lambda original: lambda request, field, token: request)


def ignore_retry_info() -> None:
    def make_pause(original: Any) -> Any:
        def pause(error: AstroError, failed: int) -> float | None:
            full = error.code == grpc.StatusCode.RESOURCE_EXHAUSTED and error.retry_delay is not None
            repeatable = full or error.code == grpc.StatusCode.UNAVAILABLE
            last = failed >= _retry.ATTEMPTS_MAX
            return _retry.backoff(failed) if repeatable and not last else None

        return pause

    def make_broken(original: Any) -> Any:
        def broken(follow: Any, error: AstroError) -> float | None:
            asked = original(follow, error)
            return None if asked is None else _retry.backoff(1)

        return broken

    replace(_retry, "pause", make_pause)
    replace(_follow.Follow, "broken", make_broken)


def swallow_expired_token() -> None:
    def make(original: Any) -> Any:
        def broken(follow: Any, error: AstroError) -> float | None:
            if error.reason == Reason.RESUME_TOKEN_EXPIRED:
                follow.request = moved(follow.request, follow.method.start, "")
                return 0.0
            pause: float | None = original(follow, error)
            return pause

        return broken

    replace(_follow.Follow, "broken", make)


def no_deadline() -> None:
    replace(_channel, "timeout", lambda original: lambda left: None)


def drop_unknown_fields() -> None:
    def make(original: Any) -> Any:
        def init(course: _retry.Course, method: Any, request: Any, timeout: float) -> None:
            request.DiscardUnknownFields()
            original(course, method, request, timeout)

        return init

    replace(_retry.Course, "__init__", make)


def closed_reasons() -> None:
    known = {name for name in vars(Reason) if name.isupper()}

    def make(original: Any) -> Any:
        def facts(detail: Any) -> Any:
            found = original(detail)
            return found if found.get("reason", "") in known | {""} else {}

        return facts

    replace(_status, "_facts", make)


def eager_pages() -> None:
    def pages(paged: Any) -> Iterator[Any]:
        request = paged._request
        page = paged._calls.send(paged._method, request, paged._timeout)
        while page is not None:
            request = paged._method.following(request, page)
            ready = page
            page = request and paged._calls.send(paged._method, request, paged._timeout)
            yield ready

    async def async_pages(paged: Any) -> AsyncIterator[Any]:
        request = paged._request
        page = await paged._calls.send(paged._method, request, paged._timeout)
        while page is not None:
            request = paged._method.following(request, page)
            ready = page
            page = request and await paged._calls.send(paged._method, request, paged._timeout)
            yield ready

    replace(_sync.Paged, "pages", lambda original: pages)
    replace(_aio.AsyncPaged, "pages", lambda original: async_pages)


def insecure_everywhere() -> None:
    def make(original: Any) -> Any:
        return lambda endpoint, allow_insecure: original(endpoint, True)

    replace(settings, "_check_endpoint", make)


FAULTS = {
    fault.__name__: fault
    for fault in (
        no_retry,
        retry_everything,
        new_request_id_per_attempt,
        number_ids,
        skip_after_reconnect,
        repeat_after_reconnect,
        ignore_retry_info,
        swallow_expired_token,
        no_deadline,
        drop_unknown_fields,
        closed_reasons,
        eager_pages,
        insecure_everywhere,
    )
}
