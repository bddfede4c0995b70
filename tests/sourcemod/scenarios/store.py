"""The database on the game server: locked, full, deleted."""

from . import play


def win(host, strangers, who=0):
    """A giveaway up to the win."""
    boss, winner = play.admin(host), play.player(host, strangers[who])
    play.start(host, boss)
    play.enter(host, winner)
    return boss, winner


def won(host, boss):
    assert host.until(lambda: any("has won" in line for line in boss.chat), 90), boss.chat


def test_the_database_is_locked_for_a_while_at_the_win(community, api, strangers):
    host = community.server()
    before = play.known(api)
    boss, _ = win(host, strangers)
    host.advance(50)
    host.databases.lock("astro")
    won(host, boss)
    host.advance(30)
    assert play.known(api) == before, "it was sent before it was stored"
    host.databases.unlock()
    given = play.made(host, api, before)
    assert given["userId"] == strangers[0]["steamId"]


def test_the_database_is_locked_for_good_and_the_prize_comes_when_it_is_not(community, api, strangers):
    host = community.server()
    before = play.known(api)
    boss, _ = win(host, strangers, 1)
    host.advance(50)
    host.databases.lock("astro")
    won(host, boss)
    host.advance(300)
    host.databases.unlock()
    given = play.made(host, api, before, 1800)
    assert given["userId"] == strangers[1]["steamId"]


def test_the_disk_is_full_at_the_win(community, proxy, api, strangers):
    host = community.server()
    before = play.known(api)
    boss, _ = win(host, strangers, 2)
    host.advance(50)
    host.databases.fill()
    won(host, boss)
    host.advance(120)
    host.databases.empty()
    given = play.made(host, api, before, 1800)
    assert given["userId"] == strangers[2]["steamId"]


def test_the_database_is_deleted_while_a_prize_waits(community, proxy, api, strangers):
    host = community.server()
    before = play.known(api)
    boss, _ = win(host, strangers, 3)
    proxy.down()
    won(host, boss)
    host.advance(30)
    assert play.pending(host)[0] == 1
    host.databases.delete("astro")
    # Within a minute it is written anew, and the restart finds it.
    host.advance(60)
    again = community.restart(host)
    proxy.up()
    given = play.made(again, api, before)
    assert given["userId"] == strangers[3]["steamId"]


def test_a_server_without_a_database_says_so_and_recovers(community, api, strangers):
    community.config()
    folder = community.folder / "server" / "addons" / "sourcemod" / "data" / "sqlite"
    folder.mkdir(parents=True)
    (folder / "astro.sq3").write_bytes(b"this is no database, but a page of text" * 40)
    host = community.server()
    before = play.known(api)
    host.advance(120)
    assert "cannot be used" in "\n".join(host.console.server("astro_status"))
    (folder / "astro.sq3").unlink()
    host.advance(120)
    assert "database: open" in "\n".join(host.console.server("astro_status"))
    host.console.server("astro_giveaway_auto_prize 1")
    host.console.server(f'astro_giveaway_end back {strangers[0]["steamId"]}')
    play.made(host, api, before)
