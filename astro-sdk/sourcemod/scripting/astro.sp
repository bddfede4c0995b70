// Astro for SourceMod: the core, through which other plugins reach Astro.
//
// SPDX-License-Identifier: GPL-3.0-or-later

#pragma semicolon 1
#pragma newdecls required
// Answers are read into structs of some kilobytes, several of which are on the stack at once.
#pragma dynamic 65536

#include <sourcemod>
#include <ripext>
#include <astro>
#include <astro/chat>
#include <astro/key>

#include "astro/shared.inc"
#include "astro/text.inc"
#include "astro/config.inc"
#include "astro/calls.inc"
#include "astro/pages.inc"
#include "astro/later.inc"
#include "astro/transport.inc"
#include "astro/answer.inc"
#include "astro/outbox.inc"
#include "astro/outcome.inc"
#include "astro/events.inc"
#include "astro/store.inc"
#include "astro/natives.inc"
#include "astro/changes.inc"
#include "astro/status.inc"
#include "astro/beat.inc"

public Plugin myinfo =
{
	name = "Astro",
	author = "Astro",
	description = "Connects this server with Astro, which gives items to players.",
	version = ASTRO_VERSION,
	url = ""
};

public APLRes AskPluginLoad2(Handle myself, bool late, char[] error, int errorLength)
{
	Natives_Create();
	Changes_Create();
	RegPluginLibrary(ASTRO_LIBRARY);
	return APLRes_Success;
}

public void OnPluginStart()
{
	g_fwReady = new GlobalForward("Astro_OnReady", ET_Ignore);
	g_fwOffline = new GlobalForward("Astro_OnOffline", ET_Ignore, Param_String);
	g_fwQueue = new GlobalForward("Astro_OnQueueChanged", ET_Ignore, Param_Cell, Param_Cell);
	g_fwDone = new GlobalForward("Astro_OnRequestDone", ET_Ignore, Param_String, Param_Cell, Param_String, Param_String);
	g_fwChanged = new GlobalForward("Astro_OnAssignmentChanged", ET_Ignore, Param_Array, Param_Cell);
	g_fwEvent = new GlobalForward("Astro_OnEvent", ET_Ignore, Param_Array);
	Later_Create();
	Pages_Create();
	Transport_Create();
	Outbox_Create();
	Events_Create();
	Status_Create();
	Config_Create();
	// At once, so that nothing is refused that is asked for while plugins load.
	Store_Open();
}

public void OnConfigsExecuted()
{
	Config_Begin();
}

public void OnGameFrame()
{
	Beat();
}

// A server without players may run no frames: whoever comes, and each map, is an occasion.
public void OnMapStart()
{
	Beat();
}

public void OnClientPostAdminCheck(int client)
{
	Beat();
}

public void OnServerExitHibernation()
{
	Beat();
}
