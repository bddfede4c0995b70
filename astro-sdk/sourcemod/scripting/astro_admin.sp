// Astro for SourceMod: what admins do by hand, in menus: give an item, recall or retry a delivery.
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

#define ADMIN_TIMEOUT       120
// Entries that are asked for at once.
#define ADMIN_PAGE          20

// What an admin is doing.
enum struct Work
{
	// To whom something is given; they may leave meanwhile.
	char steamId[ASTRO_LONG_LENGTH];
	char name[ASTRO_SHOWN_LENGTH];
	char item[ASTRO_ID_LENGTH];
	char itemName[ASTRO_SHOWN_LENGTH];
	char text[64];
	char assignment[ASTRO_ID_LENGTH];
	// Of the list that is shown.
	char next[1024];
}

Work g_Work[MAXPLAYERS + 1];

#include "astro_admin/give.inc"
#include "astro_admin/deliveries.inc"

public Plugin myinfo =
{
	name = "Astro: admins",
	author = "Astro",
	description = "Gives, recalls and retries in menus.",
	version = ASTRO_VERSION,
	url = ""
};

public void OnPluginStart()
{
	LoadTranslations("common.phrases");
	LoadTranslations("astro.phrases");
	RegAdminCmd("sm_astro", Command_Astro, ADMFLAG_ROOT, "Opens the menu of Astro.");
	RegAdminCmd("sm_astro_give", Command_Give, ADMFLAG_ROOT, "Gives an item: sm_astro_give <player or SteamID64> [part of its name]");
	RegAdminCmd("sm_astro_items", Command_Items, ADMFLAG_ROOT, "Shows the pool: sm_astro_items [part of a name]");
	RegAdminCmd("sm_astro_deliveries", Command_Deliveries, ADMFLAG_ROOT, "Shows what is not delivered yet, to recall or retry it.");
}

public void OnClientDisconnect(int client)
{
	Admin_Forget(client);
}

void Admin_Forget(int client)
{
	Work none;
	g_Work[client] = none;
}

// Whether Astro can be asked now; the admin is told why not.
bool Admin_May(int client)
{
	char reason[ASTRO_ERROR_LENGTH] = "astro.smx";
	if (client == 0)
	{
		ReplyToCommand(client, "[Astro] this is a menu; the command line of Astro does it without a game: astro assignments create");
		return false;
	}
	if (!LibraryExists(ASTRO_LIBRARY) || !Astro_IsReady(reason, sizeof(reason)))
	{
		Astro_Reply(client, "%t", "Astro away because", reason);
		return false;
	}
	return true;
}

static Action Command_Astro(int client, int args)
{
	if (!Admin_May(client))
	{
		return Plugin_Handled;
	}
	Admin_ShowMain(client);
	return Plugin_Handled;
}

static void Admin_ShowMain(int client)
{
	char text[128];
	int pending;
	int dead;
	Astro_GetQueue(pending, dead);
	Menu menu = new Menu(Admin_OnMain);
	menu.SetTitle("%T", "Admin menu", client, pending, dead);
	FormatEx(text, sizeof(text), "%T", "Admin give", client);
	menu.AddItem("give", text);
	FormatEx(text, sizeof(text), "%T", "Admin deliveries", client);
	menu.AddItem("deliveries", text);
	menu.Display(client, ADMIN_TIMEOUT);
}

static int Admin_OnMain(Menu menu, MenuAction action, int client, int choice)
{
	if (action == MenuAction_End)
	{
		delete menu;
	}
	else if (action == MenuAction_Select)
	{
		char info[16];
		menu.GetItem(choice, info, sizeof(info));
		if (StrEqual(info, "give"))
		{
			Give_ShowPlayers(client);
		}
		else
		{
			Deliveries_Begin(client);
		}
	}
	return 0;
}

static Action Command_Give(int client, int args)
{
	if (!Admin_May(client))
	{
		return Plugin_Handled;
	}
	if (args < 1)
	{
		Give_ShowPlayers(client);
		return Plugin_Handled;
	}
	char target[MAX_NAME_LENGTH];
	GetCmdArg(1, target, sizeof(target));
	Admin_Forget(client);
	GetCmdArg(2, g_Work[client].text, sizeof(Work::text));
	if (Astro_IsSteamId(target))
	{
		strcopy(g_Work[client].steamId, ASTRO_LONG_LENGTH, target);
		strcopy(g_Work[client].name, ASTRO_SHOWN_LENGTH, target);
		Give_AskItems(client, "");
		return Plugin_Handled;
	}
	int player = FindTarget(client, target, true, false);
	if (player > 0)
	{
		Give_To(client, player);
	}
	return Plugin_Handled;
}

static Action Command_Items(int client, int args)
{
	if (!Admin_May(client))
	{
		return Plugin_Handled;
	}
	Admin_Forget(client);
	GetCmdArgString(g_Work[client].text, sizeof(Work::text));
	StripQuotes(g_Work[client].text);
	Give_AskItems(client, "");
	return Plugin_Handled;
}

static Action Command_Deliveries(int client, int args)
{
	if (Admin_May(client))
	{
		Deliveries_Begin(client);
	}
	return Plugin_Handled;
}
