"""INSTALL.md, line by line, in an empty folder."""

import os
import re
import zipfile

import pytest

from smhost import Host

from . import play
from .conftest import need


@pytest.fixture
def game(tmp_path):
    """The game's folder with the archive in it (line 3)."""
    archive = os.environ.get("ASTRO_ZIP")
    if not archive:
        pytest.skip("ASTRO_ZIP names no archive")
    with zipfile.ZipFile(archive) as files:
        files.extractall(tmp_path)
    return tmp_path


def write(config, setting, value):
    """Gives a setting of the file another value, as its owner does."""
    text = config.read_text(encoding="utf-8")
    text, found = re.subn(rf'(?m)^{setting} ".*"$', lambda _: f'{setting} "{value}"', text)
    assert found == 1, text
    config.write_text(text, encoding="utf-8")


def test_ten_lines_put_a_server_on(game):
    lines = (game / "astro-sourcemod" / "INSTALL.md").read_text(encoding="utf-8").splitlines()
    assert [line.split(".")[0] for line in lines] == [str(number) for number in range(1, 11)]
    plugins = game / "addons" / "sourcemod" / "plugins"
    key = need("ASTRO_API_KEY")
    with Host(game) as host:
        host.load_all(sorted(plugins.glob("*.smx")))
        named = re.search(r"`(cfg/\S+)`", lines[4])[1]
        write(game / named, re.search(r"`(\w+) ", lines[5])[1], need("ASTRO_URL"))
        write(game / named, re.search(r"`(\w+) ", lines[6])[1], key)
        host.change_map("koth_other")
        command, says = re.findall(r"`([^`]+)`", lines[7])
        assert host.until(lambda: any(says in line for line in host.console.server(command)), 60), (
            host.console.server(command))
        boss = play.admin(host)
        host.console.say(boss, re.findall(r"`([^`]+)`", lines[8])[0])
        assert play.menu(host, boss).choices()
        assert host.errors == []
        assert key not in host.everything_shown()


def test_a_server_goes_without_the_plugins_that_its_owner_deletes(game):
    plugins = game / "addons" / "sourcemod" / "plugins"
    for plugin in plugins.glob("*.smx"):
        if plugin.name != "astro.smx":
            plugin.unlink()
    with Host(game) as host:
        host.load_all(sorted(plugins.glob("*.smx")))
        host.advance(5)
        assert host.console.server("astro_status")
        assert host.errors == []
