"""Translations: phrase files as SourceMod reads them."""

import re

from . import keyvalues
from .errors import NativeError

LANGUAGES = ["en", "ar", "pt", "bg", "cze", "da", "nl", "fi", "fr", "de", "el", "he", "hu", "it", "jp", "ko",
             "lv", "lt", "no", "pl", "pt_p", "ro", "ru", "chi", "sk", "es", "sv", "zho", "th", "tr", "ua", "vi"]
PLACE = re.compile(r"\{(\d+)(?::([^}]*))?\}")
# What SourceMod brings along itself and plugins here may use, in own words.
BUILT_IN = {
    "common.phrases": {
        "No matching client": "There is no such player.", "More than one client matched": "More than one fits.",
        "Unable to target": "You cannot target this player.", "Target is not in game": "Not in the game yet.",
        "Player no longer available": "The player has gone.", "Target must be dead": "Must be dead.",
        "Target must be alive": "Must be alive.", "Cannot target bot": "Cannot target a bot.",
        "No Access": "You do not have access to this command.", "Back": "Back", "Next": "Next", "Exit": "Exit",
        "Yes": "Yes", "No": "No", "Matches all": "all players", "Command is in-game only": "Only in the game.",
    },
    "core.phrases": {"No Access": "You do not have access to this command."},
}


class Phrase:
    """A phrase: the format each placeholder has, and the text in each language."""

    def __init__(self, name):
        self.name, self.formats, self.texts = name, [], {}


class Phrases:
    """The phrase files of a server."""

    def __init__(self, folder):
        self.folder = folder
        self._files = {}

    def load(self, name):
        """The phrases of a file by name, with all languages."""
        if name not in self._files:
            base = name if name.endswith(".txt") else name + ".txt"
            path = self.folder / base
            if not path.exists():
                if name not in BUILT_IN:
                    raise NativeError(f'Could not find translation file "{base}"')
                self._files[name] = self._built_in(BUILT_IN[name])
            else:
                self._files[name] = self._read(base)
        return self._files[name]

    def _built_in(self, texts):
        found = {}
        for key, text in texts.items():
            found[key] = Phrase(key)
            found[key].texts["en"] = text
        return found

    def _read(self, base):
        found = {}
        self._add(found, self.folder / base)
        for code in LANGUAGES:
            path = self.folder / code / base
            if path.exists():
                self._add(found, path)
        return found

    def _add(self, found, path):
        section = keyvalues.parse(path.read_bytes().decode("utf-8")).children[0]
        for node in section.children:
            phrase = found.setdefault(node.name, Phrase(node.name))
            for line in node.children:
                if line.name == "#format":
                    phrase.formats = ["%" + kind for _, kind in sorted(PLACE.findall(line.value), key=lambda p: int(p[0]))]
                else:
                    phrase.texts[line.name] = line.value

    def find(self, files, key):
        for name in files:
            phrase = self.load(name).get(key)
            if phrase is not None:
                return phrase
        return None
