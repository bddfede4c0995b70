"""Forwards: calls from one plugin, or from the host, into functions of others."""

from .errors import NativeError

IGNORE, SINGLE, EVENT, HOOK, LOW_EVENT = 0, 1, 2, 3, 4
ANY, CELL, FLOAT, STRING, ARRAY, VARARGS, CELL_REF, FLOAT_REF = 0, 2, 4, 7, 9, 10, 3, 5


class Forward:
    """A forward by name (global), or with functions that were added to it (private)."""

    def __init__(self, host, name, kind, params):
        self.host, self.name, self.kind, self.params = host, name, kind, params
        self.functions = []

    def on_free(self):
        self.functions = []
        self.host.forwards.discard(self)

    def targets(self):
        """Pairs of plugin and address, in the order in which they are called."""
        if self.name is not None:
            return [(plugin, plugin.publics[self.name]) for plugin in list(self.host.plugins)
                    if plugin.running and self.name in plugin.publics]
        return [(plugin, plugin.function(number)) for plugin, number in list(self.functions)
                if plugin in self.host.plugins]

    def drop(self, plugin):
        self.functions = [pair for pair in self.functions if pair[0] is not plugin]

    def fire(self, args):
        """Calls everybody; answers the result its kind takes, and whether all went well."""
        result, high, good = 0, 0, True
        for plugin, address in self.targets():
            value, fine = call_with(plugin, address, args)
            good = good and fine
            if not fine:
                continue
            result = value
            if value > high:
                high = value
            if self.kind == HOOK and value == 4:
                break
        return (high if self.kind in (HOOK, EVENT) else result), good


class Argument:
    """What a caller has pushed: a cell, text, an array, or a reference that is copied back."""

    def __init__(self, kind, value, size=0, copy_back=None):
        self.kind, self.value, self.size, self.copy_back = kind, value, size, copy_back


def call_with(plugin, address, args):
    """Calls a function of a plugin with pushed arguments, which live on its heap meanwhile."""
    machine = plugin.machine
    hea = machine.hea
    cells, back = [], []
    try:
        for arg in args:
            if isinstance(arg, int):
                cells.append(arg)
            elif isinstance(arg, str):
                cells.append(_string(machine, arg.encode("utf-8", "surrogateescape"), 0))
            elif arg.kind == "cell":
                cells.append(arg.value)
            elif arg.kind == "string":
                cells.append(_string(machine, arg.value, arg.size))
                back.append((arg, cells[-1]))
            else:
                at = machine.take(max(4, 4 * len(arg.value)))
                machine.put_array(at, arg.value)
                cells.append(at)
                back.append((arg, at))
        value, good = plugin.run(address, cells)
        if good:
            for arg, at in back:
                if arg.copy_back is not None:
                    read = machine.raw(at) if arg.kind == "string" else machine.array(at, len(arg.value))
                    arg.copy_back(read)
        return value, good
    finally:
        machine.hea = hea


def _string(machine, raw, size):
    room = max(size, len(raw) + 1)
    at = machine.take(room)
    machine.put(at, room, raw)
    return at


class Call:
    """A call that a plugin is putting together between Call_Start… and Call_Finish."""

    def __init__(self, forward=None, plugin=None, address=None):
        self.forward, self.plugin, self.address, self.args = forward, plugin, address, []

    def run(self):
        if self.forward is not None:
            return self.forward.fire(self.args)
        if self.address is None or not self.plugin.running:
            raise NativeError("Plugin is not runnable")
        return call_with(self.plugin, self.address, self.args)
