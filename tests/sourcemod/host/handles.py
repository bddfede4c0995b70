"""Handles: owners, types, and those that nobody can reach."""


def test_a_handle_that_nobody_has_any_more_is_a_leak_and_one_in_a_list_is_none(host, run):
    run("""
        ArrayList g_Kept;
        public void OnPluginStart()
        {
            g_Kept = new ArrayList();
            g_Kept.Push(new StringMap());
            Leak();
        }
        void Leak()
        {
            DataPack pack = new DataPack();
            pack.WriteCell(1);
        }""")
    assert [(h.kind, h.site) for h in host.handles.unreachable()] == [("DataPack", "OnPluginStart")]


def test_what_a_timer_or_a_request_will_hand_back_is_no_leak(host, run):
    run("""
        public void OnPluginStart()
        {
            CreateTimer(5.0, OnTimer, new DataPack());
            CreateTimer(5.0, OnOther, new DataPack(), TIMER_DATA_HNDL_CLOSE);
        }
        Action OnTimer(Handle timer, DataPack pack) { return Plugin_Stop; }
        Action OnOther(Handle timer, DataPack pack) { return Plugin_Stop; }""")
    assert host.handles.unreachable() == []
    host.advance(6)
    assert [h.kind for h in host.handles.unreachable()] == ["DataPack"]


def test_a_handle_is_closed_once_and_of_one_type(host, run):
    loaded, = run("""
        public void Twice() { DataPack a = new DataPack(); Handle b = a; delete a; CloseHandle(b); }
        public void Wrong() { DataPack a = new DataPack(); StringMap b = view_as<StringMap>(a); delete b; b = view_as<StringMap>(new ArrayList()); b.Clear(); }
        public void Null() { DataPack a = null; delete a; }""")
    for name, good, words in (("Twice", False, "is invalid (error 3)"), ("Wrong", False, "(error 2)"), ("Null", True, "")):
        assert host.call(loaded, loaded.publics[name])[1] is good
        assert words in (host.errors or [""])[-1]


def test_a_plugin_that_goes_takes_its_handles_along(host, run):
    loaded, = run("public void OnPluginStart() { new StringMap(); new ArrayList(); }")
    host.unload(loaded)
    assert [h for h in host.handles._open.values() if h.owner] == []


def test_what_has_grown_since_a_mark_is_told_with_its_place(host, run):
    loaded, = run("ArrayList g_All; public void OnPluginStart() { g_All = new ArrayList(); }\n"
                  "public void Grow() { g_All.Push(new StringMap()); }")
    mark = host.handles.mark()
    host.call(loaded, loaded.publics["Grow"])
    assert list(host.handles.grown(mark)) == [(loaded.file, "StringMap", "Grow")]
