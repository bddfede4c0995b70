"""Several plugins: natives, forwards, libraries, timers, unloading, and the database."""

import pytest

from smhost import LoadError

OWNER = """
    PrivateForward g_Callbacks;
    GlobalForward g_Event;
    public APLRes AskPluginLoad2(Handle self, bool late, char[] error, int size)
    {
        CreateNative("T_Add", Native_Add);
        CreateNative("T_Call", Native_Call);
        RegPluginLibrary("t");
        return APLRes_Success;
    }
    public void OnPluginStart() { g_Callbacks = new PrivateForward(ET_Ignore, Param_Cell, Param_String); g_Event = new GlobalForward("T_OnEvent", ET_Hook, Param_String, Param_CellByRef); }
    any Native_Add(Handle plugin, int params)
    {
        char text[16];
        GetNativeString(2, text, sizeof(text));
        if (StrEqual(text, "throw")) { return ThrowNativeError(SP_ERROR_NATIVE, "no %s", text); }
        if (StrEqual(text, "fail")) { ArrayList none; none.Push(1); }
        SetNativeString(2, "written", GetNativeCell(3));
        return GetNativeCell(1) + strlen(text);
    }
    any Native_Call(Handle plugin, int params)
    {
        g_Callbacks.AddFunction(plugin, GetNativeFunction(1));
        return 0;
    }
    public int Fire(int n)
    {
        int value = n;
        Action result;
        Call_StartForward(g_Event);
        Call_PushString("event");
        Call_PushCellRef(value);
        Call_Finish(result);
        Call_StartForward(g_Callbacks);
        Call_PushCell(value);
        Call_PushString("back");
        Call_Finish();
        return view_as<int>(result) * 1000 + value;
    }"""
USER = """
    native int T_Add(int a, char[] text, int size);
    native void T_Call(Function f);
    public APLRes AskPluginLoad2(Handle self, bool late, char[] error, int size) { MarkNativeAsOptional("T_Add"); MarkNativeAsOptional("T_Call"); return APLRes_Success; }
    public int Use(const char[] word)
    {
        char text[16];
        strcopy(text, sizeof(text), word);
        int n = T_Add(5, text, sizeof(text));
        PrintToServer("%d %s", n, text);
        return n;
    }
    public void Register() { T_Call(Back); }
    void Back(int value, const char[] text) { PrintToServer("%s %d", text, value); }
    public Action T_OnEvent(const char[] text, int &value) { value += 1; return Plugin_Changed; }
    public void OnLibraryAdded(const char[] name) { PrintToServer("added %s", name); }
    public void OnLibraryRemoved(const char[] name) { PrintToServer("removed %s", name); }"""


def test_natives_of_a_plugin_read_and_write_the_callers_memory(host, run):
    owner, user = run(owner=OWNER, user=USER)
    assert host.call(user, user.publics["Use"], "abc") == (8, True)
    assert host.console.lines[-1] == "8 written"


@pytest.mark.parametrize("word, words", [("throw", "no throw"), ("fail", "Invalid ArrayList Handle 0")])
def test_an_error_in_a_native_ends_the_caller(word, words, host, run):
    owner, user = run(owner=OWNER, user=USER)
    assert host.call(user, user.publics["Use"], word) == (0, False)
    assert words in host.errors[-1] and not any(line[:1].isdigit() for line in host.console.lines)


def test_forwards_reach_everybody_and_carry_values_back(host, run):
    owner, user = run(owner=OWNER, user=USER)
    host.call(user, user.publics["Register"])
    assert host.call(owner, owner.publics["Fire"], 10) == (1011, True)
    assert host.console.lines[-1] == "back 11"
    host.unload(user)
    assert host.call(owner, owner.publics["Fire"], 10) == (10, True)


def test_an_optional_native_that_is_gone_is_an_error_of_the_one_call(host, run):
    owner, user = run(owner=OWNER, user=USER)
    host.unload(owner)
    assert host.console.lines[-1] == "removed t"
    assert host.call(user, user.publics["Use"], "abc") == (0, False)
    assert "Native is not bound" in host.errors[-1]
    host.load(owner.path)
    assert host.console.lines[-1] == "added t"
    assert host.call(user, user.publics["Use"], "abc") == (8, True)


def test_a_plugin_whose_native_is_missing_is_not_loaded(host, plugin):
    path = plugin("native void Nobody(); public void OnPluginStart() { Nobody(); }")
    with pytest.raises(LoadError, match="Nobody"):
        host.load_all([path])
    path = plugin('public void OnPluginStart() { SetFailState("not %s", "today"); }')
    with pytest.raises(LoadError, match="not today"):
        host.load(path)
    assert host.plugins == []


TIMERS = """
    Handle g_Timer;
    public void OnPluginStart()
    {
        g_Timer = CreateTimer(2.0, Tick, 1, TIMER_REPEAT);
        CreateTimer(5.0, Tick, 2);
        CreateTimer(5.0, Tick, 3, TIMER_FLAG_NO_MAPCHANGE);
        RequestFrame(Frame, 9);
    }
    void Frame(any data) { PrintToServer("frame %d", data); }
    Action Tick(Handle timer, any data) { PrintToServer("%d at %.0f", data, GetEngineTime()); return data == 1 && GetEngineTime() > 7.0 ? Plugin_Stop : Plugin_Continue; }
    public void Kill() { delete g_Timer; }"""


def test_timers_repeat_until_they_stop_and_end_with_the_map(host, run):
    run(TIMERS)
    host.advance(4.5)
    host.change_map("next")
    host.advance(20)
    assert host.console.lines == ["frame 9", "1 at 2", "1 at 4", "2 at 5", "1 at 6", "1 at 8"]
    assert host.handles.unreachable() == []


def test_a_timer_that_is_deleted_is_silent(host, run):
    loaded, = run(TIMERS)
    host.call(loaded, loaded.publics["Kill"])
    host.advance(4.5)
    assert host.console.lines == ["frame 9"]


def test_time_passes_without_the_machine_and_the_clock_can_be_set(host, run):
    loaded, = run("public int Now() { return GetTime(); }\npublic int Engine() { return RoundToFloor(GetEngineTime()); }")
    call = lambda name: host.call(loaded, loaded.publics[name])[0]  # noqa: E731
    now = call("Now")
    host.advance(3600)
    assert call("Now") == now + 3600 and call("Engine") == 3600
    host.set_clock(-7200)
    assert call("Now") == now - 3600 and call("Engine") == 3600


DATABASE = """
    Database g_Db;
    public void OnPluginStart()
    {
        char error[128];
        g_Db = SQLite_UseDatabase("t", error, sizeof(error));
        g_Db.Query(OnDone, "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)");
    }
    void OnDone(Database db, DBResultSet results, const char[] error, any data) { PrintToServer("done '%s'", error); }
    public void Put(const char[] name)
    {
        char query[512];
        Transaction change = new Transaction();
        g_Db.Format(query, sizeof(query), "INSERT INTO t (name) VALUES ('%s')", name);
        change.AddQuery(query, 7);
        change.AddQuery("SELECT id, name FROM t", 8);
        g_Db.Execute(change, OnGood, OnBad, 5);
    }
    public void Break() { Transaction change = new Transaction(); change.AddQuery("INSERT INTO t (name) VALUES ('lost')"); change.AddQuery("SELECT missing"); g_Db.Execute(change, OnGood, OnBad); }
    void OnGood(Database db, any data, int count, DBResultSet[] results, any[] queryData)
    {
        char name[64];
        while (results[1].FetchRow()) { results[1].FetchString(1, name, sizeof(name)); PrintToServer("%d %d %d: %d %s", data, count, queryData[1], results[1].FetchInt(0), name); }
    }
    void OnBad(Database db, any data, int count, const char[] error, int failed, any[] queryData) { PrintToServer("failed at %d: %s", failed, error); }
    public int Sync() { return SQL_FastQuery(g_Db, "INSERT INTO t (name) VALUES ('now')"); }"""


def test_the_database_keeps_what_it_is_given(host, run):
    loaded, = run(DATABASE)
    host.settle()
    host.call(loaded, loaded.publics["Put"], "O'Neil; %s")
    host.settle()
    host.call(loaded, loaded.publics["Break"])
    host.settle()
    assert host.console.lines == ["done ''", "5 2 8: 1 O'Neil; %s", "failed at 1: no such column: missing"]
    assert host.handles.unreachable() == []
    host.call(loaded, loaded.publics["Put"], "b")
    host.settle()
    assert not any("lost" in line for line in host.console.lines)


def test_a_lock_is_waited_for_and_a_full_disk_is_told(host, run):
    loaded, = run(DATABASE)
    host.settle()
    host.databases.lock("t")
    host.call(loaded, loaded.publics["Put"], "a")
    host.advance(30)
    assert host.console.lines == ["done ''"]
    host.databases.unlock()
    host.settle()
    assert host.console.lines[-1].endswith("1 a")
    host.databases.lock("t")
    host.call(loaded, loaded.publics["Put"], "b")
    host.advance(70)
    assert "database is locked" in host.console.lines[-1]
    host.databases.unlock()
    host.databases.fill()
    host.call(loaded, loaded.publics["Put"], "x" * 200)
    for _ in range(40):
        host.call(loaded, loaded.publics["Put"], "x" * 200)
    host.settle(60)
    assert any("full" in line for line in host.console.lines)


def test_what_was_asked_for_is_done_before_a_plugin_goes(host, run):
    loaded, = run(DATABASE)
    host.settle()
    host.call(loaded, loaded.publics["Put"], "last")
    host.unload(loaded)
    assert host.console.lines[-1].endswith("last")


def test_a_statement_on_the_games_thread_is_dear(host, run):
    loaded, = run(DATABASE)
    host.settle()
    host.budget.reset()
    host.call(loaded, loaded.publics["Sync"])
    host.frame()
    assert host.budget.worst.cost > 1_000_000, host.budget.report()
