"""What people get to see, with the limits of the game's messages."""

from .log import plain

# A chat message is one user message of 255 bytes; SourceMod formats into 254.
CHAT_MAX = 253
# The console takes 1,024 bytes at once.
CONSOLE_MAX = 1023


class Output:
    """Part of the host: lines for people. `cut_lines` has each that was longer than its message."""

    @property
    def shown(self):
        if not hasattr(self, "_shown"):
            self._shown = []
        return self._shown

    @property
    def cut_lines(self):
        if not hasattr(self, "_cut"):
            self._cut = []
        return self._cut

    def _limited(self, text, limit):
        raw = text.encode("utf-8", "surrogateescape")
        if len(raw) > limit:
            self.cut_lines.append(text)
            raw = raw[:limit]
        line = raw.decode("utf-8", "surrogateescape")
        self.shown.append(line)
        return line

    def print_chat(self, client, text):
        client.chat.append(plain(self._limited(text, CHAT_MAX)))

    def print_hint(self, client, text):
        client.hints.append(self._limited(text, CHAT_MAX))

    def print_center(self, client, text):
        client.center.append(self._limited(text, CHAT_MAX))

    def print_hud(self, client, text):
        client.hud.append(self._limited(text, CHAT_MAX))

    def print_console(self, client, text):
        client.console_lines.append(self._limited(text, CONSOLE_MAX))

    def broken_text(self):
        """Lines that are not UTF-8: half a character was sent."""
        return [line for line in self.shown if any("\udc80" <= char <= "\udcff" for char in line)]
