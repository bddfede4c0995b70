"""Commands, chat, ConVars, menus, translations and slots."""

import pytest

from smhost.console import rest, words


@pytest.mark.parametrize("line, found", [
    ('say "hello you"', ["say", "hello you"]),
    ("tradeurl https://a.b/c?d=e", ["tradeurl", "https", ":"]),
    ("give a:b (c) {d}'e'", ["give", "a", ":", "b", "(", "c", ")", "{", "d", "}", "'", "e", "'"]),
    ('a"b c"d', ["a", "b c", "d"]),
    ("a // b", ["a"]),
    ("a b//c", ["a", "b//c"]),
    ("", []),
])
def test_lines_are_cut_as_the_engine_cuts_them(line, found):
    assert words(line) == found


def test_the_rest_of_a_line_is_as_it_was_typed():
    assert rest('sm_x  "a b" https://c/d') == '"a b" https://c/d'
    assert rest("sm_x") == ""


ECHO = """
    public void OnPluginStart()
    {
        RegConsoleCmd("sm_echo", Echo);
        RegAdminCmd("sm_root", Echo, ADMFLAG_ROOT);
        RegServerCmd("server_only", Only);
    }
    Action Echo(int client, int args)
    {
        char all[256], first[64];
        GetCmdArgString(all, sizeof(all));
        GetCmdArg(1, first, sizeof(first));
        ReplyToCommand(client, "%N: %d [%s] [%s]", client, args, first, all);
        return Plugin_Handled;
    }
    Action Only(int args) { PrintToServer("only %d", args); return Plugin_Handled; }
    public Action OnClientSayCommand(int client, const char[] command, const char[] text)
    {
        PrintToServer("said %s: %s", command, text);
        return StrContains(text, "secret") >= 0 ? Plugin_Stop : Plugin_Continue;
    }"""


def test_commands_are_answered_where_they_were_typed(host, run):
    run(ECHO)
    bob = host.clients.connect("Bob", 76561198000000001)
    assert host.console.server("sm_echo a b") == ["Console: 2 [a] [a b]"]
    assert host.console.player(bob, "sm_echo a b") == ["Bob: 2 [a] [a b]"]
    host.console.say(bob, "!echo https://x/y")
    assert bob.chat == ["Bob: 2 [https] [https://x/y]"]
    assert host.console.player(bob, "sm_root") == ["[SM] You do not have access to this command."]
    assert host.console.player(bob, "server_only") == []
    assert host.console.server("server_only 1 2") == ["only 2"]


def test_chat_is_heard_and_swallowed(host, run):
    run(ECHO)
    bob = host.clients.connect("Bob", 76561198000000001)
    assert host.console.say(bob, "hello")
    assert not host.console.say(bob, "a secret", team=True)
    # A silent trigger is no speech; a loud one is, and runs all the same.
    assert not host.console.say(bob, "/echo 1")
    assert not host.console.say(bob, "!echo secret")
    assert host.console.lines == ["said say: hello", "said say_team: a secret", "said say: !echo secret"]
    assert [line.split("[")[1] for line in bob.chat] == ["1] ", "secret] "]
    host.console.say(bob, "é" * 100)
    assert host.console.lines[-1] == "said say: " + "é" * 63


CONVARS = """
    ConVar g_Key;
    public void OnPluginStart()
    {
        g_Key = CreateConVar("t_key", "", "A key.", FCVAR_PROTECTED);
        ConVar n = CreateConVar("t_n", "5", "A number.", _, true, 1.0, true, 9.0);
        n.AddChangeHook(Changed);
        AutoExecConfig(true, "t");
    }
    void Changed(ConVar c, const char[] old, const char[] now) { PrintToServer("%s -> %s (%d)", old, now, c.IntValue); }
    public void OnConfigsExecuted() { char key[32]; g_Key.GetString(key, sizeof(key)); PrintToServer("key %s", key); }"""


def test_settings_have_bounds_hooks_and_a_file(host, run):
    run(CONVARS)
    text = (host.folder / "cfg/sourcemod/t.cfg").read_text()
    assert 't_key ""' in text and '// Minimum: "1.000000"' in text
    host.console.server("t_n 77")
    host.console.server("t_n 7.5 apples")
    assert host.console.lines == ["key ", "5 -> 9 (9)", "9 -> 7.5 apples (7)"]


def test_a_protected_setting_is_shown_to_the_console_and_to_root_alone(host, run):
    (host.folder / "cfg/sourcemod").mkdir(exist_ok=True)
    (host.folder / "cfg/sourcemod/t.cfg").write_text('t_key "s3cret" // mine\n')
    run(CONVARS)
    assert host.console.lines == ["key s3cret"]
    bob, ada = host.clients.connect("Bob", 1), host.clients.connect("Ada", 2, flags="z")
    assert "s3cret" not in "".join(host.console.player(bob, "sm_cvar t_key"))
    assert "s3cret" in "".join(host.console.player(ada, "sm_cvar t_key"))
    assert "s3cret" in "".join(host.console.server("sm_cvar t_key"))
    assert "t_key" not in host.crash_text().replace("s3cret", "") or 't_key = "s3cret"' not in host.crash_text()


MENU = """
    public void Show(int client, int count)
    {
        Menu menu = new Menu(Handler, MENU_ACTIONS_DEFAULT | MenuAction_Display);
        menu.SetTitle("Title");
        menu.ExitBackButton = true;
        for (int i = 0; i < count; i++)
        {
            char info[8], text[16];
            IntToString(i, info, sizeof(info));
            FormatEx(text, sizeof(text), "Item %d", i);
            menu.AddItem(info, text, i == 1 ? ITEMDRAW_DISABLED : ITEMDRAW_DEFAULT);
        }
        PrintToServer("shown %d", menu.Display(client, 20));
    }
    int Handler(Menu menu, MenuAction action, int one, int two)
    {
        char info[8];
        if (action == MenuAction_Select) { menu.GetItem(two, info, sizeof(info)); PrintToServer("select %s", info); }
        if (action == MenuAction_Display) { view_as<Panel>(two).SetTitle("Drawn"); }
        if (action == MenuAction_Cancel) { PrintToServer("cancel %d", two); }
        if (action == MenuAction_End) { PrintToServer("end %d", one); delete menu; }
        return 0;
    }"""


def show(host, run, count=9):
    loaded, = run(MENU)
    bob = host.clients.connect("Bob", 1)
    host.call(loaded, loaded.publics["Show"], bob.index, count)
    return bob


def test_menus_have_pages_and_disabled_items(host, run):
    bob = show(host, run)
    assert bob.menu.title == "Drawn" and len(bob.menu.rows) == 7 and "Item 1" not in bob.menu.choices()
    with pytest.raises(AssertionError):
        host.menus.choose(bob, "Item 1")
    host.menus.next_page(bob)
    host.menus.choose(bob, "Item 8")
    assert host.console.lines == ["shown 1", "select 8", "end 0"] and host.handles.unreachable() == []


@pytest.mark.parametrize("what, told", [
    ("exit", ["cancel -3", "end -4"]), ("back", ["cancel -6", "end -5"]), ("leave", ["cancel -1", "end -3"]),
    ("wait", ["cancel -5", "end -3"]), ("again", ["cancel -2", "end -3", "shown 1"]),
])
def test_menus_end_in_every_way(what, told, host, run):
    bob = show(host, run)
    if what == "leave":
        host.clients.disconnect(bob)
    elif what == "wait":
        host.advance(21)
    elif what == "again":
        host.call(host.plugins[0], host.plugins[0].publics["Show"], bob.index, 2)
    else:
        getattr(host.menus, what)(bob)
    assert host.console.lines[1:] == told


def test_an_empty_menu_is_not_shown(host, run):
    show(host, run, 0)
    assert host.console.lines == ["shown 0"]


PHRASES = """
"Phrases"
{
    // A remark.
    "Hello" { "#format" "{1:s},{2:d}"  "en" "Hello {1}, {2} times"  "de" "{2}-mal hallo, {1}" }
    "Percent" { "en" "100% sure" }
    "English" { "en" "only" }
}"""


def test_phrases_are_in_the_language_of_the_reader(host, run):
    (host.sourcemod / "translations/t.phrases.txt").write_text(PHRASES, encoding="utf-8")
    loaded, = run("""
        public void OnPluginStart() { LoadTranslations("t.phrases"); }
        public void Say(int client) { PrintToChat(client, "%t", "Hello", "a%s", 2); PrintToServer("%T", "Hello", client, "x", 1); }
        public void Only(int client) { PrintToChat(client, "%t", "English"); }
        public void Percent(int client) { PrintToChat(client, "%t", "Percent"); }
        public void Missing(int client) { PrintToChat(client, "%t", "Nothing"); }""")
    ann, uwe = host.clients.connect("Ann", 1), host.clients.connect("Uwe", 2, language="de")
    for name in ("Say", "Only", "Percent", "Missing"):
        for client in (ann, uwe):
            host.call(loaded, loaded.publics[name], client.index)
    assert ann.chat == ["Hello a%s, 2 times", "only"] and uwe.chat == ["2-mal hallo, a%s", "only"]
    assert host.untranslated == {("English", "de"), ("Percent", "de")}
    assert any("incorrectly" in error for error in host.errors) and 'phrase "Nothing" not found' in host.errors[-1]


def test_a_line_of_chat_is_cut_and_told(host, run):
    loaded, = run("public void Say(int client) { char t[300]; for (int i = 0; i < 299; i++) t[i] = 'x'; PrintToChat(client, \"%s\", t); }")
    bob = host.clients.connect("Bob", 1)
    host.call(loaded, loaded.publics["Say"], bob.index)
    assert len(bob.chat[0]) == 253 and len(host.cut_lines) == 1


def test_slots_are_used_again_and_user_ids_are_not(host, run):
    loaded, = run("""
        public int Id(int client) { return GetClientUserId(client); }
        public int Of(int id) { return GetClientOfUserId(id); }
        public int Steam(int client) { char id[21]; bool ok = GetClientAuthId(client, AuthId_SteamID64, id, sizeof(id)); PrintToServer("%s", id); return ok; }""")
    call = lambda name, *args: host.call(loaded, loaded.publics[name], *args)[0]  # noqa: E731
    first = host.clients.connect("A", 76561198000000001, authorise=False)
    assert call("Steam", first.index) == 0
    host.clients.authorise(first)
    assert call("Steam", first.index) == 1 and host.console.lines[-1] == "76561198000000001"
    id = call("Id", first.index)
    host.clients.disconnect(first)
    second = host.clients.connect("B", 76561198000000002)
    assert second.index == first.index and call("Id", second.index) != id and call("Of", id) == 0
    bot = host.clients.connect("Bot", bot=True)
    assert call("Steam", bot.index) == 0
