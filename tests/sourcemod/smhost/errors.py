"""What ends a callback before its end."""


class PluginError(Exception):
    """An error inside a plugin: SourceMod logs it, ends the callback, and the plugin lives on."""


class NativeError(PluginError):
    """A native refused its arguments."""


class AlreadyTold(PluginError):
    """An error of a plugin that was called by another one; it is in the log already."""


class LoadError(Exception):
    """A plugin that cannot be loaded, in SourceMod's words."""
