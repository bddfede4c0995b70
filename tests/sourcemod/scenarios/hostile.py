"""Answers that are no answers: whatever comes, the plugins go on, and do what was asked once."""

import pytest

from . import play

# ripext ends the callback that reads such a body, and says so; a plugin cannot look before.
UNREADABLE = "Invalid JSON"
ANSWERS = {
    "a server error": ("status", {"code": 500}),
    "a server error without JSON": ("status", {"code": 500, "body": b"oops"}),
    "a proxy's page": ("html", {}),
    "a proxy's page for an error": ("html", {"code": 502}),
    "an empty answer": ("empty", {}),
    "no content": ("empty", {"code": 204}),
    "half an answer": ("truncated", {}),
    "two megabytes": ("huge", {}),
    "a closed connection": ("reset", {}),
    "a list": ("status", {"code": 200, "body": b"[1, 2, 3]"}),
    "another object": ("status", {"code": 200, "body": b'{"hello": "world"}'}),
    "wrong types": ("status", {"code": 200, "body": b'{"assignment": 7, "items": "no", "events": {}}'}),
    "a number beyond 64 bits": ("status", {"code": 200, "body": b'{"assignment": {"id": 184467440737095516160}}'}),
    "a character zero": ("status", {"code": 200, "body": b'{"assignment": {"id": "a\\u0000b"}}'}),
    "a timeout of the server": ("status", {"code": 504, "body": {"code": 504, "status": "DEADLINE_EXCEEDED"}}),
    "a redirect": ("status", {"code": 302, "headers": {"Location": "http://127.0.0.1:1/elsewhere"}}),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_a_prize_comes_once_through(name, community, proxy, api, strangers):
    kind, more = ANSWERS[name]
    community.expected_errors.append(UNREADABLE)
    host = community.server()
    winner = strangers[hash(name) % len(strangers)]
    before = play.known(api)
    host.console.server("astro_giveaway_auto_prize 1")
    fault = proxy.fault(kind, r"^POST /api/v1/assignments", times=2, **more)
    host.console.server(f'astro_giveaway_end "{name}" {winner["steamId"]}')
    given = play.made(host, api, before, 1200)
    assert fault.hits == 2
    assert given["userId"] == winner["steamId"]


@pytest.mark.parametrize("name", ANSWERS)
def test_menus_and_news_go_on_afterwards(name, community, proxy, api):
    kind, more = ANSWERS[name]
    community.expected_errors.append(UNREADABLE)
    host = community.server()
    boss = play.admin(host)
    fault = proxy.fault(kind, r"^GET ", times=4, **more)
    host.console.say(boss, "!giveaway")
    host.advance(120)
    assert fault.hits >= 1
    proxy.heal()
    host.advance(700)
    if boss.menu is None:
        host.console.say(boss, "!giveaway")
    play.menu(host, boss, 60)
    host.menus.exit(boss)


def test_a_wait_that_the_server_asks_for_is_kept(community, proxy, api, strangers):
    host = community.server()
    before = play.known(api)
    host.console.server("astro_giveaway_auto_prize 1")
    body = {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "slowly", "reason": "LIMIT_EXCEEDED"}
    fault = proxy.fault("status", r"^POST /api/v1/assignments", code=429, body=body, headers={"Retry-After": "45"})
    host.console.server(f'astro_giveaway_end later {strangers[0]["steamId"]}')
    assert host.until(lambda: fault.hits == 1, 60)
    host.advance(1)
    at, asked = host.now, len(host.http.asked_for)
    host.advance(43)
    assert len(host.http.asked_for) == asked, host.http.asked_for[asked:]
    play.made(host, api, before)
    assert host.now > at + 43


def test_a_key_that_is_refused_is_told_once_and_does_not_hammer(community, proxy, api):
    host = community.server()
    boss = play.admin(host)
    body = {"code": 401, "status": "UNAUTHENTICATED", "message": "no such key", "reason": "KEY_INVALID"}
    proxy.fault("status", ".", times=None, code=401, body=body)
    start = len(host.logs)
    asked = len(host.http.asked_for)
    host.advance(1800)
    told = [text for kind, _, text in host.logs[start:] if kind == "error"]
    assert len(told) == 1 and "KEY_INVALID" in told[0], told
    assert len(host.http.asked_for) - asked <= 12, host.http.asked_for[asked:]
    proxy.heal()
    host.advance(700)
    assert "ready" in "".join(host.console.server("astro_status"))
    assert boss is not None


def test_a_server_that_never_answers_costs_a_timeout_each_time(community, proxy, api, strangers):
    host = community.server()
    before = play.known(api)
    host.console.server("astro_giveaway_auto_prize 1")
    proxy.fault("hold", r"^POST /api/v1/assignments", times=2)
    host.console.server(f'astro_giveaway_end slow {strangers[1]["steamId"]}')
    assert host.until(lambda: proxy.held() == 1, 60)
    host.advance(25)
    # The first one arrives after all, together with the second try.
    proxy.release()
    given = play.made(host, api, before)
    assert given["userId"] == strangers[1]["steamId"]


def test_a_refusal_for_good_is_dead_and_told_to_admins(community, proxy, api, strangers):
    host = community.server()
    boss = play.admin(host)
    before = play.known(api)
    host.console.server("astro_giveaway_auto_prize 1")
    body = {"code": 403, "status": "PERMISSION_DENIED", "message": "no", "reason": "SCOPE_MISSING"}
    fault = proxy.fault("status", r"^POST /api/v1/assignments", code=403, body=body)
    host.console.server(f'astro_giveaway_end refused {strangers[0]["steamId"]}')
    assert host.until(lambda: fault.hits == 1, 60)
    host.advance(60)
    assert any("refused" in line.lower() for line in boss.chat), boss.chat
    host.console.player(boss, "sm_astro_queue")
    host.console.player(boss, "sm_astro_retry")
    given = play.made(host, api, before)
    assert given["userId"] == strangers[0]["steamId"]
