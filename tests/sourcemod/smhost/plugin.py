"""One loaded plugin."""

from .errors import AlreadyTold, PluginError
from .image import Image
from .machine import Machine

# SourceMod's statuses, as GetPluginStatus gives them.
RUNNING, PAUSED, ERROR, LOADED, FAILED, CREATED = 0, 1, 2, 3, 4, 5


class Plugin:
    """A plugin: its file, its machine and what it has registered."""

    def __init__(self, host, path):
        self.host, self.path, self.file = host, path, path.name
        self.image = Image(path.read_bytes())
        self.machine = Machine(self.image, self)
        self.publics = dict(self.image.publics)
        limit = self.image.variables.get("MaxClients")
        if limit is not None:
            self.machine.put_cell(limit, host.clients.limit)
        self.status = CREATED
        self.error = ""
        self.phrase_files = []
        self.libraries = []
        self.optional = set()
        self.configs = []
        # Natives this plugin offers: name to number of its function.
        self.offered = {}
        self.call = []
        self.handle = 0
        self.leaving = False

    @property
    def running(self):
        return self.status == RUNNING

    def info(self):
        """Name, description, author, version and address, as `myinfo` has them."""
        at = self.image.variables.get("myinfo")
        if at is None:
            return {}
        fields = self.machine.array(at, 5)
        return dict(zip(("name", "description", "author", "version", "url"), map(self.machine.text, fields)))

    def function(self, number):
        """The address of a function by the number that plugins hand around; None for INVALID_FUNCTION."""
        if number < 0 or not number & 1 or number >> 1 >= len(self.image.publics):
            return None
        return self.image.publics[number >> 1][1]

    def number(self, name):
        """The number of a public function by name."""
        for index, (public, _) in enumerate(self.image.publics):
            if public == name:
                return index << 1 | 1
        return -1

    def where(self):
        """The function that is being run, for reports."""
        return self.call[-1] if self.call else "?"

    def name_of(self, address):
        return self.image.functions.get(address, str(address))

    def run(self, address, args, tell=True):
        """Calls a function; an error is logged as SourceMod does. Answers (result, whether it ended well)."""
        self.call.append(self.name_of(address))
        self.machine.host = self.host
        depth = len(self.host.running)
        self.host.running.append(self)
        started = self.machine.n
        try:
            return self.machine.call(address, args), True
        except PluginError as error:
            if not tell:
                raise
            if not isinstance(error, AlreadyTold):
                self.host.log_exception(self, error)
            return 0, False
        finally:
            self.host.spent(self, self.machine.n - started, self.call[-1])
            del self.host.running[depth:]
            self.call.pop()

    def run_public(self, name, *args):
        """Calls a public function by name, if the plugin has it."""
        at = self.publics.get(name)
        return self.run(at, args) if at is not None else (0, True)
