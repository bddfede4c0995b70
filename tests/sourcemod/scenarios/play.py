"""What people do on a game server, as the stories need it again and again."""

from .api import until

ADMIN = 76561198000000077


def admin(host, **more):
    """An admin joins."""
    return host.clients.connect("Ada", ADMIN, flags="z", **more)


def player(host, person, **more):
    """Somebody whom Steam knows joins."""
    return host.clients.connect(person["name"], int(person["steamId"]), **more)


def menu(host, client, seconds=20):
    """Waits until somebody sees a menu."""
    assert host.until(lambda: client.menu is not None, seconds), (client.chat, host.console.lines[-5:])
    return client.menu


def start(host, boss, items=1, minutes="1 ", title="A prize"):
    """An admin starts a giveaway of the first free items; answers what the menu called them."""
    host.console.say(boss, f"!giveaway {title}")
    names = []
    for _ in range(items):
        view = menu(host, boss)
        name = next(text for text in view.choices() if text.startswith("[  ]"))
        names.append(name[4:].strip())
        host.menus.choose(boss, name)
    menu(host, boss)
    host.menus.pick(boss, 1)
    menu(host, boss)
    host.menus.choose(boss, minutes)
    assert host.until(lambda: any("!enter" in line for line in boss.chat), 20), (boss.chat, host.console.lines[-5:])
    return names


def enter(host, *clients):
    for client in clients:
        host.console.say(client, "!enter")


def settle_outbox(host, seconds=600):
    """Waits until nothing is owed any more."""
    assert host.until(lambda: pending(host) == (0, 0), seconds), host.console.server("astro_status")


def pending(host):
    """(pending, dead) of the outbox, as astro_status has it."""
    line = next(line for line in host.console.server("astro_status") if "outbox:" in line)
    words = line.replace(",", "").split()
    return int(words[words.index("pending") - 1]), int(words[words.index("dead") - 1])


def known(api):
    """Ids of the assignments that there are."""
    return {a["id"] for a in api.assignments()}


def made(host, api, before, seconds=600):
    """Waits until there is an assignment more than before, and proves that it stays the only one."""
    fresh = lambda: [a for a in api.assignments() if a["id"] not in before]  # noqa: E731
    assert host.until(fresh, seconds), host.console.server("astro_status")
    settle_outbox(host)
    host.advance(30)
    found = fresh()
    assert len(found) == 1, found
    return found[0]


def delivered(host, api, id, seconds=90):
    """Waits, in real time, until the bot has delivered, with the game going on beside it."""
    def look():
        host.advance(2)
        found = api.assignment(id)
        return found if found["state"] in ("ASSIGNMENT_STATE_DELIVERED", "ASSIGNMENT_STATE_SETTLED") else None
    return until(look, seconds)
