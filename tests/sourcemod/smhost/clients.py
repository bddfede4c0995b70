"""The people on the server, their places and what they see."""

IN_USE = 0x0110000100000000


class Client:
    """A player in a slot. Slots are used again; user ids are not."""

    def __init__(self, index, user_id, name, steam_id, language="en", flags="", bot=False, address="203.0.113.9"):
        self.index, self.user_id, self.name, self.bot = index, user_id, name, bot
        self.steam_id, self.language, self.address = steam_id, language, address
        self.flags = flag_bits(flags)
        self.in_game = self.authorised = False
        self.team, self.alive = 2, True
        self.chat, self.hints, self.hud, self.center, self.console_lines = [], [], [], [], []
        self.menu = None

    @property
    def account(self):
        return (self.steam_id - IN_USE) & 0xFFFFFFFF

    @property
    def steam2(self):
        return "BOT" if self.bot else f"STEAM_0:{self.account & 1}:{self.account >> 1}"

    @property
    def steam3(self):
        return "BOT" if self.bot else f"[U:1:{self.account}]"

    def seen(self):
        """Everything that was shown to this person, newest last."""
        return self.chat + self.hints + self.hud + self.center + self.console_lines


FLAGS = "abcdefghijklmnzopqrst"


def flag_bits(letters):
    """Admin flags by their letters: a is 1<<0, z is root (1<<14), o to t are custom."""
    bits = 0
    for letter in letters:
        bits |= 1 << FLAGS.index(letter)
    return bits


ROOT = flag_bits("z")


class Clients:
    """Slots 1 to `limit`."""

    def __init__(self, host, limit):
        self.host, self.limit = host, limit
        self._by_index, self._next_user = {}, 2

    def get(self, index):
        return self._by_index.get(index)

    def all(self):
        return [self._by_index[i] for i in sorted(self._by_index)]

    def by_user(self, user_id):
        return next((c for c in self.all() if c.user_id == user_id), None)

    def connect(self, name, steam_id=0, authorise=True, **more):
        """Somebody joins: the lowest free slot, then in game, then (unless Steam is silent) authorised."""
        index = next(i for i in range(1, self.limit + 1) if i not in self._by_index)
        client = Client(index, self._next_user, name, steam_id, **more)
        self._next_user += 1
        self._by_index[index] = client
        self.host.fire("OnClientConnected", index)
        client.in_game = True
        self.host.fire("OnClientPutInServer", index)
        if authorise:
            self.authorise(client)
        return client

    def authorise(self, client):
        """Steam has told who this is."""
        client.authorised = True
        if not client.bot:
            self.host.fire("OnClientAuthorized", client.index, client.steam2)
        self.host.fire("OnClientPostAdminFilter", client.index)
        self.host.fire("OnClientPostAdminCheck", client.index)

    def disconnect(self, client):
        """Somebody leaves; menus are cancelled, the slot is free afterwards."""
        if self._by_index.get(client.index) is not client:
            return
        self.host.menus.leave(client)
        self.host.fire("OnClientDisconnect", client.index)
        del self._by_index[client.index]
        client.in_game = client.authorised = False
        self.host.fire("OnClientDisconnect_Post", client.index)
