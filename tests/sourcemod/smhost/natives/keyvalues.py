"""KeyValues."""

from .. import keyvalues
from ..convars import integer_of, number_of
from ..machine import to_cell
from ..registry import native


class Tree:
    """A tree and the place in it."""

    def __init__(self, root):
        self.path = [root]

    @property
    def here(self):
        return self.path[-1]

    def find(self, key):
        return self.here.child(key)

    def put(self, key, value):
        node = self.here.child(key)
        if node is None:
            node = keyvalues.Node(key)
            self.here.children.append(node)
        node.value = value


def tree_of(m, handle):
    return m.host.handles.read(handle, "KeyValues")


@native("KeyValues.KeyValues", "CreateKeyValues")
def new_tree(m, name, first_key=0, first_value=0):
    tree = Tree(keyvalues.Node(m.text(name)))
    if first_key and m.text(first_key):
        tree.put(m.text(first_key), m.text(first_value))
    return m.host.handles.new("KeyValues", tree, m.plugin)


@native("KeyValues.SetString", "KvSetString")
def set_string(m, handle, key, value):
    tree_of(m, handle).put(m.text(key), m.text(value))


@native("KeyValues.SetNum", "KvSetNum")
def set_num(m, handle, key, value):
    tree_of(m, handle).put(m.text(key), str(value))


@native("KeyValues.GetString", "KvGetString")
def get_string(m, handle, key, buffer, size, default=0):
    node = tree_of(m, handle).find(m.text(key)) if m.text(key) else tree_of(m, handle).here
    value = node.value if node is not None and node.value is not None else m.text(default) if default else ""
    m.put(buffer, size, value)


@native("KeyValues.GetNum", "KvGetNum")
def get_num(m, handle, key, default=0):
    node = tree_of(m, handle).find(m.text(key))
    return integer_of(node.value) if node is not None and node.value is not None else default


@native("KeyValues.GetFloat", "KvGetFloat")
def get_float(m, handle, key, default=0):
    node = tree_of(m, handle).find(m.text(key))
    return to_cell(number_of(node.value)) if node is not None and node.value is not None else default


@native("KeyValues.JumpToKey", "KvJumpToKey")
def jump_to_key(m, handle, key, create=0):
    tree = tree_of(m, handle)
    node = tree.find(m.text(key))
    if node is None and create:
        node = keyvalues.Node(m.text(key))
        tree.here.children.append(node)
    if node is None:
        return 0
    tree.path.append(node)
    return 1


@native("KeyValues.GotoFirstSubKey", "KvGotoFirstSubKey")
def goto_first(m, handle, keys_only=1):
    tree = tree_of(m, handle)
    found = [node for node in tree.here.children if node.value is None or not keys_only]
    if not found:
        return 0
    tree.path.append(found[0])
    return 1


@native("KeyValues.GotoNextKey", "KvGotoNextKey")
def goto_next(m, handle, keys_only=1):
    tree = tree_of(m, handle)
    found = [node for node in tree.path[-2].children if node.value is None or not keys_only]
    at = found.index(tree.here) + 1
    if at >= len(found):
        return 0
    tree.path[-1] = found[at]
    return 1


@native("KeyValues.GoBack", "KvGoBack")
def go_back(m, handle):
    tree = tree_of(m, handle)
    if len(tree.path) == 1:
        return 0
    tree.path.pop()
    return 1


@native("KeyValues.Rewind", "KvRewind")
def rewind(m, handle):
    del tree_of(m, handle).path[1:]


@native("KeyValues.GetSectionName", "KvGetSectionName")
def section_name(m, handle, buffer, size):
    m.put(buffer, size, tree_of(m, handle).here.name)
    return 1


@native("KeyValues.ImportFromFile", "FileToKeyValues")
def import_from_file(m, handle, path):
    file = m.host.folder / m.text(path)
    if not file.exists():
        return 0
    root = keyvalues.parse(file.read_text(encoding="utf-8")).children[0]
    tree_of(m, handle).path = [root]
    return 1
