"""Timers on the host's clock."""

REPEAT, NO_MAPCHANGE, CLOSE_DATA = 1 << 0, 1 << 1, 1 << 9
STOP = 4
# SourceMod looks at timers ten times a second.
PRECISION = 0.1


class Timer:
    """A timer of a plugin."""

    kept_by_host = True

    def __init__(self, timers, plugin, function, interval, data, flags):
        self.timers, self.plugin, self.function = timers, plugin, function
        self.interval, self.data, self.flags = max(interval, PRECISION), data, flags
        self.due = timers.host.now + self.interval
        self.handle = 0
        self.firing = self.dead = False

    def cells(self):
        return (self.data,)

    def on_free(self):
        """`delete` or KillTimer: it never fires again."""
        if self.dead:
            return
        self.dead = True
        self.timers.forget(self)


class Timers:
    """All timers of a host."""

    def __init__(self, host):
        self.host, self._all = host, []

    def create(self, plugin, interval, function, data, flags):
        timer = Timer(self, plugin, function, interval, data, flags)
        timer.handle = self.host.handles.new("Timer", timer, plugin)
        self._all.append(timer)
        return timer.handle

    def forget(self, timer):
        self._all.remove(timer)
        if timer.flags & CLOSE_DATA and timer.data and not timer.firing:
            self.host.handles.free(timer.data)

    def next_due(self):
        return min((timer.due for timer in self._all if not timer.firing), default=None)

    def fire_due(self):
        for timer in sorted(self._all, key=lambda t: t.due):
            if timer.due <= self.host.now + 1e-9 and not timer.dead and not timer.firing:
                self.fire(timer)

    def fire(self, timer):
        timer.firing = True
        value, good = timer.plugin.run(timer.function, [timer.handle, timer.data])
        timer.firing = False
        if timer.dead:
            if timer.flags & CLOSE_DATA and timer.data:
                self.host.handles.free(timer.data)
            return
        if timer.flags & REPEAT and good and value != STOP:
            timer.due = self.host.now + timer.interval
        else:
            self.host.handles.free(timer.handle)

    def end_map(self):
        """Map change: timers that are not to live on are killed."""
        for timer in [t for t in self._all if t.flags & NO_MAPCHANGE]:
            self.host.handles.free(timer.handle)
