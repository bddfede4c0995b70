"""People come and go, slots are used again, plugins are unloaded with requests under way."""

from . import play

TWO = """
#include <sourcemod>
#include <ripext>
#include <astro>
#pragma tabsize 0
int g_Answers;
public void OnPluginStart() { RegServerCmd("%s_ask", Ask); RegServerCmd("%s_count", Count); }
Action Ask(int args)
{
    for (int i = 0; i < 5; i++)
    {
        Astro_ListItems(OnItems, i, "", 3);
        Astro_GetUser("76561198000000001", OnUser, i);
    }
    return Plugin_Handled;
}
Action Count(int args) { PrintToServer("%s answers %%d", g_Answers); return Plugin_Handled; }
void OnItems(AstroStatus status, ArrayList items, const char[] next, const char[] error, any data) { g_Answers++; }
void OnUser(AstroStatus status, const AstroUser user, const char[] error, any data) { g_Answers++; }
"""


def asker(own, name):
    return own(TWO % (name, name, name), name)


def test_the_winner_has_left_and_somebody_else_has_the_slot(community, api, strangers):
    host = community.server()
    boss, winner = play.admin(host), play.player(host, strangers[0])
    before = play.known(api)
    play.start(host, boss)
    play.enter(host, winner)
    host.clients.disconnect(winner)
    other = play.player(host, strangers[1])
    assert other.index == winner.index
    given = play.made(host, api, before)
    assert given["userId"] == strangers[0]["steamId"]
    assert not any("Your prize" in line for line in other.chat), other.chat


def test_somebody_leaves_between_the_question_and_the_answer(community, proxy, strangers):
    host = community.server("astro", "astro_giveaway", "astro_donate", "astro_admin", "astro_tradeurl")
    boss = play.admin(host)
    asked = play.player(host, strangers[0])
    proxy.fault("hold", ".", times=3)
    host.console.say(boss, "!giveaway")
    host.console.say(asked, "!donate")
    host.advance(1)
    host.clients.disconnect(boss)
    host.clients.disconnect(asked)
    first, second = play.player(host, strangers[1]), play.player(host, strangers[2])
    proxy.release()
    host.advance(20)
    assert first.menu is None and second.menu is None
    assert not first.chat and not second.chat, (first.chat, second.chat)


def test_an_admin_leaves_with_a_menu_open(community, api):
    host = community.server()
    boss = play.admin(host)
    free = len(api.items("AVAILABLE"))
    host.console.say(boss, "!giveaway")
    play.menu(host, boss)
    host.menus.pick(boss, 2)
    host.clients.disconnect(boss)
    host.advance(200)
    assert len(api.items("AVAILABLE")) == free


def test_a_menu_that_nobody_uses_goes_away(community):
    host = community.server()
    boss = play.admin(host)
    host.console.say(boss, "!giveaway")
    play.menu(host, boss)
    host.advance(180)
    assert boss.menu is None


def test_somebody_whom_steam_does_not_know_yet_cannot_enter(community, strangers):
    host = community.server()
    boss = play.admin(host)
    early = play.player(host, strangers[0], authorise=False)
    bot = host.clients.connect("Bot", bot=True)
    play.start(host, boss)
    play.enter(host, early)
    host.console.run("sm_enter", bot.index, False)
    assert any("confirm" in line or "Steam" in line for line in early.chat), early.chat
    host.clients.authorise(early)
    play.enter(host, early)
    assert any("take part" in line for line in early.chat)
    host.console.say(boss, "!giveaway_cancel")
    host.advance(30)


def test_a_plugin_is_unloaded_with_its_requests_under_way(community, proxy, own):
    host = community.server("astro", extra=[asker(own, "one")])
    one = next(p for p in host.plugins if p.file == "one.smx")
    proxy.fault("hold", "items", times=2)
    host.console.server("one_ask")
    host.advance(1)
    host.unload(one)
    proxy.release()
    host.advance(30)
    fresh = host.load(one.path)
    host.console.server("one_ask")
    host.advance(30)
    assert "one answers 10" in host.console.server("one_count")
    assert fresh.running


def test_the_core_is_reloaded_with_requests_under_way(community, proxy, api, strangers, own):
    host = community.server("astro", "astro_giveaway", extra=[asker(own, "one")])
    before = play.known(api)
    host.console.server("astro_giveaway_auto_prize 1")
    proxy.fault("hold", "^POST", times=1)
    host.console.server("one_ask")
    host.console.server(f'astro_giveaway_end reload {strangers[0]["steamId"]}')
    host.advance(3)
    host.reload(next(p for p in host.plugins if p.file == "astro.smx"))
    proxy.release()
    host.advance(20)
    given = play.made(host, api, before)
    assert given["userId"] == strangers[0]["steamId"]
    host.console.server("one_ask")
    host.advance(30)
    assert any(line.startswith("one answers") for line in host.console.server("one_count"))


def test_the_giveaway_is_reloaded_while_it_runs(community, api, strangers):
    host = community.server()
    boss, winner = play.admin(host), play.player(host, strangers[0])
    before = play.known(api)
    play.start(host, boss)
    play.enter(host, winner)
    host.advance(10)
    host.reload(next(p for p in host.plugins if p.file == "astro_giveaway.smx"))
    given = play.made(host, api, before)
    assert given["userId"] == strangers[0]["steamId"]


def test_two_plugins_use_the_natives_at_once(community, own):
    host = community.server("astro", extra=[asker(own, "one"), asker(own, "two")])
    host.console.server("one_ask")
    host.console.server("two_ask")
    host.advance(60)
    assert "one answers 10" in host.console.server("one_count")
    assert "two answers 10" in host.console.server("two_count")


def test_the_map_changes_in_the_middle_of_a_giveaway(community, api, strangers):
    host = community.server()
    boss, winner = play.admin(host), play.player(host, strangers[2])
    before = play.known(api)
    play.start(host, boss)
    play.enter(host, winner)
    host.advance(15)
    host.change_map("koth_next")
    given = play.made(host, api, before)
    assert given["userId"] == strangers[2]["steamId"]


def test_plugins_do_without_the_core(community, strangers):
    host = community.server("astro_giveaway", "astro_donate", "astro_tradeurl", "astro_admin", "astro_vip")
    boss, someone = play.admin(host), play.player(host, strangers[0])
    for line in ("!giveaway", "!giveaway_owed", "!astro", "!astro_deliveries"):
        host.console.say(boss, line)
        host.advance(3)
    for line in ("!donate", "!mygifts", "!enter", "!vipreward", "!tradeurl " + strangers[0]["tradeUrl"]):
        host.console.say(someone, line)
        host.advance(3)
    host.console.server(f'astro_giveaway_end alone {strangers[0]["steamId"]}')
    host.advance(60)
    assert someone.chat and boss.chat
