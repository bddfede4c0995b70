"""What SourceMod writes: the console, its logs, and the text of a crash."""

import re

COLOUR = re.compile(r"[\x01-\x08\x0b-\x10]|\x07[0-9A-Fa-f]{6}")


class Log:
    """Part of the host: everything that is written anywhere."""

    def write(self, text):
        self.console.lines.append(text)

    def budget_note(self, _text):
        """A hook for tests that want to see the console live."""

    def log_exception(self, plugin, error):
        """An error in a plugin, told as SourceMod tells it."""
        lines = [f"[SM] Exception reported: {error}", f"[SM] Blaming: {plugin.file}", "[SM] Call stack trace:"]
        stack = plugin.machine.stack(error)
        for depth, (name, file, line) in enumerate(stack):
            lines.append(f"[SM]   [{depth}] Line {line}, {file}::{name}")
        self.errors.append("\n".join(lines))
        for line in lines:
            self.log(plugin, "error", line)

    def log(self, plugin, kind, text):
        """A line in one of the logs; the console shows it as well."""
        self.logs.append((kind, plugin.file if plugin else "", text))
        self.console.lines.append(f"L {text}")

    @property
    def errors(self):
        if not hasattr(self, "_errors"):
            self._errors = []
        return self._errors

    def crash_text(self):
        """What a crash would upload and print: the console, the variables that are not protected, plugins."""
        lines = list(self.console.lines[-4000:])
        lines += [f'{c.name} = "{c.value}"' for c in self.convars.all() if not c.flags & 1 << 5]
        for plugin in self.plugins:
            lines.append(f"{plugin.file} {plugin.info()}")
        return "\n".join(lines)

    def everything_shown(self):
        """All text that left the plugins: consoles, logs, chats, menus, crash text, the answers of sm_cvar."""
        lines = [text for _, _, text in self.logs] + list(self.console.lines) + list(self.shown)
        for convar in self.convars.all():
            if not convar.flags & 1 << 5:
                lines.append(f"{convar.name} {convar.value} {convar.default} {convar.description}")
        return "\n".join(lines) + self.crash_text()


def plain(text):
    """A line of chat without its colours."""
    return COLOUR.sub("", text)
