"""Somebody sets the clock of the machine."""

import pytest

from . import play


@pytest.mark.parametrize("seconds", [86400 * 400, 3600, -3600, -86400 * 400], ids=["a year on", "an hour on", "an hour back", "a year back"])
def test_a_giveaway_ends_when_it_should(seconds, community, api, strangers):
    host = community.server()
    boss, winner = play.admin(host), play.player(host, strangers[0])
    before = play.known(api)
    play.start(host, boss)
    play.enter(host, winner)
    host.advance(20)
    host.set_clock(seconds)
    host.advance(20)
    assert not any("has won" in line for line in boss.chat)
    given = play.made(host, api, before)
    assert given["userId"] == strangers[0]["steamId"]


@pytest.mark.parametrize("seconds", [86400 * 30, -86400 * 30], ids=["on", "back"])
def test_what_waits_is_sent_whatever_the_clock_says(seconds, community, proxy, api, strangers):
    host = community.server()
    before = play.known(api)
    host.console.server("astro_giveaway_auto_prize 1")
    boss, winner = play.admin(host), play.player(host, strangers[1])
    play.start(host, boss)
    play.enter(host, winner)
    proxy.down()
    assert host.until(lambda: any("has won" in line for line in boss.chat), 90)
    host.advance(30)
    host.set_clock(seconds)
    host.advance(30)
    again = community.restart(host)
    proxy.up()
    given = play.made(again, api, before)
    assert given["userId"] == strangers[1]["steamId"]
