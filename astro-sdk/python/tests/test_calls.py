"""Calls and streams against a server that answers as the test says, for threads and asyncio."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import unittest
from typing import Any
from unittest import mock

from grpc import StatusCode
from scripted import detail, packed, refuse, serving

import astro_sdk
from astro_sdk import (
    AsyncClient,
    Cancellation,
    Client,
    Event,
    FieldViolation,
    GetItemResponse,
    Item,
    WatchEventsResponse,
)

GET = "ItemService/GetItem"
WATCH = "EventService/WatchEvents"
KEY = "astro_sk_test"
PATIENCE = 10.0
# retry_delay = 50 ms.
RETRY_INFO = detail("RetryInfo", packed(1, b"\x10\x80\xe1\xeb\x17"))


def away_once(request: Any, context: Any) -> Any:
    """Refuses the first attempt."""
    if dict(context.invocation_metadata())["astro-attempt"] == "1":
        refuse(context, StatusCode.UNAVAILABLE, RETRY_INFO)
    return GetItemResponse(item=Item(id=request.item_id))


def refused_with_details(request: Any, context: Any) -> Any:
    """Refuses with each kind of detail, and one that nobody knows."""
    fact = packed(1, b"field") + packed(2, b"item_id")
    info = packed(1, b"FIELD_INVALID") + packed(2, b"astro.dev") + packed(3, fact)
    violation = packed(1, packed(1, b"item_id") + packed(2, b"is no id"))
    details = detail("ErrorInfo", info) + detail("BadRequest", violation)
    details += detail("Help", packed(1, b"me")) + RETRY_INFO
    refuse(context, StatusCode.INVALID_ARGUMENT, details)


class Calls(unittest.TestCase):
    def test_an_attempt_is_repeated_after_the_pause_that_the_server_asks_for(self) -> None:
        async def later() -> str:
            async with AsyncClient(server.endpoint, KEY) as client:
                return (await client.items.get(item_id="b")).item.id

        with serving(GET, away_once) as server:
            with Client(server.endpoint, KEY) as client:
                self.assertEqual(client.items.get(item_id="a").item.id, "a")
            self.assertEqual(asyncio.run(later()), "b")
        self.assertEqual([seen["astro-attempt"] for seen in server.attempts], ["1", "2"] * 2)
        self.assertEqual(server.attempts[0]["authorization"], f"Bearer {KEY}")

    def test_an_error_has_its_details(self) -> None:
        with serving(GET, refused_with_details) as server, Client(server.endpoint, KEY) as client:
            with self.assertRaises(astro_sdk.InvalidArgumentError) as caught:
                client.items.get(item_id="?")
        error = caught.exception
        self.assertEqual((error.code, error.message), (StatusCode.INVALID_ARGUMENT, "refused"))
        self.assertEqual((error.reason, error.metadata), ("FIELD_INVALID", {"field": "item_id"}))
        self.assertEqual(error.field_violations, (FieldViolation("item_id", "is no id"),))
        self.assertEqual(error.retry_delay, 0.05)
        self.assertEqual(str(error), "refused (FIELD_INVALID)")

    def test_damaged_details_leave_the_code_and_the_message(self) -> None:
        def damaged(request: Any, context: Any) -> None:
            refuse(context, StatusCode.NOT_FOUND, b"\xff\xff\xff")

        with serving(GET, damaged) as server, Client(server.endpoint, KEY) as client:
            with self.assertRaisesRegex(astro_sdk.NotFoundError, "refused"):
                client.items.get(item_id="?")

    def test_a_call_is_cancelled_from_another_thread(self) -> None:
        asked = threading.Event()
        cancellation = Cancellation()

        def slow(request: Any, context: Any) -> None:
            context.add_callback(server.left.set)
            asked.set()
            server.left.wait(PATIENCE)

        def cancel() -> None:
            asked.wait(PATIENCE)
            cancellation.cancel()

        with serving(GET, slow) as server, Client(server.endpoint, KEY) as client:
            threading.Thread(target=cancel).start()
            with self.assertRaises(astro_sdk.CancelledError):
                client.items.get(item_id="a", cancellation=cancellation)
            self.assertTrue(server.left.wait(PATIENCE))
            with self.assertRaises(astro_sdk.CancelledError):
                client.items.get(item_id="a", cancellation=cancellation)
        self.assertEqual(len(server.attempts), 1)


def one_event(request: Any, context: Any) -> Any:
    """The event after the token, and then nothing more."""
    place = int(request.resume_token or 0) + 1
    token = str(place)
    yield WatchEventsResponse(events=[Event(id=token)], resume_token=token)
    ended = threading.Event()
    context.add_callback(ended.set)
    ended.wait(PATIENCE)


def one_event_at_the_second_attempt(request: Any, context: Any) -> Any:
    """Refuses the first attempt."""
    if dict(context.invocation_metadata())["astro-attempt"] == "1":
        refuse(context, StatusCode.UNAVAILABLE, RETRY_INFO)
    yield from one_event(request, context)


def an_hour_later() -> Any:
    """The clock of what follows, which alone is moved: grpc has the same one otherwise."""
    return mock.patch("astro_sdk._follow.time", mock.Mock(monotonic=lambda: time.monotonic() + 3600))


class Watches(unittest.TestCase):
    def test_a_watch_that_is_forgotten_leaves_no_stream_open(self) -> None:
        def noticing(request: Any, context: Any) -> Any:
            context.add_callback(server.left.set)
            return one_event(request, context)

        with serving(WATCH, noticing, stream=True) as server:
            with Client(server.endpoint, KEY) as client:
                for event in client.events.watch():
                    self.assertEqual(event.id, "1")
                    break
                gc.collect()
                self.assertTrue(server.left.wait(PATIENCE))

    def test_a_watch_that_is_used_late_has_all_its_time_to_open(self) -> None:
        async def later() -> str:
            async with AsyncClient(server.endpoint, KEY) as client:
                async with client.events.watch() as events:
                    with an_hour_later():
                        return (await events.__anext__()).id

        with serving(WATCH, one_event_at_the_second_attempt, stream=True) as server:
            with Client(server.endpoint, KEY) as client, client.events.watch() as events:
                with an_hour_later():
                    self.assertEqual(next(events).id, "1")
            self.assertEqual(asyncio.run(later()), "1")
        self.assertEqual([seen["astro-attempt"] for seen in server.attempts], ["1", "2"] * 2)

    def test_a_log_that_ends_before_it_began_is_not_followed_for_ever(self) -> None:
        def ended(request: Any, context: Any) -> Any:
            return iter(())

        async def later() -> None:
            async with AsyncClient(server.endpoint, KEY) as client:
                async with client.events.watch() as events:
                    await events.__anext__()

        with serving(WATCH, ended, stream=True) as server:
            with mock.patch("astro_sdk._follow.TIMEOUT_DEFAULT", 0.1):
                with Client(server.endpoint, KEY) as client, client.events.watch() as events:
                    with self.assertRaises(astro_sdk.UnavailableError):
                        next(events)
                    self.assertEqual(list(events), [])
                with self.assertRaises(astro_sdk.UnavailableError):
                    asyncio.run(later())

    def test_a_silent_log_is_opened_again(self) -> None:
        with serving(WATCH, one_event, stream=True) as server:
            with Client(server.endpoint, KEY, watch_idle=0.2) as client:
                with client.events.watch() as events:
                    self.assertEqual([next(events).id for _ in range(3)], ["1", "2", "3"])

    def test_a_watch_goes_on_after_a_wait_for_it_was_given_up(self) -> None:
        async def story() -> list[str]:
            async with AsyncClient(server.endpoint, KEY) as client:
                events = client.events.watch()
                seen = [(await events.__anext__()).id]
                with self.assertRaises(asyncio.TimeoutError):
                    await asyncio.wait_for(events.__anext__(), 0.2)
                seen.append((await events.__anext__()).id)
                events.cancel()
                seen.extend([event.id async for event in events])
                return seen

        with serving(WATCH, one_event, stream=True) as server:
            self.assertEqual(asyncio.run(story()), ["1", "2"])

    def test_a_watch_is_cancelled_from_another_thread(self) -> None:
        with serving(WATCH, one_event, stream=True) as server:
            with Client(server.endpoint, KEY) as client:
                events = client.events.watch()
                next(events)
                threading.Timer(0.2, events.cancel).start()
                self.assertEqual(list(events), [])


if __name__ == "__main__":
    unittest.main()
