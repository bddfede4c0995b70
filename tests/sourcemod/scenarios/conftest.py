"""What every scenario starts with: a real Astro, a proxy in front of it, and game servers.

The environment says where Astro is (`tests/it/sourcemod.rs` sets it): ASTRO_URL, ASTRO_API_KEY (a
client's key of an organisation), ASTRO_ADMIN_KEY, ASTRO_BOT_ID, ASTRO_PEOPLE (JSON: name, steamId and
tradeUrl of people on Steam who take what they are offered), ASTRO_SMX (a folder with compiled plugins;
without it they are compiled here).
"""

import json
import os
import random
from pathlib import Path

import pytest

from smhost import Host, compile
from smhost.budget import MILLISECOND
from smhost.proxy import Proxy

from .api import Api, Refused

# SteamID64s from here on are beyond those that the simulated Steam gives.
ACCOUNTS = 76561197960265728 + (1 << 30)
KIT = Path(__file__).resolve().parents[3] / "astro-sdk" / "sourcemod"
NAMES = ["astro", "astro_giveaway", "astro_tradeurl", "astro_donate", "astro_vip", "astro_admin"]


def need(name):
    value = os.environ.get(name)
    if not value:
        pytest.exit(f"{name} is not set: cargo test --test it sourcemod runs these scenarios", returncode=2)
    return value


@pytest.fixture(scope="session")
def plugins(tmp_path_factory):
    """The folder of the compiled plugins."""
    given = os.environ.get("ASTRO_SMX")
    if given:
        return Path(given)
    folder = tmp_path_factory.mktemp("plugins")
    for name in NAMES:
        source = KIT / "scripting" / f"{name}.sp"
        if source.exists():
            assert compile.build(source, folder / f"{name}.smx", [KIT / "scripting" / "include"]) == []
    return folder


@pytest.fixture(scope="session")
def phrases(plugins):
    """The folder of the translations: those that lie beside the plugins, or the repository's."""
    beside = plugins.parent / "translations"
    return beside if beside.is_dir() else KIT / "translations"


@pytest.fixture(scope="session")
def api():
    """The organisation's own look at its books."""
    return Api(need("ASTRO_URL"), need("ASTRO_API_KEY"))


@pytest.fixture(scope="session")
def people():
    """People whom the simulated Steam knows."""
    return json.loads(need("ASTRO_PEOPLE"))


@pytest.fixture
def strangers():
    """People whom Steam does not know: what they are given waits, and goes back to the pool afterwards."""
    first = ACCOUNTS + random.randrange(1 << 27) * 8 - 1
    return [{"name": f"stranger-{i}", "steamId": str(first + i), "tradeUrl": trade_url(first + i)} for i in range(1, 9)]


def trade_url(steam_id, token="Ab3-_xYz"):
    """The shape of a trade URL of an account."""
    return f"https://steamcommunity.com/tradeoffer/new/?partner={steam_id - 76561197960265728}&token={token}"


@pytest.fixture
def proxy():
    """The way to the server, with whatever goes wrong on it."""
    made = Proxy(need("ASTRO_URL"))
    yield made
    made.close()


class Community:
    """Game servers of one community. What every scenario holds at its end is checked in `check`."""

    def __init__(self, folder, plugins, phrases, proxy, key):
        self.folder, self.plugins, self.phrases, self.proxy, self.key = folder, plugins, phrases, proxy, key
        self.url = proxy.url
        self.hosts, self.expected_errors = [], []

    def config(self, name="server", **values):
        """Writes the settings of a server as its owner would."""
        lines = {"astro_url": self.url, "astro_api_key": self.key, **values}
        folder = self.folder / name / "cfg" / "sourcemod"
        folder.mkdir(parents=True, exist_ok=True)
        text = "".join(f'{key} "{value}"\n' for key, value in lines.items())
        (folder / "astro.cfg").write_text(text, encoding="utf-8")

    def paths(self, *names):
        return [self.plugins / f"{name}.smx" for name in names]

    def server(self, *names, name="server", extra=(), start=True, **options):
        """Starts a game server with these plugins; the same name has the same files."""
        if not (self.folder / name / "cfg" / "sourcemod" / "astro.cfg").exists():
            self.config(name)
        host = Host(self.folder / name, **options)
        host.install_phrases(self.phrases)
        host.http.held = self.proxy.held
        self.hosts.append(host)
        if start:
            host.load_all(self.paths(*(names or ("astro", "astro_giveaway"))) + list(extra))
            host.advance(1)
            host.settle()
        return host

    def restart(self, host, *names, **options):
        """The game server crashes and starts again with the same files."""
        assert self.sound(host) == []
        host.close()
        return self.server(*names, name=host.folder.name, begin=host.unix + 60, **options)

    def sound(self, host):
        """What must not be, at any time: in words."""
        wrong = [f"error in a plugin:\n{error}" for error in host.errors
                 if not any(part in error for part in self.expected_errors)]
        if self.key and self.key in host.everything_shown():
            wrong.append("the key was shown")
        secret = self.key.rsplit("_", 1)[-1]
        if secret and secret in host.everything_shown():
            wrong.append("the key's secret was shown")
        wrong += [f"a line is too long: {line!r}" for line in host.cut_lines]
        wrong += [f"half a character was shown: {line!r}" for line in host.broken_text()]
        wrong += [f"no translation of {key!r} to {language}" for key, language in host.untranslated]
        if not host.closed:
            wrong += [f"leaked: {h.kind} of {h.owner.file}, made in {h.site}" for h in host.handles.unreachable()]
        if host.budget.most_requests > 1:
            wrong.append(f"{host.budget.most_requests} requests in a frame")
        if host.budget.worst.cost > MILLISECOND:
            wrong.append(f"a frame is too dear: {host.budget.report()}")
        return wrong

    def check(self):
        """Everything above, and no handle that nobody can reach."""
        wrong = []
        for host in self.hosts:
            if not host.closed:
                host.settle()
            wrong += self.sound(host)
            host.close()
        assert not wrong, "\n".join(dict.fromkeys(wrong))


@pytest.fixture
def community(tmp_path, plugins, phrases, proxy, api):
    """Game servers that reach the real Astro through the proxy."""
    made = Community(tmp_path, plugins, phrases, proxy, need("ASTRO_API_KEY"))
    before = {assignment["id"] for assignment in api.assignments()}
    yield made
    try:
        made.check()
    finally:
        give_back(api, proxy, before)


OPEN = ("QUEUED", "BLOCKED", "DELIVERING", "OFFERED")


def give_back(api, proxy, before):
    """Fills the pool again for the next scenario: what nobody took is free."""
    for assignment in api.assignments():
        if assignment["id"] not in before and assignment["state"].removeprefix("ASSIGNMENT_STATE_") in OPEN:
            tolerant(api.cancel, assignment["id"])
    for seen in proxy.requests("items:reserve"):
        if seen.status == 200:
            reservation = json.loads(seen.answer)["reservation"]["id"]
            tolerant(api.call, "POST", f"reservations/{reservation}:release", {})


def tolerant(call, *args):
    """What is over already needs no end."""
    try:
        call(*args)
    except Refused:
        pass


class Own:
    """Compiles a plugin that a scenario brings along."""

    def __init__(self, folder):
        self.folder, self.count = folder, 0

    def __call__(self, text, name=None):
        self.count += 1
        source = self.folder / f"{name or f'own{self.count}'}.sp"
        source.write_text(text, encoding="utf-8")
        target = source.with_suffix(".smx")
        assert compile.build(source, target, [KIT / "scripting" / "include"]) == []
        return target


@pytest.fixture
def own(tmp_path):
    folder = tmp_path / "own"
    folder.mkdir()
    return Own(folder)
