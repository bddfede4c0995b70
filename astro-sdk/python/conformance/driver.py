"""Does with the SDK what the conformance runner asks, line by line; see conformance/DRIVER.md.

    python driver.py sync|asyncio
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import re
import sys
import traceback
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import flavours
from google.protobuf import json_format

import astro_sdk
from astro_sdk import AstroError, ConfigError, SteamId, SteamIdError, TradeUrl, TradeUrlError

Json = dict[str, Any]

# More than a scenario ever has waiting at once.
THREADS_MAX = 64
# Seconds in which a wait has surely begun, so that cancelling it is what ends it.
WAIT_BEGUN = 0.05
# The driver's names of settings that the SDK names otherwise.
SETTINGS = {
    "endpoint": "endpoint",
    "api_key": "api_key",
    "allow_insecure": "allow_insecure",
    "ca_pem": "ca_certificate",
    "cert_pem": "client_certificate",
    "key_pem": "client_key",
    "user_agent": "user_agent",
}


class Unsupported(Exception):
    """The SDK has no way to do what is asked."""


class Driver:
    """What the runner made so far, by the names that it gave."""

    def __init__(self, flavour: flavours.Flavour) -> None:
        self._flavour = flavour
        self._clients: dict[str, Any] = {}
        self._kept: dict[str, Any] = {}
        self._calls: dict[str, tuple[Json, flavours.Running]] = {}
        self._watches: dict[str, Any] = {}

    async def answer(self, asked: Json) -> Json:
        """The answer to one line, without its id."""
        operation: Callable[[Json], Awaitable[Json]] = getattr(self, f"op_{asked['op']}")
        try:
            return {"ok": await operation(asked)}
        except Unsupported as gap:
            return {"unsupported": str(gap)}
        except AstroError as error:
            return {"error": shown_error(error)}
        except ConfigError as error:
            texts = {"message": str(error), "shown": f"{error}\n{error!r}"}
            return {"error": {"kind": "config", "problem": error.problem, **texts}}
        except SteamIdError as error:
            return {"error": {"kind": "steam_id", "problem": error.problem}}
        except TradeUrlError as error:
            return {"error": {"kind": "trade_url", "problem": error.problem}}

    async def op_hello(self, asked: Json) -> Json:
        name = self._flavour.name
        return {"language": "python", "flavour": name, "version": astro_sdk.__version__}

    async def op_open(self, asked: Json) -> Json:
        given = {SETTINGS[key]: asked[key] for key in SETTINGS if key in asked}
        if "watch_idle_ms" in asked:
            given["watch_idle"] = seconds(asked["watch_idle_ms"])
        with environment(asked.get("env", {})):
            client = self._flavour.client(**given)
        self._clients[asked["client"]] = client
        shown = [str(client), repr(client), str(client.settings), repr(client.settings)]
        return {"shown": "\n".join(shown)}

    async def op_close(self, asked: Json) -> Json:
        await self._flavour.close(self._clients[asked["client"]])
        return {}

    async def op_call(self, asked: Json) -> Json:
        return await self._finished(asked, self._begun(asked))

    async def op_start(self, asked: Json) -> Json:
        self._calls[asked["call"]] = (asked, self._begun(asked))
        return {}

    async def op_finish(self, asked: Json) -> Json:
        return await self._finished(*self._calls.pop(asked["call"]))

    async def op_cancel(self, asked: Json) -> Json:
        if "call" in asked:
            self._calls[asked["call"]][1].cancel()
            return {}
        watch = self._watches.pop(asked["watch"])
        items: list[Any] = []
        waiting = asyncio.ensure_future(self._flavour.take(watch, 1, items))
        await asyncio.wait({waiting}, timeout=WAIT_BEGUN)
        watch.cancel()
        # What came just before is no end; the next wait is.
        ended = await waiting or await self._flavour.take(watch, len(items) + 1, items)
        return {"items": as_json(items), "ended": ended}

    async def op_list(self, asked: Json) -> Json:
        entries = self._method(asked)(**self._arguments(asked))
        return await self._taken("items", entries, asked.get("limit"))

    async def op_pages(self, asked: Json) -> Json:
        entries = self._method(asked)(**self._arguments(asked))
        return await self._taken("pages", entries.pages(), asked.get("limit"))

    async def op_watch(self, asked: Json) -> Json:
        self._watches[asked["watch"]] = self._method(asked)(**self._arguments(asked))
        return {}

    async def op_next(self, asked: Json) -> Json:
        return await self._taken("items", self._watches[asked["watch"]], asked["count"])

    async def op_position(self, asked: Json) -> Json:
        return {"token": await self._flavour.position(self._watches[asked["watch"]])}

    async def op_peek(self, asked: Json) -> Json:
        value = at_path(self._kept[asked["from"]], asked["path"])
        kinds = {str: "string", bool: "boolean", int: "integer", float: "number"}
        return {"type": kinds[type(value)], "text": str(value)}

    async def op_json(self, asked: Json) -> Json:
        return {"text": json_format.MessageToJson(self._kept[asked["from"]])}

    async def op_rounded(self, asked: Json) -> Json:
        request = getattr(astro_sdk, asked["method"].rpartition("/")[2] + "Request")
        try:
            value = rounded(request.DESCRIPTOR, asked["path"])
            await self._flavour.result(self._flavour.begin(self._method(asked), value))
        except TypeError as error:
            return {"refused": str(error)}
        return {}

    async def op_steam_id(self, asked: Json) -> Json:
        found = SteamId.parse(asked["text"])
        return {
            "steam_id64": str(found.steam_id64),
            "account_id": str(found.account_id),
            "steam2": found.steam2,
            "steam3": found.steam3,
            "profile_url": found.profile_url,
        }

    async def op_trade_url(self, asked: Json) -> Json:
        url = TradeUrl.parse(asked["text"])
        return {
            "partner": str(url.partner),
            "token": url.token,
            "url": str(url),
            "shown": repr(url),
        }

    def _begun(self, asked: Json) -> flavours.Running:
        return self._flavour.begin(self._method(asked), self._arguments(asked))

    async def _finished(self, asked: Json, running: flavours.Running) -> Json:
        response = await self._flavour.result(running)
        if "keep" in asked:
            self._kept[asked["keep"]] = response
        return {"response": message_json(response)}

    async def _taken(self, name: str, source: Any, count: int | None) -> Json:
        found: list[Any] = []
        try:
            ended = await self._flavour.take(source, count, found)
        except AstroError as error:
            raise Partly(error, name, found) from None
        return {name: as_json(found), **({"ended": True} if ended else {})}

    def _method(self, asked: Json) -> Any:
        service, name = asked["method"].rpartition(".")[2].split("/")
        noun = snake(service.removesuffix("Service"))
        plural = noun if noun.endswith("s") else f"{noun}s"
        verb, _, rest = snake(name).partition("_")
        for own in (plural, noun):
            if rest == own or rest.startswith(f"{own}_"):
                rest = rest[len(own) + 1 :]
                break
        short = f"{verb}_{rest}" if rest else verb
        found = getattr(getattr(self._clients[asked["client"]], plural, None), short, None)
        if found is None:
            raise Unsupported(f"no client.{plural}.{short}")
        return found

    def _arguments(self, asked: Json) -> Json:
        """The request's fields as keyword arguments, and the call's own."""
        request = getattr(astro_sdk, asked["method"].rpartition("/")[2] + "Request")()
        for embed in asked.get("embed", []):
            value = at_path(self._kept[embed["from"]], embed["path"])
            getattr(request, embed["to"]).CopyFrom(value)
        json_format.ParseDict(asked.get("request", {}), request)
        arguments: Json = {field.name: value for field, value in request.ListFields()}
        for path, texts in asked.get("people", {}).items():
            many = isinstance(texts, list)
            people = [SteamId.parse(text) for text in (texts if many else [texts])]
            arguments[path] = people if many else people[0]
        if "timeout_ms" in asked:
            arguments["timeout"] = seconds(asked["timeout_ms"])
        return arguments


def seconds(milliseconds: int) -> float:
    """For ever for a negative number."""
    return math.inf if milliseconds < 0 else milliseconds / 1000


class Partly(AstroError):
    """An error, and what came before it."""

    def __init__(self, error: AstroError, name: str, found: list[Any]) -> None:
        super().__init__(error.code, error.message)
        self.error = error
        self.before = {name: as_json(found)}


def shown_error(error: AstroError) -> Json:
    """The error as the runner compares it."""
    if isinstance(error, Partly):
        return {**shown_error(error.error), **error.before}
    shown: Json = {
        "kind": "call",
        "type": re.sub("Error$", "", type(error).__name__),
        "code": error.code.name,
        "message": error.message,
        "reason": error.reason,
        "metadata": error.metadata,
        "field_violations": [
            {"field": found.field, "description": found.description}
            for found in error.field_violations
        ],
        "shown": f"{error}\n{error!r}\n" + "".join(traceback.format_exception_only(type(error), error)),
    }
    if error.retry_delay is not None:
        shown["retry_delay_ms"] = round(error.retry_delay * 1000)
    if error.request_id:
        shown["request_id"] = error.request_id
    return shown


def rounded(message: Any, path: str) -> Any:
    """The fields of a message with a floating-point number at the path; messages below as such."""
    name, _, rest = path.partition(".")
    field = message.fields_by_name[name]
    if rest:
        inner = getattr(astro_sdk, field.message_type.name)
        return {name: inner(**rounded(field.message_type, rest))}
    number = float(76561198046968201)
    return {name: [number] if field.is_repeated else number}


def message_json(message: Any) -> Any:
    """The message in protobuf's own JSON, with the contract's field names."""
    return json_format.MessageToDict(message, preserving_proto_field_name=True)


def as_json(messages: list[Any]) -> list[Any]:
    """Each message in JSON."""
    return [message_json(message) for message in messages]


def at_path(message: Any, path: str) -> Any:
    """The value at a dotted path."""
    for name in path.split("."):
        message = getattr(message, name)
    return message


def snake(name: str) -> str:
    """``GetItem`` is ``get_item``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


@contextmanager
def environment(changes: dict[str, str | None]) -> Iterator[None]:
    """Sets variables (``None``: removes them) within the block."""
    before = dict(os.environ)
    for name, value in changes.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


async def serve(driver: Driver) -> None:
    """Answers every line; each in its own time, so that one may wait while another is answered."""
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(THREADS_MAX))
    tasks: set[asyncio.Future[None]] = set()
    while True:
        line = await loop.run_in_executor(None, sys.stdin.buffer.readline)
        if not line:
            return
        task = asyncio.ensure_future(respond(driver, json.loads(line)))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


async def respond(driver: Driver, asked: Json) -> None:
    """Answers one line; ends the program when that is not possible."""
    try:
        answer = {"id": asked["id"], **await driver.answer(asked)}
        print(json.dumps(answer), flush=True)
    except Exception:
        traceback.print_exc()
        os._exit(1)


def main() -> None:
    """Runs the driver until its input ends."""
    if "ASTRO_MUTANT" in os.environ:
        import mutants

        mutants.plant(os.environ["ASTRO_MUTANT"])
    asyncio.run(serve(Driver(flavours.named(sys.argv[1]))))


if __name__ == "__main__":
    try:
        main()
    except Exception:
        traceback.print_exc()
        os._exit(1)
    # Threads that still wait would keep the program alive.
    os._exit(0)
