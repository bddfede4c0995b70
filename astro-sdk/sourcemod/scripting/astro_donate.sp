// Astro for SourceMod: how players give items to the community, and what became of what they gave.
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

// Gifts that a player is shown.
#define DONATE_SHOWN        7
// Seconds for which bots and keyword are remembered.
#define DONATE_KNOWN        300.0
// Seconds between two commands of one player.
#define DONATE_PAUSE        2.0

ConVar g_cvThanks;
char g_Keyword[128];
char g_BotSteamId[ASTRO_LONG_LENGTH];
char g_BotName[ASTRO_SHOWN_LENGTH];
float g_KnownUntil;
float g_NextTry[MAXPLAYERS + 1];

public Plugin myinfo =
{
	name = "Astro: donations",
	author = "Astro",
	description = "Tells players how to give items, and what became of them.",
	version = ASTRO_VERSION,
	url = ""
};

public void OnPluginStart()
{
	LoadTranslations("common.phrases");
	LoadTranslations("astro.phrases");
	g_cvThanks = CreateConVar("astro_donate_thanks", "1", "1: everybody on the server hears who gave something.", _, true, 0.0, true, 1.0);
	AutoExecConfig(true, "astro_donate");
	RegConsoleCmd("sm_donate", Command_Donate, "Tells how to give items.");
	RegConsoleCmd("sm_mygifts", Command_Gifts, "Tells what became of the items that you gave.");
}

public void OnClientConnected(int client)
{
	g_NextTry[client] = 0.0;
}

// Whether a player may ask now; they are told why not.
static bool Donate_May(int client)
{
	char reason[ASTRO_ERROR_LENGTH];
	if (client == 0)
	{
		return false;
	}
	float now = GetEngineTime();
	if (now < g_NextTry[client])
	{
		Astro_Reply(client, "%t", "Too fast");
		return false;
	}
	g_NextTry[client] = now + DONATE_PAUSE;
	if (!LibraryExists(ASTRO_LIBRARY) || !Astro_IsReady(reason, sizeof(reason)))
	{
		Astro_Reply(client, "%t", "Astro away");
		return false;
	}
	return true;
}

static Action Command_Donate(int client, int args)
{
	if (!Donate_May(client))
	{
		return Plugin_Handled;
	}
	if (GetEngineTime() < g_KnownUntil)
	{
		Donate_Tell(client);
		return Plugin_Handled;
	}
	Astro_GetOrganization(Donate_OnOrganization, GetClientUserId(client));
	return Plugin_Handled;
}

static void Donate_OnOrganization(AstroStatus status, const AstroOrganization organization, const char[] error, any userid)
{
	int client = GetClientOfUserId(userid);
	if (status != AstroStatus_Ok)
	{
		if (client != 0)
		{
			Astro_Chat(client, "%t", "Astro away");
		}
		return;
	}
	strcopy(g_Keyword, sizeof(g_Keyword), organization.donationKeyword);
	Astro_ListBots(Donate_OnBots, userid);
}

static void Donate_OnBots(AstroStatus status, ArrayList bots, const char[] error, any userid)
{
	int client = GetClientOfUserId(userid);
	AstroBot bot;
	g_BotSteamId[0] = '\0';
	for (int i = 0; i < bots.Length && g_BotSteamId[0] == '\0'; i++)
	{
		bots.GetArray(i, bot, sizeof(bot));
		if (bot.connected && !bot.paused)
		{
			strcopy(g_BotSteamId, sizeof(g_BotSteamId), bot.steamId);
			Astro_Shown(bot.displayName, g_BotName, sizeof(g_BotName));
		}
	}
	if (status == AstroStatus_Ok && g_BotSteamId[0] != '\0')
	{
		g_KnownUntil = GetEngineTime() + DONATE_KNOWN;
	}
	if (client == 0)
	{
		return;
	}
	if (status != AstroStatus_Ok)
	{
		Astro_Chat(client, "%t", "Astro away");
		return;
	}
	Donate_Tell(client);
}

static void Donate_Tell(int client)
{
	if (!IsClientInGame(client))
	{
		return;
	}
	if (g_BotSteamId[0] == '\0')
	{
		Astro_Chat(client, "%t", "Donate no bot");
		return;
	}
	Astro_Chat(client, "%t", "Donate how", g_BotName, g_BotSteamId);
	Astro_Chat(client, "%t", "Donate keyword", g_Keyword);
}

static Action Command_Gifts(int client, int args)
{
	char steamId[ASTRO_LONG_LENGTH];
	if (!Donate_May(client))
	{
		return Plugin_Handled;
	}
	if (!Astro_SteamIdOf(client, steamId, sizeof(steamId)))
	{
		Astro_Reply(client, "%t", "Steam unknown");
		return Plugin_Handled;
	}
	Astro_ListDonations(Donate_OnGifts, GetClientUserId(client), steamId, DONATE_SHOWN);
	return Plugin_Handled;
}

static void Donate_OnGifts(AstroStatus status, ArrayList donations, const char[] nextPage, const char[] error, any userid)
{
	int client = GetClientOfUserId(userid);
	if (client == 0)
	{
		return;
	}
	if (status != AstroStatus_Ok)
	{
		Astro_Chat(client, "%t", "Astro away");
		return;
	}
	if (donations.Length == 0)
	{
		Astro_Chat(client, "%t", "Gifts none");
		return;
	}
	char line[160];
	char day[32];
	char state[64];
	AstroDonation donation;
	Menu menu = new Menu(Donate_OnMenu);
	menu.SetTitle("%T", "Gifts", client);
	for (int i = 0; i < donations.Length; i++)
	{
		donations.GetArray(i, donation, sizeof(donation));
		FormatTime(day, sizeof(day), "%Y-%m-%d", donation.createTime);
		Donate_State(client, donation.state, state, sizeof(state));
		FormatEx(line, sizeof(line), "%s: %d, %s", day, donation.items.Length, state);
		menu.AddItem("", line, ITEMDRAW_DISABLED);
	}
	menu.Display(client, 30);
}

static int Donate_OnMenu(Menu menu, MenuAction action, int client, int choice)
{
	if (action == MenuAction_End)
	{
		delete menu;
	}
	return 0;
}

static void Donate_State(int client, AstroDonationState state, char[] text, int maxlength)
{
	switch (state)
	{
		case AstroDonationState_Received: FormatEx(text, maxlength, "%T", "Gift received", client);
		case AstroDonationState_Declined, AstroDonationState_Declining: FormatEx(text, maxlength, "%T", "Gift declined", client);
		case AstroDonationState_Ended: FormatEx(text, maxlength, "%T", "Gift ended", client);
		case AstroDonationState_Reversed: FormatEx(text, maxlength, "%T", "Gift reversed", client);
		default: FormatEx(text, maxlength, "%T", "Gift coming", client);
	}
}

public void Astro_OnDonationEvent(const AstroEvent event)
{
	int client = Astro_ClientOf(event.userId);
	if (client == 0)
	{
		return;
	}
	if (StrEqual(event.eventType, ASTRO_EVENT_DONATION_RECEIVED))
	{
		Donate_Thank(client);
	}
	else if (StrEqual(event.eventType, ASTRO_EVENT_DONATION_DECLINED))
	{
		Astro_Chat(client, "%t", "Gift was declined");
	}
}

static void Donate_Thank(int client)
{
	if (!g_cvThanks.BoolValue)
	{
		Astro_Chat(client, "%t", "Gift thanks");
		return;
	}
	char name[MAX_NAME_LENGTH];
	char shown[ASTRO_SHOWN_LENGTH];
	GetClientName(client, name, sizeof(name));
	Astro_Shown(name, shown, sizeof(shown));
	Astro_ChatAll("%t", "Gift thanks all", shown);
}
