"""ripext's JSON, as jansson reads and writes it."""

import json
import math

from ..budget import JSON_BYTE
from ..errors import NativeError
from ..machine import to_cell, to_float, wrap
from ..registry import native

DECODE_ANY, COMPACT, ASCII, SORTED, ENCODE_ANY, SLASH = 0x4, 0x20, 0x40, 0x80, 0x200, 0x400
LOW, HIGH = -(1 << 63), (1 << 63) - 1


class Value:
    """What a handle of JSON stands for: an object or array that others may hold too, or a plain value."""

    def __init__(self, value):
        self.value = value


def integer(text):
    number = int(text)
    if not LOW <= number <= HIGH:
        raise ValueError("too big integer" if number > 0 else "too big negative integer")
    return number


def real(text):
    number = float(text)
    if math.isinf(number):
        raise ValueError("real number overflow")
    return number


def refuse(text):
    raise ValueError(f"invalid token near '{text}'")


def parse(raw, flags=0):
    """What jansson makes of a C string. Raises NativeError for what it refuses."""
    raw = raw.split(b"\0", 1)[0]
    try:
        text = raw.decode("utf-8")
        value = json.loads(text, parse_int=integer, parse_float=real, parse_constant=refuse)
        if not isinstance(value, (dict, list)) and not flags & DECODE_ANY:
            raise ValueError("'[' or '{' expected")
        if "\\u0000" in text or "\\ud" in text.lower():
            check(value)
        return value
    except UnicodeDecodeError:
        problem = "unable to decode byte"
    except (ValueError, RecursionError) as error:
        problem = str(error)
    raise NativeError(f"Invalid JSON in line 1, column 1: {problem}")


def check(value):
    """`\\u0000` and half surrogates are refused."""
    if isinstance(value, str):
        if "\0" in value:
            raise ValueError("\\u0000 is not allowed without JSON_ALLOW_NUL")
        value.encode("utf-8")
    elif isinstance(value, list):
        for one in value:
            check(one)
    elif isinstance(value, dict):
        for key, one in value.items():
            check(key), check(one)


def write(value, flags=0):
    compact = flags & COMPACT
    indent = flags & 0x1F
    text = json.dumps(value, ensure_ascii=bool(flags & ASCII), sort_keys=bool(flags & SORTED), indent=indent or None,
                      separators=(",", ":") if compact else (",", ": ") if indent else (", ", ": "))
    return text.replace("/", "\\/") if flags & SLASH else text


def value_of(m, handle):
    return m.host.handles.read(handle, "JSON").value


def new(m, value):
    return m.host.handles.new("JSON", Value(value), m.plugin)


@native("JSONObject.JSONObject")
def new_object(m):
    return new(m, {})


@native("JSONArray.JSONArray")
def new_array(m):
    return new(m, [])


@native("JSONObject.FromString", "JSONArray.FromString")
def from_string(m, text, flags=0):
    raw = m.raw(text)
    m.n += len(raw) * JSON_BYTE
    return new(m, parse(raw, flags))


@native("JSONObject.FromFile", "JSONArray.FromFile")
def from_file(m, path, flags=0):
    file = m.host.folder / m.text(path)
    if not file.exists():
        raise NativeError(f"Invalid JSON in line -1, column -1: unable to open {m.text(path)}")
    return new(m, parse(file.read_bytes(), flags))


@native("JSON.ToString")
def to_string(m, handle, buffer, size, flags=0):
    text = write(value_of(m, handle), flags)
    m.n += len(text) * JSON_BYTE
    # Text that does not fit is cut, and that is not told.
    m.put(buffer, size, text)
    return 1


@native("JSON.ToFile")
def to_file(m, handle, path, flags=0):
    (m.host.folder / m.text(path)).write_text(write(value_of(m, handle), flags), encoding="utf-8")
    return 1


def reader(kind, find):
    """The natives that read: of an object by key, of an array by index."""
    def get(m, handle, key):
        return new(m, find(m, handle, key))

    def get_bool(m, handle, key):
        return int(find(m, handle, key) is True)

    def get_float(m, handle, key):
        value = find(m, handle, key)
        return to_cell(float(value)) if isinstance(value, (int, float)) and not isinstance(value, bool) else 0

    def get_int(m, handle, key):
        return wrap(whole(find(m, handle, key)))

    def is_null(m, handle, key):
        return int(find(m, handle, key) is None)
    for name, function in (("Get", get), ("GetBool", get_bool), ("GetFloat", get_float), ("GetInt", get_int),
                           ("IsNull", is_null)):
        native(f"{kind}.{name}")(function)


def whole(value):
    """json_integer_value: 0 for everything that is no integer."""
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def of_key(m, handle, key):
    value, key = value_of(m, handle), m.text(key)
    if not isinstance(value, dict) or key not in value:
        raise NativeError(f"Could not retrieve value for key '{key}'")
    return value[key]


def of_index(m, handle, index):
    value = value_of(m, handle)
    if not isinstance(value, list) or not 0 <= index < len(value):
        raise NativeError(f"Could not retrieve value at index {index}")
    return value[index]


reader("JSONObject", of_key)
reader("JSONArray", of_index)


@native("JSONObject.GetInt64")
def get_int64(m, handle, key, buffer, size):
    value, key = value_of(m, handle), m.text(key)
    if not isinstance(value, dict) or key not in value:
        return 0
    # A buffer of 20 bytes on the way, as in the extension.
    m.put(buffer, size, str(whole(value[key]))[:19])
    return 1


@native("JSONArray.GetInt64")
def get_int64_at(m, handle, index, buffer, size):
    m.put(buffer, size, str(whole(of_index(m, handle, index)))[:19])
    return 1


@native("JSONObject.GetString")
def get_string(m, handle, key, buffer, size):
    value = value_of(m, handle)
    text = value.get(m.text(key)) if isinstance(value, dict) else None
    if not isinstance(text, str):
        return 0
    m.put(buffer, size, text)
    return 1


@native("JSONArray.GetString")
def get_string_at(m, handle, index, buffer, size):
    text = of_index(m, handle, index)
    if not isinstance(text, str):
        return 0
    m.put(buffer, size, text)
    return 1


@native("JSONObject.HasKey")
def has_key(m, handle, key):
    value = value_of(m, handle)
    return int(isinstance(value, dict) and m.text(key) in value)


def good_text(m, at):
    """A string for jansson, or None when it is not UTF-8: then the setter answers false."""
    try:
        return m.raw(at).decode("utf-8")
    except UnicodeDecodeError:
        return None


def int64(m, at):
    digits = "".join(c for c in m.text(at).strip()[:21] if c in "-0123456789")
    return max(LOW, min(HIGH, int(digits or "0")))


MAKERS = {
    "": lambda m, cell: value_of(m, cell), "Bool": lambda m, cell: bool(cell),
    "Float": lambda m, cell: float(f"{to_float(cell):.9g}"), "Int": lambda m, cell: cell,
    "Int64": int64, "String": good_text,
}


def setters(suffix, make):
    """The natives that set: by key, by index, and at the end."""
    def by_key(m, handle, key, cell):
        target, made, key = value_of(m, handle), make(m, cell), good_text(m, key)
        if not isinstance(target, dict) or made is None or key is None or made is target:
            return 0
        target[key] = made
        return 1

    def by_index(m, handle, index, cell):
        target, made = value_of(m, handle), make(m, cell)
        if not isinstance(target, list) or made is None or not 0 <= index < len(target) or made is target:
            return 0
        target[index] = made
        return 1

    def push(m, handle, cell):
        target, made = value_of(m, handle), make(m, cell)
        if not isinstance(target, list) or made is None or made is target:
            return 0
        target.append(made)
        return 1
    native(f"JSONObject.Set{suffix}")(by_key)
    native(f"JSONArray.Set{suffix}")(by_index)
    native(f"JSONArray.Push{suffix}")(push)


for suffix, make in MAKERS.items():
    setters(suffix, make)


@native("JSONObject.SetNull")
def set_null(m, handle, key):
    value_of(m, handle)[m.text(key)] = None
    return 1


@native("JSONArray.SetNull")
def set_null_at(m, handle, index):
    value_of(m, handle)[index] = None
    return 1


@native("JSONArray.PushNull")
def push_null(m, handle):
    value_of(m, handle).append(None)
    return 1


@native("JSONObject.Remove")
def remove(m, handle, key):
    value, key = value_of(m, handle), m.text(key)
    if key not in value:
        return 0
    del value[key]
    return 1


@native("JSONArray.Remove")
def remove_at(m, handle, index):
    value = value_of(m, handle)
    if not 0 <= index < len(value):
        return 0
    del value[index]
    return 1


@native("JSONObject.Clear", "JSONArray.Clear")
def clear(m, handle):
    value_of(m, handle).clear()
    return 1


@native("JSONObject.Size.get", "JSONArray.Length.get")
def size(m, handle):
    value = value_of(m, handle)
    return len(value) if isinstance(value, (dict, list)) else 0


@native("JSONObject.Keys")
def keys(m, handle):
    return m.host.handles.new("JSONObjectKeys", list(value_of(m, handle)), m.plugin)


@native("JSONObjectKeys.ReadKey")
def read_key(m, handle, buffer, size):
    left = m.host.handles.read(handle, "JSONObjectKeys")
    if not left:
        return 0
    m.put(buffer, size, left.pop(0))
    return 1
