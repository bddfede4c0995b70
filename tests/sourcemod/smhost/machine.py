"""The memory and calls of one plugin."""

import struct
import traceback

from .errors import PluginError
from .translate import translate

_programs = {}
_INT, _FLOAT = struct.Struct("<i").pack, struct.Struct("<f").pack
_READ_INT, _READ_FLOAT = struct.Struct("<i").unpack, struct.Struct("<f").unpack


def to_float(cell):
    """The number that a cell's bits are."""
    return _READ_FLOAT(_INT(cell))[0]


def to_cell(number):
    """The bits of a number."""
    try:
        return _READ_INT(_FLOAT(number))[0]
    except OverflowError:
        return 0x7F800000 if number > 0 else -0x800000


def wrap(number):
    """A number as 32 bits hold it."""
    return ((number + 0x80000000) & 0xFFFFFFFF) - 0x80000000


class Program:
    """The Python functions of an image; the same for every load of it."""

    def __init__(self, image):
        text, self.origin = translate(image)
        self.code = compile(text, "<plugin>", "exec")


def program_of(image):
    key = (bytes(image.code), tuple(image.natives))
    if key not in _programs:
        _programs[key] = Program(image)
    return _programs[key]


class Machine:
    """A plugin's memory: data, then heap upwards, then stack downwards, as the real one has it."""

    # A callback that runs longer is ended, as SourceMod does after SlowScriptTimeout.
    LIMIT = 200_000_000

    def __init__(self, image, plugin):
        self.image, self.plugin = image, plugin
        self.program = program_of(image)
        size = (image.memory_size + 3) & ~3
        self.bytes = bytearray(size)
        self.bytes[:image.data_size] = image.data
        self.cells = memoryview(self.bytes).cast("i")
        self.pattern = memoryview(image.data[:image.data_size & ~3]).cast("i")
        self.hea = (image.data_size + 3) & ~3
        self.scope = self.hea
        self.top = size >> 2
        self.n = 0
        self.limit = self.LIMIT
        self.natives = [None] * len(image.natives)
        self.names = {"N": self.natives, "wrap": wrap, "to_float": to_float, "to_cell": to_cell}
        exec(self.program.code, self.names)

    # Calls
    def call(self, address, args):
        """Calls the function at an address of the code; arguments are cells."""
        top, hea, scope = self.top, self.hea, self.scope
        at = top
        for value in reversed(args):
            at -= 1
            self.cells[at] = value
        at -= 1
        self.cells[at] = len(args)
        self.top = at
        self.limit = self.n + self.LIMIT
        try:
            return self.names[f"F{address}"](self, at - 2)
        except RecursionError:
            raise PluginError("Not enough space on the stack") from None
        finally:
            self.top, self.hea, self.scope = top, hea, scope

    def stack(self, error):
        """Where an error came from: pairs of function and place, innermost first."""
        found = []
        for frame, line in traceback.walk_tb(error.__traceback__):
            name = frame.f_code.co_name
            if frame.f_code.co_filename == "<plugin>" and frame.f_globals is self.names:
                address = self.program.origin[line - 1]
                file, number = self.image.place(address)
                found.append((self.image.functions.get(int(name[1:]), name), file, number))
        return found[::-1]

    # What translated code asks for
    def stack_is_low(self):
        raise PluginError("Not enough space on the stack")

    def ran_too_long(self):
        raise PluginError("Script execution timed out")

    def halt(self):
        raise PluginError("Call was aborted")

    def bad_address(self):
        raise PluginError("Invalid memory access")

    def out_of_bounds(self, index, limit):
        tail = "" if limit == 0x7FFFFFFF else f", limit {limit + 1}"
        raise PluginError(f"Array index out-of-bounds (index {index}{tail})")

    def divide(self, dividend, divisor):
        if divisor == 0:
            raise PluginError("Divide by zero")
        quotient = abs(dividend) // abs(divisor)
        if (dividend < 0) != (divisor < 0):
            quotient = -quotient
        if quotient > 0x7FFFFFFF:
            raise PluginError("Integer overflow")
        return quotient, dividend - quotient * divisor

    def short(self, at):
        return int.from_bytes(self.bytes[at:at + 2], "little", signed=True)

    def put_short(self, at, value):
        self.bytes[at:at + 2] = (value & 0xFFFF).to_bytes(2, "little")

    def fill(self, at, size, value):
        self.bytes[at:at + size] = bytes(size) if value == 0 else _INT(value) * (size >> 2)

    def heap_save(self):
        at = self.take(4)
        self.cells[at >> 2] = self.scope
        self.scope = at

    def heap_restore(self):
        self.hea = self.scope
        self.scope = self.cells[self.scope >> 2]

    def take(self, size):
        """Room on the heap, freed when the function that took it returns."""
        at = self.hea
        if at + size > self.top * 4 - 64:
            raise PluginError("Not enough space on the heap")
        self.hea = at + ((size + 3) & ~3)
        return at

    def make_array(self, sizes):
        """A zeroed array; sizes from the innermost dimension outwards."""
        outer = sizes[::-1]
        vectors, count = 0, 1
        for size in outer[:-1]:
            count *= size
            vectors += count
        cells = vectors + count * outer[-1]
        if min(sizes) <= 0 or cells > 1 << 22:
            raise PluginError("Dynamic array is too big")
        base = self.take(cells * 4)
        self.fill(base, cells * 4, 0)
        level, rows = base >> 2, 1
        for depth, size in enumerate(outer[:-1]):
            rows *= size
            below = level + rows
            step = outer[depth + 1]
            for i in range(rows):
                self.cells[level + i] = (below + i * step) * 4
            level = below
        return base

    def init_array(self, base, spec):
        """Fills an array from its pattern in the data; vectors in the pattern are relative to it."""
        pattern, vectors, copied, filled, value = spec
        cells, data = self.cells, self.pattern
        start, source = base >> 2, pattern >> 2
        for i in range(vectors):
            cells[start + i] = data[source + i] + base
        start, source = start + vectors, source + vectors
        cells[start:start + copied] = data[source:source + copied]
        if filled:
            self.fill((start + copied) * 4, filled * 4, value)
        self.n += (vectors + copied + filled) >> 3

    # What natives read and write
    def raw(self, at):
        """The bytes of a string."""
        end = self.bytes.index(0, at)
        self.n += (end - at) >> 5
        return bytes(self.bytes[at:end])

    def text(self, at):
        return self.raw(at).decode("utf-8", "surrogateescape")

    def put(self, at, size, text, whole=True):
        """Writes a string into a buffer of `size` bytes; cut at a character's border if `whole`."""
        raw = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
        if size <= 0:
            return 0
        if len(raw) >= size:
            raw = cut(raw, size - 1) if whole else raw[:size - 1]
        self.n += len(raw) >> 5
        self.bytes[at:at + len(raw)] = raw
        self.bytes[at + len(raw)] = 0
        return len(raw)

    def cell(self, at):
        return self.cells[at >> 2]

    def put_cell(self, at, value):
        self.cells[at >> 2] = wrap(int(value))

    def array(self, at, count):
        return list(self.cells[at >> 2:(at >> 2) + count])

    def put_array(self, at, values):
        start = at >> 2
        self.n += len(values) >> 3
        self.cells[start:start + len(values)] = memoryview(struct.pack(f"<{len(values)}i", *values)).cast("i")

    def row(self, at, index):
        """Where a row of a two-dimensional array begins."""
        return self.cells[(at >> 2) + index]


def cut(raw, size):
    """At most `size` bytes, without half a character at the end."""
    raw = raw[:size]
    start = len(raw)
    while start and raw[start - 1] & 0xC0 == 0x80:
        start -= 1
    if not start:
        return raw
    lead = raw[start - 1]
    need = 1 if lead < 0x80 else 2 if lead >> 5 == 6 else 3 if lead >> 4 == 14 else 4
    return raw if len(raw) - start + 1 >= need else raw[:start - 1]
