"""Menus and panels."""

from ..errors import NativeError
from ..formatting import format_text
from ..menus import DEFAULT, PER_PAGE, SPACER, Item, Menu, Panel, PanelMenu
from ..registry import constant, native
from .people import client

constant(0, "GetMenuStyle", "GetMenuStyleHandle", "CancelVote")


def menu_of(m, handle):
    return m.host.handles.read(handle, "Menu")


@native("Menu.Menu", "CreateMenu")
def new_menu(m, handler, actions=DEFAULT):
    address = m.plugin.function(handler)
    if address is None:
        raise NativeError(f"Function id {handler & 0xFFFFFFFF:x} is invalid")
    menu = Menu(m.host.menus, m.plugin, address, actions)
    menu.handle = m.host.handles.new("Menu", menu, m.plugin)
    return menu.handle


@native("Menu.SetTitle", "SetMenuTitle")
def set_title(m, handle, form, *args):
    menu_of(m, handle).title = format_text(m, m.text(form), args)


@native("Menu.GetTitle", "GetMenuTitle")
def get_title(m, handle, buffer, size):
    return m.put(buffer, size, menu_of(m, handle).title)


@native("Menu.AddItem", "AddMenuItem")
def add_item(m, handle, info, text, style=0):
    menu_of(m, handle).items.append(Item(m.raw(info), m.text(text), style))
    return 1


@native("Menu.InsertItem", "InsertMenuItem")
def insert_item(m, handle, at, info, text, style=0):
    menu_of(m, handle).items.insert(at, Item(m.raw(info), m.text(text), style))
    return 1


@native("Menu.RemoveItem", "RemoveMenuItem")
def remove_item(m, handle, at):
    items = menu_of(m, handle).items
    if not 0 <= at < len(items):
        return 0
    del items[at]
    return 1


@native("Menu.RemoveAllItems", "RemoveAllMenuItems")
def remove_all_items(m, handle):
    menu_of(m, handle).items.clear()


@native("Menu.GetItem", "GetMenuItem")
def get_item(m, handle, at, info, size, style=0, text=0, text_size=0, *_):
    items = menu_of(m, handle).items
    if not 0 <= at < len(items):
        return 0
    m.put(info, size, items[at].info)
    if style:
        m.put_cell(style, items[at].style)
    if text and text_size:
        m.put(text, text_size, items[at].text)
    return 1


@native("Menu.ItemCount.get", "GetMenuItemCount")
def item_count(m, handle):
    return len(menu_of(m, handle).items)


@native("Menu.Pagination.get", "GetMenuPagination")
def get_pagination(m, handle):
    return menu_of(m, handle).pagination


@native("Menu.Pagination.set", "SetMenuPagination")
def set_pagination(m, handle, count):
    menu_of(m, handle).pagination = max(0, min(count, PER_PAGE))
    return 1


def option(bit):
    def get(m, handle):
        return int(bool(menu_of(m, handle).options & bit))

    def put(m, handle, value=1):
        menu = menu_of(m, handle)
        menu.options = menu.options | bit if value else menu.options & ~bit
        return 1
    return get, put


for name, bit in (("ExitButton", 1), ("ExitBackButton", 2), ("NoVoteButton", 8)):
    getter, setter = option(bit)
    native(f"Menu.{name}.get", f"GetMenu{name}")(getter)
    native(f"Menu.{name}.set", f"SetMenu{name}")(setter)


@native("Menu.OptionFlags.get", "GetMenuOptionFlags")
def get_option_flags(m, handle):
    return menu_of(m, handle).options


@native("Menu.OptionFlags.set", "SetMenuOptionFlags")
def set_option_flags(m, handle, flags):
    menu_of(m, handle).options = flags


@native("Menu.Display", "DisplayMenu")
def display(m, handle, index, seconds):
    return int(m.host.menus.show(menu_of(m, handle), client(m, index, True), 0, seconds))


@native("Menu.DisplayAt", "DisplayMenuAtItem")
def display_at(m, handle, index, first, seconds):
    return int(m.host.menus.show(menu_of(m, handle), client(m, index, True), first, seconds))


@native("GetMenuSelectionPosition", "Menu.Selection.get")
def selection_position(m, *_):
    return m.host.menus.position


@native("Menu.Cancel", "CancelMenu")
def cancel(m, handle):
    m.host.menus.cancel(menu_of(m, handle), -2)


@native("GetClientMenu")
def get_client_menu(m, index, style=0):
    # 0: none, 1: a menu of somebody else, 2: one of SourceMod.
    return 2 if client(m, index).menu is not None else 0


@native("CancelClientMenu")
def cancel_client_menu(m, index, auto=0, style=0):
    person = client(m, index)
    if person.menu is None:
        return 0
    m.host.menus.interrupt(person)
    return 1


@native("RedrawMenuItem")
def redraw_menu_item(m, text):
    m.host.menus.redrawn = m.text(text)
    return 0


# Panels
def panel_of(m, handle):
    return m.host.handles.read(handle, "Panel")


@native("Panel.Panel", "CreatePanel")
def new_panel(m, style=0):
    return m.host.handles.new("Panel", Panel(m.host.menus), m.plugin)


@native("Panel.SetTitle", "SetPanelTitle")
def set_panel_title(m, handle, text, only_if_empty=0):
    panel = panel_of(m, handle)
    if not only_if_empty or not panel.title:
        panel.title = m.text(text)


@native("Panel.DrawText", "DrawPanelText")
def draw_text(m, handle, text):
    panel_of(m, handle).lines.append((m.text(text), None))
    return 1


@native("Panel.DrawItem", "DrawPanelItem")
def draw_item(m, handle, text, style=0):
    panel = panel_of(m, handle)
    key, panel.key = panel.key, panel.key + 1
    panel.lines.append((m.text(text), None if style & SPACER else key))
    return key


@native("Panel.CurrentKey.get", "GetPanelCurrentKey")
def get_current_key(m, handle):
    return panel_of(m, handle).key


@native("Panel.CurrentKey.set", "SetPanelCurrentKey")
def set_current_key(m, handle, key):
    panel_of(m, handle).key = key
    return 1


@native("Panel.SetKeys", "SetPanelKeys")
def set_keys(m, handle, keys):
    return 1


@native("Panel.TextRemaining.get")
def text_remaining(m, handle):
    return 400


@native("Panel.Send", "SendPanelToClient")
def send_panel(m, handle, index, handler, seconds):
    shown = PanelMenu(m.host.menus, panel_of(m, handle), m.plugin, m.plugin.function(handler))
    return int(m.host.menus.show(shown, client(m, index, True), 0, seconds))
