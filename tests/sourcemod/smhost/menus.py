"""Menus: what is shown to whom, and the actions their handlers are told."""

START, DISPLAY, SELECT, CANCEL, END, DRAW_ITEM, DISPLAY_ITEM = 1, 2, 4, 8, 16, 256, 512
DEFAULT = SELECT | CANCEL | END
DISCONNECTED, INTERRUPTED, EXIT, NO_DISPLAY, TIMEOUT, EXIT_BACK = -1, -2, -3, -4, -5, -6
END_SELECTED, END_CANCELLED, END_EXIT, END_EXIT_BACK = 0, -3, -4, -5
DISABLED, RAW_LINE, NO_TEXT, SPACER, IGNORE, CONTROL = 1, 2, 4, 8, 16, 32
EXIT_BUTTON, EXIT_BACK_BUTTON, NO_SOUND, NOVOTE = 1, 2, 4, 8
PER_PAGE = 7
# The radio menu takes one user message of at most this many bytes in all.
TEXT_MAX = 512


class Item:
    """A line of a menu."""

    def __init__(self, info, text, style):
        self.info, self.text, self.style = info, text, style


class Menu:
    """A menu of a plugin."""

    def __init__(self, menus, plugin, handler, actions):
        self.menus, self.plugin, self.handler = menus, plugin, handler
        self.actions = actions | DEFAULT
        self.title, self.items, self.options = "", [], EXIT_BUTTON
        self.pagination, self.handle = PER_PAGE, 0

    @property
    def kept_by_host(self):
        return any(view.menu is self for view in self.menus.views())

    def on_free(self):
        self.menus.cancel(self, INTERRUPTED)

    def tell(self, action, one, two):
        """Calls the handler; answers its result."""
        if self.plugin not in self.menus.host.plugins:
            return 0
        value, _ = self.plugin.run(self.handler, [self.handle, action, one, two])
        return value


class Panel:
    """A panel: text and items that are drawn by hand. Its handle may go while it is shown."""

    def __init__(self, menus):
        self.menus, self.title, self.lines, self.key = menus, "", [], 1

    kept_by_host = False


class View:
    """A menu in front of a person: title, items that can be chosen with their keys, and buttons."""

    def __init__(self, client, menu, first, until):
        self.client, self.menu, self.first, self.until = client, menu, first, until
        self.title, self.rows, self.lines = "", [], []

    def choices(self):
        """Texts that can be chosen now."""
        return [text for text, index, enabled in self.rows if enabled and index is not None]


class Menus:
    """Who sees which menu."""

    def __init__(self, host):
        self.host, self.redrawn, self.position = host, None, 0

    def views(self):
        return [client.menu for client in self.host.clients.all() if client.menu is not None]

    def show(self, menu, client, first, seconds):
        """Displays a menu; another one of the same person is interrupted."""
        if not menu.items and not isinstance(menu, PanelMenu):
            return False
        if client.bot or not client.in_game:
            return False
        if client.menu is not None:
            self._cancel(client, INTERRUPTED)
        until = self.host.now + seconds if seconds else None
        client.menu = View(client, menu, first, until)
        if menu.actions & START:
            menu.tell(START, 0, 0)
        self._draw(client.menu)
        return True

    def _draw(self, view):
        menu, client = view.menu, view.client
        saved, self.host.target = self.host.target, client.index
        view.title = menu.title
        try:
            if menu.actions & DISPLAY:
                panel = Panel(self)
                handle = self.host.handles.new("Panel", panel, None)
                menu.tell(DISPLAY, client.index, handle)
                view.title = panel.title or menu.title
                self.host.handles.free(handle)
            if isinstance(menu, PanelMenu):
                view.rows = menu.rows()
            else:
                self._draw_items(view)
        finally:
            self.host.target = saved
        shown = [view.title] + [text for text, _, _ in view.rows]
        self.host.shown.extend(shown)
        if sum(len(text.encode("utf-8", "surrogateescape")) + 4 for text in shown) > TEXT_MAX:
            self.host.cut_lines.append("\n".join(shown))

    def _draw_items(self, view):
        menu, view.rows = view.menu, []
        size = menu.pagination or len(menu.items)
        for index in range(view.first, min(view.first + size, len(menu.items))):
            item = menu.items[index]
            style = item.style
            if menu.actions & DRAW_ITEM:
                style = menu.tell(DRAW_ITEM, view.client.index, index)
            if style & IGNORE:
                continue
            self.redrawn = None
            if menu.actions & DISPLAY_ITEM:
                menu.tell(DISPLAY_ITEM, view.client.index, index)
            view.rows.append((self.redrawn or item.text, index, not style & (DISABLED | RAW_LINE)))

    # What a person does
    def choose(self, client, text):
        """Somebody picks the item whose text has this in it."""
        view = self._view(client)
        for shown, index, enabled in view.rows:
            if text in shown and enabled and index is not None:
                return self._select(client, view, index)
        raise AssertionError(f"no {text!r} can be chosen in {view.title!r}: {[row[0] for row in view.rows]}")

    def pick(self, client, number):
        """Somebody picks the n-th item of the page, from 1."""
        view = self._view(client)
        return self._select(client, view, view.rows[number - 1][1])

    def _view(self, client):
        if client.menu is None:
            raise AssertionError(f"{client.name} sees no menu")
        return client.menu

    def _select(self, client, view, index):
        client.menu = None
        menu, self.position = view.menu, view.first
        menu.tell(SELECT, client.index, index)
        if not isinstance(menu, PanelMenu):
            menu.tell(END, END_SELECTED, 0)

    def next_page(self, client):
        view = self._view(client)
        assert view.menu.pagination and view.first + view.menu.pagination < len(view.menu.items), "no next page"
        view.first += view.menu.pagination
        self._draw(view)

    def back(self, client):
        """The key for back: the page before, or what the plugin does with ExitBack."""
        view = self._view(client)
        if view.first:
            view.first = max(0, view.first - view.menu.pagination)
            self._draw(view)
        elif view.menu.options & EXIT_BACK_BUTTON:
            self._cancel(client, EXIT_BACK)
        else:
            raise AssertionError("there is no way back in this menu")

    def exit(self, client):
        assert self._view(client).menu.options & (EXIT_BUTTON | EXIT_BACK_BUTTON), "there is no exit"
        self._cancel(client, EXIT)

    def _cancel(self, client, reason):
        view, client.menu = client.menu, None
        menu = view.menu
        menu.tell(CANCEL, client.index, reason)
        if isinstance(menu, PanelMenu):
            return
        kind = {EXIT: END_EXIT, EXIT_BACK: END_EXIT_BACK}.get(reason, END_CANCELLED)
        menu.tell(END, kind, reason)

    def interrupt(self, client):
        self._cancel(client, INTERRUPTED)

    def cancel(self, menu, reason):
        for view in self.views():
            if view.menu is menu:
                self._cancel(view.client, reason)

    def leave(self, client):
        if client.menu is not None:
            self._cancel(client, DISCONNECTED)

    def drop(self, plugin):
        for view in self.views():
            if view.menu.plugin is plugin:
                view.client.menu = None

    def time_out(self):
        for view in self.views():
            if view.until is not None and view.until <= self.host.now:
                self._cancel(view.client, TIMEOUT)

    def next_due(self):
        return min((view.until for view in self.views() if view.until is not None), default=None)


class PanelMenu:
    """A panel while it is shown."""

    actions, options, pagination = DEFAULT, EXIT_BUTTON, 0

    def __init__(self, menus, panel, plugin, handler):
        self.menus, self.plugin, self.handler, self.title = menus, plugin, handler, panel.title
        self.lines, self.items = list(panel.lines), []

    def rows(self):
        return [(text, key, key is not None) for text, key in self.lines]

    def tell(self, action, one, two):
        if self.plugin not in self.menus.host.plugins:
            return 0
        value, _ = self.plugin.run(self.handler, [0, action, one, two])
        return value
