"""The whole giveaway: from the admin's menu to an item in the winner's inventory (UC2)."""

from . import play


def test_a_giveaway_runs_from_the_menu_to_a_delivered_trade(community, api, people):
    host = community.server()
    boss = play.admin(host)
    players = [play.player(host, person) for person in people]
    for person, client in zip(people, players):
        api.call("POST", f"users/{person['steamId']}:setTradeUrl", {"tradeUrl": person["tradeUrl"]})
    before = {a["id"] for a in api.assignments()}
    names = play.start(host, boss)
    play.enter(host, *players)
    assert host.until(lambda: any("has won" in line for line in boss.chat), 90), boss.chat
    given = play.made(host, api, before)
    assert given["assignmentType"] == "giveaway"
    assert given["totalItemsCount"] == 1
    winner = next(c for c in players if str(c.steam_id) == given["userId"])
    assert given["externalId"] and given["externalSystem"]
    done = play.delivered(host, api, given["id"])
    assert done["totalItemsCount"] == 1

    host.advance(30)
    assert any("trade offer" in line for line in winner.chat), winner.chat
    assert any(names[0] in line for line in winner.chat if "trade offer" in line)
    assert any("has got" in line or "received" in line or winner.name in line for line in boss.chat[-2:]), boss.chat
    assert winner.hud, "nothing was shown on the screen"
    assert host.errors == []


def test_nobody_enters_and_the_prizes_go_back(community, api):
    host = community.server()
    boss = play.admin(host)
    free = len(api.items("AVAILABLE"))
    play.start(host, boss, items=2)
    assert len(api.items("AVAILABLE")) == free - 2
    assert host.until(lambda: len(api.items("AVAILABLE")) == free, 120)


def test_a_cancelled_giveaway_gives_the_prizes_back(community, api):
    host = community.server()
    boss = play.admin(host)
    free = len(api.items("AVAILABLE"))
    play.start(host, boss)
    host.console.say(boss, "!giveaway_cancel")
    assert host.until(lambda: len(api.items("AVAILABLE")) == free, 60)
    host.advance(120)
    assert not any("has won" in line for line in boss.chat)
