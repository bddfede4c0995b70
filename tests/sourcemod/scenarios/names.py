"""Names that others chose, numbers of 64 bits, and every language."""

import re

import pytest

from . import play

LARGEST = "18446744073709551615"
NAMES = {
    "quotes": "The \"Best\" 'Thing'; DROP TABLE outbox;--",
    "formats": "%s %d %T %N {1} %%",
    "four bytes": "🎁🦄 Gift of 𝔉𝔬𝔯𝔱𝔲𝔫𝔢 🎁",
    "200 bytes": "A" * 63 + "é" * 20 + "€" * 32 + "x",
    "200 bytes of four each": "😀" * 50,
    "right to left": "abc\u202ecba \u2067dcba\u2069 \u200fend",
    "colours and lines": "\x01\x04red\x07FF0000blue\nnext\tline",
    "backslashes": "C:\\new\\folder\\",
    "nothing": "",
    "Chinese": "专业杀手 AK-47 | 火神 (久经沙场)",
}
BAD = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f]")


def rename(proxy, name):
    """Every item is called so, and has the largest asset id."""
    def change(_path, answer):
        for item in answer.get("items", []):
            item["itemName"] = item["marketHashName"] = name
            item["asset"]["assetId"] = LARGEST
    proxy.rewrite(change)


@pytest.mark.parametrize("kind", NAMES)
def test_an_item_may_be_called_anything(kind, community, proxy, api, strangers):
    rename(proxy, NAMES[kind])
    host = community.server()
    boss = play.admin(host)
    before = play.known(api)
    # Fifty bytes of a title that an admin types are no safer.
    host.console.say(boss, "!giveaway " + NAMES[kind][:30])
    play.menu(host, boss)
    host.menus.pick(boss, 2)
    play.menu(host, boss)
    host.menus.pick(boss, 1)
    play.menu(host, boss)
    host.menus.pick(boss, 1)
    assert host.until(lambda: any("!enter" in line for line in boss.chat), 20), boss.chat
    winner = play.player(host, strangers[0])
    play.enter(host, winner)
    assert host.until(lambda: any("has won" in line for line in boss.chat), 90)
    given = play.made(host, api, before)
    api.cancel(given["id"])
    host.advance(60)
    assert not [line for line in host.shown if BAD.search(line)]
    chat = boss.chat + winner.chat
    assert not [line for line in chat if "\n" in line or "\x04red" in line], chat
    if kind in ("quotes", "formats", "four bytes", "Chinese", "backslashes"):
        assert any(NAMES[kind][:20] in line for line in chat), chat


@pytest.mark.parametrize("kind", NAMES)
def test_a_player_may_be_called_anything(kind, community, api, strangers):
    # The engine itself takes 31 bytes of a name.
    name = NAMES[kind].encode()[:31].decode("utf-8", "surrogateescape")
    host = community.server()
    boss = play.admin(host)
    before = play.known(api)
    play.start(host, boss)
    winner = host.clients.connect(name, int(strangers[1]["steamId"]))
    play.enter(host, winner)
    assert host.until(lambda: any("has won" in line for line in boss.chat), 90), boss.chat
    given = play.made(host, api, before)
    api.cancel(given["id"])
    host.advance(60)
    assert not [line for line in host.shown if BAD.search(line)]
    assert not [line for line in boss.chat if "\n" in line]


def test_numbers_of_64_bits_stay_what_they_are(community, proxy, api, own):
    seen = own("""
        #include <sourcemod>
        #include <ripext>
        #include <astro>
        #pragma tabsize 0
        #pragma dynamic 32768
        public void OnPluginStart() { RegServerCmd("look", Look); }
        Action Look(int args) { Astro_ListItems(OnItems, 0, "", 3); return Plugin_Handled; }
        void OnItems(AstroStatus status, ArrayList items, const char[] next, const char[] error, any data)
        {
            AstroItem item;
            for (int i = 0; i < items.Length; i++)
            {
                items.GetArray(i, item, sizeof(item));
                PrintToServer("asset %s", item.asset.assetId);
            }
        }""")
    rename(proxy, "Thing")
    host = community.server("astro", extra=[seen])
    host.console.server("look")
    assert host.until(lambda: f"asset {LARGEST}" in host.console.lines, 30), host.console.lines


@pytest.mark.parametrize("language", ["en", "de", "ru", "pl", "pt", "chi"])
def test_a_giveaway_speaks_every_language(language, community, api, strangers):
    host = community.server(language=language)
    boss = play.admin(host, language=language)
    players = [play.player(host, person, language=language) for person in strangers]
    before = play.known(api)
    host.console.say(boss, "!giveaway")
    play.menu(host, boss)
    host.menus.pick(boss, 2)
    play.menu(host, boss)
    host.menus.pick(boss, 1)
    play.menu(host, boss)
    host.menus.pick(boss, 1)
    assert host.until(lambda: any("!enter" in line for line in boss.chat), 20), boss.chat
    play.enter(host, *players)
    play.enter(host, *players)
    given = play.made(host, api, before)
    api.cancel(given["id"])
    host.advance(60)
    english = re.compile(r"\b(giveaway|has won|players|prize)\b", re.I)
    if language != "en":
        assert not [line for line in players[0].chat if english.search(line)], players[0].chat


def test_two_people_read_one_line_in_two_languages(community, strangers):
    host = community.server()
    boss = play.admin(host)
    german = play.player(host, strangers[0], language="de")
    play.start(host, boss)
    assert any("Giveaway of" in line for line in boss.chat)
    assert not any("Giveaway of" in line for line in german.chat) and german.chat
    host.console.say(boss, "!giveaway_cancel")
    host.advance(30)
