"""ripext: requests over real sockets, answers one a frame, and JSON as jansson has it."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from smhost.proxy import Proxy


class Echo(BaseHTTPRequestHandler):
    """Answers what it was asked; `/events` has none, `/later` has one once it is told."""

    protocol_version, disable_nagle_algorithm = "HTTP/1.1", True
    news = False

    def log_message(self, *_):
        """Says nothing."""

    def _answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        told = {"verb": self.command, "path": self.path, "body": body, "headers": dict(self.headers), "id": "18446744073709551615", "big": 9007199254740993}
        if self.path.startswith("/events"):
            told = {"events": [{"id": "1"}] if Echo.news else []}
        if self.path.startswith("/raw"):
            text = self.path.split("?", 1)[1].encode().decode("unicode_escape").encode("latin-1")
        else:
            text = json.dumps(told).encode()
        self.send_response_only(int(self.headers.get("X-Code") or 200))
        self.send_header("Content-Type", "application/json")
        self.send_header("X-Told", "yes: it was")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer


@pytest.fixture(scope="module")
def echo():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture
def way(echo, host):
    made = Proxy(echo)
    host.http.held = made.held
    yield made
    made.close()


ASK = """
    char g_Url[256];
    public void Ask(const char[] url)
    {
        strcopy(g_Url, sizeof(g_Url), url);
        HTTPRequest http = new HTTPRequest(url);
        http.MaxRedirects = 0;
        http.Timeout = 10;
        http.Get(OnAnswer, 7);
    }
    public void Post(const char[] url)
    {
        HTTPRequest http = new HTTPRequest(url);
        http.SetHeader("X-Name", "%s", "50% \\"off\\"");
        http.AppendQueryParam("q", "%s", "a b&c=%d/é");
        JSONObject body = new JSONObject();
        body.SetString("name", "é \\"x\\"");
        body.SetInt64("big", "9007199254740993");
        http.Post(body, OnAnswer);
        delete body;
    }
    void OnAnswer(HTTPResponse response, any value, const char[] error)
    {
        PrintToServer("status %d error '%s'", response.Status, error);
        JSONObject data = view_as<JSONObject>(response.Data);
        char text[256];
        data.GetString("path", text, sizeof(text));
        PrintToServer("path %s", text);
        data.GetString("body", text, sizeof(text));
        PrintToServer("body %s", text);
        data.GetString("id", text, sizeof(text));
        PrintToServer("id %s", text);
        data.GetInt64("big", text, sizeof(text));
        PrintToServer("big %s", text);
        data.GetInt64("id", text, sizeof(text));
        PrintToServer("id as integer %s", text);
        PrintToServer("%d", data.GetInt("nothing"));
    }"""


def ask(host, loaded, url, name="Ask"):
    host.console.lines.clear()
    host.call(loaded, loaded.publics[name], url)
    assert host.settle(60)
    return [line for line in host.console.lines if not line.startswith("L ")]


def test_an_answer_comes_with_status_header_and_data(host, run, way):
    loaded, = run(ASK)
    lines = ask(host, loaded, way.url + "/path")
    assert lines == ["status 200 error ''", "path /path", "body ", "id 18446744073709551615", "big 9007199254740993", "id as integer 0"]
    assert "Could not retrieve value for key 'nothing'" in host.errors[-1]
    assert host.handles.unreachable() == [] and not [h for h in host.handles._open.values() if h.kind in ("HTTPResponse", "HTTPRequest")]


def test_values_go_through_formats_and_are_escaped(host, run, way):
    loaded, = run(ASK)
    lines = ask(host, loaded, way.url + "/post", "Post")
    assert "path /post?q=a%20b%26c%3D%25d%2F%C3%A9" in lines
    assert 'body {"name": "\\u00e9 \\"x\\"", "big": 9007199254740993}'.replace("\\u00e9", "é") in lines
    assert way.seen[-1].headers["X-Name"] == '50% "off"'


@pytest.mark.parametrize("body", ["", "oops", "7", "[1", "{}x", '{"a": 1e999}', '{"a": 9223372036854775808}', '{"a": "\\\\u0000"}', '{"a": "\\xff"}', "null"])
def test_what_is_no_json_ends_the_callback(body, host, run, echo):
    loaded, = run(ASK)
    ask(host, loaded, echo + "/raw?" + body)
    assert "Invalid JSON" in host.errors[-1]
    assert not [h for h in host.handles._open.values() if h.kind == "JSON"]


def test_what_fails_has_status_0_and_says_why(host, run, way):
    loaded, = run(ASK)
    way.down()
    assert "Connection refused" in ask(host, loaded, way.url)[0]
    way.up()
    way.fault("reset")
    way.fault("truncated")
    assert ask(host, loaded, way.url)[0].startswith("status 0")
    assert "transfer closed" in ask(host, loaded, way.url)[0] and "status 200" in host.console.lines[0]
    way.fault("status", code=302, headers={"Location": "/x"})
    assert ask(host, loaded, way.url)[0] == "status 302 error 'Maximum (0) redirects followed'"
    assert ask(host, loaded, "http://")[0].startswith("status 0")


def test_a_timeout_is_the_games_not_the_machines(host, run, way):
    loaded, = run(ASK)
    way.fault("hold")
    began = host.now
    lines = ask(host, loaded, way.url)
    assert "timed out after 10000" in lines[0]
    assert 10 <= host.now - began < 12


def test_a_long_poll_lasts_as_long_as_the_game_says(host, run, way):
    loaded, = run(ASK)
    Echo.news = False
    began = host.now
    host.call(loaded, loaded.publics["Ask"], way.url + "/events?waitSeconds=9")
    assert host.until(lambda: host.console.lines, 20)
    assert 8.9 <= host.now - began < 10.5
    Echo.news = True
    host.console.lines.clear()
    began = host.now
    host.call(loaded, loaded.publics["Ask"], way.url + "/events?waitSeconds=9")
    assert host.until(lambda: host.console.lines, 20) and host.now - began < 1


def test_one_answer_comes_in_a_frame(host, run, way):
    loaded, = run("""
        public void Ask(const char[] url)
        {
            for (int i = 0; i < 3; i++)
            {
                HTTPRequest http = new HTTPRequest(url);
                http.Get(OnAnswer, i);
            }
        }
        void OnAnswer(HTTPResponse response, any value) { PrintToServer("frame %d", GetGameTickCount()); }""")
    assert len(set(ask(host, loaded, way.url))) == 3
    assert host.budget.most_requests == 3


def test_nobody_is_told_once_the_plugin_is_gone(host, run, way):
    loaded, = run(ASK)
    way.fault("hold")
    host.call(loaded, loaded.publics["Ask"], way.url)
    host.advance(1)
    host.unload(loaded)
    way.release()
    host.advance(5)
    assert host.console.lines == [] and host.errors == []


def test_json_is_written_and_read_back(host, run):
    loaded, = run("""
        public int Test()
        {
            JSONObject a = new JSONObject();
            JSONArray list = new JSONArray();
            list.PushString("x"); list.PushInt(-3); list.PushNull(); list.PushBool(true); list.PushInt64("-9223372036854775808");
            a.Set("list", list);
            delete list;
            a.SetFloat("f", 0.5);
            char half[4];
            half[0] = 'a'; half[1] = view_as<char>(0xC3);
            int t = a.SetString("half", half) ? 1 : 0;
            char text[256];
            a.ToString(text, sizeof(text), JSON_COMPACT);
            PrintToServer("%s", text);
            JSONObject b = JSONObject.FromString(text);
            JSONArray again = view_as<JSONArray>(b.Get("list"));
            t += again.Length * 10 + (again.IsNull(2) ? 100 : 0) + again.GetInt(1) * 1000;
            char small[6];
            t += a.ToString(small, sizeof(small)) ? 100000 : 0;
            JSONObjectKeys keys = b.Keys();
            while (keys.ReadKey(text, sizeof(text)))
            {
                PrintToServer("key %s", text);
            }
            delete keys; delete again; delete b; delete a;
            return t;
        }""".replace("view_as<char>(0xC3)", "'\\xc3'"))
    value, good = host.call(loaded, loaded.publics["Test"])
    assert good, host.errors
    assert value == 0 + 50 + 100 - 3000 + 100000
    assert host.console.lines[0] == '{"list":["x",-3,null,true,-9223372036854775808],"f":0.5}'
    assert host.console.lines[1:] == ["key list", "key f"] and host.handles.unreachable() == []
