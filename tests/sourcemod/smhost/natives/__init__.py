"""The natives of SourceMod and of ripext, by topic. Importing them registers them."""

from . import admin, chat, console, core, data, database, http, json, keyvalues, lists, maps, menus, people, sharing, strings, timers  # noqa: F401
