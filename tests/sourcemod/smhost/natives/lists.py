"""ArrayList and ArrayStack."""

import functools
import struct

from ..errors import NativeError
from ..machine import cut, to_float
from ..registry import native


class List:
    """Rows of `block` cells."""

    def __init__(self, block):
        self.block, self.rows = block, []

    def cells(self):
        for row in self.rows:
            yield from row

    def row(self, index):
        if not 0 <= index < len(self.rows):
            raise NativeError(f"Invalid index {index} (count: {len(self.rows)})")
        return self.rows[index]

    def at(self, index, block):
        row = self.row(index)
        if not 0 <= block < self.block:
            raise NativeError(f"Invalid block {block} (blocksize: {self.block})")
        return row


def list_of(m, handle):
    return m.host.handles.read(handle, "ArrayList")


@native("ByteCountToCells")
def byte_count_to_cells(m, size):
    return (size + 3) // 4 if size else 1


@native("ArrayList.ArrayList", "CreateArray")
def new_list(m, block=1, start=0):
    if block <= 0:
        raise NativeError("Invalid block size (must be > 0)")
    rows = List(block)
    rows.rows = [[0] * block for _ in range(start)]
    return m.host.handles.new("ArrayList", rows, m.plugin)


@native("ArrayList.Clear", "ClearArray")
def clear(m, handle):
    list_of(m, handle).rows.clear()


@native("ArrayList.Clone", "CloneArray")
def clone(m, handle):
    source = list_of(m, handle)
    copy = List(source.block)
    copy.rows = [list(row) for row in source.rows]
    return m.host.handles.new("ArrayList", copy, m.plugin)


@native("ArrayList.Resize", "ResizeArray")
def resize(m, handle, size):
    rows = list_of(m, handle)
    del rows.rows[size:]
    rows.rows += [[0] * rows.block for _ in range(size - len(rows.rows))]
    return 1


@native("ArrayList.Length.get", "GetArraySize")
def length(m, handle):
    return len(list_of(m, handle).rows)


@native("ArrayList.BlockSize.get")
def block_size(m, handle):
    return list_of(m, handle).block


@native("ArrayList.Push", "PushArrayCell")
def push(m, handle, value):
    rows = list_of(m, handle)
    rows.rows.append([value] + [0] * (rows.block - 1))
    return len(rows.rows) - 1


@native("ArrayList.PushString", "PushArrayString")
def push_string(m, handle, text):
    rows = list_of(m, handle)
    rows.rows.append([0] * rows.block)
    store_text(rows, rows.rows[-1], m.raw(text), rows.block * 4)
    m.n += rows.block >> 3
    return len(rows.rows) - 1


def store_text(rows, row, raw, size):
    raw = cut(raw, size - 1)
    room = raw + bytes(rows.block * 4 - len(raw))
    row[:] = memoryview(room[:rows.block * 4]).cast("i").tolist()


def text_of(row):
    raw = memoryview(_bytes(row)).tobytes()
    return raw[:raw.index(0)] if 0 in raw else raw


def _bytes(row):
    return struct.pack(f"<{len(row)}i", *row)


@native("ArrayList.PushArray", "PushArrayArray")
def push_array(m, handle, array, count=-1):
    rows = list_of(m, handle)
    values = m.array(array, rows.block if count < 0 or count > rows.block else count)
    rows.rows.append(values + [0] * (rows.block - len(values)))
    m.n += rows.block >> 3
    return len(rows.rows) - 1


@native("ArrayList.Get", "GetArrayCell")
def get(m, handle, index, block=0, as_char=0):
    row = list_of(m, handle).at(index, block) if not as_char else list_of(m, handle).row(index)
    return _bytes(row)[block] if as_char else row[block]


@native("ArrayList.Set", "SetArrayCell")
def set_cell(m, handle, index, value, block=0, as_char=0):
    row = list_of(m, handle).at(index, block) if not as_char else list_of(m, handle).row(index)
    if as_char:
        raw = bytearray(_bytes(row))
        raw[block] = value & 255
        row[:] = memoryview(bytes(raw)).cast("i").tolist()
    else:
        row[block] = value


@native("ArrayList.GetString", "GetArrayString")
def get_string(m, handle, index, buffer, size, block=0):
    row = list_of(m, handle).row(index)
    return m.put(buffer, size, text_of(row[block:]))


@native("ArrayList.SetString", "SetArrayString")
def set_string(m, handle, index, text, size=-1, block=0):
    rows = list_of(m, handle)
    store_text(rows, rows.row(index), m.raw(text), rows.block * 4)


@native("ArrayList.GetArray", "GetArrayArray")
def get_array(m, handle, index, array, count=-1):
    rows = list_of(m, handle)
    row = rows.row(index)
    values = row if count < 0 or count > rows.block else row[:count]
    m.put_array(array, values)
    return len(values)


@native("ArrayList.SetArray", "SetArrayArray")
def set_array(m, handle, index, array, count=-1):
    rows = list_of(m, handle)
    values = m.array(array, rows.block if count < 0 or count > rows.block else count)
    rows.row(index)[:len(values)] = values
    m.n += len(values) >> 3
    return len(values)


@native("ArrayList.ShiftUp", "ShiftArrayUp")
def shift_up(m, handle, index):
    rows = list_of(m, handle)
    rows.row(index)
    rows.rows.insert(index, [0] * rows.block)


@native("ArrayList.Erase", "RemoveFromArray")
def erase(m, handle, index):
    rows = list_of(m, handle)
    rows.row(index)
    del rows.rows[index]
    m.n += (len(rows.rows) - index) * rows.block >> 3


@native("ArrayList.SwapAt", "SwapArrayItems")
def swap_at(m, handle, a, b):
    rows = list_of(m, handle)
    rows.row(a), rows.row(b)
    rows.rows[a], rows.rows[b] = rows.rows[b], rows.rows[a]


@native("ArrayList.FindString", "FindStringInArray")
def find_string(m, handle, text, block=0):
    raw = m.raw(text)
    rows = list_of(m, handle).rows
    m.n += len(rows) * 4
    return next((i for i, row in enumerate(rows) if text_of(row[block:]) == raw), -1)


@native("ArrayList.FindValue", "FindValueInArray")
def find_value(m, handle, value, block=0):
    rows = list_of(m, handle).rows
    m.n += len(rows)
    return next((i for i, row in enumerate(rows) if row[block] == value), -1)


@native("ArrayList.Sort", "SortADTArray")
def sort(m, handle, order, kind):
    rows = list_of(m, handle).rows
    m.n += len(rows) * max(1, len(rows).bit_length()) * 4
    if order == 2:
        m.host.random.shuffle(rows)
        return
    key = {0: lambda r: r[0], 1: lambda r: to_float(r[0]), 2: text_of}[kind]
    rows.sort(key=key, reverse=order == 1)


@native("ArrayList.SortCustom", "SortADTArrayCustom")
def sort_custom(m, handle, function, data=0):
    rows = list_of(m, handle).rows
    address = m.plugin.function(function)
    snapshot = [list(row) for row in rows]

    def before(a, b):
        value, good = m.plugin.run(address, [a, b, handle, data])
        return value if good else 0
    order = sorted(range(len(rows)), key=functools.cmp_to_key(before))
    rows[:] = [snapshot[i] for i in order]


class Stack(List):
    """The last row that went in comes out first."""


@native("ArrayStack.ArrayStack", "CreateStack")
def new_stack(m, block=1):
    return m.host.handles.new("ArrayStack", Stack(block), m.plugin)


def stack_of(m, handle):
    return m.host.handles.read(handle, "ArrayStack")


@native("ArrayStack.Push", "PushStackCell")
def push_stack(m, handle, value):
    rows = stack_of(m, handle)
    rows.rows.append([value] + [0] * (rows.block - 1))


@native("ArrayStack.Pop")
def pop_stack(m, handle, block=0, as_char=0):
    rows = stack_of(m, handle).rows
    if not rows:
        raise NativeError("stack is empty")
    return rows.pop()[block]


@native("ArrayStack.Empty.get", "IsStackEmpty")
def stack_is_empty(m, handle):
    return int(not stack_of(m, handle).rows)


@native("ArrayStack.Length.get")
def stack_length(m, handle):
    return len(stack_of(m, handle).rows)
