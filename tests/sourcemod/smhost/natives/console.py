"""Commands and console variables."""

from ..convars import integer_of, number_of, trim
from ..errors import NativeError
from ..formatting import format_text
from ..machine import to_cell, to_float
from ..registry import native
from .people import client


@native("RegConsoleCmd")
def reg_console_cmd(m, name, function, description=0, flags=0):
    register(m, name, function, description, 0, "any")


@native("RegServerCmd")
def reg_server_cmd(m, name, function, description=0, flags=0):
    register(m, name, function, description, 0, "server")


@native("RegAdminCmd")
def reg_admin_cmd(m, name, function, admin_flags, description=0, group=0, flags=0):
    register(m, name, function, description, admin_flags, "any")


def register(m, name, function, description, flags, kind):
    if m.plugin.function(function) is None:
        raise NativeError(f"Invalid function id ({function & 0xFFFFFFFF:X})")
    text = m.text(description) if description else ""
    m.host.console.register(m.plugin, function, m.text(name), text, flags, kind)


@native("AddCommandListener")
def add_command_listener(m, function, name=0):
    m.host.console.listeners.setdefault(m.text(name).lower(), []).append((m.plugin, function))
    return 1


@native("RemoveCommandListener")
def remove_command_listener(m, function, name=0):
    m.host.console.listeners[m.text(name).lower()].remove((m.plugin, function))


@native("CommandExists")
def command_exists(m, name):
    return int(m.text(name).lower() in m.host.console.commands)


def line(m):
    if not m.host.console.current:
        raise NativeError("No command callback available")
    return m.host.console.current[-1]


@native("GetCmdArgs")
def get_cmd_args(m):
    return len(line(m).words) - 1


@native("GetCmdArg")
def get_cmd_arg(m, index, buffer, size):
    words = line(m).words
    return m.put(buffer, size, words[index] if index < len(words) else "")


@native("GetCmdArgString")
def get_cmd_arg_string(m, buffer, size):
    return m.put(buffer, size, line(m).rest)


@native("ServerCommand", "InsertServerCommand")
def server_command(m, form, *args):
    # It runs after the frame; here, in the next one.
    m.host.later_commands.append(format_text(m, m.text(form), args))


@native("ServerExecute")
def server_execute(m):
    m.host.run_commands()


@native("FakeClientCommand", "ClientCommand", "FakeClientCommandEx")
def fake_client_command(m, index, form, *args):
    m.host.console.run(format_text(m, m.text(form), args), client(m, index).index, False)


# ConVars
@native("CreateConVar")
def create_con_var(m, name, default, description=0, flags=0, has_low=0, low=0, has_high=0, high=0):
    text = m.text(description) if description else ""
    found = m.host.convars.create(m.text(name), m.text(default), text, flags,
                                  to_float(low) if has_low else None, to_float(high) if has_high else None)
    found.maker = m.plugin.file
    return found.handle


@native("FindConVar")
def find_con_var(m, name):
    found = m.host.convars.find(m.text(name))
    return found.handle if found else 0


def convar(m, handle):
    return m.host.handles.read(handle, "ConVar")


@native("ConVar.IntValue.get", "GetConVarInt")
def get_int(m, handle):
    return integer_of(convar(m, handle).value)


@native("ConVar.BoolValue.get", "GetConVarBool")
def get_bool(m, handle):
    return int(integer_of(convar(m, handle).value) != 0)


@native("ConVar.FloatValue.get", "GetConVarFloat")
def get_float(m, handle):
    return to_cell(number_of(convar(m, handle).value))


@native("ConVar.GetString", "GetConVarString")
def get_string(m, handle, buffer, size):
    return m.put(buffer, size, convar(m, handle).value)


@native("ConVar.GetDefault", "GetConVarDefault")
def get_default(m, handle, buffer, size):
    return m.put(buffer, size, convar(m, handle).default)


@native("ConVar.GetName", "GetConVarName")
def get_name(m, handle, buffer, size):
    return m.put(buffer, size, convar(m, handle).name)


@native("ConVar.IntValue.set")
def set_int_value(m, handle, value):
    convar(m, handle).set(str(value))


@native("ConVar.BoolValue.set")
def set_bool_value(m, handle, value):
    convar(m, handle).set(str(int(bool(value))))


@native("ConVar.FloatValue.set")
def set_float_value(m, handle, value):
    convar(m, handle).set(trim(to_float(value)))


@native("SetConVarInt", "ConVar.SetInt", "SetConVarBool", "ConVar.SetBool")
def set_int(m, handle, value, replicate=0, notify=0):
    convar(m, handle).set(str(value))


@native("SetConVarFloat", "ConVar.SetFloat")
def set_float(m, handle, value, replicate=0, notify=0):
    convar(m, handle).set(trim(to_float(value)))


@native("SetConVarString", "ConVar.SetString")
def set_string(m, handle, text, replicate=0, notify=0):
    convar(m, handle).set(m.text(text))


@native("ResetConVar", "ConVar.RestoreDefault")
def reset(m, handle, *_):
    found = convar(m, handle)
    found.set(found.default)


@native("ConVar.Flags.get", "GetConVarFlags")
def get_flags(m, handle):
    return convar(m, handle).flags


@native("ConVar.Flags.set", "SetConVarFlags")
def set_flags(m, handle, flags):
    convar(m, handle).flags = flags


@native("ConVar.GetBounds", "GetConVarBounds")
def get_bounds(m, handle, kind, value):
    found = convar(m, handle)
    bound = found.high if kind == 0 else found.low
    if bound is None:
        return 0
    m.put_cell(value, to_cell(bound))
    return 1


@native("ConVar.SetBounds", "SetConVarBounds")
def set_bounds(m, handle, kind, is_set, value=0):
    found = convar(m, handle)
    bound = to_float(value) if is_set else None
    if kind == 0:
        found.high = bound
    else:
        found.low = bound


@native("ConVar.AddChangeHook", "HookConVarChange")
def add_change_hook(m, handle, function):
    convar(m, handle).hooks.append((m.plugin, function))


@native("ConVar.RemoveChangeHook", "UnhookConVarChange")
def remove_change_hook(m, handle, function):
    convar(m, handle).hooks.remove((m.plugin, function))


@native("AutoExecConfig")
def auto_exec_config(m, create=1, name=0, folder=0):
    text = m.text(name) if name else ""
    m.plugin.configs.append((text or "plugin." + m.plugin.file.rsplit(".", 1)[0], bool(create)))
