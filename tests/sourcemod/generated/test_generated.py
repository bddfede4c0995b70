"""The generated types: what they make of answers, whatever these are, and what they ask for."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from smhost import Host
from smhost.compile import build

HERE = Path(__file__).parent
INCLUDE = HERE.parents[2] / "astro-sdk" / "sourcemod" / "scripting" / "include"
UUID = "0199d2c6-0000-7000-8000-000000000000"


@pytest.fixture(scope="session")
def plugin(tmp_path_factory):
    target = tmp_path_factory.mktemp("generated") / "probe.smx"
    assert build(HERE / "probe.sp", target, [INCLUDE]) == []
    return target


@pytest.fixture
def probe(plugin, tmp_path):
    """Runs a command of the plugin on an answer; gives the lines that it prints."""
    with Host(tmp_path) as host:
        host.load_all([plugin])
        before = host.handles.mark()

        def run(command, answer=None):
            if answer is not None:
                text = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
                (tmp_path / "probe.json").write_text(text, encoding="utf-8")
            printed = len(host.console.lines)
            host.console.run(command, 0, False)
            assert host.errors == []
            return host.console.lines[printed:]

        run.host = host
        yield run
        assert host.handles.grown(before) == {}


def item(**fields):
    return {"id": UUID, "itemName": "Hut", "state": "ITEM_STATE_AVAILABLE"} | fields


def test_an_item_is_read_with_all_that_is_in_it(probe):
    answer = item(
        asset={"appId": 440, "assetId": "18446744073709551615"},
        receivedFromUserId="76561198123456789",
        createTime="2027-01-31T12:00:00.25Z",
        labels={"shelf": "3"},
        steamMetadata={"tags": ["x" * 400]},
    )
    lines = probe("probe_item", answer)
    assert lines[:4] == [
        f"id={UUID} name=Hut state=ITEM_STATE_AVAILABLE",
        "asset=1 440 18446744073709551615",
        "donor=76561198123456789 created=1801396800",
        'labels={"shelf":"3"}',
    ]
    # What does not fit could be read by nobody.
    assert lines[4] == "steam="
    written = json.loads(lines[5].removeprefix("json="))
    assert written["labels"] == {"shelf": "3"} and written["createTime"] == "2027-01-31T12:00:00Z"
    assert written["asset"]["assetId"] == "18446744073709551615" and "steamMetadata" not in written


@pytest.mark.parametrize("answer", [
    {}, [], [1], {"asset": None}, {"asset": []}, {"asset": "x"}, {"asset": 7, "labels": 3},
    {"id": 5, "itemName": None, "state": 2, "createTime": {}, "receivedFromUserId": []},
    {"labels": ["x"], "steamMetadata": "x", "createTime": "yesterday, at about half past noon"},
    {"state": "ITEM_STATE_FROM_TOMORROW"},
], ids=json.dumps)
def test_an_answer_that_makes_no_sense_is_read_as_nothing(probe, answer):
    lines = probe("probe_item", answer)
    assert lines[0] == "id= name= state=ITEM_STATE_UNSPECIFIED"
    assert lines[1].endswith(" 0 0") and lines[2] == "donor=0 created=0"
    assert lines[4] == "steam="


def test_a_number_where_a_text_is_usual_is_taken(probe):
    assert "donor=76561198123456789" in probe("probe_item", item(receivedFromUserId=76561198123456789))[2]


@pytest.mark.parametrize("name", ["ein \"Hut\"", "%s%d%n", "𝔥𝔲𝔱", "Шляпа", "‏قبعة", "a\\b\n"])
def test_names_come_as_they_are(probe, name):
    assert probe("probe_items", {"items": [item(itemName=name)]})[1] == f"last={name}"


def test_a_long_name_is_cut_between_two_characters(probe):
    lines = probe("probe_items", {"items": [item(itemName="я" * 200)]})
    assert lines[1] == "last=" + "я" * 63


def test_a_page_has_its_entries_and_no_more_than_a_page_can_have(probe):
    answer = {"items": [item(itemName=f"Hut {n}") for n in range(50)], "nextPageToken": "t" * 900}
    assert probe("probe_items", answer) == ["items=50 next=" + "t" * 900, "last=Hut 49"]
    many = {"items": [{}] * 600}
    assert probe("probe_items", many)[0] == "items=500 next="
    for odd in ({"items": {}}, {"items": "x"}, {"items": None}, {}, []):
        assert probe("probe_items", odd) == ["items=0 next="]
    assert probe("probe_items", {"items": [None, 3, "x", [], item()]})[0] == "items=5 next="


def test_lists_of_lists_are_closed(probe):
    one = {"userId": "76561198000000001", "items": [{"itemId": UUID}, {}], "runnerUpUserIds": ["1", "2", 3]}
    lines = probe("probe_assignments", {"assignments": [one, {}]})
    assert lines == ["user=76561198000000001 items=2 runners=2", "runner=1", "runner=2",
                     "user=0 items=0 runners=0", "closed=1"]


def test_an_event_has_its_data_as_json(probe):
    lines = probe("probe_event", {"eventType": "item.received", "eventData": {"to": "AVAILABLE", "n": 1}})
    assert lines[0] == "type=item.received 1"
    assert json.loads(lines[1].removeprefix("data=")) == {"to": "AVAILABLE", "n": 1}


def test_an_error_is_read_also_where_it_is_not_astros(probe):
    told = {"code": 404, "status": "NOT_FOUND", "reason": "ITEM_NOT_FOUND", "message": "no item"}
    assert probe("probe_error", told) == ["error=404 NOT_FOUND ITEM_NOT_FOUND no item"]
    assert probe("probe_error", {"error": "bad gateway"}) == ["error=0 UNKNOWN  "]


def test_times_are_told_in_seconds_of_utc(probe):
    times = {
        "1970-01-01T00:00:00Z": 0,
        "1970-03-01T00:00:00Z": 5097600,
        "2000-02-29T23:59:59Z": 951868799,
        "2024-12-31T23:59:59.999999999Z": 1735689599,
        "2027-01-31T12:00:00Z": 1801396800,
        "2038-01-19T03:14:07Z": 2147483647,
        "2038-01-19T03:14:08Z": 2147483647,
        "9999-12-31T23:59:59Z": 2147483647,
        "1969-12-31T23:59:59Z": 0,
        "2027-13-31T12:00:00Z": 0,
        "no time at all, really": 0,
    }
    words = " ".join(f'"{text}"' for text in times)
    lines = probe(f"probe_times {words}")
    assert [int(line.split()[0]) for line in lines] == list(times.values())
    for (text, seconds), line in zip(times.items(), lines):
        if 0 < seconds < 2147483647:
            assert line.split()[1] == text[:19] + "Z"
    assert lines[5].endswith("2038-01-19T03:14:07Z")


def test_a_request_leaves_out_what_is_not_set(probe):
    (line,) = probe("probe_create")
    assert json.loads(line) == {
        "userId": "18446744073709551615",
        "reservationId": "r-1",
        "runnerUpUserIds": ["76561198000000001", "76561198000000002"],
        "externalContext": {"server": 'ein "Server" %s'},
    }
    first, second = map(json.loads, probe("probe_reserve"))
    assert first == {"filter": {}, "count": 3}
    assert second == {"filter": {"states": ["ITEM_STATE_IN_OFFER"], "appIds": [440]}, "count": 3}


def test_a_path_has_its_values_escaped_and_the_body_has_the_rest(probe):
    assert probe("probe_paths") == [
        "1 /api/v1/assignments/a%2Fb%20%3F%C3%BC:cancel",
        "0",
        "POST /api/v1/assignments/{assignment_id}:cancel",
        '{"reason":"why"}',
    ]


def test_enums_have_names_and_a_newer_servers_are_nothing(probe):
    assert probe("probe_enums") == [
        "ASSIGNMENT_STATE_SETTLED 7", "ASSIGNMENT_STATE_UNSPECIFIED 0", "5 2",
    ]


def test_a_query_has_what_is_set(probe):
    asked = []

    class Listener(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        probe(f"probe_list http://127.0.0.1:{server.server_port}//")
        assert probe.host.settle()
    finally:
        server.shutdown()
        server.server_close()
    path, query = asked[0].split("?")
    assert path == "/api/v1/items"
    assert query.split("&") == [
        "pageSize=25", "pageToken=a%3D%25s%26b", "filter.states=ITEM_STATE_AVAILABLE",
        "filter.states=ITEM_STATE_RESERVED", "filter.botIds=bot%201", "filter.tradableNow=true",
    ]
