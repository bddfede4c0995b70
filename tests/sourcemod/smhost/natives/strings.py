"""Text."""

from ..convars import integer_of, number_of
from ..errors import NativeError
from ..formatting import format_text
from ..machine import to_cell, to_float, wrap
from ..registry import native


@native("strlen")
def strlen(m, text):
    return len(m.raw(text))


@native("StrContains")
def str_contains(m, text, part, sensitive=1):
    a, b = m.raw(text), m.raw(part)
    return a.find(b) if sensitive else a.lower().find(b.lower())


@native("strcmp")
def strcmp(m, a, b, sensitive=1):
    return compare(m.raw(a), m.raw(b), sensitive)


@native("strncmp")
def strncmp(m, a, b, size, sensitive=1):
    return compare(m.raw(a)[:size], m.raw(b)[:size], sensitive)


def compare(a, b, sensitive):
    if not sensitive:
        a, b = a.lower(), b.lower()
    return (a > b) - (a < b)


@native("strcopy")
def strcopy(m, buffer, size, text):
    return m.put(buffer, size, m.raw(text))


@native("Format", "FormatEx")
def format_native(m, buffer, size, form, *args):
    # Cut at a byte, not at a character: the trap that Format is.
    return m.put(buffer, size, format_text(m, m.text(form), args), whole=False)


@native("VFormat")
def vformat(m, buffer, size, form, first):
    # The arguments are those of the function that calls: its frame has their number, then each.
    count = m.cells[m.frame + 2]
    args = [m.cells[m.frame + 3 + i] for i in range(first - 1, count)]
    return m.put(buffer, size, format_text(m, m.text(form), args), whole=False)


@native("StringToInt")
def string_to_int(m, text, base=10):
    return integer_of(m.text(text)) if base == 10 else int(m.text(text), base)


@native("StringToIntEx")
def string_to_int_ex(m, text, result, base=10):
    given = m.text(text)
    m.put_cell(result, integer_of(given))
    rest = given.lstrip().lstrip("+-")
    digits = len(rest) - len(rest.lstrip("0123456789"))
    return len(given) - len(rest) + digits if digits else 0


@native("StringToFloat")
def string_to_float(m, text):
    return to_cell(number_of(m.text(text)))


@native("IntToString")
def int_to_string(m, value, buffer, size):
    return m.put(buffer, size, str(value))


@native("FloatToString")
def float_to_string(m, value, buffer, size):
    return m.put(buffer, size, f"{to_float(value):f}")


@native("TrimString")
def trim_string(m, text):
    raw = m.raw(text).strip(b" \t\r\n\f\v")
    m.put(text, len(raw) + 1, raw)
    return len(raw)


@native("ReplaceString")
def replace_string(m, text, size, search, replace, sensitive=1):
    raw, old, new = m.raw(text), m.raw(search), m.raw(replace)
    if not old:
        raise NativeError("Cannot replace searches of empty strings")
    count = raw.count(old)
    m.put(text, size, raw.replace(old, new), whole=False)
    return count


@native("ReplaceStringEx")
def replace_string_ex(m, text, size, search, replace, search_size=-1, replace_size=-1, sensitive=1):
    raw, old, new = m.raw(text), m.raw(search), m.raw(replace)
    at = raw.find(old)
    if at < 0:
        return -1
    m.put(text, size, raw.replace(old, new, 1), whole=False)
    return at + len(new)


@native("SplitString")
def split_string(m, source, split, part, size):
    raw, at = m.raw(source), m.raw(source).find(m.raw(split))
    if at < 0:
        return -1
    m.put(part, size, raw[:at])
    return at + len(m.raw(split))


@native("BreakString", "StrBreak")
def break_string(m, source, part, size):
    raw = m.raw(source)
    at = len(raw) - len(raw.lstrip())
    if at == len(raw):
        m.put(part, size, b"")
        return -1
    if raw[at:at + 1] == b'"':
        end = raw.find(b'"', at + 1)
        end = len(raw) if end < 0 else end
        m.put(part, size, raw[at + 1:end])
        end += 1
    else:
        end = at
        while end < len(raw) and raw[end:end + 1] not in b" \t\"":
            end += 1
        m.put(part, size, raw[at:end])
    while end < len(raw) and raw[end:end + 1] in b" \t":
        end += 1
    return end if end < len(raw) else -1


@native("StripQuotes")
def strip_quotes(m, text):
    raw = m.raw(text)
    if len(raw) >= 2 and raw[:1] == raw[-1:] == b'"':
        m.put(text, len(raw) + 1, raw[1:-1])
        return 1
    return 0


def kind(test):
    def check(m, char):
        return int(0 <= char < 128 and test(chr(char)))
    return check


for name, test in (("IsCharAlpha", str.isalpha), ("IsCharNumeric", str.isdigit), ("IsCharUpper", str.isupper),
                   ("IsCharLower", str.islower), ("IsCharSpace", str.isspace)):
    native(name)(kind(test))


@native("CharToUpper")
def char_to_upper(m, char):
    return char - 32 if 97 <= char <= 122 else char


@native("CharToLower")
def char_to_lower(m, char):
    return char + 32 if 65 <= char <= 90 else char


@native("IsCharMB")
def is_char_mb(m, char):
    char &= 255
    return 0 if char < 0xC0 else 2 if char >> 5 == 6 else 3 if char >> 4 == 14 else 4


@native("GetCharBytes")
def get_char_bytes(m, text):
    lead = m.bytes[text]
    return 1 if lead < 0xC0 else 2 if lead >> 5 == 6 else 3 if lead >> 4 == 14 else 4


@native("SortStrings")
def sort_strings(m, *_):
    raise NativeError("SortStrings is not part of this host")


@native("SortIntegers")
def sort_integers(m, array, size, order=0):
    values = sorted(m.array(array, size), reverse=order == 1)
    if order == 2:
        m.host.random.shuffle(values)
    m.put_array(array, [wrap(v) for v in values])
