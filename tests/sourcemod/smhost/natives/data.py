"""DataPack and StringMap."""

from ..errors import NativeError
from ..machine import wrap
from ..registry import native


class DataPack:
    """Values in a row, read back in the order in which they were written."""

    def __init__(self):
        self.values, self.at = [], 0

    def cells(self):
        return (value for kind, value in self.values if kind == "cell")

    def write(self, kind, value, insert=0):
        if self.at < len(self.values) and not insert:
            del self.values[self.at]
        self.values.insert(self.at, (kind, value))
        self.at += 1

    def read(self, kind):
        if self.at >= len(self.values):
            raise NativeError("Data pack operation is out of bounds.")
        found, value = self.values[self.at]
        if found != kind:
            raise NativeError(f"Invalid data pack type (got {found} / expected {kind}).")
        self.at += 1
        return value


def pack_of(m, handle):
    return m.host.handles.read(handle, "DataPack")


@native("DataPack.DataPack", "CreateDataPack")
def new_pack(m):
    return m.host.handles.new("DataPack", DataPack(), m.plugin)


@native("DataPack.WriteCell", "WritePackCell")
def write_cell(m, handle, value, insert=0):
    pack_of(m, handle).write("cell", value, insert)


@native("DataPack.WriteFloat", "WritePackFloat")
def write_float(m, handle, value, insert=0):
    pack_of(m, handle).write("float", value, insert)


@native("DataPack.WriteString", "WritePackString")
def write_string(m, handle, text, insert=0):
    pack_of(m, handle).write("string", m.raw(text), insert)


@native("DataPack.WriteFunction", "WritePackFunction")
def write_function(m, handle, function, insert=0):
    pack_of(m, handle).write("function", function, insert)


@native("DataPack.ReadCell", "ReadPackCell")
def read_cell(m, handle):
    return pack_of(m, handle).read("cell")


@native("DataPack.ReadFloat", "ReadPackFloat")
def read_float(m, handle):
    return pack_of(m, handle).read("float")


@native("DataPack.ReadString", "ReadPackString")
def read_string(m, handle, buffer, size):
    m.put(buffer, size, pack_of(m, handle).read("string"))


@native("DataPack.ReadFunction", "ReadPackFunction")
def read_function(m, handle):
    return pack_of(m, handle).read("function")


@native("DataPack.Reset", "ResetPack")
def reset_pack(m, handle, clear=0):
    pack = pack_of(m, handle)
    pack.at = 0
    if clear:
        pack.values = []


@native("DataPack.Position.get", "GetPackPosition")
def get_position(m, handle):
    return pack_of(m, handle).at


@native("DataPack.Position.set", "SetPackPosition")
def set_position(m, handle, at):
    pack = pack_of(m, handle)
    if not 0 <= at <= len(pack.values):
        raise NativeError(f"Invalid DataPack position, {at} is out of bounds")
    pack.at = at


@native("DataPack.IsReadable", "IsPackReadable")
def is_readable(m, handle, *_):
    pack = pack_of(m, handle)
    return int(pack.at < len(pack.values))


class StringMap:
    """Keys to cells, arrays or text."""

    def __init__(self):
        self.entries = {}

    def cells(self):
        for kind, value in self.entries.values():
            if kind == "cell":
                yield value
            elif kind == "array":
                yield from value


def map_of(m, handle):
    return m.host.handles.read(handle, "StringMap")


@native("StringMap.StringMap", "CreateTrie")
def new_map(m):
    return m.host.handles.new("StringMap", StringMap(), m.plugin)


def put(m, handle, key, entry, replace):
    entries, key = map_of(m, handle).entries, m.raw(key)
    if not replace and key in entries:
        return 0
    entries[key] = entry
    return 1


@native("StringMap.SetValue", "SetTrieValue")
def set_value(m, handle, key, value, replace=1):
    return put(m, handle, key, ("cell", value), replace)


@native("StringMap.SetString", "SetTrieString")
def set_string(m, handle, key, value, replace=1):
    return put(m, handle, key, ("string", m.raw(value)), replace)


@native("StringMap.SetArray", "SetTrieArray")
def set_array(m, handle, key, array, count, replace=1):
    return put(m, handle, key, ("array", m.array(array, count)), replace)


def get(m, handle, key, kind):
    found, value = map_of(m, handle).entries.get(m.raw(key), (None, None))
    return value if found == kind else None


@native("StringMap.GetValue", "GetTrieValue")
def get_value(m, handle, key, result):
    value = get(m, handle, key, "cell")
    if value is None:
        return 0
    m.put_cell(result, value)
    return 1


@native("StringMap.GetString", "GetTrieString")
def get_string(m, handle, key, buffer, size, written=0):
    value = get(m, handle, key, "string")
    if value is None:
        return 0
    count = m.put(buffer, size, value)
    if written:
        m.put_cell(written, count)
    return 1


@native("StringMap.GetArray", "GetTrieArray")
def get_array(m, handle, key, array, count, written=0):
    value = get(m, handle, key, "array")
    if value is None:
        return 0
    m.put_array(array, value[:count])
    if written:
        m.put_cell(written, min(count, len(value)))
    return 1


@native("StringMap.ContainsKey")
def contains_key(m, handle, key):
    return int(m.raw(key) in map_of(m, handle).entries)


@native("StringMap.Remove", "RemoveFromTrie")
def remove(m, handle, key):
    return int(map_of(m, handle).entries.pop(m.raw(key), None) is not None)


@native("StringMap.Clear", "ClearTrie")
def clear(m, handle):
    map_of(m, handle).entries.clear()


@native("StringMap.Size.get", "GetTrieSize")
def size(m, handle):
    return len(map_of(m, handle).entries)


@native("StringMap.Clone")
def clone_map(m, handle):
    copy = StringMap()
    copy.entries = dict(map_of(m, handle).entries)
    return m.host.handles.new("StringMap", copy, m.plugin)


@native("StringMap.Snapshot", "CreateTrieSnapshot")
def snapshot(m, handle):
    return m.host.handles.new("StringMapSnapshot", list(map_of(m, handle).entries), m.plugin)


def keys_of(m, handle):
    return m.host.handles.read(handle, "StringMapSnapshot")


@native("StringMapSnapshot.Length.get", "TrieSnapshotLength")
def snapshot_length(m, handle):
    return len(keys_of(m, handle))


@native("StringMapSnapshot.KeyBufferSize", "TrieSnapshotKeyBufferSize")
def key_buffer_size(m, handle, index):
    return len(keys_of(m, handle)[index]) + 1


@native("StringMapSnapshot.GetKey", "GetTrieSnapshotKey")
def get_key(m, handle, index, buffer, size):
    keys = keys_of(m, handle)
    if not 0 <= index < len(keys):
        raise NativeError(f"Invalid index {index}")
    return wrap(m.put(buffer, size, keys[index]))
