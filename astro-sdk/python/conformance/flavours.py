"""The two forms of the SDK, behind one face for the driver."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import grpc

from astro_sdk import AsyncClient, Cancellation, Client, CancelledError


@dataclass
class Running:
    """A call that was begun."""

    task: asyncio.Future[Any]
    cancel: Callable[[], object]


class Flavour(Protocol):
    """How the driver uses a client."""

    name: str

    def client(self, **settings: Any) -> Any:
        """Makes a client."""

    async def close(self, client: Any) -> None:
        """Closes it."""

    def begin(self, method: Any, arguments: dict[str, Any]) -> Running:
        """Begins a call in the background."""

    async def result(self, running: Running) -> Any:
        """Waits for its response."""

    async def position(self, watch: Any) -> str:
        """Where a watch is."""

    async def take(self, source: Any, count: int | None, into: list[Any]) -> bool:
        """Takes entries until there are so many; answers whether the source ended before."""


class Threads:
    """``Client``, in threads of its own."""

    name = "sync"

    def client(self, **settings: Any) -> Client:
        return Client(**settings)

    async def close(self, client: Client) -> None:
        await asyncio.to_thread(client.close)

    def begin(self, method: Any, arguments: dict[str, Any]) -> Running:
        cancellation = Cancellation()
        work = asyncio.to_thread(method, **arguments, cancellation=cancellation)
        return Running(asyncio.ensure_future(work), cancellation.cancel)

    async def result(self, running: Running) -> Any:
        return await running.task

    async def position(self, watch: Any) -> str:
        return await asyncio.to_thread(watch.position)

    async def take(self, source: Any, count: int | None, into: list[Any]) -> bool:
        def work() -> bool:
            while count is None or len(into) < count:
                try:
                    into.append(next(source))
                except StopIteration:
                    return True
            return False

        return await asyncio.to_thread(work)


class Asyncio:
    """``AsyncClient``."""

    name = "asyncio"

    def client(self, **settings: Any) -> AsyncClient:
        return AsyncClient(**settings)

    async def close(self, client: AsyncClient) -> None:
        await client.close()

    def begin(self, method: Any, arguments: dict[str, Any]) -> Running:
        task = asyncio.ensure_future(method(**arguments))
        return Running(task, task.cancel)

    async def result(self, running: Running) -> Any:
        try:
            return await running.task
        except asyncio.CancelledError:
            # The language's own form of it.
            raise CancelledError(grpc.StatusCode.CANCELLED, "cancelled") from None

    async def position(self, watch: Any) -> str:
        token: str = await watch.position()
        return token

    async def take(self, source: Any, count: int | None, into: list[Any]) -> bool:
        while count is None or len(into) < count:
            try:
                into.append(await source.__anext__())
            except StopAsyncIteration:
                return True
        return False


def named(name: str) -> Flavour:
    """The flavour with this name."""
    flavours: list[Flavour] = [Threads(), Asyncio()]
    return next(flavour for flavour in flavours if flavour.name == name)
