"""How much a frame costs.

The unit is one P-code instruction. The JIT of SourceMod turns each into one to three instructions of
the processor; we take 10 ns, what an old and busy machine needs with cold caches, so that a
millisecond is 100,000 units. Natives cost by what they do, in the same units:

| what | units | that is |
|---|---|---|
| any native | 20 | 0.2 µs |
| text that is read, written or copied | 1 for 32 bytes | |
| a format | 2 for each byte of it, 20 for each argument | |
| JSON parsed or written on the game thread | 2 for each byte | 50 MB/s |
| a SQLite statement on the game thread that reads | 5,000 | 50 µs |
| one that writes there, with its wait for the disk | 500,000 | 5 ms |

What happens before a plugin's first map (loading, OnPluginStart) is no frame: the server has no
players then.
"""

MILLISECOND = 100_000
NATIVE = 20
JSON_BYTE = 2
READ, WRITE = 5_000, 500_000


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
        self.frame = Frame(number)

    def add(self, plugin, cost, name):
        self.frame.cost += cost
        self.frame.parts.append((plugin.file, name, cost))

    def close(self):
        self.frames += 1
        self.total += self.frame.cost
        self.most_requests = max(self.most_requests, self.frame.requests)
        if self.frame.cost > self.worst.cost:
            self.worst = self.frame

    def report(self):
        """The dearest frame in words."""
        parts = ", ".join(f"{file}:{name} {cost}" for file, name, cost in self.worst.parts[-12:])
        return f"frame {self.worst.number}: {self.worst.cost} of {MILLISECOND} ({parts})"
