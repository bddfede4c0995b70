// Astro for SourceMod: giveaways of real items, and how other giveaway plugins give them.
//
// SPDX-License-Identifier: GPL-3.0-or-later

#pragma semicolon 1
#pragma newdecls required
// Astro's structs are some kilobytes large.
#pragma dynamic 32768

#include <sourcemod>
#include <ripext>
#undef REQUIRE_PLUGIN
#include <astro>
#define REQUIRE_PLUGIN
#include <astro_giveaway>
#include <astro/chat>
#include <astro/key>

ConVar g_cvRunnersUp;
ConVar g_cvClaim;
ConVar g_cvAuto;
ConVar g_cvHold;
ConVar g_cvPresent;

#include "astro_giveaway/books.inc"
#include "astro_giveaway/shelf.inc"
#include "astro_giveaway/run.inc"
#include "astro_giveaway/pay.inc"
#include "astro_giveaway/tell.inc"
#include "astro_giveaway/pick.inc"
#include "astro_giveaway/outside.inc"

public Plugin myinfo =
{
	name = "Astro: giveaways",
	author = "Astro",
	description = "Gives items of the pool to winners.",
	version = ASTRO_VERSION,
	url = ""
};

public APLRes AskPluginLoad2(Handle myself, bool late, char[] error, int errorLength)
{
	Outside_CreateNatives();
	RegPluginLibrary(ASTRO_GIVEAWAY_LIBRARY);
	return APLRes_Success;
}

public void OnPluginStart()
{
	LoadTranslations("common.phrases");
	LoadTranslations("astro.phrases");
	g_cvRunnersUp = CreateConVar("astro_giveaway_runnersup", "3", "How many others are drawn, who get the prize in turn if it is not claimed.", _, true, 0.0, true, 20.0);
	g_cvClaim = CreateConVar("astro_giveaway_claim", "0", "Seconds to claim a prize before the next one gets it; 0: what the organisation set.", _, true, 0.0, true, 31536000.0);
	g_cvAuto = CreateConVar("astro_giveaway_auto_prize", "0", "Items that a giveaway of another plugin gives if nobody picked some: those that came first. 0: an admin is asked.", _, true, 0.0, true, 10.0);
	g_cvHold = CreateConVar("astro_giveaway_hold", "14400", "Seconds that the prizes of a giveaway of another plugin are held.", _, true, 900.0, true, 86400.0);
	g_cvPresent = CreateConVar("astro_giveaway_present", "0", "1: only players who are on the server can win.", _, true, 0.0, true, 1.0);
	AutoExecConfig(true, "astro_giveaway");
	RegAdminCmd("sm_giveaway", Command_Giveaway, ADMFLAG_CONFIG, "Starts a giveaway: sm_giveaway [title]");
	RegAdminCmd("sm_giveaway_cancel", Command_Cancel, ADMFLAG_CONFIG, "Cancels the giveaway that runs.");
	RegAdminCmd("sm_giveaway_owed", Command_Owed, ADMFLAG_CONFIG, "Picks prizes for giveaways that have none.");
	Outside_CreateCommands();
	Tell_Create();
	Run_Create();
	Pay_Create();
	Shelf_Open();
}

public void OnClientDisconnect(int client)
{
	Pick_Forget(client);
}

public void Astro_OnReady()
{
	Pay_Look();
}

static Action Command_Giveaway(int client, int args)
{
	if (client == 0)
	{
		ReplyToCommand(client, "[Astro] a giveaway is started in the game, with a menu");
		return Plugin_Handled;
	}
	if (Books_Own() != -1)
	{
		Astro_Reply(client, "%t", "Giveaway runs");
		return Plugin_Handled;
	}
	char text[256];
	char title[ASTRO_SHOWN_LENGTH];
	GetCmdArgString(text, sizeof(text));
	StripQuotes(text);
	TrimString(text);
	Astro_Shown(text, title, sizeof(title));
	if (title[0] == '\0')
	{
		FormatEx(title, sizeof(title), "%T", "Giveaway", LANG_SERVER);
	}
	Pick_Begin(client, Pick_New, 0, title);
	return Plugin_Handled;
}

static Action Command_Cancel(int client, int args)
{
	int at = Books_Own();
	if (at == -1)
	{
		Astro_Reply(client, "%t", "Giveaway none");
		return Plugin_Handled;
	}
	Giveaway giveaway;
	g_Giveaways.GetArray(at, giveaway, sizeof(giveaway));
	LogAction(client, -1, "\"%L\" cancelled the giveaway %s", client, giveaway.id);
	Pay_Cancel(at, giveaway);
	Astro_ChatAll("%t", "Giveaway cancelled");
	return Plugin_Handled;
}

static Action Command_Owed(int client, int args)
{
	if (client == 0)
	{
		Command_ListOwed();
		return Plugin_Handled;
	}
	Pick_ShowOwed(client);
	return Plugin_Handled;
}

static void Command_ListOwed()
{
	Giveaway giveaway;
	for (int i = 0; i < g_Giveaways.Length; i++)
	{
		g_Giveaways.GetArray(i, giveaway, sizeof(giveaway));
		if (giveaway.state == Giveaway_Owed)
		{
			PrintToServer("[Astro] %s: %s, %s", giveaway.outside[0] != '\0' ? giveaway.outside : giveaway.id, giveaway.title, giveaway.winner);
		}
	}
}
