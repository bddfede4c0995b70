"""Natives, forwards, functions and libraries between plugins."""

from ..errors import NativeError
from ..formatting import format_text
from ..forwards import Argument, Call, Forward

from ..registry import native


class Invocation:
    """A native of a plugin while it runs: who called, with which cells, and what it throws."""

    def __init__(self, machine, cells):
        self.machine, self.cells, self.thrown = machine, cells, None

    def cell(self, index):
        if not 1 <= index <= len(self.cells):
            raise NativeError(f"Invalid parameter number: {index}")
        return self.cells[index - 1]


def current(m):
    if not m.host.invocations:
        raise NativeError("Not called from inside a native function")
    return m.host.invocations[-1]


@native("CreateNative")
def create_native(m, name, function):
    m.plugin.offered[m.text(name)] = function


@native("GetNativeCell")
def get_native_cell(m, index):
    return current(m).cell(index)


@native("GetNativeCellRef")
def get_native_cell_ref(m, index):
    call = current(m)
    return call.machine.cell(call.cell(index))


@native("SetNativeCellRef")
def set_native_cell_ref(m, index, value):
    call = current(m)
    call.machine.put_cell(call.cell(index), value)


@native("GetNativeFunction")
def get_native_function(m, index):
    return current(m).cell(index)


@native("GetNativeStringLength")
def get_native_string_length(m, index, length):
    call = current(m)
    m.put_cell(length, len(call.machine.raw(call.cell(index))))
    return 0


@native("GetNativeString")
def get_native_string(m, index, buffer, size, written=0):
    call = current(m)
    count = m.put(buffer, size, call.machine.raw(call.cell(index)))
    if written:
        m.put_cell(written, count)
    return 0


@native("SetNativeString")
def set_native_string(m, index, text, size, utf8=1, written=0):
    call = current(m)
    count = call.machine.put(call.cell(index), size, m.raw(text))
    if written:
        m.put_cell(written, count)
    return 0


@native("GetNativeArray")
def get_native_array(m, index, array, count):
    call = current(m)
    m.put_array(array, call.machine.array(call.cell(index), count))
    return 0


@native("SetNativeArray")
def set_native_array(m, index, array, count):
    call = current(m)
    call.machine.put_array(call.cell(index), m.array(array, count))
    return 0


@native("IsNativeParamNullString", "IsNativeParamNullVector")
def is_native_param_null(m, index):
    return int(current(m).cell(index) == 0)


@native("FormatNativeString")
def format_native_string(m, out, form, first, size, written=0, buffer=0, format=0):
    call = current(m)
    text = call.machine.text(call.cell(form)) if form else m.text(format)
    result = format_text(call.machine, text, call.cells[first - 1:])
    target = (call.machine, call.cell(out)) if out else (m, buffer)
    count = target[0].put(target[1], size, result)
    if written:
        m.put_cell(written, count)
    return 0


@native("ThrowNativeError")
def throw_native_error(m, code, form, *args):
    current(m).thrown = format_text(m, m.text(form), args)
    return 0


# Forwards
@native("GlobalForward.GlobalForward", "CreateGlobalForward")
def create_global_forward(m, name, kind, *params):
    return new_forward(m, m.text(name), kind, params)


@native("PrivateForward.PrivateForward", "CreateForward")
def create_private_forward(m, kind, *params):
    return new_forward(m, None, kind, params)


def new_forward(m, name, kind, params):
    forward = Forward(m.host, name, kind, [m.cell(at) for at in params])
    m.host.forwards.add(forward)
    return m.host.handles.new("Forward" if name is None else "GlobalForward", forward, m.plugin)


def private(m, handle):
    return m.host.handles.read(handle, "Forward")


@native("PrivateForward.AddFunction", "AddToForward")
def add_function(m, handle, plugin, function):
    owner = m.host.handles.read(plugin, "Plugin") if plugin else m.plugin
    if owner.function(function) is None:
        raise NativeError(f"Invalid function id ({function & 0xFFFFFFFF:X})")
    private(m, handle).functions.append((owner, function))
    return 1


@native("PrivateForward.RemoveFunction", "RemoveFromForward")
def remove_function(m, handle, plugin, function):
    owner = m.host.handles.read(plugin, "Plugin") if plugin else m.plugin
    functions = private(m, handle).functions
    if (owner, function) not in functions:
        return 0
    functions.remove((owner, function))
    return 1


@native("PrivateForward.RemoveAllFunctions", "RemoveAllFromForward")
def remove_all(m, handle, plugin):
    private(m, handle).drop(m.host.handles.read(plugin, "Plugin"))


@native("GlobalForward.FunctionCount.get", "PrivateForward.FunctionCount.get", "GetForwardFunctionCount")
def function_count(m, handle):
    return len(m.host.handles.read(handle, "Forward", "GlobalForward").targets())


# Calls
@native("Call_StartForward")
def start_forward(m, handle):
    m.host.calls.append(Call(forward=m.host.handles.read(handle, "Forward", "GlobalForward")))


@native("Call_StartFunction")
def start_function(m, plugin, function):
    owner = m.host.handles.read(plugin, "Plugin") if plugin else m.plugin
    address = owner.function(function)
    if address is None:
        raise NativeError(f"Invalid function id ({function & 0xFFFFFFFF:X})")
    m.host.calls.append(Call(plugin=owner, address=address))


def building(m):
    if not m.host.calls:
        raise NativeError("Cannot push parameters when there is no call in progress")
    return m.host.calls[-1].args


@native("Call_PushCell", "Call_PushFloat")
def push_cell(m, value):
    building(m).append(value)


@native("Call_PushCellRef", "Call_PushFloatRef")
def push_cell_ref(m, at):
    building(m).append(Argument("array", [m.cell(at)], 1, lambda values: m.put_cell(at, values[0])))


@native("Call_PushString")
def push_string(m, text):
    building(m).append(Argument("string", m.raw(text)))


@native("Call_PushNullString", "Call_PushNullVector")
def push_null(m):
    building(m).append(0)


@native("Call_PushStringEx")
def push_string_ex(m, text, size, flags, copy_back):
    back = (lambda raw: m.put(text, size, raw)) if copy_back & 1 else None
    building(m).append(Argument("string", m.raw(text), size, back))


@native("Call_PushArray")
def push_array(m, array, count):
    building(m).append(Argument("array", m.array(array, count), count))


@native("Call_PushArrayEx")
def push_array_ex(m, array, count, copy_back):
    back = (lambda values: m.put_array(array, values)) if copy_back & 1 else None
    building(m).append(Argument("array", m.array(array, count), count, back))


@native("Call_Finish")
def call_finish(m, result=0):
    if not m.host.calls:
        raise NativeError("Cannot finish call when there is no call in progress")
    value, good = m.host.calls.pop().run()
    if result:
        m.put_cell(result, value)
    return 0 if good else 23


@native("Call_Cancel")
def call_cancel(m):
    m.host.calls.pop()


@native("GetFunctionByName")
def get_function_by_name(m, plugin, name):
    owner = m.host.handles.read(plugin, "Plugin") if plugin else m.plugin
    return owner.number(m.text(name))


@native("RequestFrame")
def request_frame(m, function, data=0):
    address = m.plugin.function(function)
    if address is None:
        raise NativeError(f"Invalid function id ({function & 0xFFFFFFFF:X})")
    m.host.next_frame.append((m.plugin, address, data))


# Libraries and plugins
@native("RegPluginLibrary")
def reg_plugin_library(m, name):
    m.plugin.libraries.append(m.text(name))


@native("LibraryExists")
def library_exists(m, name):
    name = m.text(name)
    return int(name in m.host.libraries or name == "ripext")


@native("GetMyHandle")
def get_my_handle(m):
    return m.host.handle_of(m.plugin)


@native("GetPluginFilename")
def get_plugin_filename(m, plugin, buffer, size):
    owner = m.host.handles.read(plugin, "Plugin") if plugin else m.plugin
    m.put(buffer, size, owner.file)


@native("GetPluginInfo")
def get_plugin_info(m, plugin, which, buffer, size):
    owner = m.host.handles.read(plugin, "Plugin") if plugin else m.plugin
    field = ("name", "author", "description", "version", "url")[which]
    m.put(buffer, size, owner.info().get(field, ""))
    return 1


@native("GetPluginStatus")
def get_plugin_status(m, plugin):
    return (m.host.handles.read(plugin, "Plugin") if plugin else m.plugin).status


@native("FindPluginByFile")
def find_plugin_by_file(m, name):
    name = m.text(name)
    for plugin in m.host.plugins:
        if plugin.file in (name, name + ".smx"):
            return m.host.handle_of(plugin)
    return 0


def iterator(m):
    return m.host.handles.new("PluginIterator", [m.host.handle_of(p) for p in m.host.plugins], m.plugin)


native("GetPluginIterator")(iterator)


@native("MorePlugins")
def more_plugins(m, handle):
    return int(bool(m.host.handles.read(handle, "PluginIterator")))


@native("ReadPlugin")
def read_plugin(m, handle):
    return m.host.handles.read(handle, "PluginIterator").pop(0)


