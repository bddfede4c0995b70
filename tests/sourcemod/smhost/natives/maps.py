"""The map and the game."""

from ..registry import native


@native("GetCurrentMap")
def get_current_map(m, buffer, size):
    return m.put(buffer, size, m.host.map)


@native("GetMapDisplayName")
def get_map_display_name(m, name, buffer, size):
    m.put(buffer, size, m.text(name).rsplit("/", 1)[-1])
    return 1


@native("GetEngineVersion")
def get_engine_version(m):
    # EngineVersion of sourcemod.inc: css 13, tf 17, csgo 12.
    return {"csgo": 12, "css": 13, "tf": 17}.get(m.host.games, 17)


@native("GetGameFolderName")
def get_game_folder_name(m, buffer, size):
    m.put(buffer, size, m.host.games)


@native("GetMapTimeLeft")
def get_map_time_left(m, left):
    m.put_cell(left, 1800)
    return 1


@native("GetMaxEntities")
def get_max_entities(m):
    return 2048
