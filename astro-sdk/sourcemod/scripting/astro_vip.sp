// Astro for SourceMod: a monthly reward for VIPs, exactly once a month for each of them. Who is a VIP is
// told by VIP-Core's forward, or by an admin flag.
//
// The external id of a reward is "vip <month> <SteamID64>", of which Astro makes no second assignment,
// ever: not after a crash, not on another server of the community, not when it is asked for at once.
//
// SPDX-License-Identifier: GPL-3.0-or-later

#pragma semicolon 1
#pragma newdecls required
#pragma dynamic 32768

#include <sourcemod>
#include <ripext>
#undef REQUIRE_PLUGIN
#include <astro>
#define REQUIRE_PLUGIN
#include <astro/chat>
#include <astro/key>

// Seconds that the item of a reward is held until it is assigned.
#define VIP_HOLD            900
// Seconds after which a player who got no answer is looked at again.
#define VIP_AGAIN           120.0
// Seconds until a reward that is asked for counts as unanswered, and until the pool is asked again when
// it had nothing.
#define VIP_UNDER_WAY       300
#define VIP_EMPTY           1800

ConVar g_cvMode;
ConVar g_cvFlag;
ConVar g_cvItems;
ConVar g_cvText;
ConVar g_cvApp;

// "month SteamID64" of whom had theirs, as far as this server knows; the books are Astro's.
StringMap g_Had;
// The same of whose reward is under way, or cannot be given now: until when nothing is asked for.
StringMap g_Asked;
// By the key of an assignment: whose reward it is.
StringMap g_Keys;

public Plugin myinfo =
{
	name = "Astro: VIP rewards",
	author = "Astro",
	description = "Gives each VIP items of the pool once a month.",
	version = ASTRO_VERSION,
	url = ""
};

public void OnPluginStart()
{
	LoadTranslations("common.phrases");
	LoadTranslations("astro.phrases");
	g_cvMode = CreateConVar("astro_vip_mode", "1", "Who is a VIP: 0 nobody, 1 who VIP-Core says, 2 who has astro_vip_flag, 3 both.", _, true, 0.0, true, 3.0);
	g_cvFlag = CreateConVar("astro_vip_flag", "a", "Admin flag of VIPs; the override astro_vip goes before it.");
	g_cvItems = CreateConVar("astro_vip_items", "1", "Items of a reward.", _, true, 1.0, true, 10.0);
	g_cvText = CreateConVar("astro_vip_text", "", "Part of the name of items that are given; empty: all.");
	g_cvApp = CreateConVar("astro_vip_app", "0", "Application on Steam whose items are given; 0: all.", _, true, 0.0);
	AutoExecConfig(true, "astro_vip");
	RegConsoleCmd("sm_vipreward", Command_Reward, "Gets this month's reward.");
	g_Had = new StringMap();
	g_Asked = new StringMap();
	g_Keys = new StringMap();
	CreateTimer(VIP_AGAIN, Vip_OnLook, _, TIMER_REPEAT);
}

// VIP-Core: a VIP has come.
public void VIP_OnVIPClientLoaded(int client)
{
	if (g_cvMode.IntValue & 1)
	{
		Vip_Reward(client, false);
	}
}

// VIP-Core: a player became a VIP.
public void VIP_OnVIPClientAdded(int client, int admin)
{
	if (g_cvMode.IntValue & 1)
	{
		Vip_Reward(client, false);
	}
}

public void OnClientPostAdminCheck(int client)
{
	if (Vip_HasFlag(client))
	{
		Vip_Reward(client, false);
	}
}

static bool Vip_HasFlag(int client)
{
	if (!(g_cvMode.IntValue & 2) || IsFakeClient(client))
	{
		return false;
	}
	char flags[32];
	g_cvFlag.GetString(flags, sizeof(flags));
	return CheckCommandAccess(client, "astro_vip", ReadFlagString(flags), true);
}

// Whether this player is a VIP by what is installed.
static bool Vip_Is(int client)
{
	if (Vip_HasFlag(client))
	{
		return true;
	}
	return (g_cvMode.IntValue & 1) && GetFeatureStatus(FeatureType_Native, "VIP_IsClientVIP") == FeatureStatus_Available && VipCore_Is(client);
}

// Of VIP-Core. It may be absent.
native bool VIP_IsClientVIP(int iClient);

public APLRes AskPluginLoad2(Handle myself, bool late, char[] error, int errorLength)
{
	MarkNativeAsOptional("VIP_IsClientVIP");
	return APLRes_Success;
}

static bool VipCore_Is(int client)
{
	return VIP_IsClientVIP(client);
}

static Action Command_Reward(int client, int args)
{
	if (client == 0 || !IsClientInGame(client))
	{
		return Plugin_Handled;
	}
	if (!Vip_Is(client))
	{
		Astro_Reply(client, "%t", "VIP only");
		return Plugin_Handled;
	}
	Vip_Reward(client, true);
	return Plugin_Handled;
}

// Whoever was here when Astro was away, or when the month began.
static Action Vip_OnLook(Handle timer)
{
	for (int client = 1; client <= MaxClients; client++)
	{
		if (IsClientInGame(client) && Vip_Is(client))
		{
			Vip_Reward(client, false);
		}
	}
	return Plugin_Continue;
}

// "vip <month> <SteamID64>": the external id. False before Steam knows the player.
static bool Vip_Id(int client, char[] id, int maxlength)
{
	char month[16];
	char steamId[ASTRO_LONG_LENGTH];
	if (!Astro_SteamIdOf(client, steamId, sizeof(steamId)))
	{
		return false;
	}
	FormatTime(month, sizeof(month), "%Y-%m");
	FormatEx(id, maxlength, "vip %s %s", month, steamId);
	return true;
}

// Gives a player this month's reward, unless they had it. First the item is held, then it is assigned
// under the month's id; if that was used before, the item goes back.
static void Vip_Reward(int client, bool asked)
{
	char id[64];
	any seen;
	if (!IsClientInGame(client) || !Vip_Id(client, id, sizeof(id)))
	{
		return;
	}
	if (g_Had.GetValue(id, seen))
	{
		if (asked)
		{
			Astro_Reply(client, "%t", "VIP had it");
		}
		return;
	}
	if (!LibraryExists(ASTRO_LIBRARY) || !Astro_IsReady())
	{
		if (asked)
		{
			Astro_Reply(client, "%t", "Astro away");
		}
		return;
	}
	int now = RoundToFloor(GetEngineTime());
	if (g_Asked.GetValue(id, seen) && seen > now)
	{
		if (asked)
		{
			Astro_Reply(client, "%t", "VIP later");
		}
		return;
	}
	g_Asked.SetValue(id, now + VIP_UNDER_WAY);
	char steamId[ASTRO_LONG_LENGTH];
	Astro_SteamIdOf(client, steamId, sizeof(steamId));
	DataPack pack = new DataPack();
	pack.WriteString(id);
	pack.WriteString(steamId);
	// Asked of Astro first: on another server they may have had it, and then nothing is held.
	Astro_ListAssignments(Vip_OnKnown, pack, steamId, false, 20);
}

static void Vip_Unpack(DataPack pack, char[] id, char[] steamId, bool done)
{
	pack.Reset();
	pack.ReadString(id, 64);
	pack.ReadString(steamId, ASTRO_LONG_LENGTH);
	if (done)
	{
		delete pack;
	}
}

static void Vip_OnKnown(AstroStatus status, ArrayList assignments, const char[] nextPage, const char[] error, any data)
{
	char id[64];
	char steamId[ASTRO_LONG_LENGTH];
	DataPack pack = data;
	Vip_Unpack(pack, id, steamId, false);
	AstroAssignment assignment;
	for (int i = 0; i < assignments.Length; i++)
	{
		assignments.GetArray(i, assignment, sizeof(assignment));
		if (StrEqual(assignment.externalId, id))
		{
			g_Had.SetValue(id, true);
		}
	}
	any seen;
	if (status != AstroStatus_Ok || g_Had.GetValue(id, seen))
	{
		g_Asked.Remove(id);
		delete pack;
		return;
	}
	char text[64];
	g_cvText.GetString(text, sizeof(text));
	Astro_HoldAny(g_cvItems.IntValue, VIP_HOLD, Vip_OnHeld, pack, "", text, g_cvApp.IntValue);
}

static void Vip_OnHeld(AstroStatus status, const AstroReservation reservation, ArrayList items, const char[] error, any data)
{
	char id[64];
	char steamId[ASTRO_LONG_LENGTH];
	Vip_Unpack(data, id, steamId, status != AstroStatus_Ok);
	if (status != AstroStatus_Ok)
	{
		g_Asked.SetValue(id, RoundToFloor(GetEngineTime()) + VIP_EMPTY);
		LogMessage("No item could be held for \"%s\": %s", id, error);
		return;
	}
	char reason[256];
	FormatEx(reason, sizeof(reason), "%T", "VIP reason", LANG_SERVER);
	DataPack pack = data;
	pack.WriteString(reservation.id);
	ArrayList ids = new ArrayList(ByteCountToCells(ASTRO_ID_LENGTH));
	AstroItem item;
	for (int i = 0; i < items.Length; i++)
	{
		items.GetArray(i, item, sizeof(item));
		ids.PushString(item.id);
	}
	char key[ASTRO_ID_LENGTH];
	Astro_RandomKey(key, sizeof(key));
	g_Keys.SetString(key, id);
	pack.WriteString(key);
	Astro_AssignHold(steamId, reservation.id, ids, "vip", reason, Vip_OnAssigned, pack, key, id);
	delete ids;
}

static void Vip_OnAssigned(AstroStatus status, const AstroAssignment assignment, const char[] error, any data)
{
	char id[64];
	char steamId[ASTRO_LONG_LENGTH];
	char reservation[ASTRO_ID_LENGTH];
	char key[ASTRO_ID_LENGTH];
	DataPack pack = data;
	Vip_Unpack(pack, id, steamId, false);
	pack.ReadString(reservation, sizeof(reservation));
	pack.ReadString(key, sizeof(key));
	delete pack;
	g_Asked.Remove(id);
	int client = Astro_ClientOf(steamId);
	switch (status)
	{
		case AstroStatus_Ok, AstroStatus_Queued:
		{
			g_Had.SetValue(id, true);
			if (client != 0)
			{
				Astro_Chat(client, "%t", "VIP rewarded");
			}
		}
		case AstroStatus_AlreadyExists:
		{
			g_Had.SetValue(id, true);
			Astro_ReleaseHold(reservation);
		}
		default:
		{
			Vip_Lost(key, id, error);
			Astro_ReleaseHold(reservation);
		}
	}
}

// What was queued is done or refused.
public void Astro_OnRequestDone(const char[] key, AstroStatus status, const char[] id, const char[] error)
{
	char reward[64];
	if (!g_Keys.GetString(key, reward, sizeof(reward)))
	{
		return;
	}
	if (status != AstroStatus_Ok && status != AstroStatus_AlreadyExists)
	{
		Vip_Lost(key, reward, error);
	}
	g_Keys.Remove(key);
}

// The reward was not given: it is tried again with other items, and the refused one is forgotten.
static void Vip_Lost(const char[] key, const char[] id, const char[] error)
{
	LogError("The reward \"%s\" was not given: %s", id, error);
	g_Had.Remove(id);
	g_Asked.SetValue(id, RoundToFloor(GetEngineTime()) + VIP_UNDER_WAY);
	Astro_Forget(key);
}
