"""Lines for people."""

from ..formatting import format_text
from ..log import plain
from ..phrases import LANGUAGES
from ..registry import constant, native
from .people import client


def text_for(m, index, form, args):
    """A format in the language of the one who reads it."""
    saved, m.host.target = m.host.target, index
    try:
        return format_text(m, m.text(form), args)
    finally:
        m.host.target = saved


@native("PrintToServer")
def print_to_server(m, form, *args):
    m.host.console.write(text_for(m, 0, form, args))


@native("PrintToChat")
def print_to_chat(m, index, form, *args):
    person = client(m, index, True)
    m.host.print_chat(person, text_for(m, index, form, args))


@native("PrintToConsole")
def print_to_console(m, index, form, *args):
    if index == 0:
        m.host.console.write(text_for(m, 0, form, args))
    else:
        m.host.print_console(client(m, index, True), text_for(m, index, form, args))


@native("PrintHintText")
def print_hint_text(m, index, form, *args):
    m.host.print_hint(client(m, index, True), text_for(m, index, form, args))


@native("PrintCenterText")
def print_center_text(m, index, form, *args):
    m.host.print_center(client(m, index, True), text_for(m, index, form, args))


@native("ReplyToCommand")
def reply_to_command(m, index, form, *args):
    text = plain(text_for(m, index, form, args))
    m.host.shown.append(text)
    m.host.console.reply(index, text)


@native("ShowActivity", "ShowActivity2", "ShowActivityEx")
def show_activity(m, index, *rest):
    # ShowActivity has no tag in front; the others do.
    form, args = (rest[0], rest[1:]) if len(rest) == 1 or not m.text(rest[0]).startswith("[") else (rest[1], rest[2:])
    for person in m.host.clients.all():
        if person.in_game and not person.bot:
            m.host.print_chat(person, text_for(m, person.index, form, args))


@native("GetCmdReplySource")
def get_cmd_reply_source(m):
    lines = m.host.console.current
    return int(bool(lines and lines[-1].to_chat))


@native("SetCmdReplySource")
def set_cmd_reply_source(m, source):
    lines = m.host.console.current
    old = int(bool(lines and lines[-1].to_chat))
    if lines:
        lines[-1].to_chat = bool(source)
    return old


@native("SetGlobalTransTarget")
def set_global_trans_target(m, index):
    m.host.target = index


@native("LoadTranslations")
def load_translations(m, name):
    name = m.text(name)
    m.host.phrases.load(name)
    m.plugin.phrase_files.append(name)


@native("TranslationPhraseExists")
def translation_phrase_exists(m, key):
    return int(m.host.phrases.find(m.plugin.phrase_files, m.text(key)) is not None)


@native("IsTranslatedForLanguage")
def is_translated_for_language(m, key, language):
    phrase = m.host.phrases.find(m.plugin.phrase_files, m.text(key))
    return int(phrase is not None and LANGUAGES[language] in phrase.texts)


# HUD
@native("CreateHudSynchronizer")
def create_hud_synchronizer(m):
    # Some games have no HUD text: there it is null.
    return m.host.handles.new("HudSynchronizer", object(), m.plugin) if m.host.games == "tf" else 0


constant(0, "SetHudTextParams", "SetHudTextParamsEx", "ClearSyncHud")


@native("ShowSyncHudText", "ShowHudText")
def show_hud_text(m, index, channel, form, *args):
    m.host.print_hud(client(m, index, True), text_for(m, index, form, args))
    return 0


@native("GetUserMessageId")
def get_user_message_id(m, name):
    return {"SayText2": 4, "TextMsg": 5, "HudMsg": 6}.get(m.text(name), -1)
