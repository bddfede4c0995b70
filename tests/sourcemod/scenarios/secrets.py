"""The key is nobody's business, and settings that are wrong are told and do no harm."""

import pytest

from . import play


def test_the_key_stands_in_no_log_no_answer_and_no_crash(community, proxy, api, strangers):
    host = community.server("astro", "astro_giveaway", "astro_donate", "astro_tradeurl", "astro_vip", "astro_admin")
    boss = play.admin(host)
    guest = play.player(host, strangers[0])
    secret = community.key
    shown = host.console.player(guest, "sm_cvar astro_api_key") + host.console.player(guest, "sm_cvar astro_url")
    assert shown and secret not in "".join(shown), shown
    for line in ("astro_status",):
        assert secret not in "".join(host.console.server(line))
    for line in ("sm_astro_status", "sm_astro_queue"):
        assert secret not in "".join(host.console.player(boss, line))
    # Whatever goes wrong is told without it.
    proxy.fault("status", ".", times=3, code=401, body={"code": 401, "reason": "KEY_INVALID", "message": "no " + "x"})
    host.advance(700)
    proxy.fault("html", ".", times=2)
    host.advance(700)
    proxy.down()
    host.advance(400)
    proxy.up()
    host.advance(400)
    for plugin in list(host.plugins):
        if plugin.file == "astro.smx":
            host.reload(plugin)
    host.advance(60)
    everything = host.everything_shown()
    assert secret not in everything and secret.rsplit("_", 1)[-1] not in everything
    # It is not in the plugins' memory for longer than a request needs it, so that no dump has it.
    for plugin in host.plugins:
        data = bytes(plugin.machine.bytes[:plugin.image.data_size])
        assert secret.encode() not in data, f"{plugin.file} keeps the key in its memory"


def test_the_settings_file_that_is_written_has_the_key_protected(community, strangers):
    host = community.server("astro", start=False)
    (host.folder / "cfg" / "sourcemod" / "astro.cfg").unlink()
    host.load_all(community.paths("astro"))
    text = (host.folder / "cfg" / "sourcemod" / "astro.cfg").read_text()
    assert 'astro_api_key ""' in text and 'astro_url "http://127.0.0.1:8787"' in text
    for name in ("astro_url", "astro_api_key"):
        assert host.convars.find(name).flags & 1 << 5, f"{name} is not protected"


MISTAKES = {
    "no scheme": {"astro_url": "127.0.0.1:8787"},
    "another scheme": {"astro_url": "ftp://127.0.0.1"},
    "nothing": {"astro_url": ""},
    "a slash too many": {"astro_url": "{url}/"},
    "spaces": {"astro_url": "  {url}  "},
    "the path as well": {"astro_url": "{url}/api/v1"},
    "no such host": {"astro_url": "http://no-such-host.invalid:8787"},
    "no such port": {"astro_url": "http://127.0.0.1:99999"},
    "a key with a line's end": {"astro_api_key": "{key}\t "},
    "a key of another kind": {"astro_api_key": "astro_bot_xyz_abc"},
    "no key": {"astro_api_key": ""},
    "a key that is far too long": {"astro_api_key": "astro_client_" + "x" * 400},
    "words for numbers": {"astro_poll_interval": "soon", "astro_timeout": "long", "astro_outbox_max": "many"},
    "numbers out of bounds": {"astro_poll_interval": "-5", "astro_timeout": "100000", "astro_outbox_max": "0"},
    "a strange server name": {"astro_server_name": "%s \"my\" 服务器 😀" * 10},
}
WORKS = ("a slash too many", "spaces", "a key with a line's end", "words for numbers", "numbers out of bounds", "a strange server name")


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_in_the_settings_is_told_and_does_no_harm(name, community, proxy, api, strangers):
    values = {key: value.replace("{url}", proxy.url).replace("{key}", community.key) for key, value in MISTAKES[name].items()}
    community.config(**values)
    host = community.server()
    before = play.known(api)
    host.console.server("astro_giveaway_auto_prize 1")
    host.console.server(f'astro_giveaway_end "{name}" {strangers[0]["steamId"]}')
    host.advance(120)
    status = "\n".join(host.console.server("astro_status"))
    if name in WORKS:
        assert "connection: ready" in status, status
        play.made(host, api, before)
        return
    assert "connection: ready" not in status, status
    assert any(kind == "error" for kind, _, _ in host.logs), host.logs
    assert len(host.http.asked_for) < 60
    # The owner mends it while the server runs.
    host.console.server(f'astro_url "{proxy.url}"')
    host.console.server(f'astro_api_key "{community.key}"')
    play.made(host, api, before)


def test_the_server_commands_value_without_quotes_is_taken_whole(community, proxy):
    host = community.server("astro")
    host.console.server("astro_url " + proxy.url)
    assert host.convars.find("astro_url").value == proxy.url
