"""What other plugins ask of Astro: natives, callbacks and forwards, with what goes wrong on the way."""

import re

from . import play

PLUGIN = r'''
#pragma semicolon 1
#pragma newdecls required
#pragma dynamic 32768
#include <sourcemod>
#include <astro>

public void OnPluginStart()
{
	RegServerCmd("NAME_assign", OnAssign);
	RegServerCmd("NAME_hold", OnHold);
	RegServerCmd("NAME_long", OnLong);
	RegServerCmd("NAME_items", OnItems);
}

ArrayList One(const char[] item)
{
	ArrayList items = new ArrayList(ByteCountToCells(ASTRO_ID_LENGTH));
	items.PushString(item);
	return items;
}

Action OnAssign(int args)
{
	char steam[32], item[64], key[64], external[64], hold[64];
	GetCmdArg(1, steam, sizeof(steam));
	GetCmdArg(2, item, sizeof(item));
	GetCmdArg(3, key, sizeof(key));
	GetCmdArg(4, external, sizeof(external));
	GetCmdArg(5, hold, sizeof(hold));
	ArrayList items = One(item);
	if (hold[0] != '\0')
	{
		Astro_AssignHold(steam, hold, items, "test", "100% \"yours\" %s", OnAssigned, 7, key, external);
	}
	else
	{
		Astro_Assign(steam, items, "test", "100% \"yours\" %s", OnAssigned, 7, key, external);
	}
	delete items;
	return Plugin_Handled;
}

Action OnHold(int args)
{
	char item[64];
	GetCmdArg(1, item, sizeof(item));
	ArrayList items = One(item);
	Astro_HoldItems(items, 120, OnHeld, 3);
	delete items;
	return Plugin_Handled;
}

Action OnLong(int args)
{
	char item[64], steam[32], text[5000];
	GetCmdArg(1, steam, sizeof(steam));
	GetCmdArg(2, item, sizeof(item));
	for (int i = 0; i < sizeof(text) - 1; i++)
	{
		text[i] = 'x';
	}
	JSONObject context = new JSONObject();
	context.SetString("text", text);
	ArrayList items = One(item);
	Astro_Assign(steam, items, "test", "", OnAssigned, 8, "", "", null, 0, context);
	delete items;
	delete context;
	return Plugin_Handled;
}

Action OnItems(int args)
{
	Astro_ListItems(OnListed, 5, "", 50);
	return Plugin_Handled;
}

void OnListed(AstroStatus status, ArrayList items, const char[] next, const char[] error, any data)
{
	AstroItem item;
	for (int i = 0; i < items.Length; i++)
	{
		items.GetArray(i, item, sizeof(item));
		PrintToServer("NAME item %s %s", item.asset.assetId, item.itemName);
	}
	PrintToServer("NAME listed %d %d %s", status, items.Length, error);
}

void OnAssigned(AstroStatus status, const AstroAssignment assignment, const char[] error, any data)
{
	PrintToServer("NAME assigned %d %s %d %s", status, assignment.id, data, error);
}

void OnHeld(AstroStatus status, const AstroReservation hold, ArrayList items, const char[] error, any data)
{
	PrintToServer("NAME held %d %s %d %s", status, hold.id, items.Length, error);
}

public void Astro_OnRequestDone(const char[] key, AstroStatus status, const char[] id, const char[] error)
{
	PrintToServer("NAME done %s %d %s", key, status, id);
}

public void Astro_OnAssignmentEvent(const AstroEvent event)
{
	PrintToServer("NAME event %s", event.id);
}
'''


def caller(own, name="probe"):
    return own(PLUGIN.replace("NAME", name), name)


def lines(host, pattern):
    return [line for line in host.console.lines if re.match(pattern, line)]


def heard(host, pattern, count=1, seconds=60):
    assert host.until(lambda: len(lines(host, pattern)) >= count, seconds), host.console.lines[-10:]
    return lines(host, pattern)[-1]


def free(api):
    return [item["id"] for item in api.items("AVAILABLE")]


def server(community, own, *names, **more):
    return community.server("astro", extra=[caller(own, name) for name in names or ("probe",)], **more)


def test_two_plugins_use_the_natives_at_once(community, own, api, strangers):
    host = server(community, own, "one", "two")
    items = free(api)
    before = play.known(api)
    for i, name in enumerate(("one", "two")):
        host.console.server(f"{name}_assign {strangers[i]['steamId']} {items[i]}")
    for name in ("one", "two"):
        heard(host, f"{name} assigned 0 .* 7 ")
    assert len(play.known(api) - before) == 2
    host.advance(30)
    assert len(lines(host, "one assigned")) == len(lines(host, "two assigned")) == 1
    told = lines(host, "one event")
    assert told and len(told) == len(set(told)), "an event was told twice"
    assert [line.split()[2] for line in told] == [line.split()[2] for line in lines(host, "two event")]


def test_one_key_is_one_gift_whatever_the_key_is(community, own, api, strangers):
    host = server(community, own)
    item, before = free(api)[0], play.known(api)
    for _ in range(3):
        host.console.server(f"probe_assign {strangers[0]['steamId']} {item} weekly-items-{strangers[0]['steamId']}")
        play.settle_outbox(host)
    heard(host, "probe assigned 0", 3)
    (given,) = [a for a in api.assignments() if a["id"] not in before]
    assert given["assignmentReason"] == '100% "yours" %s'


def test_a_gift_that_was_given_long_ago_is_not_given_again(community, own, api, strangers):
    host = server(community, own)
    items = free(api)
    id = f"long ago {strangers[0]['steamId']}"
    old = api.give(strangers[0]["steamId"], [items[0]], externalSystem="sourcemod", externalId=id)
    # Its own key: the answer was lost, and the server has forgotten the key since.
    host.console.server(f'probe_assign {strangers[0]["steamId"]} {items[1]} "{id}"')
    assert old["id"] in heard(host, "probe assigned 0")
    # Another plugin's external id.
    host.console.server(f'probe_assign {strangers[0]["steamId"]} {items[1]} "" "{id}"')
    assert old["id"] in heard(host, "probe assigned 6")
    play.settle_outbox(host)
    assert items[1] in free(api)


def test_what_a_hold_had_is_assigned_although_the_hold_ended(community, own, proxy, api, strangers):
    host = server(community, own)
    item = free(api)[0]
    host.console.server(f"probe_hold {item}")
    hold = heard(host, "probe held 0").split()[3]
    api.call("POST", f"reservations/{hold}:release", {})
    key = f"spare-{strangers[0]['steamId']}"
    host.console.server(f'probe_assign {strangers[0]["steamId"]} {item} {key} "" {hold}')
    heard(host, "probe assigned 0")
    assert [seen.key for seen in proxy.requests("POST /api/v1/assignments")] == [key, f"{key}-items"]
    assert lines(host, f"probe done {key} 0")


def test_what_is_refused_for_good_waits_for_an_admin_and_goes_when_it_can(community, own, api, strangers):
    host = server(community, own)
    item = free(api)[0]
    taken = api.give(strangers[0]["steamId"], [item])
    key = f"refused-{strangers[0]['steamId']}"
    host.console.server(f"probe_assign {strangers[1]['steamId']} {item} {key}")
    heard(host, "probe assigned 9 .*ITEM_NOT_AVAILABLE")
    host.advance(2)
    assert play.pending(host) == (0, 1)
    api.cancel(taken["id"])
    assert host.until(lambda: item in free(api), 60)
    host.console.server(f"sm_astro_retry {key}")
    heard(host, f"probe done {key} 0")
    host.advance(2)
    assert play.pending(host) == (0, 0)


def test_what_is_no_request_is_refused_at_once(community, own, proxy, api, strangers):
    host = server(community, own)
    item = free(api)[0]
    host.console.server(f"probe_assign 123 {item}")
    heard(host, "probe assigned 3")
    host.console.server(f"probe_long {strangers[0]['steamId']} {item}")
    assert "too long" in heard(host, "probe assigned 3 .* 8 ")
    assert proxy.requests("POST") == []


def test_a_plugin_that_is_unloaded_in_flight_hears_nothing_and_its_gift_is_given(community, own, proxy, api, strangers):
    host = server(community, own)
    item, before = free(api)[0], play.known(api)
    proxy.fault("hold", r"^POST /api/v1/assignments")
    host.console.server(f"probe_assign {strangers[0]['steamId']} {item}")
    host.advance(2)
    host.unload(next(plugin for plugin in host.plugins if plugin.file == "probe.smx"))
    proxy.release()
    assert play.made(host, api, before)["userId"] == strangers[0]["steamId"]
    assert not lines(host, "probe assigned")


def test_the_core_that_is_reloaded_in_flight_goes_on_with_the_same_key(community, own, proxy, api, strangers):
    host = community.server("astro", extra=[caller(own)])
    item, before = free(api)[0], play.known(api)
    proxy.fault("lost", r"^POST /api/v1/assignments")
    host.console.server(f"probe_assign {strangers[0]['steamId']} {item}")
    assert host.until(lambda: proxy.requests("POST /api/v1/assignments"), 20)
    host.reload(next(plugin for plugin in host.plugins if plugin.file == "astro.smx"))
    assert play.made(host, api, before)["userId"] == strangers[0]["steamId"]
    assert len({seen.key for seen in proxy.requests("POST /api/v1/assignments")}) == 1


def test_a_page_of_the_pool_costs_no_frame_and_odd_names_come_whole(community, own, proxy, api):
    odd = ['a "quoted" %s%d name', "ключ 𝕏 🔑", "\u202eright to left\u200f", "x" * 200, "钥" * 66, ""]
    biggest = "18446744073709551615"

    def change(path, answer):
        for i, item in enumerate(answer.get("items", []) if path.startswith("/api/v1/items?") else []):
            item["itemName"], item["asset"]["assetId"] = odd[i % len(odd)], biggest
        return answer
    proxy.rewrite(change)
    host = server(community, own)
    host.console.server("probe_items")
    heard(host, "probe listed 0")
    names = [line.split(" ", 3)[3] for line in lines(host, f"probe item {biggest}")]
    for name in odd[:len(names)]:
        assert name[:42] in "\n".join(names), name


def test_nothing_of_events_is_told_twice_or_lost_across_a_restart(community, own, api, strangers):
    host = server(community, own)
    item = free(api)[0]
    given = api.give(strangers[0]["steamId"], [item])
    heard(host, "probe event")
    host.advance(5)
    before = lines(host, "probe event")
    assert community.sound(host) == []
    host.close()
    api.cancel(given["id"])
    later = community.server("astro", extra=[caller(own)], begin=host.unix + 60)
    heard(later, "probe event")
    later.advance(10)
    after = lines(later, "probe event")
    ids = [line.split()[2] for line in before + after]
    assert len(ids) == len(set(ids))
    wanted = [e["id"] for e in api.events("assignment.") if e["assignmentId"] == given["id"]]
    assert set(wanted) <= set(ids)
