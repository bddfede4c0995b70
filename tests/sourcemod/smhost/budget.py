"""How much a frame costs.

The unit is one P-code instruction. The JIT of SourceMod makes one to four instructions of the
processor of each, most of them loads and stores of the stack: 1 to 2 ns on a machine of 3 GHz. We take
5 ns, for old and busy machines, so that a millisecond is 200,000 units. Natives cost by what they do,
in the same units:

| what | units | that is |
|---|---|---|
| any native | 20 | 0.1 µs |
| text that is read, written or copied | 1 for 32 bytes | |
| a format | 2 for each byte of it, 20 for each argument | |
| JSON parsed or written on the game thread | 3 for each byte | 67 MB/s, jansson's pace |
| a SQLite statement on the game thread that reads | 10,000 | 50 µs |
| one that writes there, with its wait for the disk | 1,000,000 | 5 ms |

What happens before a plugin's first map (loading, OnPluginStart) is no frame: the server has no
players then. What people do between two frames of the host is a frame of its own.
"""

MILLISECOND = 200_000
NATIVE = 20
JSON_BYTE = 3
READ, WRITE = 10_000, 1_000_000


class Frame:
    """What one frame cost, and which callbacks it was."""

    __slots__ = ("number", "cost", "requests", "parts")

    def __init__(self, number):
        self.number, self.cost, self.requests, self.parts = number, 0, 0, []


class Budget:
    """The dearest frames since the last reset."""

    def __init__(self):
        self.reset()

    def reset(self):
        self.frame = Frame(0)
        self.worst = Frame(0)
        self.most_requests = 0
        self.frames = 0
        self.total = 0

    def open(self, number):
        self._judge()
        self.frame = Frame(number)

    def add(self, plugin, cost, name):
        self.frame.cost += cost
        self.frame.parts.append((plugin.file, name, cost))

    def close(self):
        self.frames += 1
        self._judge()
        self.frame = Frame(self.frame.number + 0.5)

    def _judge(self):
        self.total += self.frame.cost
        self.most_requests = max(self.most_requests, self.frame.requests)
        if self.frame.cost > self.worst.cost:
            self.worst = self.frame

    def report(self):
        """The dearest frame in words."""
        parts = ", ".join(f"{file}:{name} {cost}" for file, name, cost in self.worst.parts[-12:])
        return f"frame {self.worst.number}: {self.worst.cost} of {MILLISECOND} ({parts})"
