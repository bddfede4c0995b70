"""A headless SourceMod host: plugins run on a clock of their own, against real servers.

`Host` is the game server, `compile.build` makes `.smx` files, `proxy.Proxy` stands between plugins and
a server and breaks answers.
"""

from .host import BEGIN, Host, LoadError

__all__ = ["BEGIN", "Host", "LoadError"]
