"""Time, chance, numbers, handles, files and logs."""

import math
import time

from ..budget import READ
from ..errors import PluginError
from ..formatting import format_text
from ..machine import to_cell, to_float, wrap
from ..plugin import FAILED
from ..registry import constant, native
from ..translate import FLOATS

constant(1, "VerifyCoreVersion", "IsServerProcessing")
constant(0, "RequireFeature", "SetEventBroadcast", "PrecacheSound", "AddFileToDownloadsTable",
         "EmitSound", "PrecacheModel", "HookEventEx", "HookEvent", "UnhookEvent")


@native("MarkNativeAsOptional")
def mark_native_as_optional(m, name):
    m.plugin.optional.add(m.text(name))


@native("GetTime")
def get_time(m, bits=0):
    # The second argument gets the upper half of a 64-bit time.
    if bits:
        m.put_array(bits, [wrap(int(m.host.unix) & 0xFFFFFFFF), 0])
    return wrap(int(m.host.unix))


@native("GetEngineTime", "GetGameTime", "GetTickedTime")
def get_engine_time(m):
    return to_cell(m.host.now)


@native("GetGameTickCount")
def get_game_tick_count(m):
    return int(m.host.now * 66)


@native("FormatTime")
def format_time(m, buffer, size, form, stamp=-1):
    moment = time.gmtime(m.host.unix if stamp == -1 else stamp)
    text = m.text(form) if form else "%m/%d/%Y - %H:%M:%S"
    m.put(buffer, size, time.strftime(text, moment))


@native("GetURandomInt")
def get_urandom_int(m):
    return m.host.random.getrandbits(31)


@native("GetURandomFloat")
def get_urandom_float(m):
    return to_cell(m.host.random.random())


@native("GetRandomInt")
def get_random_int(m, low, high):
    return m.host.random.randint(low, high) if low <= high else low


@native("GetRandomFloat")
def get_random_float(m, low=0, high=0x3F800000):
    return to_cell(m.host.random.uniform(to_float(low), to_float(high)))


constant(0, "SetURandomSeed", "SetRandomSeed")


@native("float")
def as_float(m, value):
    return to_cell(float(value))


# Translated code does these itself; they are here to be found.
for _name in FLOATS:
    native(_name)(lambda m, a, b: 0)


@native("FloatDiv")
def float_div(m, a, b):
    a, b = to_float(a), to_float(b)
    if b == 0:
        return to_cell(math.nan if a == 0 or math.isnan(a) else math.copysign(math.inf, a))
    return to_cell(a / b)


@native("__FLOAT_NOT__")
def float_not(m, a):
    return int(to_float(a) == 0)


@native("FloatAbs")
def float_abs(m, a):
    return to_cell(abs(to_float(a)))


@native("RoundToNearest")
def round_to_nearest(m, a):
    return wrap(math.floor(to_float(a) + 0.5))


@native("RoundToFloor")
def round_to_floor(m, a):
    return wrap(math.floor(to_float(a)))


@native("RoundToCeil")
def round_to_ceil(m, a):
    return wrap(math.ceil(to_float(a)))


@native("RoundToZero")
def round_to_zero(m, a):
    return wrap(int(to_float(a)))


@native("Pow")
def power(m, a, b):
    try:
        return to_cell(float(to_float(a) ** to_float(b)))
    except OverflowError:
        return to_cell(math.inf)


@native("Exponential")
def exponential(m, a):
    return to_cell(math.exp(min(88.0, to_float(a))))


@native("Logarithm")
def logarithm(m, a, base=0x41200000):
    return to_cell(math.log(to_float(a), to_float(base)))


@native("SquareRoot")
def square_root(m, a):
    return to_cell(math.sqrt(to_float(a)))


@native("FloatFraction")
def float_fraction(m, a):
    return to_cell(math.modf(to_float(a))[0])


# Handles
@native("CloseHandle", "Handle.~Handle", "Handle.Close")
def close_handle(m, handle):
    return m.host.handles.close(handle, m.plugin)


@native("CloneHandle")
def clone_handle(m, handle, plugin=0):
    owner = m.host.handles.read(plugin, "Plugin") if plugin else m.plugin
    return m.host.handles.clone(handle, owner)


@native("IsValidHandle")
def is_valid_handle(m, handle):
    return int(m.host.handles.kind(handle) is not None)


# Logs and errors
@native("LogMessage")
def log_message(m, form, *args):
    m.host.log(m.plugin, "message", f"[{m.plugin.file}] {format_text(m, m.text(form), args)}")


@native("LogError")
def log_error(m, form, *args):
    m.host.log(m.plugin, "error", f"[{m.plugin.file}] {format_text(m, m.text(form), args)}")


@native("LogAction")
def log_action(m, client, target, form, *args):
    m.host.log(m.plugin, "action", f"[{m.plugin.file}] {format_text(m, m.text(form), args)}")


@native("LogToGame")
def log_to_game(m, form, *args):
    m.host.log(m.plugin, "game", format_text(m, m.text(form), args))


@native("LogToFile", "LogToFileEx")
def log_to_file(m, file, form, *args):
    m.host.log(m.plugin, m.text(file), format_text(m, m.text(form), args))


@native("ThrowError")
def throw_error(m, form, *args):
    raise PluginError(format_text(m, m.text(form), args))


@native("SetFailState")
def set_fail_state(m, form, *args):
    m.plugin.status, m.plugin.error = FAILED, format_text(m, m.text(form), args)
    raise PluginError(m.plugin.error)


# Files
@native("BuildPath")
def build_path(m, kind, buffer, size, form, *args):
    m.put(buffer, size, "addons/sourcemod/" + format_text(m, m.text(form), args))


def real(m, path):
    return m.host.folder / m.text(path)


@native("FileExists")
def file_exists(m, path, *_):
    m.n += READ // 10
    return int(real(m, path).is_file())


@native("DirExists")
def dir_exists(m, path, *_):
    return int(real(m, path).is_dir())


@native("DeleteFile")
def delete_file(m, path, *_):
    try:
        real(m, path).unlink()
        return 1
    except OSError:
        return 0


@native("RenameFile")
def rename_file(m, new, old, *_):
    try:
        real(m, old).rename(real(m, new))
        return 1
    except OSError:
        return 0


@native("CreateDirectory")
def create_directory(m, path, mode=0, *_):
    real(m, path).mkdir(parents=True, exist_ok=True)
    return 1


@native("GetFileTime")
def get_file_time(m, path, kind):
    try:
        return int(real(m, path).stat().st_mtime)
    except OSError:
        return -1


@native("FileSize")
def file_size(m, path, *_):
    try:
        return real(m, path).stat().st_size
    except OSError:
        return -1


@native("GetCommandLine")
def get_command_line(m, buffer, size):
    m.put(buffer, size, "srcds")
    return 1


@native("GetFeatureStatus")
def get_feature_status(m, kind, name):
    # 0: there; 1: unbound; 2: unknown.
    return 0 if m.host.find_native(m.text(name)) else 2
