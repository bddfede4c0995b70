"""Astro away when it matters: a prize is given once, whatever is lost on the way."""

import json

from . import play


def test_the_server_is_down_at_the_win_and_the_game_server_restarts(community, proxy, api, strangers):
    host = community.server()
    boss, winner = play.admin(host), play.player(host, strangers[0])
    before = play.known(api)
    play.start(host, boss)
    play.enter(host, winner)
    proxy.down()
    assert host.until(lambda: any("has won" in line for line in boss.chat), 90)
    assert host.until(lambda: any("noted" in line for line in winner.chat), 30), winner.chat
    assert play.pending(host)[0] == 1
    host.advance(20)

    again = community.restart(host)
    again.advance(40)
    assert play.known(api) == before
    proxy.up()
    given = play.made(again, api, before)
    assert given["userId"] == strangers[0]["steamId"]


def test_a_crash_right_after_the_win_loses_nothing(community, proxy, api, strangers):
    host = community.server()
    boss, winner = play.admin(host), play.player(host, strangers[1])
    before = play.known(api)
    play.start(host, boss)
    play.enter(host, winner)
    assert host.until(lambda: any("has won" in line for line in boss.chat), 90)
    # What is committed is committed; nothing more runs.
    host.frame()
    host.frame()
    again = community.restart(host)
    given = play.made(again, api, before)
    assert given["userId"] == strangers[1]["steamId"]


def test_an_answer_that_is_lost_on_its_way_gives_nothing_twice(community, proxy, api, strangers):
    host = community.server()
    boss, winner = play.admin(host), play.player(host, strangers[2])
    before = play.known(api)
    play.start(host, boss)
    play.enter(host, winner)
    lost = proxy.fault("lost", r"^POST /api/v1/assignments", times=3)
    given = play.made(host, api, before)
    assert lost.hits == 3, "the answers were not lost"
    assert given["userId"] == strangers[2]["steamId"]
    keys = {seen.key for seen in proxy.requests(r"^POST /api/v1/assignments$")}
    assert len(keys) == 1 and "" not in keys, keys


def test_a_restart_between_a_lost_answer_and_the_next_try_gives_nothing_twice(community, proxy, api, strangers):
    host = community.server()
    boss, winner = play.admin(host), play.player(host, strangers[0])
    before = play.known(api)
    play.start(host, boss)
    play.enter(host, winner)
    lost = proxy.fault("lost", r"^POST /api/v1/assignments")
    assert host.until(lambda: lost.hits == 1, 120)
    again = community.restart(host)
    given = play.made(again, api, before)
    assert given["userId"] == strangers[0]["steamId"]


def test_the_end_of_a_giveaway_that_is_told_twice_gives_one_prize(community, api, strangers):
    host = community.server()
    before = play.known(api)
    free = api.items("AVAILABLE")
    host.console.server("astro_giveaway_auto_prize 1")
    for _ in range(3):
        host.console.server(f'astro_giveaway_end night-7 {strangers[0]["steamId"]} "{strangers[0]["name"]}"')
        host.advance(3)
    given = play.made(host, api, before)
    host.console.server(f'astro_giveaway_end night-7 {strangers[0]["steamId"]}')
    host.advance(60)
    assert play.known(api) - before == {given["id"]}
    assert len(api.items("AVAILABLE")) == len(free) - 1


def test_a_hold_that_ended_before_the_network_came_back_still_brings_the_prize(community, proxy, api, strangers):
    host = community.server()
    boss, winner = play.admin(host), play.player(host, strangers[3])
    before = play.known(api)
    play.start(host, boss)
    reserved = next(seen for seen in proxy.requests("items:reserve") if seen.status == 200)
    play.enter(host, winner)
    proxy.down()
    assert host.until(lambda: any("has won" in line for line in boss.chat), 90)
    # The clock of Astro is not ours to move: the hold ends as it would have after an hour.
    hold = json.loads(reserved.answer)["reservation"]["id"]
    api.call("POST", f"reservations/{hold}:release", {})
    host.advance(3700)
    proxy.up()
    given = play.made(host, api, before)
    assert given["userId"] == strangers[3]["steamId"]
