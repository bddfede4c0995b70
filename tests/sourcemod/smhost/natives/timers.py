"""Timers."""

from ..errors import NativeError
from ..machine import to_float
from ..registry import native


@native("CreateTimer")
def create_timer(m, interval, function, data=0, flags=0):
    address = m.plugin.function(function)
    if address is None:
        raise NativeError(f"Invalid function id ({function & 0xFFFFFFFF:X})")
    return m.host.timers.create(m.plugin, to_float(interval), address, data, flags)


@native("KillTimer")
def kill_timer(m, handle, close=0):
    timer = m.host.handles.read(handle, "Timer")
    data = timer.data
    m.host.handles.free(handle)
    if close and data:
        m.host.handles.free(data)


@native("TriggerTimer")
def trigger_timer(m, handle, reset=0):
    timer = m.host.handles.read(handle, "Timer")
    m.host.timers.fire(timer)
    if reset and not timer.dead:
        timer.due = m.host.now + timer.interval
