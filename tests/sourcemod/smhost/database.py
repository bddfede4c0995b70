"""SourceMod's SQLite driver on Python's: threaded queries, answers one a frame, and what can go wrong."""

import sqlite3

from .errors import NativeError

# Seconds that the driver waits for a lock of somebody else before it gives up.
BUSY = 60.0


class Database:
    """A connection."""

    def __init__(self, databases, path):
        self.databases, self.path = databases, path
        path.parent.mkdir(parents=True, exist_ok=True)
        # A statement does not wait for a lock here: the host lets its own clock go on instead.
        self.link = sqlite3.connect(path, timeout=0, isolation_level=None)
        # Only the machine's own failure could tell the difference, and tests do not cut its power.
        self.link.execute("PRAGMA synchronous = OFF")
        self.error = ""
        if databases.pages:
            self.limit(databases.pages)

    def limit(self, pages):
        self.link.execute(f"PRAGMA max_page_count = {pages}")

    def on_free(self):
        self.databases.closed(self)


class Result:
    """Rows of a statement."""

    def __init__(self, cursor, changed, last):
        self.names = [column[0] for column in cursor.description or ()]
        self.rows = cursor.fetchall() if cursor.description else []
        self.at, self.changed, self.last = -1, changed, last

    @property
    def row(self):
        if not 0 <= self.at < len(self.rows):
            raise NativeError("Current result set has no fetched rows")
        return self.rows[self.at]

    def field(self, index):
        if not 0 <= index < len(self.names):
            raise NativeError(f"Invalid field index {index}")
        return self.row[index]


def run(link, text):
    """One statement."""
    cursor = link.execute(text)
    result = Result(cursor, cursor.rowcount, cursor.lastrowid)
    cursor.close()
    return result


class Work:
    """Something the thread of the database has to do, and whom to tell."""

    def __init__(self, databases, plugin, database, statements, tell):
        self.databases, self.plugin, self.database = databases, plugin, database
        self.statements, self.tell, self.since = statements, tell, databases.host.now
        self.data = ()

    def do(self):
        """Runs it; answers (results, error, index of the statement that failed), or None while it has to wait."""
        link, results, index = self.database.link, [], -1
        try:
            if len(self.statements) > 1 or self.transaction:
                link.execute("BEGIN")
            for index, text in enumerate(self.statements):
                results.append(run(link, text))
            if link.in_transaction:
                link.execute("COMMIT")
            return results, "", -1
        except sqlite3.Error as error:
            if link.in_transaction:
                link.execute("ROLLBACK")
            if "locked" in str(error) and self.databases.host.now - self.since < BUSY:
                return None
            return [], str(error), index

    transaction = False


class Databases:
    """All connections of a host and their one thread."""

    def __init__(self, host):
        self.host, self.queue, self.answers, self._open = host, [], [], []
        # Pages that a database may have, once the disk is full; 0: as many as it likes.
        self.pages = 0
        self._locks = []

    def open(self, name):
        database = Database(self, self.host.sourcemod / "data" / "sqlite" / f"{name}.sq3")
        self._open.append(database)
        return database

    def closed(self, database):
        # The connection lives on while something is to be done on it.
        if database in self._open and not any(work.database is database for work in self.queue):
            self._open.remove(database)
            database.link.close()

    def add(self, work):
        self.queue.append(work)
        # While a plugin goes, there is no thread any more: it waits for each statement.
        if work.plugin.leaving:
            self.finish(work.plugin)

    def busy(self):
        return bool(self.queue or self.answers)

    def next_due(self):
        """What is locked is tried again each second."""
        return self.host.now + 1 if self.queue else None

    def work(self):
        """The thread's turn: everything that is not locked."""
        waiting, self.queue = self.queue, []
        for place, work in enumerate(waiting):
            done = work.do()
            if done is None:
                self.queue = waiting[place:] + self.queue
                return
            self.answers.append((work, done))

    def answer(self):
        """The frame's turn: one answer."""
        if self.answers:
            work, done = self.answers.pop(0)
            work.tell(*done)

    def drop(self, plugin):
        self.queue = [work for work in self.queue if work.plugin is not plugin]
        self.answers = [pair for pair in self.answers if pair[0].plugin is not plugin]

    def finish(self, plugin):
        """Before a plugin goes, SourceMod does what it has asked for, and tells it."""
        self.work()
        for pair in [pair for pair in self.answers if pair[0].plugin is plugin]:
            self.answers.remove(pair)
            pair[0].tell(*pair[1])

    def pending_cells(self):
        for work in self.queue + [pair[0] for pair in self.answers]:
            yield from work.data

    def close(self):
        """The power goes: what waits is lost, what is committed stays."""
        self.unlock()
        self.queue, self.answers = [], []
        for database in self._open:
            database.link.close()
        self._open = []

    # Faults
    def path(self, name):
        return self.host.sourcemod / "data" / "sqlite" / f"{name}.sq3"

    def lock(self, name):
        """Another program holds the file, until `unlock`."""
        other = sqlite3.connect(self.path(name), isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        self._locks.append(other)

    def unlock(self):
        for other in self._locks:
            other.rollback()
            other.close()
        self._locks = []

    def fill(self):
        """The disk is full: no database grows any more, until `empty`."""
        self.pages = 1
        for database in self._open:
            count = database.link.execute("PRAGMA page_count").fetchone()[0]
            database.limit(max(1, count))

    def empty(self):
        self.pages = 0
        for database in self._open:
            database.limit(1 << 30)

    def delete(self, name):
        """Somebody deletes the file; open connections do not notice."""
        for suffix in ("", "-journal", "-wal", "-shm"):
            path = self.path(name).with_name(self.path(name).name + suffix)
            path.unlink(missing_ok=True)
