"""Loading and unloading of plugins, maps and their configurations."""

from .errors import AlreadyTold, LoadError, NativeError, PluginError
from .natives.sharing import Invocation
from .plugin import CREATED, FAILED, LOADED, RUNNING, Plugin
from .registry import NATIVES

APLRES_SUCCESS = 0


class Loading:
    """Part of the host: the life of plugins."""

    def load_all(self, paths):
        """The server starts with these plugins, then the first map."""
        loaded = [self._first(path, late=False) for path in paths]
        for plugin in loaded:
            self._second(plugin)
        for plugin in loaded:
            plugin.run_public("OnAllPluginsLoaded")
        self.start_map(self.map)
        return loaded

    def load(self, path):
        """`sm plugins load` on a server that runs: late."""
        plugin = self._first(path, late=True)
        self._second(plugin)
        if self.mapped:
            plugin.run_public("OnMapStart")
        plugin.run_public("OnAllPluginsLoaded")
        if self.mapped:
            self._configure(plugin)
            for client in self.clients.all():
                self._late_client(plugin, client)
        return plugin

    def _late_client(self, plugin, client):
        plugin.run_public("OnClientConnected", client.index)
        if client.in_game:
            plugin.run_public("OnClientPutInServer", client.index)
        if client.authorised:
            plugin.run_public("OnClientPostAdminCheck", client.index)

    def _first(self, path, late):
        plugin = Plugin(self, path)
        self.plugins.append(plugin)
        plugin.machine.host = self
        for name, at in plugin.publics.items():
            if name.startswith("__pl_") and name.endswith("_SetNTVOptional"):
                self._bind(plugin)
                plugin.run(at, [])
        self._bind(plugin)
        at = plugin.publics.get("AskPluginLoad2")
        if at is not None:
            buffer = plugin.machine.take(256)
            result, good = plugin.run(at, [1, int(late), buffer, 256])
            if not good or result != APLRES_SUCCESS:
                reason = plugin.machine.text(buffer)
                self._forget(plugin)
                raise LoadError(f"{plugin.file}: {reason or 'AskPluginLoad2 failed'}")
        plugin.status = LOADED
        return plugin

    def _second(self, plugin):
        self._bind(plugin)
        missing = self._missing(plugin)
        if missing:
            self._forget(plugin)
            raise LoadError(f'{plugin.file}: Native "{missing[0]}" was not found ({len(missing)} in all)')
        for name, at in plugin.image.variables.items():
            if name.startswith("__pl_"):
                self._require_library(plugin, at)
        plugin.status = RUNNING
        _, good = plugin.run_public("OnPluginStart")
        if not good or plugin.status == FAILED:
            self.unload(plugin, tell=False)
            raise LoadError(f"{plugin.file}: {plugin.error or self.errors[-1:]}")
        for library in plugin.libraries:
            self.libraries[library] = plugin
            self.fire("OnLibraryAdded", library)
        self._rebind_all()

    def _require_library(self, plugin, at):
        name, file, required = plugin.machine.array(at, 3)
        library = plugin.machine.text(name)
        known = library in self.libraries or any(library in other.libraries for other in self.plugins)
        if required and not known:
            self._forget(plugin)
            raise LoadError(f'{plugin.file}: Could not find required plugin "{library}"')

    def _missing(self, plugin):
        return [name for name, function in zip(plugin.image.natives, plugin.machine.natives)
                if function is None and name not in plugin.optional]

    def _bind(self, plugin):
        for index, name in enumerate(plugin.image.natives):
            plugin.machine.natives[index] = self._native(plugin, name)

    def _rebind_all(self):
        for plugin in self.plugins:
            self._bind(plugin)

    def _native(self, plugin, name):
        function = NATIVES.get(name)
        if function is not None:
            return function
        for other in self.plugins:
            if name in other.offered:
                return self._offered(other, name)
        return unbound if name in plugin.optional else None

    def _offered(self, owner, name):
        def through(machine, *cells):
            return natives_call(owner, owner.offered[name], machine, cells)
        return through

    def find_native(self, name):
        return name in NATIVES or any(name in plugin.offered and plugin.status in (RUNNING, LOADED)
                                      for plugin in self.plugins)

    def unload(self, plugin, tell=True):
        """`sm plugins unload`: its handles, commands, hooks and natives go with it."""
        if plugin not in self.plugins:
            return
        for library in plugin.libraries:
            if self.libraries.get(library) is plugin:
                del self.libraries[library]
                self.fire("OnLibraryRemoved", library)
        plugin.leaving = True
        self.databases.finish(plugin)
        if tell:
            plugin.run_public("OnPluginEnd")
        dependent = [other for other in self.plugins if other is not plugin and any(
            name in plugin.offered and name not in other.optional for name in other.image.natives)]
        self._forget(plugin)
        # A plugin that needs a native which is gone fails; it runs again when the native is back.
        for other in dependent:
            other.status, other.error = CREATED, f'Native of "{plugin.file}" is gone'

    def _forget(self, plugin):
        if plugin in self.plugins:
            self.plugins.remove(plugin)
        plugin.status = CREATED
        self.menus.drop(plugin)
        self.console.drop(plugin)
        for convar in self.convars.all():
            convar.hooks = [hook for hook in convar.hooks if hook[0] is not plugin]
        for forward in list(self.forwards):
            forward.drop(plugin)
        self.next_frame = [row for row in self.next_frame if row[0] is not plugin]
        self.http.drop(plugin)
        self.databases.drop(plugin)
        self.handles.free_all_of(plugin)
        self._rebind_all()

    def reload(self, plugin):
        """`sm plugins reload`."""
        self.unload(plugin)
        fresh = self.load(plugin.path)
        for other in self.plugins:
            if other.status == CREATED and other.error and not self._missing(other):
                other.status, other.error = RUNNING, ""
        return fresh

    # Maps
    def start_map(self, name):
        self.map = name
        self.mapped = True
        self.fire("OnMapStart")
        self.execute_file(self.folder / "cfg" / "server.cfg")
        self.fire("OnAutoConfigsBuffered")
        for plugin in list(self.plugins):
            self._configure(plugin, tell=False)
        self.fire("OnConfigsExecuted")

    def change_map(self, name):
        """Everybody is thrown out of the game and comes back on the next map."""
        self.fire("OnMapEnd")
        self.timers.end_map()
        back = self.clients.all()
        for client in back:
            self.clients.disconnect(client)
        # Engine time begins anew with each map in the real server; GetEngineTime does not.
        self.start_map(name)
        return [self.clients.connect(c.name, c.steam_id, bot=c.bot, language=c.language) for c in back]

    def _configure(self, plugin, tell=True):
        for name, create in plugin.configs:
            path = self.folder / "cfg" / "sourcemod" / f"{name}.cfg"
            if not path.exists() and create:
                names = [c for c in self.convars.all() if getattr(c, "maker", None) == plugin.file]
                path.write_text(self.convars.text_of_config(plugin, names), encoding="utf-8")
            self.execute_file(path)
        if tell:
            plugin.run_public("OnAutoConfigsBuffered")
            plugin.run_public("OnConfigsExecuted")

    def execute_file(self, path):
        """`exec`: each line is a command of the server."""
        if not path.exists():
            return
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.strip() and not line.strip().startswith("//"):
                self.console.run(line, 0, False)


def unbound(_machine, *_cells):
    raise NativeError("Native is not bound")


def natives_call(owner, number, machine, cells):
    """Runs a native that a plugin implements; its error ends the caller's callback as well."""
    if not owner.running:
        raise NativeError("Native is not bound")
    host = owner.host
    host.invocations.append(Invocation(machine, cells))
    try:
        value, good = owner.run(owner.function(number), [host.handle_of(machine.plugin), len(cells)])
    except PluginError:
        good, value = False, 0
    finally:
        invocation = host.invocations.pop()
    if invocation.thrown is not None:
        raise NativeError(invocation.thrown)
    if not good:
        raise AlreadyTold(f"native of {owner.file} failed")
    return value
