"""Commands: how the Source engine cuts a line into words, and who hears them."""

from . import clients

# Each of these is a word of its own, wherever it stands.
BREAKS = "{}()':"
MAX_WORDS = 64
MAX_LINE = 512
# What the chat box of the game takes.
CHAT_BYTES = 127


def words(line):
    """The words of a line as Source's tokeniser finds them; `//` ends it, outside quotes, at a word's start."""
    found, at = [], 0
    while len(found) < MAX_WORDS:
        while at < len(line) and line[at] <= " ":
            at += 1
        if at >= len(line) or line.startswith("//", at):
            return found
        if line[at] == '"':
            end = line.find('"', at + 1)
            end = len(line) if end < 0 else end
            found.append(line[at + 1:end])
            at = end + 1
        elif line[at] in BREAKS:
            found.append(line[at])
            at += 1
        else:
            start = at
            while at < len(line) and line[at] > " " and line[at] not in BREAKS and line[at] != '"':
                at += 1
            found.append(line[start:at])
    return found


def rest(line):
    """The line behind its first word, as GetCmdArgString gives it."""
    line = line.lstrip()
    if line.startswith('"'):
        end = line.find('"', 1)
        return line[end + 1:].lstrip() if end > 0 else ""
    at = 0
    while at < len(line) and line[at] > " " and line[at] not in BREAKS + '"':
        at += 1
    at = max(at, 1)
    return line[at:].lstrip()


class Command:
    """A command and who registered it."""

    def __init__(self, name, description, flags, kind):
        self.name, self.description, self.flags, self.kind = name, description, flags, kind
        self.hooks = []


class Line:
    """A command while it runs."""

    def __init__(self, text, client, to_chat):
        text = text.encode("utf-8", "surrogateescape")[:MAX_LINE - 1].decode("utf-8", "surrogateescape")
        self.words = words(text) or [""]
        self.rest, self.client, self.to_chat = rest(text), client, to_chat


class Console:
    """The server's console, the players' consoles and the chat."""

    def __init__(self, host):
        self.host, self.commands, self.listeners = host, {}, {}
        self.current = []
        self.lines = []

    def register(self, plugin, number, name, description, flags, kind):
        command = self.commands.setdefault(name.lower(), Command(name, description, flags, kind))
        command.hooks.append((plugin, number))

    def drop(self, plugin):
        for table in (self.commands, ):
            for name, command in list(table.items()):
                command.hooks = [pair for pair in command.hooks if pair[0] is not plugin]
                if not command.hooks:
                    del table[name]
        for name, hooks in self.listeners.items():
            self.listeners[name] = [pair for pair in hooks if pair[0] is not plugin]

    def write(self, text):
        """A line on the server's console, which is its log."""
        self.lines.append(text)
        self.host.budget_note(text)

    def server(self, text):
        """Somebody types at the server's console; answers what was written there."""
        start = len(self.lines)
        self.run(text, 0, False)
        return self.lines[start:]

    def player(self, client, text):
        """Somebody types in the console of the game."""
        start = len(client.console_lines)
        self.run(text, client.index, False)
        return client.console_lines[start:]

    def run(self, text, index, to_chat):
        line = Line(text, index, to_chat)
        self.current.append(line)
        try:
            name = line.words[0].lower()
            if self._heard(self.listeners.get(name, ()), line):
                return True
            command = self.commands.get(name)
            if command is not None and not (command.kind == "server" and index):
                if not self.allowed(index, command):
                    self.reply(index, "[SM] You do not have access to this command.")
                    return True
                return self._heard(command.hooks, line, server=command.kind == "server") or True
            return self._built_in(line)
        finally:
            self.current.pop()

    def _heard(self, hooks, line, server=False):
        for plugin, number in list(hooks):
            if plugin not in self.host.plugins:
                continue
            count = len(line.words) - 1
            if server:
                args = (count,)
            elif hooks is self.listeners.get(line.words[0].lower()):
                args = (line.client, line.words[0], count)
            else:
                args = (line.client, count)
            value, _ = self.host.call(plugin, plugin.function(number), *args)
            if value >= 3:
                return True
        return False

    def allowed(self, index, command):
        if index == 0 or not command.flags:
            return True
        bits = self.host.clients.get(index).flags
        return bool(bits & clients.ROOT) or bits & command.flags == command.flags

    def reply(self, index, text):
        """ReplyToCommand: where the question came from."""
        if index == 0:
            self.write(text)
        elif self.current and self.current[-1].to_chat:
            self.host.print_chat(self.host.clients.get(index), text)
        else:
            self.host.clients.get(index).console_lines.append(text)

    # Chat
    def say(self, client, text, team=False):
        """Somebody writes in the chat; answers whether others see it.

        A command behind `/` is seen by no plugin as something said; one behind `!` is, and runs
        afterwards whatever they answer.
        """
        text = text.encode("utf-8", "surrogateescape")[:CHAT_BYTES].decode("utf-8", "ignore")
        verb = "say_team" if team else "say"
        line = self._command_in(text)
        hidden = line is not None and text[0] == "/"
        if not hidden:
            hidden = self._say(client, verb, text)
        if line is not None:
            self.run(line, client.index, True)
        return not hidden

    def _say(self, client, verb, text):
        """What plugins make of something said; answers whether they swallow it."""
        said = Line(f'{verb} "{text}"', client.index, True)
        said.words = [verb, text]
        self.current.append(said)
        try:
            if self._heard(self.listeners.get(verb, ()), said):
                return True
            value, _ = self.host.fire_hook("OnClientSayCommand", client.index, verb, text)
        finally:
            self.current.pop()
        self.host.fire("OnClientSayCommand_Post", client.index, verb, text)
        return value >= 3

    def _command_in(self, text):
        """The line that a trigger stands for, if there is such a command."""
        if text[:1] not in ("!", "/"):
            return None
        name = text[1:].split('"')[0].split(None, 1)[0].lower() if text[1:].strip() and text[1] > " " else ""
        for form in (name, "sm_" + name):
            command = self.commands.get(form)
            if name and command is not None and command.kind != "server":
                return text[1:] if form == name else "sm_" + text[1:]
        return None

    # What SourceMod's own plugins and the engine would answer
    def _built_in(self, line):
        name = line.words[0].lower()
        if name == "sm_cvar" and len(line.words) >= 2:
            return self._cvar(line)
        if name == "exec" and len(line.words) == 2 and line.client == 0:
            self.host.execute_file(self.host.folder / "cfg" / line.words[1])
            return True
        convar = self.host.convars.find(name)
        if convar is not None and line.client == 0:
            if len(line.words) > 1:
                convar.set(rest_value(line))
            else:
                self.write(f'"{convar.name}" = "{convar.value}" ( def. "{convar.default}" )')
            return True
        if name and line.client == 0:
            self.write(f"Unknown command \"{line.words[0]}\"")
        return False

    def _cvar(self, line):
        convar = self.host.convars.find(line.words[1])
        if convar is None:
            self.reply(line.client, f"[SM] Unable to find cvar: {line.words[1]}")
            return True
        # SourceMod shows a protected variable at the server's console and to root, to nobody else.
        if convar.flags & 1 << 5 and line.client and not self.host.clients.get(line.client).flags & clients.ROOT:
            self.reply(line.client, "[SM] You do not have access to this cvar.")
            return True
        if len(line.words) > 2:
            convar.set(line.words[2])
        self.reply(line.client, f'[SM] Value of cvar "{convar.name}": "{convar.value}"')
        return True


def rest_value(line):
    """The value in `name value`: what is quoted, or all that follows as it stands, `//` included."""
    text = line.rest.strip()
    return line.words[1] if text.startswith('"') else text
