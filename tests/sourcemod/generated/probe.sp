// Reads and writes JSON by the generated types, and prints what came of it.
#pragma semicolon 1
#pragma newdecls required
#include <sourcemod>
#include <astro/types>

public void OnPluginStart()
{
	RegServerCmd("probe_item", ProbeItem);
	RegServerCmd("probe_items", ProbeItems);
	RegServerCmd("probe_assignments", ProbeAssignments);
	RegServerCmd("probe_event", ProbeEvent);
	RegServerCmd("probe_error", ProbeError);
	RegServerCmd("probe_times", ProbeTimes);
	RegServerCmd("probe_create", ProbeCreate);
	RegServerCmd("probe_reserve", ProbeReserve);
	RegServerCmd("probe_paths", ProbePaths);
	RegServerCmd("probe_list", ProbeList);
	RegServerCmd("probe_enums", ProbeEnums);
}

JSONObject Answer()
{
	return JSONObject.FromFile("probe.json");
}

Action ProbeItem(int args)
{
	JSONObject json = Answer();
	AstroItem item;
	AstroItem_FromJSON(json, item);
	delete json;
	char state[64];
	Astro_ItemStateToString(item.state, state, sizeof(state));
	PrintToServer("id=%s name=%s state=%s", item.id, item.itemName, state);
	PrintToServer("asset=%d %d %s", item.hasAsset, item.asset.appId, item.asset.assetId);
	PrintToServer("donor=%s created=%d", item.receivedFromUserId, item.createTime);
	PrintToServer("labels=%s", item.labels);
	PrintToServer("steam=%s", item.steamMetadata);
	// It can be read again and written as it is.
	JSONObject again = AstroItem_ToJSON(item);
	char text[2048];
	again.ToString(text, sizeof(text), JSON_COMPACT);
	delete again;
	PrintToServer("json=%s", text);
	return Plugin_Handled;
}

Action ProbeItems(int args)
{
	JSONObject json = Answer();
	AstroListItemsResponse page;
	AstroListItemsResponse_FromJSON(json, page);
	delete json;
	PrintToServer("items=%d next=%s", page.items.Length, page.nextPageToken);
	if (page.items.Length > 0)
	{
		AstroItem last;
		page.items.GetArray(page.items.Length - 1, last, sizeof(last));
		PrintToServer("last=%s", last.itemName);
	}
	AstroListItemsResponse_Close(page);
	return Plugin_Handled;
}

Action ProbeAssignments(int args)
{
	JSONObject json = Answer();
	AstroListAssignmentsResponse page;
	AstroListAssignmentsResponse_FromJSON(json, page);
	delete json;
	for (int i = 0; i < page.assignments.Length; i++)
	{
		AstroAssignment assignment;
		page.assignments.GetArray(i, assignment, sizeof(assignment));
		PrintToServer("user=%s items=%d runners=%d", assignment.userId, assignment.items.Length,
			assignment.runnerUpUserIds.Length);
		for (int j = 0; j < assignment.runnerUpUserIds.Length; j++)
		{
			char runner[21];
			assignment.runnerUpUserIds.GetString(j, runner, sizeof(runner));
			PrintToServer("runner=%s", runner);
		}
	}
	AstroListAssignmentsResponse_Close(page);
	PrintToServer("closed=%d", page.assignments == null);
	return Plugin_Handled;
}

Action ProbeEvent(int args)
{
	JSONObject json = Answer();
	AstroEvent event;
	AstroEvent_FromJSON(json, event);
	delete json;
	PrintToServer("type=%s %d", event.eventType, StrEqual(event.eventType, ASTRO_EVENT_ITEM_RECEIVED));
	PrintToServer("data=%s", event.eventData);
	return Plugin_Handled;
}

Action ProbeError(int args)
{
	JSONObject json = Answer();
	AstroError error;
	AstroError_FromJSON(json, error);
	delete json;
	char status[32];
	Astro_StatusToString(error.status, status, sizeof(status));
	PrintToServer("error=%d %s %s %s", error.code, status, error.reason, error.message);
	return Plugin_Handled;
}

Action ProbeTimes(int args)
{
	char text[64];
	char written[32];
	for (int i = 1; i <= args; i++)
	{
		GetCmdArg(i, text, sizeof(text));
		int time = Astro_TimeFromString(text);
		Astro_TimeToString(time, written, sizeof(written));
		PrintToServer("%d %s", time, written);
	}
	return Plugin_Handled;
}

Action ProbeCreate(int args)
{
	AstroCreateAssignmentRequest request;
	strcopy(request.userId, sizeof(request.userId), "18446744073709551615");
	strcopy(request.reservationId, sizeof(request.reservationId), "r-1");
	request.runnerUpUserIds = new ArrayList(ByteCountToCells(21));
	request.runnerUpUserIds.PushString("76561198000000001");
	request.runnerUpUserIds.PushString("76561198000000002");
	request.externalContext = new JSONObject();
	request.externalContext.SetString("server", "ein \"Server\" %s");
	JSONObject body = Astro_Body_CreateAssignment(request);
	char text[1024];
	body.ToString(text, sizeof(text), JSON_COMPACT);
	PrintToServer("%s", text);
	delete body;
	AstroCreateAssignmentRequest_Close(request);
	return Plugin_Handled;
}

Action ProbeReserve(int args)
{
	AstroReserveItemsRequest request;
	request.hasFilter = true;
	request.count = 3;
	JSONObject body = Astro_Body_ReserveItems(request);
	char text[1024];
	body.ToString(text, sizeof(text), JSON_COMPACT);
	PrintToServer("%s", text);
	delete body;
	request.filter.states = new ArrayList();
	request.filter.states.Push(AstroItemState_InOffer);
	request.filter.appIds = new ArrayList();
	request.filter.appIds.Push(440);
	body = Astro_Body_ReserveItems(request);
	body.ToString(text, sizeof(text), JSON_COMPACT);
	PrintToServer("%s", text);
	delete body;
	AstroReserveItemsRequest_Close(request);
	return Plugin_Handled;
}

Action ProbePaths(int args)
{
	AstroCancelAssignmentRequest request;
	strcopy(request.assignmentId, sizeof(request.assignmentId), "a/b ?ü");
	strcopy(request.reason, sizeof(request.reason), "why");
	char path[256];
	bool whole = Astro_Path_CancelAssignment(request, path, sizeof(path));
	PrintToServer("%d %s", whole, path);
	PrintToServer("%d", Astro_Path_CancelAssignment(request, path, 20));
	PrintToServer("%s %s", ASTRO_VERB_CANCEL_ASSIGNMENT, ASTRO_PATH_CANCEL_ASSIGNMENT);
	JSONObject body = Astro_Body_CancelAssignment(request);
	char text[256];
	body.ToString(text, sizeof(text), JSON_COMPACT);
	PrintToServer("%s", text);
	delete body;
	return Plugin_Handled;
}

/** Asks a server for items, and prints what it is asked for. */
Action ProbeList(int args)
{
	char url[256];
	GetCmdArgString(url, sizeof(url));
	AstroListItemsRequest request;
	request.pageSize = 25;
	strcopy(request.pageToken, sizeof(request.pageToken), "a=%s&b");
	request.hasFilter = true;
	request.filter.states = new ArrayList();
	request.filter.states.Push(AstroItemState_Available);
	request.filter.states.Push(AstroItemState_Reserved);
	request.filter.botIds = new ArrayList(ByteCountToCells(37));
	request.filter.botIds.PushString("bot 1");
	request.filter.tradableNow = true;
	HTTPRequest http = Astro_Req_ListItems(url, request);
	AstroListItemsRequest_Close(request);
	http.Get(OnListed);
	return Plugin_Handled;
}

void OnListed(HTTPResponse response, any data, const char[] error)
{
	PrintToServer("status=%d %s", response.Status, error);
}

Action ProbeEnums(int args)
{
	char text[64];
	Astro_AssignmentStateToString(AstroAssignmentState_Settled, text, sizeof(text));
	PrintToServer("%s %d", text, Astro_AssignmentStateFromString(text));
	Astro_AssignmentStateToString(view_as<AstroAssignmentState>(99), text, sizeof(text));
	PrintToServer("%s %d", text, Astro_AssignmentStateFromString("NO_SUCH"));
	PrintToServer("%d %d", Astro_StatusFromString("NOT_FOUND"), Astro_StatusFromString("?"));
	return Plugin_Handled;
}
