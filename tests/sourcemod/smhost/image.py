"""A compiled plugin as it lies in its file: code, data, and the tables of names."""

import bisect
import struct
import zlib

MAGIC = 0x53504646
DIRECT_ARRAYS = 1 << 1
HEAP_SCOPES = 1 << 2


class Image:
    """What a `.smx` holds. spcomp of SourceMod 1.11 writes code version 13, the one taken here."""

    def __init__(self, raw):
        self.sections = {}
        self._bytes = self._unpack(raw)
        code_at = self.sections[".code"][0]
        size, _, version, _, _, start, features = struct.unpack_from("<IBBHIII", self._bytes, code_at)
        if version != 13 or not features & DIRECT_ARRAYS or not features & HEAP_SCOPES:
            raise ValueError(f"code version {version} with features {features} is not spcomp 1.11's")
        self.code = memoryview(self._bytes[code_at + start:code_at + start + size]).cast("i")
        data_at = self.sections[".data"][0]
        self.data_size, self.memory_size, start = struct.unpack_from("<III", self._bytes, data_at)
        self.data = self._bytes[data_at + start:data_at + start + self.data_size]
        self.publics = [(name, at) for at, name in self._named(".publics", "<II")]
        self.variables = {name: at for at, name in self._named(".pubvars", "<II")}
        self.natives = [name for _, name in self._named(".natives", "<I")]
        self.functions = self._functions()
        self._files = self._named(".dbg.files", "<II")
        self._lines = list(self._rows(".dbg.lines", "<II"))

    def _unpack(self, raw):
        head = struct.unpack_from("<IHBIIBII", raw, 0)
        magic, _, packed, disk, _, count, names_at, data_at = head
        if magic != MAGIC:
            raise ValueError("not a compiled plugin")
        whole = raw[:data_at] + zlib.decompress(raw[data_at:disk]) if packed else raw
        for index in range(count):
            name, at, size = struct.unpack_from("<III", whole, 24 + 12 * index)
            self.sections[_text(whole, names_at + name)] = (at, size)
        return whole

    def _rows(self, section, form):
        at, size = self.sections.get(section, (0, 0))
        step = struct.calcsize(form)
        return (struct.unpack_from(form, self._bytes, at + i) for i in range(0, size - step + 1, step))

    def _named(self, section, form):
        names = self.sections[".names"][0]
        rows = []
        for row in self._rows(section, form):
            name = _text(self._bytes, names + row[-1])
            rows.append((row[0], name))
        return rows

    def _functions(self):
        """Start of each function to its name."""
        at, _ = self.sections["rtti.methods"]
        head, step, count = struct.unpack_from("<III", self._bytes, at)
        names = self.sections[".names"][0]
        found = {}
        for index in range(count):
            name, start, _, _ = struct.unpack_from("<IIII", self._bytes, at + head + step * index)
            found[start] = _text(self._bytes, names + name)
        return found

    def string(self, at):
        """The text at an address of the data as it was compiled."""
        return _text(self.data, at)

    def place(self, address):
        """File and line of an address in the code."""
        line = bisect.bisect_right(self._lines, (address, 1 << 31)) - 1
        file = bisect.bisect_right(self._files, (address, "\x7f")) - 1
        name = self._files[file][1].replace("\\", "/").rsplit("/", 1)[-1] if file >= 0 else "?"
        # Lines are counted from 0 in the file.
        return name, self._lines[line][1] + 1 if line >= 0 else 0


def _text(raw, at):
    return bytes(raw[at:raw.index(b"\0", at)]).decode("utf-8", "surrogateescape")
