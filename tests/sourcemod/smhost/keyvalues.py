"""Valve's KeyValues text, as far as phrase files and small configurations need it."""


class Node:
    """A key with a value or with keys beneath it."""

    def __init__(self, name, value=None):
        self.name, self.value, self.children = name, value, []

    def child(self, name):
        for node in self.children:
            if node.name.lower() == name.lower():
                return node
        return None


def tokens(text):
    """Strings (with True) and braces of a text."""
    at, size = 0, len(text)
    while at < size:
        char = text[at]
        if char.isspace() or char == "\ufeff":
            at += 1
        elif text.startswith("//", at):
            at = text.find("\n", at) if "\n" in text[at:] else size
        elif text.startswith("/*", at):
            at = text.index("*/", at) + 2
        elif char in "{}":
            yield char, False
            at += 1
        elif char == '"':
            word, at = quoted(text, at + 1)
            yield word, True
        else:
            start = at
            while at < size and not text[at].isspace() and text[at] not in '{}"':
                at += 1
            yield text[start:at], True


def quoted(text, at):
    out = []
    while text[at] != '"':
        if text[at] == "\\" and at + 1 < len(text):
            out.append({"n": "\n", "t": "\t", "r": "\r"}.get(text[at + 1], text[at + 1]))
            at += 2
        else:
            out.append(text[at])
            at += 1
    return "".join(out), at + 1


def parse(text):
    """The root node of a text; its one child is the file's section."""
    root = Node("")
    stack, name = [root], None
    for token, is_string in tokens(text):
        if is_string and name is None:
            name = token
        elif is_string:
            stack[-1].children.append(Node(name, token))
            name = None
        elif token == "{":
            node = Node(name or "")
            stack[-1].children.append(node)
            stack.append(node)
            name = None
        else:
            stack.pop()
            if not stack:
                raise ValueError("a brace is closed that was not opened")
    if len(stack) != 1 or name is not None:
        raise ValueError("the text ends too early")
    return root
