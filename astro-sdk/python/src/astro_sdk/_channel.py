"""What grpc is told about the connection."""

from __future__ import annotations

import grpc

from .settings import Settings

# Seconds by which grpc might round a timeout up to more than was left.
_ROUNDED_UP = 0.005
_RECONNECT_FIRST_MS = 100
# A server that is started anew is back within seconds.
_RECONNECT_MAX_MS = 1000
_KEEP_ALIVE_INTERVAL_MS = 30_000
_KEEP_ALIVE_TIMEOUT_MS = 20_000
# The largest message that is read: several times what a server puts into a page.
MESSAGE_BYTES_MAX = 16 * 1024 * 1024
# Seconds; grpc has no word for much longer times.
_TIMEOUT_MAX = 10 * 365 * 86400.0


def options(settings: Settings) -> list[tuple[str, str | int]]:
    """Arguments of the channel."""
    return [
        ("grpc.primary_user_agent", settings.user_agent),
        # The SDK itself repeats attempts; grpc would do so unseen.
        ("grpc.enable_retries", 0),
        ("grpc.service_config_disable_resolution", 1),
        # Two clients share no connection, so that closing one leaves the other alone.
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.initial_reconnect_backoff_ms", _RECONNECT_FIRST_MS),
        ("grpc.max_reconnect_backoff_ms", _RECONNECT_MAX_MS),
        # A peer that vanished without a word is noticed, on a stream too that may be quiet.
        ("grpc.keepalive_time_ms", _KEEP_ALIVE_INTERVAL_MS),
        ("grpc.keepalive_timeout_ms", _KEEP_ALIVE_TIMEOUT_MS),
        # The time above does not hold for a ping of grpc's own, behind which these would wait.
        ("grpc.http2.ping_timeout_ms", _KEEP_ALIVE_TIMEOUT_MS),
        # Otherwise grpc soon asks no more, until the client itself sends something.
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
        # Otherwise grpc sends an earlier call's timeout again if it is not much longer.
        ("grpc.http2.hpack_table_size.encoder", 0),
        # A proxy would see the key when the connection is not encrypted.
        ("grpc.enable_http_proxy", int(settings.secure)),
    ]


def credentials(settings: Settings) -> grpc.ChannelCredentials:
    """Whom to trust, and the client's own certificate."""
    return grpc.ssl_channel_credentials(
        root_certificates=settings.ca_certificate,
        private_key=settings.client_key,
        certificate_chain=settings.client_certificate,
    )


def metadata(settings: Settings, attempt: int) -> tuple[tuple[str, str], ...]:
    """Headers of one attempt."""
    return (
        ("authorization", f"Bearer {settings.api_key}"),
        ("astro-attempt", str(attempt)),
    )


def timeout(left: float) -> float | None:
    """The timeout of an attempt with so many seconds left; ``None``: for ever."""
    return max(left - _ROUNDED_UP, _ROUNDED_UP) if left < _TIMEOUT_MAX else None
