"""The database on the game server: locked, full, deleted. What was accepted is done, what is not is told."""

import re
import sqlite3

from . import play

NOT_STORED = "was not stored"


def chatter(community, strangers, at=0):
    host = community.server("astro", "astro_tradeurl")
    return host, play.player(host, strangers[at]), strangers[at]["tradeUrl"]


def rows(host):
    link = sqlite3.connect(host.databases.path("astro"))
    try:
        return link.execute("SELECT key, dead, body FROM outbox ORDER BY seq").fetchall()
    finally:
        link.close()


def test_a_change_is_stored_with_its_key_before_it_is_sent(community, proxy, strangers):
    host, client, url = chatter(community, strangers)
    stored = []
    proxy.rewrite(lambda path, answer: stored.extend(rows(host)) if "setTradeUrl" in path else None)
    host.console.say(client, url)
    play.settle_outbox(host)
    (seen,) = proxy.requests("setTradeUrl")
    assert [key for key, _, _ in stored] == [seen.key]
    assert rows(host) == []


def test_a_locked_database_accepts_nothing_and_says_so(community, api, strangers):
    host, client, url = chatter(community, strangers)
    host.databases.lock("astro")
    host.console.say(client, url)
    host.advance(30)
    host.databases.unlock()
    host.advance(30)
    host.console.say(client, url)
    play.settle_outbox(host)
    # Either it was refused, or it was stored once the lock was gone: nothing between.
    assert any(NOT_STORED in line for line in client.chat) or len(client.chat) == 2, client.chat
    assert "stored." in client.chat[-1]
    assert api.user(client.steam_id)["hasTradeUrl"]


def test_a_full_disk_refuses_and_keeps_what_was_accepted(community, proxy, api, strangers):
    host, client, url = chatter(community, strangers)
    others = [play.player(host, person) for person in strangers[1:7]]
    proxy.down()
    host.console.say(client, url)
    host.advance(20)
    accepted = rows(host)
    assert len(accepted) == 1
    host.databases.fill()
    for person, other in zip(strangers[1:7], others):
        for _ in range(12):
            host.console.say(other, person["tradeUrl"])
            host.advance(5)
    refused = [line for other in others for line in other.chat if NOT_STORED in line]
    assert refused and "full" in refused[0], [other.chat for other in others]
    assert rows(host)[0][0] == accepted[0][0]
    host.databases.empty()
    proxy.up()
    play.settle_outbox(host, 1200)
    assert api.user(client.steam_id)["hasTradeUrl"]


def test_a_deleted_database_is_written_anew_with_what_was_in_it(community, proxy, api, strangers):
    host, client, url = chatter(community, strangers)
    proxy.down()
    host.console.say(client, url)
    host.advance(20)
    accepted = rows(host)
    host.databases.delete("astro")
    host.advance(30)
    assert rows(host) == accepted
    later = community.restart(host, "astro", "astro_tradeurl")
    proxy.up()
    play.settle_outbox(later)
    assert api.user(client.steam_id)["hasTradeUrl"]
    assert {seen.key for seen in proxy.requests("setTradeUrl")} == {accepted[0][0]}


def test_a_change_that_meets_a_deleted_database_is_refused_and_the_next_one_is_not(community, api, strangers):
    host, client, url = chatter(community, strangers)
    host.databases.delete("astro")
    host.console.say(client, url)
    host.advance(5)
    assert NOT_STORED in client.chat[0], client.chat
    host.advance(30)
    host.console.say(client, url)
    play.settle_outbox(host)
    assert api.user(client.steam_id)["hasTradeUrl"]


def test_what_cannot_be_read_any_more_is_dead_and_holds_up_nothing(community, proxy, api, strangers):
    community.expected_errors.append("Invalid JSON")
    host, client, url = chatter(community, strangers)
    proxy.down()
    host.console.say(client, url)
    host.advance(20)
    link = sqlite3.connect(host.databases.path("astro"))
    link.execute("UPDATE outbox SET body = '{\"userId\": '")
    link.commit()
    link.close()
    proxy.up()
    host.advance(400)
    host.console.say(client, url)
    host.advance(30)
    assert api.user(client.steam_id)["hasTradeUrl"]
    assert play.pending(host)[0] == 0


def test_the_outbox_is_bounded(community, proxy, strangers):
    host, client, url = chatter(community, strangers)
    host.console.server("astro_outbox_max 10")
    proxy.down()
    for _ in range(14):
        host.console.say(client, url)
        host.advance(5)
    assert len(rows(host)) == 10
    assert "full" in client.chat[-1], client.chat
    proxy.up()
    play.settle_outbox(host, 1200)
    keys = [seen.key for seen in proxy.requests("setTradeUrl")]
    assert len(set(keys)) == 10
    # In the order in which they were accepted.
    assert [key for i, key in enumerate(keys) if key not in keys[:i]] == list(dict.fromkeys(keys))


def test_a_clock_that_is_set_back_or_forward_keeps_up_nothing(community, proxy, api, strangers):
    host, client, url = chatter(community, strangers)
    proxy.down()
    host.console.say(client, url)
    host.advance(20)
    host.set_clock(-86400 * 400)
    host.advance(20)
    host.set_clock(86400 * 4000)
    proxy.up()
    play.settle_outbox(host, 400)
    assert api.user(client.steam_id)["hasTradeUrl"]


def test_the_key_is_in_no_file_but_its_own(community, strangers):
    host, client, url = chatter(community, strangers)
    host.console.say(client, url)
    play.settle_outbox(host)
    secret = re.escape(community.key.rsplit("_", 1)[-1]).encode()
    for path in host.folder.rglob("*"):
        if path.is_file() and path.name != "astro.cfg":
            assert not re.search(secret, path.read_bytes()), path


def test_a_giveaway_whose_database_is_deleted_goes_on_after_a_restart(community, api, strangers):
    host = community.server()
    boss, winner = play.admin(host), play.player(host, strangers[5])
    before = play.known(api)
    play.start(host, boss)
    host.databases.delete("astro_giveaway")
    play.enter(host, winner)
    host.advance(5)
    play.enter(host, boss)
    host.advance(5)
    host.clients.disconnect(winner)
    community.restart(host)
    again = community.hosts[-1]
    assert play.made(again, api, before)["userId"] in (strangers[5]["steamId"], str(boss.steam_id))


def test_giveaways_go_on_while_their_database_is_locked(community, api, strangers):
    host = community.server()
    boss, winner = play.admin(host), play.player(host, strangers[6])
    before = play.known(api)
    play.start(host, boss)
    play.enter(host, winner)
    host.advance(5)
    host.databases.lock("astro_giveaway")
    host.advance(120)
    host.databases.unlock()
    assert play.made(host, api, before)["userId"] == strangers[6]["steamId"]
