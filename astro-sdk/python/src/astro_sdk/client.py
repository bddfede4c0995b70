"""The clients: one for threads, one for asyncio."""

from __future__ import annotations

from types import TracebackType
from typing import TypeVar

from ._aio import AsyncCalls
from ._sync import Calls
from .gen.aio import AsyncServices
from .gen.services import Services
from .settings import TIMEOUT_DEFAULT, WATCH_IDLE_DEFAULT, Settings, settings

_Client = TypeVar("_Client", bound="Client")
_AsyncClient = TypeVar("_AsyncClient", bound="AsyncClient")

_ARGUMENTS = """

    It connects at the first call, and again whenever the connection is lost.

    Args:
        endpoint: ``https://host:port``, or ``http://`` on this machine. Not given:
            ``ASTRO_ENDPOINT``, or ``http://127.0.0.1:50051``.
        api_key: The key to sign in with. It is sent with each call and shown nowhere. Not given:
            ``ASTRO_API_KEY``.
        allow_insecure: Allows ``http://`` to another machine, which shows key and data to the
            network in between.
        ca_certificate: Trusts these certificates (PEM) in place of the public authorities.
        client_certificate: The client's own certificate (PEM), for servers that ask for one.
        client_key: The key of that certificate (PEM).
        user_agent: Names the program, before the SDK's own name.
        timeout: Seconds for a call that sets none, attempts and pauses included; ``math.inf``: for
            ever.
        watch_idle: Seconds of silence after which a followed log counts as broken; ``math.inf``:
            none does.

    Raises:
        ConfigError: The settings cannot be used.
    """


class Client(Services):
    __doc__ = "A client for programs with threads; threads may share it." + _ARGUMENTS

    def __init__(
        self,
        endpoint: str | None = None,
        api_key: str | None = None,
        *,
        allow_insecure: bool = False,
        ca_certificate: str | bytes | None = None,
        client_certificate: str | bytes | None = None,
        client_key: str | bytes | None = None,
        user_agent: str | None = None,
        timeout: float = TIMEOUT_DEFAULT,
        watch_idle: float = WATCH_IDLE_DEFAULT,
    ) -> None:
        self.settings: Settings = settings(
            endpoint,
            api_key,
            allow_insecure=allow_insecure,
            ca_certificate=ca_certificate,
            client_certificate=client_certificate,
            client_key=client_key,
            user_agent=user_agent,
            timeout=timeout,
            watch_idle=watch_idle,
        )
        """What it was made of, checked."""
        self._calls = Calls(self.settings)
        super().__init__(self._calls)

    def close(self) -> None:
        """Ends its calls and streams with ``CancelledError``. A second time does nothing."""
        self._calls.close()

    def __enter__(self: _Client) -> _Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client(endpoint={self.settings.endpoint!r})"


class AsyncClient(AsyncServices):
    __doc__ = "A client for programs with asyncio, for one event loop." + _ARGUMENTS

    def __init__(
        self,
        endpoint: str | None = None,
        api_key: str | None = None,
        *,
        allow_insecure: bool = False,
        ca_certificate: str | bytes | None = None,
        client_certificate: str | bytes | None = None,
        client_key: str | bytes | None = None,
        user_agent: str | None = None,
        timeout: float = TIMEOUT_DEFAULT,
        watch_idle: float = WATCH_IDLE_DEFAULT,
    ) -> None:
        self.settings: Settings = settings(
            endpoint,
            api_key,
            allow_insecure=allow_insecure,
            ca_certificate=ca_certificate,
            client_certificate=client_certificate,
            client_key=client_key,
            user_agent=user_agent,
            timeout=timeout,
            watch_idle=watch_idle,
        )
        """What it was made of, checked."""
        self._calls = AsyncCalls(self.settings)
        super().__init__(self._calls)

    async def close(self) -> None:
        """Ends its calls and streams with ``CancelledError``. A second time does nothing."""
        await self._calls.close()

    async def __aenter__(self: _AsyncClient) -> _AsyncClient:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"AsyncClient(endpoint={self.settings.endpoint!r})"
