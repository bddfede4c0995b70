"""Turns a plugin's P-code into Python, once, so that hours of game time run in seconds.

pysmx has an interpreter, which this project does not use: beside the faults that are known of it
(typed return values, `%s` of changed memory, heap scopes) its registers are unbounded and some
instructions address wrongly, and it runs a hundred times slower. The compiler, the include files and
the table of instructions are pysmx's.

Each function becomes a Python function `F<address>(m, f)`, where `m` is the machine and `f` the index
of its frame in memory, in cells. The depth of the stack is known at each instruction, so stack slots
are constant offsets from `f`. A function with jumps is a loop over its straight pieces. `m.n` counts
instructions, piece by piece.
"""

from smx.opcodes import sp_opcodes_list

from .budget import NATIVE

NAMES = [op.name for op in sp_opcodes_list]
WIDTHS = [len(op.params) for op in sp_opcodes_list]
INFINITY = 0x7F800000
JUMPS = {"jump", "jzer", "jnz", "jeq", "jneq", "jsless", "jsleq", "jsgrtr", "jsgeq"}
ENDS = {"jump", "retn", "switch", "halt"}
COMPARE = {"eq": "==", "neq": "!=", "sless": "<", "sleq": "<=", "sgrtr": ">", "sgeq": ">="}
BRANCH = {"jzer": "not pri", "jnz": "pri", "jeq": "pri == alt", "jneq": "pri != alt",
          "jsless": "pri < alt", "jsleq": "pri <= alt", "jsgrtr": "pri > alt", "jsgeq": "pri >= alt"}
FLOATS = {"FloatAdd": "+", "FloatSub": "-", "FloatMul": "*", "__FLOAT_GT__": ">", "__FLOAT_GE__": ">=",
          "__FLOAT_LT__": "<", "__FLOAT_LE__": "<=", "__FLOAT_EQ__": "==", "__FLOAT_NE__": "!="}


class Instruction:
    """One instruction: where it stands, its name, its operands."""

    __slots__ = ("at", "name", "args")

    def __init__(self, at, name, args):
        self.at, self.name, self.args = at, name, args


def decode(code):
    """All instructions in order, and the case tables by their address."""
    found, tables, at = [], {}, 0
    while at < len(code):
        name = NAMES[code[at] & 0xFFFF]
        if name == "casetbl":
            count, default = code[at + 1], code[at + 2]
            cases = {code[at + 3 + 2 * i]: code[at + 4 + 2 * i] for i in range(count)}
            tables[at * 4] = (default, cases)
            at += 3 + 2 * count
            continue
        width = WIDTHS[code[at] & 0xFFFF]
        found.append(Instruction(at * 4, name, tuple(code[at + 1:at + 1 + width])))
        at += 1 + width
    return found, tables


def translate(image):
    """The Python text of a plugin, and for each of its lines the address it came from."""
    instructions, tables = decode(image.code)
    text, origin = [], []
    current = []
    for instruction in instructions:
        if instruction.name == "proc" and current:
            Function(image, current, tables).write(text, origin)
            current = []
        if instruction.name == "proc" or current:
            current.append(instruction)
    if current:
        Function(image, current, tables).write(text, origin)
    return "\n".join(text), origin


class Function:
    """Writes one function."""

    def __init__(self, image, instructions, tables):
        self.image, self.body, self.tables = image, instructions, tables
        self.start = instructions[0].at
        self.depth, self.deepest = 0, 0
        self.depths = {}
        self.constants = []
        self.out = []
        self.counted = 0

    def write(self, text, origin):
        targets = self._targets()
        self.chunks = {at: index for index, at in enumerate(sorted(targets))}
        pieces, live = [], True
        self._open_piece()
        for index, instruction in enumerate(self.body):
            if instruction.at in targets:
                if index and live:
                    self._leave(self.chunks[instruction.at], instruction.at)
                pieces.append(self._close_piece())
                self._open_piece()
                # Code behind a jump has the depth of whoever jumps here.
                self.depth = self.depths.get(instruction.at, self.depth)
                live = True
            if not live:
                continue
            self.at = instruction.at
            self._one(instruction)
            live = instruction.name not in ENDS
        pieces.append(self._close_piece())
        self._assemble(pieces, text, origin)

    def _targets(self):
        found = set()
        for instruction in self.body:
            if instruction.name in JUMPS:
                found.add(instruction.args[0])
            elif instruction.name == "switch":
                default, cases = self.tables[instruction.args[0]]
                found.add(default)
                found.update(cases.values())
        return found

    def _open_piece(self):
        self.out, self.counted, self.constants = [], 0, []

    def _close_piece(self):
        return self.out

    def _emit(self, *lines):
        self.out.extend((line, self.at) for line in lines)

    def _count(self):
        if self.counted:
            self._emit(f"m.n += {self.counted}")
            self.counted = 0

    def _leave(self, chunk, at):
        self.depths.setdefault(at, self.depth)
        self._count()
        self._emit(f"b = {chunk + 1}", "continue")

    def _assemble(self, pieces, text, origin):
        self.at = self.start
        lines = [(f"def F{self.start}(m, f):", 0),
                 (f"if f - {self.deepest + 16} < m.hea >> 2: m.stack_is_low()", 1),
                 ("M = m.cells; hea = m.hea; scope = m.scope; pri = alt = 0", 1)]
        lines = [(line, indent, self.start) for line, indent in lines]
        if len(pieces) == 1:
            lines += [(line, 1, at) for line, at in pieces[0]]
        else:
            lines += [("b = 0", 1, self.start), ("while True:", 1, self.start)]
            self._tree(pieces, 0, len(pieces), 2, lines)
        for line, indent, at in lines:
            text.append(" " * indent + line)
            origin.append(at)

    def _tree(self, pieces, low, high, indent, lines):
        """A binary choice among the pieces by `b`, so that a jump costs their logarithm."""
        if high - low == 1:
            body = pieces[low] or [("pass", self.start)]
            lines += [(line, indent, at) for line, at in body]
            return
        middle = (low + high) // 2
        lines.append((f"if b < {middle}:", indent, self.start))
        self._tree(pieces, low, middle, indent + 1, lines)
        lines.append(("else:", indent, self.start))
        self._tree(pieces, middle, high, indent + 1, lines)

    # The stack: `_slot` is the cell at its top.
    def _slot(self, back=0):
        return f"M[f - {self.depth - back}]" if self.depth != back else "M[f]"

    def _push(self, value, constant=None):
        self.depth += 1
        self.deepest = max(self.deepest, self.depth)
        self.constants.append(constant)
        self._emit(f"{self._slot()} = {value}")

    def _pop(self, count):
        self.depth -= count
        for _ in range(min(count, len(self.constants))):
            self.constants.pop()

    def _one(self, instruction):
        name = instruction.name
        self.counted += name not in ("break", "proc", "endproc", "nop")
        method = getattr(self, "_do_" + name.replace(".", "_"), None)
        if method is not None:
            method(*instruction.args)
        elif name in SIMPLE:
            self._emit(*SIMPLE[name](*(instruction.args)))
        elif name in JUMPS:
            self._branch(name, instruction.args[0])
        elif name in COMPARE:
            self._emit(f"pri = 1 if pri {COMPARE[name]} alt else 0")
        elif name.startswith("push"):
            self._pushes(name.split(".")[-1] if "." in name else "global", instruction.args)
        else:
            raise NotImplementedError(f"instruction {name} at {instruction.at}")

    def _pushes(self, kind, args):
        for value in args:
            if kind == "c":
                self._push(value, value)
            elif kind == "s":
                self._push(local(value))
            elif kind == "adr":
                self._push(f"f * 4 + {value}")
            else:
                self._push(f"M[{value >> 2}]")

    def _branch(self, name, target):
        self.depths.setdefault(target, self.depth)
        self._count()
        back = target <= self.at
        go = f"b = {self.chunks[target] + 1}; continue"
        if back:
            self._emit("if m.n > m.limit: m.ran_too_long()")
        self._emit(go if name == "jump" else f"if {BRANCH[name]}: {go}")

    def _do_switch(self, table):
        default, cases = self.tables[table]
        for target in (default, *cases.values()):
            self.depths.setdefault(target, self.depth)
        self._count()
        known = {value: self.chunks[target] + 1 for value, target in cases.items()}
        self._emit(f"b = {known!r}.get(pri, {self.chunks[default] + 1})", "continue")

    def _do_retn(self):
        self._count()
        self._emit("m.hea = hea; m.scope = scope", "return pri")

    def _do_halt(self, _code):
        self._emit("m.halt()", "return pri")

    def _do_push_pri(self):
        self._push("pri")

    def _do_push_alt(self):
        self._push("alt")

    def _do_pop_pri(self):
        self._emit(f"pri = {self._slot()}")
        self._pop(1)

    def _do_pop_alt(self):
        self._emit(f"alt = {self._slot()}")
        self._pop(1)

    def _do_swap_pri(self):
        self._emit(f"pri, {self._slot()} = {self._slot()}, pri")
        self.constants[-1:] = [None]

    def _do_swap_alt(self):
        self._emit(f"alt, {self._slot()} = {self._slot()}, alt")
        self.constants[-1:] = [None]

    def _do_stack(self, size):
        cells = size >> 2
        if cells >= 0:
            self._pop(cells)
        else:
            self.depth -= cells
            self.deepest = max(self.deepest, self.depth)
            self.constants.extend([None] * -cells)

    def _do_call(self, target):
        count = self.constants[-1] if self.constants else None
        if count is None:
            raise NotImplementedError(f"a call at {self.at} whose number of arguments is not constant")
        self._emit(f"pri = F{target}(m, f - {self.depth + 2})")
        self._pop(count + 1)

    def _do_sysreq_n(self, index, count):
        name = self.image.natives[index]
        args = [self._slot(i) for i in range(count)]
        if name in FLOATS and count == 2:
            self._emit(*floats(FLOATS[name], *args))
        else:
            self.counted += NATIVE
            if name == "VFormat":
                self._emit("m.frame = f")
            self._emit(f"m.top = f - {self.depth + 1}", f"pri = N[{index}]({', '.join(['m'] + args)}) or 0")
        self._pop(count)

    def _do_genarray(self, dims):
        sizes = ", ".join(self._slot(i) for i in range(dims))
        self._pop(dims - 1)
        self._emit(f"{self._slot()} = m.make_array(({sizes},))")
        self.constants[-1:] = [None]

    def _do_genarray_z(self, dims):
        self._do_genarray(dims)


def floats(sign, left, right):
    """A calculation with two floats. Those that are not negative compare like their bits."""
    if sign in "+-*":
        return [f"pri = to_cell(to_float({left}) {sign} to_float({right}))"]
    plain = f"0 <= x <= {INFINITY} and 0 <= y <= {INFINITY}"
    return [f"x = {left}; y = {right}", f"pri = int(x {sign} y if {plain} else to_float(x) {sign} to_float(y))"]


def local(offset):
    """The cell of the frame at an offset in bytes."""
    cells = offset >> 2
    return f"M[f + {cells}]" if cells >= 0 else f"M[f - {-cells}]"


WRAP_PRI = "if not -2147483648 <= pri <= 2147483647: pri = wrap(pri)"
WRAP_ALT = WRAP_PRI.replace("pri", "alt")
SIMPLE = {
    "none": lambda: (), "nop": lambda: (), "proc": lambda: (), "endproc": lambda: (), "break": lambda: (),
    "load.pri": lambda a: (f"pri = M[{a >> 2}]",),
    "load.alt": lambda a: (f"alt = M[{a >> 2}]",),
    "load.s.pri": lambda o: (f"pri = {local(o)}",),
    "load.s.alt": lambda o: (f"alt = {local(o)}",),
    "lref.s.pri": lambda o: (f"pri = M[{local(o)} >> 2]",),
    "lref.s.alt": lambda o: (f"alt = M[{local(o)} >> 2]",),
    "load.i": lambda: ("pri = M[pri >> 2] if pri >= 0 else m.bad_address()",),
    "lodb.i": lambda n: (("pri = m.bytes[pri]",) if n == 1 else ("pri = m.short(pri)",) if n == 2
                         else ("pri = M[pri >> 2]",)),
    "const.pri": lambda v: (f"pri = {v}",),
    "const.alt": lambda v: (f"alt = {v}",),
    "addr.pri": lambda o: (f"pri = f * 4 + {o}",),
    "addr.alt": lambda o: (f"alt = f * 4 + {o}",),
    "stor.pri": lambda a: (f"M[{a >> 2}] = pri",),
    "stor.alt": lambda a: (f"M[{a >> 2}] = alt",),
    "stor.s.pri": lambda o: (f"{local(o)} = pri",),
    "stor.s.alt": lambda o: (f"{local(o)} = alt",),
    "sref.s.pri": lambda o: (f"M[{local(o)} >> 2] = pri",),
    "sref.s.alt": lambda o: (f"M[{local(o)} >> 2] = alt",),
    "stor.i": lambda: ("if alt < 0: m.bad_address()", "M[alt >> 2] = pri"),
    "strb.i": lambda n: (("m.bytes[alt] = pri & 255",) if n == 1 else ("m.put_short(alt, pri)",) if n == 2
                         else ("M[alt >> 2] = pri",)),
    "lidx": lambda: ("pri = M[(alt >> 2) + pri]",),
    "idxaddr": lambda: ("pri = alt + pri * 4",),
    "move.pri": lambda: ("pri = alt",),
    "move.alt": lambda: ("alt = pri",),
    "xchg": lambda: ("pri, alt = alt, pri",),
    "heap": lambda n: (f"alt = m.hea; m.hea += {n}",),
    "heap.save": lambda: ("m.heap_save()",),
    "heap.restore": lambda: ("m.heap_restore()",),
    "shl": lambda: ("pri = wrap(pri << (alt & 31))",),
    "shr": lambda: ("pri = wrap((pri & 0xFFFFFFFF) >> (alt & 31))",),
    "sshr": lambda: ("pri >>= alt & 31",),
    "shl.c.pri": lambda n: (f"pri = wrap(pri << {n})",),
    "shl.c.alt": lambda n: (f"alt = wrap(alt << {n})",),
    "smul": lambda: ("pri *= alt", WRAP_PRI),
    "smul.c": lambda n: (f"pri *= {n}", WRAP_PRI),
    "sdiv": lambda: ("pri, alt = m.divide(pri, alt)",),
    "sdiv.alt": lambda: ("pri, alt = m.divide(alt, pri)",),
    "add": lambda: ("pri += alt", WRAP_PRI),
    "sub": lambda: ("pri -= alt", WRAP_PRI),
    "sub.alt": lambda: ("pri = alt - pri", WRAP_PRI),
    "add.c": lambda n: (f"pri += {n}", WRAP_PRI),
    "and": lambda: ("pri &= alt",),
    "or": lambda: ("pri |= alt",),
    "xor": lambda: ("pri ^= alt",),
    "not": lambda: ("pri = 0 if pri else 1",),
    "neg": lambda: ("pri = wrap(-pri)",),
    "invert": lambda: ("pri = ~pri",),
    "zero.pri": lambda: ("pri = 0",),
    "zero.alt": lambda: ("alt = 0",),
    "zero": lambda a: (f"M[{a >> 2}] = 0",),
    "zero.s": lambda o: (f"{local(o)} = 0",),
    "eq.c.pri": lambda v: (f"pri = 1 if pri == {v} else 0",),
    "eq.c.alt": lambda v: (f"pri = 1 if alt == {v} else 0",),
    "inc.pri": lambda: ("pri += 1", WRAP_PRI),
    "inc.alt": lambda: ("alt += 1", WRAP_ALT),
    "inc": lambda a: (f"M[{a >> 2}] = wrap(M[{a >> 2}] + 1)",),
    "inc.s": lambda o: (f"{local(o)} = wrap({local(o)} + 1)",),
    "inc.i": lambda: ("M[pri >> 2] = wrap(M[pri >> 2] + 1)",),
    "dec.pri": lambda: ("pri -= 1", WRAP_PRI),
    "dec.alt": lambda: ("alt -= 1", WRAP_ALT),
    "dec": lambda a: (f"M[{a >> 2}] = wrap(M[{a >> 2}] - 1)",),
    "dec.s": lambda o: (f"{local(o)} = wrap({local(o)} - 1)",),
    "dec.i": lambda: ("M[pri >> 2] = wrap(M[pri >> 2] - 1)",),
    "movs": lambda n: (f"m.bytes[alt:alt + {n}] = m.bytes[pri:pri + {n}]", f"m.n += {n >> 5}"),
    "fill": lambda n: (f"m.fill(alt, {n}, pri)", f"m.n += {n >> 5}"),
    "bounds": lambda n: (f"if not 0 <= pri <= {n}: m.out_of_bounds(pri, {n})",),
    "load.both": lambda a, b: (f"pri = M[{a >> 2}]; alt = M[{b >> 2}]",),
    "load.s.both": lambda a, b: (f"pri = {local(a)}; alt = {local(b)}",),
    "const": lambda a, v: (f"M[{a >> 2}] = {v}",),
    "const.s": lambda o, v: (f"{local(o)} = {v}",),
    "stradjust.pri": lambda: ("pri = (pri + 4) >> 2",),
    "initarray.pri": lambda *a: (f"m.init_array(pri, {a})",),
    "initarray.alt": lambda *a: (f"m.init_array(alt, {a})",),
}
