"""Trade URLs, donations, VIP rewards, and what admins do by hand."""

from .api import until

from . import play

VIP_CORE = """
#include <sourcemod>
#pragma tabsize 0
GlobalForward g_Loaded;
public APLRes AskPluginLoad2(Handle self, bool late, char[] error, int size) { CreateNative("VIP_IsClientVIP", Native_Is); return APLRes_Success; }
any Native_Is(Handle plugin, int params) { char name[64]; GetClientName(GetNativeCell(1), name, sizeof(name)); return StrContains(name, "vip") == 0; }
public void OnPluginStart() { g_Loaded = new GlobalForward("VIP_OnVIPClientLoaded", ET_Ignore, Param_Cell); }
public void OnClientPostAdminCheck(int client)
{
    char name[64];
    GetClientName(client, name, sizeof(name));
    if (StrContains(name, "vip") == 0) { Call_StartForward(g_Loaded); Call_PushCell(client); Call_Finish(); }
}
"""


def test_a_trade_url_in_the_chat_is_stored_and_nobody_sees_it(community, api, strangers):
    host = community.server("astro", "astro_tradeurl")
    who = play.player(host, strangers[0])
    url = strangers[0]["tradeUrl"]
    for text in (f"!tradeurl {url}", f"/tradeurl {url}", url, f"my url is {url} ok?", f"!tradeurl \"{url}\""):
        who.chat.clear()
        seen = host.console.say(who, text)
        assert host.until(lambda: any("stored" in line for line in who.chat), 30), (text, who.chat)
        assert not seen, f"everybody read {text!r}"
        assert not any("One moment" in line for line in who.chat), (text, who.chat)
        host.advance(5)
    assert api.user(strangers[0]["steamId"])["hasTradeUrl"]
    assert url not in host.everything_shown() and "Ab3-_xYz" not in host.everything_shown()


def test_a_trade_url_of_somebody_else_or_half_of_one_is_refused(community, api, strangers):
    host = community.server("astro", "astro_tradeurl")
    who = play.player(host, strangers[0])
    good = strangers[0]["tradeUrl"]
    for text in (strangers[1]["tradeUrl"], good[:70], good.replace("&token", "&tok"), good.replace("partner=", "partner=-")):
        who.chat.clear()
        host.console.say(who, "!tradeurl " + text)
        host.advance(8)
        assert who.chat and not any("is stored" in line for line in who.chat), (text, who.chat)
    assert "false" in str(_has_url(api, strangers[0])).lower()


def _has_url(api, person):
    try:
        return api.user(person["steamId"])["hasTradeUrl"]
    except Exception as error:  # noqa: BLE001 (nobody knows them yet, which is as good)
        return "false" if getattr(error, "code", 0) == 404 else error


def test_a_trade_url_given_while_astro_is_away_comes_later(community, proxy, api, strangers):
    host = community.server("astro", "astro_tradeurl")
    who = play.player(host, strangers[0])
    proxy.down()
    host.advance(30)
    host.console.say(who, strangers[0]["tradeUrl"])
    assert host.until(lambda: any("noted" in line for line in who.chat), 60), who.chat
    again = community.restart(host, "astro", "astro_tradeurl")
    proxy.up()
    assert again.until(lambda: _has_url(api, strangers[0]) is True, 400)


def test_a_blocked_prize_is_delivered_once_the_winner_gives_the_trade_url(community, api, people):
    host = community.server("astro", "astro_giveaway", "astro_tradeurl")
    host.console.server("astro_giveaway_auto_prize 1")
    person = people[-1]
    who = play.player(host, person)
    before = play.known(api)
    host.console.server(f'astro_giveaway_end url-1 {person["steamId"]}')
    given = play.made(host, api, before)
    if api.assignment(given["id"])["state"] not in ("ASSIGNMENT_STATE_DELIVERED", "ASSIGNMENT_STATE_SETTLED"):
        host.console.say(who, person["tradeUrl"])
    play.delivered(host, api, given["id"])


def test_donations_are_explained(community, strangers):
    host = community.server("astro", "astro_donate")
    who = play.player(host, strangers[0])
    host.console.say(who, "!donate")
    assert host.until(lambda: len(who.chat) >= 2, 30), who.chat
    assert any("profiles/7656" in line for line in who.chat) or any("No bot" in line for line in who.chat), who.chat
    host.advance(5)
    host.console.say(who, "!mygifts")
    assert host.until(lambda: any("not given" in line for line in who.chat), 30), who.chat


def test_a_vip_gets_one_reward_a_month_whoever_asks_however_often(community, api, strangers, own):
    vip = dict(strangers[0], name="vip-1")
    core = own(VIP_CORE, "vip_core")
    host = community.server("astro", "astro_vip", extra=[core])
    before = play.known(api)
    who = play.player(host, vip)
    plain = play.player(host, strangers[1])
    given = play.made(host, api, before)
    assert given["userId"] == vip["steamId"] and given["assignmentType"] == "vip"
    host.advance(300)
    for _ in range(3):
        host.console.say(who, "!vipreward")
        host.console.say(plain, "!vipreward")
        host.advance(20)
    host.clients.disconnect(who)
    play.player(host, vip)
    host.advance(300)
    # Another server of the community asks for the same person.
    second = community.server("astro", "astro_vip", name="second", extra=[core])
    play.player(second, vip)
    second.advance(300)
    assert {a["id"] for a in api.assignments()} - before == {given["id"]}
    assert any("Only VIPs" in line for line in plain.chat), plain.chat
    assert api.items("RESERVED") == [] or all(item["id"] in given["itemIds"] for item in api.items("RESERVED")) \
        if "itemIds" in given else True


def test_a_vip_by_flag_gets_the_next_reward_next_month(community, api, strangers):
    host = community.server("astro", "astro_vip")
    host.console.server("astro_vip_mode 2")
    host.console.server("astro_vip_flag o")
    before = play.known(api)
    play.player(host, strangers[0], flags="o")
    play.made(host, api, before)
    host.set_clock(86400 * 31)
    host.advance(600)
    assert host.until(lambda: len(play.known(api) - before) == 2, 600)


def test_an_admin_gives_an_item_and_recalls_it(community, api, strangers):
    host = community.server("astro", "astro_admin")
    boss, who = play.admin(host), play.player(host, strangers[0])
    free = len(api.items("AVAILABLE"))
    before = play.known(api)
    host.console.say(boss, "!astro")
    play.menu(host, boss)
    host.menus.choose(boss, "Give an item")
    play.menu(host, boss)
    host.menus.choose(boss, who.name)
    play.menu(host, boss)
    host.menus.pick(boss, 1)
    play.menu(host, boss)
    host.menus.choose(boss, "Yes")
    given = play.made(host, api, before)
    assert given["userId"] == strangers[0]["steamId"] and given["assignmentType"] == "manual"

    until(lambda: api.assignment(given["id"])["state"] == "ASSIGNMENT_STATE_BLOCKED")
    host.console.say(boss, "!astro_deliveries")
    play.menu(host, boss)
    host.menus.choose(boss, who.name)
    play.menu(host, boss)
    host.menus.choose(boss, "ecall")
    assert host.until(lambda: len(api.items("AVAILABLE")) == free, 60), boss.chat
    assert api.assignment(given["id"])["state"] == "ASSIGNMENT_STATE_CANCELLED"


def test_an_admin_gives_to_somebody_who_is_not_here(community, api, strangers):
    host = community.server("astro", "astro_admin")
    boss = play.admin(host)
    before = play.known(api)
    host.console.player(boss, f'sm_astro_give {strangers[3]["steamId"]}')
    play.menu(host, boss)
    host.menus.pick(boss, 1)
    play.menu(host, boss)
    host.menus.choose(boss, "Yes")
    assert play.made(host, api, before)["userId"] == strangers[3]["steamId"]


def test_who_is_no_admin_may_not(community, api, strangers):
    host = community.server("astro", "astro_giveaway", "astro_admin")
    who = play.player(host, strangers[0])
    for line in ("!giveaway", "!astro", "!astro_give me", "!astro_items", "!astro_deliveries", "!giveaway_cancel", "!giveaway_owed"):
        host.console.say(who, line)
        host.advance(3)
        assert who.menu is None, line
    assert all("do not have access" in line for line in who.chat) and len(who.chat) == 7, who.chat
