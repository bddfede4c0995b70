"""A host of its own for each test, and the means to compile what a test brings along."""

import hashlib

import pytest

from smhost import Host, compile

HEAD = "#pragma tabsize 0\n#include <sourcemod>\n#include <ripext>\n#pragma newdecls required\n#pragma semicolon 1\n"
_built = {}


@pytest.fixture
def plugin(tmp_path_factory):
    """Compiles a plugin's text; the same text once a session."""
    def make(text, name=None):
        key = hashlib.sha256((text + (name or "")).encode()).hexdigest()[:12]
        if key not in _built:
            source = tmp_path_factory.mktemp("sp") / f"{name or key}.sp"
            source.write_text(HEAD + text, encoding="utf-8")
            assert compile.build(source, source.with_suffix(".smx")) == []
            _built[key] = source.with_suffix(".smx")
        return _built[key]
    return make


@pytest.fixture
def host(tmp_path):
    """A game server."""
    with Host(tmp_path / "game", seed=1) as made:
        yield made


@pytest.fixture
def run(host, plugin):
    """Starts the game server with plugins of these texts; answers the plugins."""
    def start(*texts, **named):
        paths = [plugin(text) for text in texts] + [plugin(text, name) for name, text in named.items()]
        return host.load_all(paths)
    return start


@pytest.fixture
def result(host, run):
    """What `int Test()` of a plugin answers."""
    def call(text, *args):
        loaded, = run(text)
        value, good = host.call(loaded, loaded.publics["Test"], *args)
        assert good, host.errors
        return value
    return call
