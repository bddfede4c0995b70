"""Players."""

from ..errors import NativeError
from ..phrases import LANGUAGES
from ..registry import constant, native

constant(0, "GetClientTime", "GetClientLatency", "IsClientObserver", "IsClientSourceTV", "IsClientReplay",
         "IsClientInKickQueue", "GetClientButtons", "GetUserMessageType")
constant(100, "GetClientHealth")


def client(m, index, in_game=False):
    if not 1 <= index <= m.host.clients.limit:
        raise NativeError(f"Client index {index} is invalid")
    found = m.host.clients.get(index)
    if found is None:
        raise NativeError(f"Client {index} is not connected")
    if in_game and not found.in_game:
        raise NativeError(f"Client {index} is not in game")
    return found


def maybe(m, index):
    if not 1 <= index <= m.host.clients.limit:
        raise NativeError(f"Client index {index} is invalid")
    return m.host.clients.get(index)


@native("GetMaxHumanPlayers", "GetMaxClients")
def get_max_clients(m):
    return m.host.clients.limit


@native("GetClientCount")
def get_client_count(m, in_game=1):
    return len([c for c in m.host.clients.all() if c.in_game or not in_game])


@native("IsClientConnected")
def is_client_connected(m, index):
    return int(maybe(m, index) is not None)


@native("IsClientInGame")
def is_client_in_game(m, index):
    found = maybe(m, index)
    return int(found is not None and found.in_game)


@native("IsClientAuthorized")
def is_client_authorized(m, index):
    found = maybe(m, index)
    return int(found is not None and found.authorised)


@native("IsFakeClient")
def is_fake_client(m, index):
    return int(client(m, index).bot)


@native("IsPlayerAlive")
def is_player_alive(m, index):
    return int(client(m, index, True).alive)


@native("GetClientTeam")
def get_client_team(m, index):
    return client(m, index, True).team


@native("GetClientName")
def get_client_name(m, index, buffer, size):
    m.put(buffer, size, "Console" if index == 0 else client(m, index).name)
    return 1


@native("GetClientIP")
def get_client_ip(m, index, buffer, size, no_port=1):
    m.put(buffer, size, client(m, index).address)
    return 1


@native("GetClientUserId")
def get_client_user_id(m, index):
    return client(m, index).user_id


@native("GetClientOfUserId")
def get_client_of_user_id(m, user_id):
    found = m.host.clients.by_user(user_id)
    return found.index if found else 0


@native("GetClientSerial")
def get_client_serial(m, index):
    return 0 if index == 0 else client(m, index).user_id << 8 | index


@native("GetClientFromSerial")
def get_client_from_serial(m, serial):
    found = m.host.clients.get(serial & 255)
    return found.index if found and found.user_id == serial >> 8 else 0


@native("GetClientAuthId")
def get_client_auth_id(m, index, kind, buffer, size, validate=1):
    found = client(m, index)
    # A bot has no SteamID64; a person has none until Steam has told who it is.
    if kind == 3 and found.bot:
        return 0
    if not found.bot and not found.authorised and validate:
        return 0
    text = {0: found.steam2, 1: found.steam2, 2: found.steam3, 3: str(found.steam_id)}[kind]
    m.put(buffer, size, text)
    return 1


@native("GetSteamAccountID")
def get_steam_account_id(m, index, validate=1):
    found = client(m, index)
    return 0 if found.bot or (validate and not found.authorised) else found.account


@native("GetClientLanguage")
def get_client_language(m, index):
    return LANGUAGES.index(client(m, index).language)


@native("SetClientLanguage")
def set_client_language(m, index, language):
    client(m, index).language = LANGUAGES[language]


@native("GetServerLanguage")
def get_server_language(m):
    return LANGUAGES.index(m.host.server_language)


@native("GetLanguageCount")
def get_language_count(m):
    return len(LANGUAGES)


@native("GetLanguageInfo")
def get_language_info(m, language, code=0, code_size=0, name=0, name_size=0):
    if code:
        m.put(code, code_size, LANGUAGES[language])
    if name:
        m.put(name, name_size, LANGUAGES[language])


@native("GetLanguageByCode")
def get_language_by_code(m, code):
    code = m.text(code)
    return LANGUAGES.index(code) if code in LANGUAGES else -1


@native("KickClient")
def kick_client(m, index, form=0, *args):
    m.host.clients.disconnect(client(m, index))


@native("ProcessTargetString")
def process_target_string(m, pattern, admin, targets, limit, flags, name, size, is_phrase):
    """Finds players by `#userid`, `@me`, `@all` or a part of the name; answers how many, or why none."""
    text, found = m.text(pattern), []
    everybody = [c for c in m.host.clients.all() if c.in_game]
    if text == "@me":
        found = [c for c in everybody if c.index == admin]
    elif text == "@all":
        found = everybody
    elif text.startswith("#"):
        found = [c for c in everybody if str(c.user_id) == text[1:] or c.steam2 == text[1:] or c.name == text[1:]]
    else:
        found = [c for c in everybody if text.lower() in c.name.lower()]
        exact = [c for c in found if c.name.lower() == text.lower()]
        found = exact if len(exact) == 1 else found
        if len(found) > 1:
            return -7
    if flags & 16:
        found = [c for c in found if not c.bot]
    if not found:
        return -5
    for place, person in enumerate(found[:limit]):
        m.put_cell(targets + 4 * place, person.index)
    m.put(name, size, found[0].name if len(found) == 1 else "Matches all")
    m.put_cell(is_phrase, int(len(found) > 1))
    return min(len(found), limit)


@native("GetClientInfo")
def get_client_info(m, index, key, buffer, size):
    m.put(buffer, size, "english" if m.text(key) == "cl_language" else "")
    return 1
