"""A server in this process that answers as a test says."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc

import astro_sdk

Answer = Callable[[Any, grpc.ServicerContext], Any]


class Server:
    """Where it listens, and the headers of each attempt that came."""

    def __init__(self) -> None:
        self.endpoint = ""
        self.attempts: list[dict[str, Any]] = []
        self.left = threading.Event()
        """Set when a client went away before it was answered."""

    def noted(self, answer: Answer) -> Answer:
        """The answer, and a note of who asked."""

        def noting(request: Any, context: grpc.ServicerContext) -> Any:
            self.attempts.append(dict(context.invocation_metadata()))
            return answer(request, context)

        return noting


@contextmanager
def serving(method: str, answer: Answer, *, stream: bool = False) -> Iterator[Server]:
    """Serves one method: ``ItemService/GetItem``."""
    service, name = method.split("/")
    server = Server()
    one = grpc.unary_unary_rpc_method_handler
    handler = grpc.unary_stream_rpc_method_handler if stream else one
    handlers = {
        name: handler(
            server.noted(answer),
            request_deserializer=getattr(astro_sdk, f"{name}Request").FromString,
            response_serializer=getattr(astro_sdk, f"{name}Response").SerializeToString,
        )
    }
    running = grpc.server(ThreadPoolExecutor(8))
    running.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(f"astro.v1.{service}", handlers),)
    )
    port = running.add_insecure_port("127.0.0.1:0")
    running.start()
    server.endpoint = f"http://127.0.0.1:{port}"
    try:
        yield server
    finally:
        running.stop(None).wait()


def packed(number: int, value: bytes) -> bytes:
    """A field on the wire, of bytes, text or a message."""
    return bytes([number << 3 | 2, len(value)]) + value


def detail(kind: str, value: bytes) -> bytes:
    """One detail of a ``google.rpc.Status``."""
    url = packed(1, f"type.googleapis.com/google.rpc.{kind}".encode())
    return packed(3, url + packed(2, value))


def refuse(context: grpc.ServicerContext, code: grpc.StatusCode, details: bytes = b"") -> None:
    """Answers with an error."""
    context.set_trailing_metadata((("grpc-status-details-bin", details),))
    context.abort(code, "refused")
