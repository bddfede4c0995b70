"""Text, lists, maps and packs."""


def test_format_cuts_bytes_and_strcopy_characters(host, run):
    run("""
        public void OnPluginStart()
        {
            char text[6];
            FormatEx(text, sizeof(text), "%s", "aaaa€");
            PrintToServer("%d", strlen(text));
            strcopy(text, sizeof(text), "aaaa€");
            PrintToServer("%d %s", strlen(text), text);
        }""")
    assert host.console.lines == ["5", "4 aaaa"]


def test_formats_are_those_of_sourcemod(host, run):
    run("""
        public void OnPluginStart()
        {
            char text[16] = "x";
            text[0] = 'y';
            PrintToServer("%d|%5d|%05d|%-4d|%x|%X|%u|%b|%.2f|%c|%%|%s|%3s", -3, 42, 42, 7, 255, 255, -1, 5, 1.255, text[0], text, "a");
        }""")
    assert host.console.lines == ["-3|   42|00042|7   |ff|FF|4294967295|101|1.25|y|%|y|  a"]


def test_a_format_without_its_argument_is_an_error(host, run):
    run("public void OnPluginStart() { }\npublic void OnMapStart() { char f[8] = \"%s %d\"; char b[8]; FormatEx(b, sizeof(b), f, \"a\"); }")
    assert "parameter 2 (total 1)" in host.errors[-1]


def test_lists_keep_structs_and_text(result):
    assert result("""
        enum struct Row { int id; char name[12]; }
        public int Test(int n)
        {
            ArrayList list = new ArrayList(sizeof(Row));
            Row row;
            for (int i = 0; i < n; i++)
            {
                row.id = i;
                FormatEx(row.name, sizeof(row.name), "name %d", i);
                list.PushArray(row, sizeof(row));
            }
            list.Erase(0);
            list.SwapAt(0, 1);
            list.GetArray(0, row, sizeof(row));
            int t = row.id * 100 + list.Length * 10 + list.FindValue(3, Row::id) + (StrEqual(row.name, "name 2") ? 1000 : 0);
            list.Set(1, 77, Row::id);
            t += list.Get(1, Row::id) * 10000;
            delete list;
            ArrayList texts = new ArrayList(ByteCountToCells(8));
            texts.PushString("abcdefghij");
            t += texts.FindString("abcdefg") == 0 ? 100000000 : 0;
            delete texts;
            return t;
        }""".replace("enum struct Row { int id; char name[12]; }", "enum struct Row\n{\nint id;\nchar name[12];\n}"), 4) \
        == 200 + 30 + 2 + 1000 + 770000 + 100000000


def test_a_list_is_not_read_beyond_its_end(host, run):
    loaded, = run("public int Test() { ArrayList l = new ArrayList(); l.Push(1); int x = l.Get(1); delete l; return x; }")
    assert host.call(loaded, loaded.publics["Test"]) == (0, False)
    assert "Invalid index 1 (count: 1)" in host.errors[-1]


def test_packs_are_read_in_order_and_by_type(host, run):
    loaded, = run("""
        public int Good()
        {
            DataPack p = new DataPack();
            p.WriteCell(7); p.WriteString("seven"); p.WriteFloat(7.5);
            p.Reset();
            char s[8];
            int t = p.ReadCell();
            p.ReadString(s, sizeof(s));
            t += strlen(s) + RoundToFloor(p.ReadFloat());
            delete p;
            return t;
        }
        public void Bad() { DataPack p = new DataPack(); p.WriteCell(7); p.Reset(); char s[8]; p.ReadString(s, sizeof(s)); }
        public void End() { DataPack p = new DataPack(); p.Reset(); p.ReadCell(); }""")
    assert host.call(loaded, loaded.publics["Good"]) == (19, True)
    host.call(loaded, loaded.publics["Bad"])
    assert "Invalid data pack type" in host.errors[-1]
    host.call(loaded, loaded.publics["End"])
    assert "out of bounds" in host.errors[-1]


def test_maps_know_what_a_key_has(result):
    assert result("""
        public int Test()
        {
            StringMap map = new StringMap();
            map.SetValue("a", 5);
            map.SetString("b", "text");
            char s[8];
            int v, t = 0;
            t += map.GetValue("a", v) && v == 5 ? 1 : 0;
            t += map.GetValue("b", v) ? 0 : 2;
            t += map.GetString("b", s, sizeof(s)) && StrEqual(s, "text") ? 4 : 0;
            t += !map.SetValue("a", 6, false) && map.Size == 2 ? 8 : 0;
            StringMapSnapshot keys = map.Snapshot();
            keys.GetKey(1, s, sizeof(s));
            t += keys.Length == 2 && s[0] == 'b' ? 16 : 0;
            delete keys;
            delete map;
            return t;
        }""") == 31
