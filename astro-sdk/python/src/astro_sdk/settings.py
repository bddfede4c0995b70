"""Settings of a client: where they come from and what they may be."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import os
import re
import ssl
from dataclasses import dataclass, field

from .errors import ConfigError
from .gen.version import VERSION

ENDPOINT_DEFAULT = "http://127.0.0.1:50051"
# Seconds for a call that sets no timeout.
TIMEOUT_DEFAULT = 30.0
# Seconds of silence after which a log counts as broken: the server sends a checkpoint every 15.
WATCH_IDLE_DEFAULT = 45.0

_ENDPOINT = re.compile(r"(https?)://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?/?")
_PORTS = {"http": 80, "https": 443}
# What some editors write before a text.
_BYTE_ORDER_MARK = "\ufeff"
_PEM = re.compile(r"-----BEGIN ([A-Z ]+)-----(.*?)-----END \1-----", re.DOTALL)


@dataclass(frozen=True)
class Settings:
    """Checked settings. No text form of them has the key."""

    endpoint: str
    api_key: str = field(repr=False)
    ca_certificate: bytes | None = field(default=None, repr=False)
    client_certificate: bytes | None = field(default=None, repr=False)
    client_key: bytes | None = field(default=None, repr=False)
    user_agent: str = f"astro-sdk-python/{VERSION}"
    timeout: float = TIMEOUT_DEFAULT
    watch_idle: float = WATCH_IDLE_DEFAULT

    @property
    def secure(self) -> bool:
        """Whether the connection is encrypted."""
        return self.endpoint.startswith("https:")

    @property
    def target(self) -> str:
        """The endpoint as grpc names it."""
        scheme, host, port = _parts(self.endpoint)
        address = f"{host}:{port or _PORTS[scheme]}"
        if host.startswith("["):
            return f"ipv6:{address}"
        return f"ipv4:{address}" if _address(host) else f"dns:///{address}"


def settings(
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
) -> Settings:
    """Checks settings, and takes from the environment what is not given."""
    if endpoint is None:
        endpoint = os.environ.get("ASTRO_ENDPOINT") or ENDPOINT_DEFAULT
    _check_endpoint(endpoint, allow_insecure)
    if (client_certificate is None) != (client_key is None):
        raise ConfigError(
            "certificate_invalid", "client_certificate and client_key belong together: give both"
        )
    name = f"astro-sdk-python/{VERSION}"
    if user_agent is not None:
        if not re.fullmatch(r"[\x20-\x7e]+", user_agent):
            raise ConfigError(
                "user_agent_invalid", "user_agent has characters that a header cannot have"
            )
        name = f"{user_agent} {name}"
    return Settings(
        endpoint=endpoint,
        api_key=_key(api_key),
        ca_certificate=_authorities(ca_certificate),
        client_certificate=_pem("client_certificate", client_certificate, "CERTIFICATE"),
        client_key=_pem("client_key", client_key, "PRIVATE KEY"),
        user_agent=name,
        timeout=timeout,
        watch_idle=watch_idle,
    )


def _parts(endpoint: str) -> tuple[str, str, str | None]:
    found = _ENDPOINT.fullmatch(endpoint)
    if found is None or not 0 < int(found[3] or 1) <= 65535:
        raise ConfigError(
            "endpoint_invalid",
            f"{endpoint!r} is not an endpoint: write https://host:port, or http://127.0.0.1:port",
        )
    return found[1], found[2], found[3]


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None


def _check_endpoint(endpoint: str, allow_insecure: bool) -> None:
    scheme, host, _ = _parts(endpoint)
    address = _address(host)
    if host.startswith("[") and address is None:
        raise ConfigError("endpoint_invalid", f"{endpoint!r} has no valid address")
    local = host == "localhost" or (address is not None and address.is_loopback)
    if scheme == "http" and not local and not allow_insecure:
        raise ConfigError(
            "endpoint_insecure",
            f"{endpoint} would send the API key unencrypted to another machine: "
            "use https://, or allow it (allow_insecure)",
        )


def _key(given: str | None) -> str:
    # A variable that is empty is not set.
    key = (os.environ.get("ASTRO_API_KEY") or None) if given is None else given
    if key is None:
        raise ConfigError("key_missing", "no API key: set ASTRO_API_KEY, or give api_key")
    key = key.removeprefix(_BYTE_ORDER_MARK)
    if not re.fullmatch(r"[\x21-\x7e]+", key):
        source = "ASTRO_API_KEY" if given is None else "api_key"
        raise ConfigError(
            "key_invalid",
            f"{source} has characters that no API key has; was it copied whole, without spaces?",
        )
    return key


def _authorities(pem: str | bytes | None) -> bytes | None:
    text = _pem("ca_certificate", pem, "CERTIFICATE")
    if text is not None:
        try:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.load_verify_locations(cadata=text.decode("ascii"))
        except UnicodeDecodeError:
            raise _certificate("ca_certificate", "it is no ASCII text") from None
        except ssl.SSLError as error:
            raise _certificate("ca_certificate", error.reason or "damaged") from None
    return text


def _pem(name: str, pem: str | bytes | None, label: str) -> bytes | None:
    """The text as grpc takes it, if it has a PEM block with this label."""
    if pem is None:
        return None
    data = pem.encode() if isinstance(pem, str) else pem
    text = data.removeprefix(_BYTE_ORDER_MARK.encode()).decode("latin-1")
    blocks = [found for found in _PEM.finditer(text) if found[1].endswith(label)]
    if not blocks:
        raise _certificate(name, f"it has no PEM {label.lower()}")
    for block in blocks:
        # Older keys have headers, which end with an empty line.
        body = block[2].rpartition("\n\n")[2] if ":" in block[2] else block[2]
        try:
            base64.b64decode("".join(body.split()), validate=True)
        except binascii.Error:
            raise _certificate(name, f"its PEM {label.lower()} is damaged") from None
    return text.encode("latin-1")


def _certificate(name: str, problem: str) -> ConfigError:
    return ConfigError("certificate_invalid", f"{name} cannot be used: {problem}")
