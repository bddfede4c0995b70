"""The table of handles: who owns what, and what nobody can reach any more."""

import collections
import random

from .errors import NativeError

# SourceMod's numbers of what is wrong with a handle.
CHANGED, WRONG_TYPE, FREED, NO_SUCH = 1, 2, 3, 4
# A plugin that holds more is unloaded by SourceMod.
LIMIT = 16384
# These are SourceMod's own; a plugin cannot delete them.
LASTING = {"ConVar", "Plugin", "HTTPResponse", "DBDriver"}
# Any plugin may delete these.
COMMON = {"JSON", "HTTPRequest"}


class Handle:
    """One handle: a name for an object, owned by a plugin (or by SourceMod itself: None)."""

    __slots__ = ("id", "kind", "owner", "object", "site")

    def __init__(self, id, kind, owner, object, site):
        self.id, self.kind, self.owner, self.object, self.site = id, kind, owner, object, site


class Handles:
    """All handles of a host."""

    def __init__(self, host):
        self.host = host
        self._open = {}
        self._freed = collections.deque(maxlen=4096)
        self._index = 0
        # Serials as SourceMod mixes them in, so that a handle that was freed and a number that merely
        # looks like one are found out.
        self._serial = random.Random(1)

    def new(self, kind, object, owner):
        if len(self._open) >= LIMIT:
            raise NativeError(f"{LIMIT} handles are open")
        self._index = self._index % 32767 + 1
        id = self._serial.randrange(1, 1 << 14) << 16 | self._index
        while id in self._open:
            id = self._serial.randrange(1, 1 << 14) << 16 | self._index
        self._open[id] = Handle(id, kind, owner, object, owner.where() if owner else "host")
        return id

    def read(self, id, *kinds):
        """The object of a handle of one of these types."""
        handle = self._open.get(id)
        if handle is None:
            problem = FREED if id in self._freed else NO_SUCH
        elif kinds and handle.kind not in kinds:
            problem = WRONG_TYPE
        else:
            return handle.object
        raise NativeError(f"Invalid {kinds[0] if kinds else ''} Handle {id & 0xFFFFFFFF:x} (error {problem})")

    def kind(self, id):
        handle = self._open.get(id)
        return handle.kind if handle else None

    def close(self, id, by):
        """`delete` in a plugin: nothing happens to null, to SourceMod's own and, but for ripext's, to what
        another plugin owns; everything else that is no handle is an error."""
        if id == 0:
            return 0
        handle = self._open.get(id)
        if handle is None:
            problem = FREED if id in self._freed else NO_SUCH
            raise NativeError(f"Handle {id & 0xFFFFFFFF:x} is invalid (error {problem})")
        if handle.kind in LASTING or (handle.owner not in (None, by) and handle.kind not in COMMON):
            return 0
        self.free(id)
        return 1

    def free(self, id):
        handle = self._open.pop(id, None)
        if handle is None:
            return
        self._freed.append(id)
        on_free = getattr(handle.object, "on_free", None)
        if on_free is not None and not any(h.object is handle.object for h in self._sharing(handle)):
            on_free()

    def _sharing(self, handle):
        return (h for h in self._open.values() if h.object is handle.object) if handle.kind in CLONED else ()

    def clone(self, id, owner):
        handle = self._open.get(id)
        if handle is None:
            raise NativeError(f"Handle {id:x} is invalid (error {NO_SUCH})")
        CLONED.add(handle.kind)
        return self.new(handle.kind, handle.object, owner)

    def of(self, owner):
        return (handle for handle in self._open.values() if handle.owner is owner)

    def free_all_of(self, owner):
        for handle in list(self.of(owner)):
            self.free(handle.id)

    # The leak report
    def unreachable(self):
        """Handles of plugins whose number stands nowhere: in no variable, no container, nothing that
        the host still has to call back with. Nobody can ever delete those."""
        found = self._numbers()
        return [handle for handle in self._open.values()
                if handle.owner is not None and handle.kind not in LASTING
                and handle.id not in found and not self._kept(handle)]

    def _kept(self, handle):
        # SourceMod itself keeps these until they fire, end or are closed.
        return getattr(handle.object, "kept_by_host", False)

    def _numbers(self):
        found = set()
        for plugin in self.host.plugins:
            found.update(plugin.machine.cells[:plugin.image.data_size >> 2])
        for handle in self._open.values():
            cells = getattr(handle.object, "cells", None)
            if callable(cells):
                found.update(cells())
        found.update(self.host.pending_cells())
        return found

    def mark(self):
        """How many handles each place of the code has made that are open."""
        return collections.Counter((h.owner.file, h.kind, h.site) for h in self._open.values() if h.owner)

    def grown(self, mark):
        """What has become more since a mark."""
        return {key: count for key, count in (self.mark() - mark).items() if key[1] not in LASTING}


# Types of which several handles may share one object.
CLONED = {"Database"}
