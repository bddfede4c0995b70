"""What players and admins do beside giveaways: trade URLs, gifts, rewards of VIPs, menus of admins."""

import pytest

from . import play
from .conftest import trade_url


def joined(host, person, **more):
    return play.player(host, person, **more)


def test_a_trade_url_in_chat_is_stored_and_nobody_else_sees_it(community, proxy, api, strangers):
    host = community.server("astro", "astro_tradeurl")
    mine, other = joined(host, strangers[0], language="ru"), joined(host, strangers[1])
    url = strangers[0]["tradeUrl"]
    for line in (f"!tradeurl {url}", url, f"my url: {url} thanks"):
        assert not host.console.say(mine, line)
        host.advance(5)
        play.settle_outbox(host)
    assert api.user(strangers[0]["steamId"])["hasTradeUrl"]
    assert len(mine.chat) == 3, mine.chat
    assert other.chat == []
    token = url.rsplit("token=", 1)[1]
    assert token not in host.everything_shown()
    assert all(token not in text for _, _, text in host.logs)
    assert len(proxy.requests("setTradeUrl")) == 3


@pytest.mark.parametrize("text", [
    "https://steamcommunity.com/tradeoffer/new/",
    "https://steamcommunity.com/tradeoffer/new/?partner=&token=",
    "https://steamcommunity.com/tradeoffer/new/?partner=99999999999&token=AbCdEfGh",
    "https://steamcommunity.com/tradeoffer/new/?partner=1&token=short",
    "https://steamcommunity.com/tradeoffer/new/?token=AbCdEfGh",
])
def test_a_trade_url_that_is_none_is_refused_here(text, community, proxy, strangers):
    host = community.server("astro", "astro_tradeurl")
    client = joined(host, strangers[0])
    assert not host.console.say(client, text)
    host.advance(5)
    assert "no whole trade URL" in client.chat[0], client.chat
    assert proxy.requests("setTradeUrl") == []


def test_the_trade_url_of_somebody_else_is_refused(community, proxy, strangers):
    host = community.server("astro", "astro_tradeurl")
    client = joined(host, strangers[0])
    host.console.say(client, trade_url(int(strangers[1]["steamId"])))
    host.advance(5)
    assert "another account" in client.chat[0], client.chat
    assert proxy.requests("setTradeUrl") == []


def test_thirty_two_players_give_their_trade_urls_within_a_second(community, proxy, api, strangers):
    host = community.server("astro", "astro_tradeurl")
    first = int(strangers[0]["steamId"])
    everybody = [host.clients.connect(f"p{i}", first + i) for i in range(32)]
    for client in everybody:
        host.console.say(client, trade_url(client.steam_id))
        host.frame()
    play.settle_outbox(host)
    assert len({seen.key for seen in proxy.requests("setTradeUrl")}) == 32
    assert all(api.user(client.steam_id)["hasTradeUrl"] for client in everybody)


def test_a_player_who_left_is_not_taken_for_who_has_the_slot_now(community, proxy, strangers):
    host = community.server("astro", "astro_tradeurl")
    client = joined(host, strangers[0])
    proxy.fault("hold", "setTradeUrl")
    host.console.say(client, strangers[0]["tradeUrl"])
    host.advance(2)
    host.clients.disconnect(client)
    later = joined(host, strangers[1])
    assert later.index == client.index
    proxy.release()
    play.settle_outbox(host)
    assert later.chat == []


def test_who_wants_to_give_hears_how(community, api):
    host = community.server("astro", "astro_donate")
    client = host.clients.connect("giver", 76561198000000123)
    host.console.say(client, "!donate")
    assert host.until(lambda: len(client.chat) == 2, 20), client.chat
    bot = api.call("GET", "bots")["bots"][0]
    keyword = api.call("GET", "organizations")["organizations"][0]["donationKeyword"]
    assert bot["steamId"] in client.chat[0]
    assert keyword in client.chat[1]
    host.advance(5)
    host.console.say(client, "!mygifts")
    assert host.until(lambda: len(client.chat) == 3, 20)
    assert "not given anything" in client.chat[2]


def test_a_vip_is_rewarded_once_a_month_on_all_servers(community, api, strangers):
    one = community.server("astro", "astro_vip", name="one")
    two = community.server("astro", "astro_vip", name="two")
    before = play.known(api)
    vips = [joined(host, strangers[0], flags="a") for host in (one, two)]
    two.console.server("astro_vip_mode 3")
    for host, client in ((one, vips[0]), (two, vips[1]), (one, vips[0])):
        host.fire("VIP_OnVIPClientLoaded", client.index)
        host.fire("VIP_OnVIPClientAdded", client.index, 0)
        host.fire("OnClientPostAdminCheck", client.index)
    for _ in range(10):
        one.advance(1)
        two.advance(1)
    given = [a for a in api.assignments() if a["id"] not in before]
    assert [a["externalId"] for a in given] == [f"vip {month(one)} {strangers[0]['steamId']}"]
    again = community.restart(one, "astro", "astro_vip")
    client = joined(again, strangers[0])
    again.fire("VIP_OnVIPClientLoaded", client.index)
    again.advance(30)
    assert len([a for a in api.assignments() if a["id"] not in before]) == 1


def month(host):
    import time
    return time.strftime("%Y-%m", time.localtime(host.unix))


def test_a_vip_is_rewarded_when_astro_comes_back(community, proxy, api, strangers):
    host = community.server("astro", "astro_vip")
    before = play.known(api)
    client = joined(host, strangers[2])
    proxy.down()
    host.advance(30)
    host.fire("VIP_OnVIPClientLoaded", client.index)
    host.advance(60)
    proxy.up()
    host.advance(400)
    host.fire("VIP_OnVIPClientLoaded", client.index)
    assert play.made(host, api, before)["assignmentType"] == "vip"


def test_an_admin_gives_an_item_and_recalls_it(community, api, strangers):
    host = community.server("astro", "astro_admin")
    boss, lucky = play.admin(host), joined(host, strangers[3])
    before = play.known(api)
    host.console.say(boss, "!astro")
    play.menu(host, boss)
    host.menus.choose(boss, "Give")
    play.menu(host, boss)
    host.menus.choose(boss, lucky.name)
    play.menu(host, boss)
    host.menus.pick(boss, 1)
    play.menu(host, boss)
    host.menus.choose(boss, "Yes")
    given = play.made(host, api, before)
    assert given["userId"] == strangers[3]["steamId"]
    assert given["externalContext"]["admin"] == str(boss.steam_id)

    host.console.say(boss, "!astro_deliveries")
    play.menu(host, boss)
    host.menus.choose(boss, lucky.name)
    play.menu(host, boss)
    host.menus.choose(boss, "Recall")
    play.settle_outbox(host)
    ends = lambda: api.assignment(given["id"])["state"] == "ASSIGNMENT_STATE_CANCELLED"  # noqa: E731
    assert host.until(ends, 60)


def test_an_admin_who_leaves_between_menus_gives_nothing(community, api, strangers):
    host = community.server("astro", "astro_admin")
    boss = play.admin(host)
    before = play.known(api)
    host.console.player(boss, f"sm_astro_give {strangers[4]['steamId']}")
    play.menu(host, boss)
    host.menus.pick(boss, 1)
    host.clients.disconnect(boss)
    later = host.clients.connect("later", 76561198000000999, flags="z")
    assert later.index == boss.index and later.menu is None
    host.advance(30)
    assert play.known(api) == before
