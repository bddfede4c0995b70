"""Giveaway plugins that exist already: by natives, by forwards, by one server command."""

import pytest

from . import play

OTHER = """
#include <sourcemod>
#pragma tabsize 0
%s
public void OnPluginStart()
{
    RegServerCmd("other_start", Start);
    RegServerCmd("other_end", End);
    RegServerCmd("other_cancel", Cancel);
    %s
}
Action Start(int args) { char id[64]; GetCmdArg(1, id, sizeof(id)); TellStart(id); return Plugin_Handled; }
Action End(int args) { char id[64]; char who[32]; GetCmdArg(1, id, sizeof(id)); GetCmdArg(2, who, sizeof(who)); TellEnd(id, who); return Plugin_Handled; }
Action Cancel(int args) { char id[64]; GetCmdArg(1, id, sizeof(id)); TellCancel(id); return Plugin_Handled; }
"""
NATIVES = ("""
#undef REQUIRE_PLUGIN
#include <ripext>
#include <astro_giveaway>
#define REQUIRE_PLUGIN
void TellStart(const char[] id) { if (LibraryExists(ASTRO_GIVEAWAY_LIBRARY)) AstroGiveaway_Started(id, 0, "A \\"fine\\" %s"); }
void TellEnd(const char[] id, const char[] who) { if (LibraryExists(ASTRO_GIVEAWAY_LIBRARY)) AstroGiveaway_Ended(id, who); }
void TellCancel(const char[] id) { if (LibraryExists(ASTRO_GIVEAWAY_LIBRARY)) AstroGiveaway_Cancelled(id, "rain"); }
""", "")
FORWARDS = ("""
GlobalForward g_Start, g_End, g_Cancel;
void TellStart(const char[] id) { Call_StartForward(g_Start); Call_PushString(id); Call_PushCell(0); Call_PushString("A fine %s"); Call_Finish(); }
void TellEnd(const char[] id, const char[] who) { Call_StartForward(g_End); Call_PushString(id); Call_PushString(who); Call_PushString("Bob"); Call_Finish(); }
void TellCancel(const char[] id) { Call_StartForward(g_Cancel); Call_PushString(id); Call_PushString("rain"); Call_Finish(); }
""", """
    g_Start = new GlobalForward("Giveaway_OnStart", ET_Ignore, Param_String, Param_Cell, Param_String);
    g_End = new GlobalForward("Giveaway_OnEnd", ET_Ignore, Param_String, Param_String, Param_String);
    g_Cancel = new GlobalForward("Giveaway_OnCancel", ET_Ignore, Param_String, Param_String);
""")
COMMANDS = ("""
void TellStart(const char[] id) { ServerCommand("astro_giveaway_start \\"%s\\" \\"A fine one\\"", id); }
void TellEnd(const char[] id, const char[] who) { ServerCommand("astro_giveaway_end \\"%s\\" %s", id, who); }
void TellCancel(const char[] id) { ServerCommand("astro_giveaway_cancel \\"%s\\" rain", id); }
""", "")
WAYS = {"natives": NATIVES, "forwards": FORWARDS, "commands": COMMANDS}


@pytest.mark.parametrize("way", WAYS)
def test_another_plugin_gives_a_prize(way, community, api, strangers, own):
    host = community.server(extra=[own(OTHER % WAYS[way], way)])
    before = play.known(api)
    host.console.server("astro_giveaway_auto_prize 1")
    host.console.server('other_start "night:1 %s"')
    host.advance(10)
    host.console.server(f'other_end "night:1 %s" {strangers[0]["steamId"]}')
    given = play.made(host, api, before)
    assert given["userId"] == strangers[0]["steamId"]
    assert given["assignmentType"] == "giveaway"


@pytest.mark.parametrize("way", WAYS)
def test_another_plugin_cancels_after_the_win_and_nothing_is_given(way, community, api, strangers, own):
    host = community.server(extra=[own(OTHER % WAYS[way], way)])
    free = len(api.items("AVAILABLE"))
    before = play.known(api)
    host.console.server("astro_giveaway_auto_prize 1")
    host.console.server("other_start night-2")
    host.advance(5)
    host.console.server(f'other_end night-2 {strangers[0]["steamId"]}')
    given = play.made(host, api, before)
    host.console.server("other_cancel night-2")
    assert host.until(lambda: len(api.items("AVAILABLE")) == free, 120)
    assert api.assignment(given["id"])["state"] == "ASSIGNMENT_STATE_CANCELLED"


def test_an_admin_picks_the_prize_of_another_plugins_giveaway(community, api, strangers, own):
    host = community.server(extra=[own(OTHER % NATIVES, "natives")])
    boss = play.admin(host)
    before = play.known(api)
    host.console.server("other_start night-3")
    host.advance(3)
    host.console.server(f'other_end night-3 {strangers[0]["steamId"]}')
    host.advance(20)
    assert any("sm_giveaway_owed" in line for line in boss.chat), boss.chat
    host.console.say(boss, "!giveaway_owed")
    play.menu(host, boss)
    host.menus.pick(boss, 1)
    play.menu(host, boss)
    host.menus.pick(boss, 3)
    play.menu(host, boss)
    host.menus.pick(boss, 1)
    given = play.made(host, api, before)
    assert given["userId"] == strangers[0]["steamId"]


def test_another_plugin_goes_on_without_astro(community, own):
    host = community.server("astro", extra=[own(OTHER % NATIVES, "natives"), own(OTHER % FORWARDS, "forwards")])
    for line in ("other_start x", "other_end x 76561198000000001", "other_cancel x"):
        host.console.server(line)
        host.advance(3)


def test_a_winner_who_is_none_is_refused(community, api):
    host = community.server()
    before = play.known(api)
    for who in ("STEAM_0:1:1", "0", "Bob", "76561198000000001x", "[U:1:5]", ""):
        host.console.server(f'astro_giveaway_end "bad {who}" "{who}"')
        host.advance(5)
    host.advance(60)
    assert play.known(api) == before
