// Astro for SourceMod: players give their trade URL, which a bot needs to send them an offer without
// being their friend. It has a token that is nobody else's business: what is typed is shown to nobody.
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
#include <astro/tradeurl>

// Where a player finds their own trade URL.
#define TRADEURL_PAGE       "steamcommunity.com/my/tradeoffers/privacy"
// Seconds between two trade URLs of one player.
#define TRADEURL_PAUSE      3.0

float g_NextTry[MAXPLAYERS + 1];
// Frame in which a line of chat was taken: the command in it has had its due.
int g_Taken[MAXPLAYERS + 1];
// By the key of a change that is queued: the user id of whose it is.
StringMap g_Queued;
// Whether a player was told that theirs is queued.
bool g_Told[MAXPLAYERS + 1];

public Plugin myinfo =
{
	name = "Astro: trade URLs",
	author = "Astro",
	description = "Lets players give their trade URL safely.",
	version = ASTRO_VERSION,
	url = ""
};

public void OnPluginStart()
{
	LoadTranslations("common.phrases");
	LoadTranslations("astro.phrases");
	g_Queued = new StringMap();
	RegConsoleCmd("sm_tradeurl", Command_TradeUrl, "Stores your Steam trade URL.");
}

public void OnClientConnected(int client)
{
	g_NextTry[client] = 0.0;
	g_Taken[client] = -1;
	g_Told[client] = false;
}

// Before anybody sees the line: with the command or without it.
public Action OnClientSayCommand(int client, const char[] command, const char[] sArgs)
{
	if (client == 0 || StrContains(sArgs, ASTRO_TRADEURL_PART, false) == -1)
	{
		return Plugin_Continue;
	}
	g_Taken[client] = GetGameTickCount();
	TradeUrl_Take(client, sArgs);
	return Plugin_Stop;
}

static Action Command_TradeUrl(int client, int args)
{
	if (client == 0 || g_Taken[client] == GetGameTickCount())
	{
		return Plugin_Handled;
	}
	char text[256];
	// Not by single arguments: the engine splits them at colons.
	GetCmdArgString(text, sizeof(text));
	TrimString(text);
	if (text[0] != '\0')
	{
		TradeUrl_Take(client, text);
		return Plugin_Handled;
	}
	Astro_Chat(client, "%t", "Trade URL how", TRADEURL_PAGE);
	char steamId[ASTRO_LONG_LENGTH];
	if (LibraryExists(ASTRO_LIBRARY) && Astro_IsReady() && Astro_SteamIdOf(client, steamId, sizeof(steamId)))
	{
		Astro_GetUser(steamId, TradeUrl_OnUser, GetClientUserId(client));
	}
	return Plugin_Handled;
}

static void TradeUrl_OnUser(AstroStatus status, const AstroUser user, const char[] error, any userid)
{
	int client = GetClientOfUserId(userid);
	if (client != 0 && status == AstroStatus_Ok && user.hasTradeUrl)
	{
		Astro_Chat(client, "%t", "Trade URL known");
	}
}

static void TradeUrl_Take(int client, const char[] text)
{
	char url[ASTRO_TRADEURL_LENGTH];
	char steamId[ASTRO_LONG_LENGTH];
	int account;
	if (Astro_TradeUrlOf(text, url, sizeof(url), account) != AstroTradeUrl_Whole)
	{
		Astro_Chat(client, "%t", "Trade URL broken");
		Astro_Chat(client, "%t", "Trade URL how", TRADEURL_PAGE);
		return;
	}
	if (!Astro_SteamIdOf(client, steamId, sizeof(steamId)))
	{
		Astro_Chat(client, "%t", "Steam unknown");
		return;
	}
	if (account != GetSteamAccountID(client))
	{
		Astro_Chat(client, "%t", "Trade URL foreign");
		return;
	}
	if (!LibraryExists(ASTRO_LIBRARY))
	{
		Astro_Chat(client, "%t", "Astro away");
		return;
	}
	float now = GetEngineTime();
	if (now < g_NextTry[client])
	{
		Astro_Chat(client, "%t", "Too fast");
		return;
	}
	g_NextTry[client] = now + TRADEURL_PAUSE;
	char key[ASTRO_ID_LENGTH];
	Astro_RandomKey(key, sizeof(key));
	g_Queued.SetValue(key, GetClientUserId(client));
	Astro_SetTradeUrl(steamId, url, TradeUrl_OnStored, GetClientUserId(client), key);
}

// What was queued is stored, or refused. Of what was stored at once the callback tells before.
public void Astro_OnRequestDone(const char[] key, AstroStatus status, const char[] id, const char[] error)
{
	int userid;
	if (!g_Queued.GetValue(key, userid))
	{
		return;
	}
	g_Queued.Remove(key);
	int client = GetClientOfUserId(userid);
	if (client != 0 && g_Told[client])
	{
		g_Told[client] = false;
		TradeUrl_Tell(client, status, error);
	}
}

static void TradeUrl_OnStored(AstroStatus status, const char[] error, any userid)
{
	int client = GetClientOfUserId(userid);
	if (client == 0)
	{
		return;
	}
	g_Told[client] = status == AstroStatus_Queued;
	TradeUrl_Tell(client, status, error);
}

static void TradeUrl_Tell(int client, AstroStatus status, const char[] error)
{
	if (status == AstroStatus_Ok)
	{
		Astro_Chat(client, "%t", "Trade URL stored");
	}
	else if (status == AstroStatus_Queued)
	{
		Astro_Chat(client, "%t", "Trade URL queued");
	}
	else
	{
		Astro_Chat(client, "%t", "Trade URL refused", error);
	}
}
