"""A game server with SourceMod, without a game: plugins, a clock, people and what they do."""

import random
import shutil
from pathlib import Path

from . import http, natives  # noqa: F401  (natives register themselves)
from .budget import Budget
from .chat import Output
from .clients import Clients
from .console import Console
from .convars import ConVars
from .database import Databases
from .errors import AlreadyTold, LoadError
from .forwards import HOOK, IGNORE, Forward, call_with
from .handles import Handles
from .loading import Loading
from .log import Log
from .menus import Menus
from .phrases import LANGUAGES, Phrases
from .timers import PRECISION, Timers

TICK = 1 / 66
# Unix time at which every host begins, unless a story says otherwise.
BEGIN = 1_790_000_000


class Host(Loading, Output, Log):
    """One game server. `folder` is its game folder: addons/, cfg/ and logs are made there."""

    def __init__(self, folder, players=32, seed=None, begin=BEGIN, language="en", map="koth_test"):
        self.folder = Path(folder)
        self.sourcemod = self.folder / "addons" / "sourcemod"
        for name in ("plugins", "translations", "configs", "data/sqlite", "logs"):
            (self.sourcemod / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "cfg" / "sourcemod").mkdir(parents=True, exist_ok=True)
        # Engine time in seconds since the server's start; `begin` moves when somebody sets the clock.
        self.now, self.begin, self.tick, self.map, self.mapped = 0.0, begin, 0, map, False
        self.random = random.Random(seed)
        self.server_language, self.target, self.untranslated = language, 0, set()
        self.plugins, self.running, self.closed = [], [], False
        self.next_frame, self.libraries, self.logs = [], {}, []
        # Calls that plugins put together, natives of plugins that run, and lines for the server's console.
        self.calls, self.invocations, self.later_commands = [], [], []
        self.handles = Handles(self)
        self.budget = Budget()
        self.convars = ConVars(self)
        self.clients = Clients(self, players)
        self.console = Console(self)
        self.forwards = set()
        self.timers, self.menus = Timers(self), Menus(self)
        self.databases, self.http = Databases(self), http.Client(self)
        self.phrases = Phrases(self.sourcemod / "translations")
        # Folder of the game: tf has HUD text, others ("cstrike") have none.
        self.stride = TICK
        self.games, self._driver = "tf", 0

    def install_phrases(self, folder):
        """Copies a folder of translations to where SourceMod looks."""
        shutil.copytree(folder, self.sourcemod / "translations", dirs_exist_ok=True)

    def handle_of(self, plugin):
        """The handle that plugins know a plugin by."""
        if plugin.handle == 0:
            plugin.handle = self.handles.new("Plugin", plugin, None)
        return plugin.handle

    def driver_handle(self):
        if not self._driver:
            self._driver = self.handles.new("DBDriver", "sqlite", None)
        return self._driver

    def run_commands(self):
        """ServerCommand: what plugins asked the server's console for."""
        waiting, self.later_commands = self.later_commands, []
        for line in waiting:
            self.console.run(line, 0, False)

    # Time
    @property
    def unix(self):
        return self.begin + self.now

    def set_clock(self, seconds):
        """Somebody sets the machine's clock forwards or backwards; engine time goes on."""
        self.begin += seconds

    def frame(self):
        """One frame of the game: what is due now is called, one answer of HTTP at most."""
        self.now += TICK
        self._frame()

    def _frame(self):
        self.tick += 1
        self.budget.open(self.tick)
        waiting, self.next_frame = self.next_frame, []
        for plugin, address, data in waiting:
            if plugin in self.plugins:
                plugin.run(address, [data])
        self.run_commands()
        self.fire("OnGameFrame")
        self.timers.fire_due()
        self.menus.time_out()
        self.databases.answer()
        self.http.frame()
        self.budget.close()

    def advance(self, seconds):
        """Lets time pass. Frames in which nothing is due are left out, and with a `stride` all but one in
        so many seconds: then timers come late, as on a server that hibernates."""
        end = self.now + seconds
        while self.now < end - 1e-9:
            self.step(end)

    def until(self, condition, seconds=60.0):
        """Lets time pass until something holds; fails when it does not in so many seconds of the game."""
        end = self.now + seconds
        while not condition():
            if self.now >= end - 1e-9:
                return False
            self.step(end)
        return True

    def settle(self, seconds=10.0):
        """Lets everything that is under way come to its end."""
        return self.until(lambda: not (self.http.busy() or self.databases.busy() or self.next_frame), seconds)

    def step(self, end):
        """One frame, at the next moment at which there is something to do."""
        self.http.send_due()
        self.databases.work()
        if self.http.await_answer() or self.databases.answers or self.next_frame or self.http.unsent():
            self.now = min(end, self.now + TICK)
        else:
            due = [part.next_due() for part in (self.timers, self.menus, self.http, self.databases)]
            due = [moment for moment in due if moment is not None]
            moment = min(due) if due else end
            # Timers are looked at ten times a second, and a frame takes its time.
            self.now = min(end, max(self.now + self.stride, moment))
        self._frame()

    # Calls into plugins
    def call(self, plugin, address, *args):
        """Calls a function; answers (result, whether it ended well)."""
        return call_with(plugin, address, args)

    def fire(self, name, *args):
        """Calls every plugin's function of a name."""
        return Forward(self, name, IGNORE, []).fire(args)[0]

    def fire_hook(self, name, *args):
        return Forward(self, name, HOOK, []).fire(args)

    def spent(self, plugin, cost, name):
        # A call inside another one is counted by the outer one of the same machine already.
        if not any(p is plugin for p in self.running[:-1]) and self.mapped:
            self.budget.add(plugin, cost, name)

    def pending_cells(self):
        """Cells that the host will hand back to plugins."""
        for _, _, data in self.next_frame:
            yield data
        yield from self.http.pending_cells()
        yield from self.databases.pending_cells()

    def language_of(self, index):
        client = self.clients.get(index) if index else None
        return client.language if client is not None and client.language in LANGUAGES else self.server_language

    def close(self):
        """The machine loses its power: nobody is told anything."""
        if not self.closed:
            self.closed = True
            self.http.close()
            self.databases.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


__all__ = ["AlreadyTold", "BEGIN", "Host", "LoadError", "PRECISION", "TICK"]
