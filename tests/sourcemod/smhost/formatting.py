"""SourceMod's own `%` formats, translations included."""

import re

from .errors import NativeError
from .machine import to_float
from .phrases import PLACE

SPEC = re.compile(r"%([-0]*)(\d*)(?:\.(\d+))?(.)", re.S)


class Arguments:
    """The variable arguments of a native: addresses, taken one after another."""

    def __init__(self, machine, cells):
        self.m, self.cells, self.at = machine, cells, 0

    def take(self):
        if self.at >= len(self.cells):
            raise NativeError(f"String formatted incorrectly - parameter {self.at + 1} (total {len(self.cells)})")
        self.at += 1
        return self.cells[self.at - 1]

    def cell(self):
        return self.m.cell(self.take())

    def text(self):
        return self.m.text(self.take())


def format_text(m, form, cells):
    """A format with its arguments, as text."""
    m.n += 20 + len(form) * 2 + 20 * len(cells)
    return expand(m, form, Arguments(m, cells), m.host.target)


def expand(m, form, args, target):
    out, at = [], 0
    for match in SPEC.finditer(form):
        if match.start() < at:
            continue
        out.append(form[at:match.start()])
        out.append(one(m, match, args, target))
        at = match.end()
    tail = form[at:]
    out.append(tail[:-1] if tail.endswith("%") else tail)
    return "".join(out)


def one(m, match, args, target):
    flags, width, precision, kind = match.groups()
    if kind == "%":
        return "%"
    if kind in "tT":
        if kind == "T":
            key = args.text()
            return translate(m, key, args, args.cell())
        return translate(m, args.text(), args, target)
    text = convert(m, kind, precision, args)
    if text is None:
        # SourceMod writes what it does not know as it stands.
        return match.group(0)[1:]
    if width and len(text) < int(width):
        fill = "0" if "0" in flags and kind not in "sNL" else " "
        text = text.ljust(int(width), fill) if "-" in flags else text.rjust(int(width), fill)
    return text


def convert(m, kind, precision, args):
    if kind in "di":
        return str(args.cell())
    if kind == "u":
        return str(args.cell() & 0xFFFFFFFF)
    if kind in "xX":
        return format(args.cell() & 0xFFFFFFFF, kind)
    if kind == "b":
        return format(args.cell() & 0xFFFFFFFF, "b")
    if kind == "f":
        return f"{to_float(args.cell()):.{int(precision) if precision else 6}f}"
    if kind == "c":
        return character(m, args.take())
    if kind == "s":
        text = args.text()
        return text if precision is None else text[:int(precision)]
    if kind == "N":
        index = args.cell()
        return client_of(m, index).name if index else "Console"
    if kind == "L":
        return label(m, args.cell())
    return None


def character(m, at):
    """`%c`: one character, of as many bytes as it has."""
    lead = m.bytes[at]
    size = 1 if lead < 0x80 else 2 if lead >> 5 == 6 else 3 if lead >> 4 == 14 else 4
    return bytes(m.bytes[at:at + size]).decode("utf-8", "surrogateescape") if lead else ""


def client_of(m, index):
    client = m.host.clients.get(index)
    if client is None:
        raise NativeError(f"Client index {index} is invalid")
    return client


def label(m, index):
    if index == 0:
        return "Console<0><Console><Console>"
    client = client_of(m, index)
    return f"{client.name}<{client.user_id}><{client.steam2 if client.authorised else 'STEAM_ID_PENDING'}><>"


def translate(m, key, args, target):
    """A phrase in the language of a client (0: of the server)."""
    phrase = m.host.phrases.find(m.plugin.phrase_files, key)
    if phrase is None:
        raise NativeError(f'Language phrase "{key}" not found (arg {args.at})')
    language = m.host.language_of(target)
    text = phrase.texts.get(language)
    if text is None:
        m.host.untranslated.add((key, language))
        text = phrase.texts.get("en")
    if text is None:
        raise NativeError(f'Language phrase "{key}" not found (arg {args.at})')
    given = [expand(m, form, args, target) for form in phrase.formats]
    # A phrase is a format itself, so a lone percent sign in it takes an argument that is not there.
    if "%" in PLACE.sub("", text).replace("%%", ""):
        raise NativeError(f"String formatted incorrectly - parameter {args.at + 1} (total {len(args.cells)})")
    return PLACE.sub(lambda place: given[int(place.group(1)) - 1], text.replace("%%", "%"))
