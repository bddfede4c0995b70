"""ripext's transport: real sockets, the game's clock.

Requests travel in threads and take real time; the game's clock is the host's. While an answer is
awaited, the clock goes on frame by frame. A request that the fault proxy holds back (`held`), or that
takes longer than `PATIENCE` real seconds, is not waited for: the clock goes on, up to the request's own
timeout.

A long poll (`waitSeconds`) would bind the game's clock to the server's. It is asked with a wait of 0
instead, again and again while the game's clock runs, until there is something or its seconds are over.
"""

import gzip
import http.client
import json
import re
import socket
import threading
import time
import zlib
from concurrent.futures import Future, ThreadPoolExecutor
from urllib.parse import urljoin, urlsplit

# Real seconds.
PATIENCE = 5.0
SOCKET_TIMEOUT = 60.0
POLL_REST = 0.02
# Seconds of the game between two looks of a long poll.
POLL_EVERY = 1.0
# ripext starts so many requests at once.
STARTED_MAX = 10
WAIT = re.compile(r"([?&]waitSeconds=)(\d+)")


class Flight:
    """A request under way."""

    def __init__(self, plugin, function, data, verb, url, headers, body):
        self.plugin, self.function, self.data = plugin, function, data
        self.verb, self.url, self.headers, self.body = verb, url, headers, body
        self.timeout, self.redirects, self.since, self.slow = 30, 5, 0.0, False
        self.answer, self.future = None, None
        found = WAIT.search(url) if verb == "GET" else None
        self.poll = int(found.group(2)) if found else 0
        self.asked_url = WAIT.sub(r"\g<1>0", url) if self.poll else url
        self.parked, self.again, self.asked = None, 0.0, 0.0


class Client:
    """All requests of a host."""

    def __init__(self, host):
        self.host, self._new, self._flights, self._done = host, [], [], []
        self._pool, self._local = ThreadPoolExecutor(16), threading.local()
        self._news = threading.Condition()
        # How many requests a proxy holds back now.
        self.held = lambda: 0
        self.patience = PATIENCE
        # Answers a flight at once and without sockets, for stories that are too long for them.
        self.shortcut = None
        # What plugins asked for: moment of the game and line.
        self.asked_for = []

    def add(self, flight):
        self._new.append(flight)

    def busy(self):
        """Whether an answer is to come that does not wait for something to happen."""
        return bool(self._new or self._done or any(not f.parked for f in self._flights))

    def unsent(self):
        return bool(self._new)

    def drop(self, plugin):
        """The plugin is gone: what it asked goes its way, the answers come to nobody."""
        for flight in self._new + self._flights + self._done:
            if flight.plugin is plugin:
                flight.plugin = None

    def pending_cells(self):
        for flight in self._new + self._flights + self._done:
            yield flight.data

    def close(self):
        self._pool.shutdown(wait=False, cancel_futures=True)

    # The frame
    def frame(self):
        """One answer is handed over; what came in since starts."""
        self._expire()
        if self._done:
            flight = self._done.pop(0)
            if flight.plugin is not None:
                from .natives.http import deliver
                deliver(self.host, flight, flight.answer)
        self.send_due()

    def send_due(self):
        """Starts what is new, and looks again for long polls."""
        for flight in self._new[:STARTED_MAX]:
            flight.since = self.host.now
            self._flights.append(flight)
            self._start(flight)
        del self._new[:STARTED_MAX]
        for flight in self._flights:
            if not flight.parked or flight.again > self.host.now:
                continue
            if time.monotonic() - flight.asked > POLL_REST:
                flight.parked = None
                self._start(flight)
            else:
                # The game runs faster than the server could have news.
                flight.again = self.host.now + POLL_EVERY

    def _start(self, flight):
        flight.asked = time.monotonic()
        if self.shortcut is not None:
            flight.future = Future()
            flight.future.set_result(self.shortcut(flight))
        else:
            flight.future = self._pool.submit(self._travel, flight)

    def _travel(self, flight):
        try:
            answer = self._exchange(flight)
        except Exception as error:  # noqa: BLE001 (curl has a text for everything)
            answer = (0, {}, b"", f"Failure: {error}")
        with self._news:
            self._news.notify_all()
        return answer

    def _collect(self):
        for flight in list(self._flights):
            if flight.parked or not flight.future or not flight.future.done():
                continue
            answer = flight.future.result()
            if flight.poll and self._nothing(answer) and self.host.now < flight.since + flight.poll:
                flight.parked, flight.again = answer, self.host.now + POLL_EVERY
            else:
                self._land(flight, answer)

    def _nothing(self, answer):
        status, _, body, error = answer
        if status != 200 or error:
            return False
        try:
            return not json.loads(body).get("events")
        except (ValueError, AttributeError):
            return False

    def _land(self, flight, answer):
        flight.answer = answer
        self._flights.remove(flight)
        self._done.append(flight)

    def _expire(self):
        self._collect()
        for flight in list(self._flights):
            if flight.parked and self.host.now >= flight.since + flight.poll:
                self._land(flight, flight.parked)
            elif self.host.now >= flight.since + flight.timeout > 0:
                text = f"Operation timed out after {flight.timeout * 1000} milliseconds with 0 bytes received"
                self._land(flight, (0, {}, b"", text))

    def await_answer(self):
        """Waits, in real time, for the next answer; False when none is to come soon."""
        end = time.monotonic() + self.patience
        while True:
            self._collect()
            if self._done:
                return True
            awaited = [f for f in self._flights if not f.parked and not f.slow]
            if len(awaited) <= self.held():
                return False
            if time.monotonic() > end:
                for flight in awaited:
                    flight.slow = True
                return False
            with self._news:
                if not any(f.future.done() for f in awaited):
                    self._news.wait(0.01)

    def next_due(self):
        """The next moment of the game at which something here is due."""
        moments = [min(f.again, f.since + f.poll) if f.parked else f.since + f.timeout for f in self._flights]
        return min(moments, default=None)

    # The wire
    def _exchange(self, flight):
        url = flight.asked_url if "://" in flight.asked_url else "http://" + flight.asked_url
        verb, body, headers, followed = flight.verb, flight.body, dict(flight.headers), 0
        headers.setdefault("Accept-Encoding", "deflate, gzip")
        headers.setdefault("User-Agent", "sm-ripext/1.3.2")
        while True:
            status, got, content, error = self._once(verb, url, headers, body)
            if status not in (301, 302, 303, 307, 308) or "location" not in got or error:
                return status, got, content, error
            if followed >= flight.redirects:
                return status, got, content, f"Maximum ({flight.redirects}) redirects followed"
            followed += 1
            target = urljoin(url, got["location"])
            if urlsplit(target).netloc != urlsplit(url).netloc:
                headers.pop("Authorization", None)
            url = target
            if status in (301, 302, 303) and verb == "POST":
                verb, body = "GET", None

    def _once(self, verb, url, headers, body):
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or " " in url:
            return 0, {}, b"", "URL using bad/illegal format or missing URL"
        if parts.scheme == "https":
            return 0, {}, b"", "SSL connect error"
        try:
            port = parts.port or 80
        except ValueError:
            return 0, {}, b"", "Port number was not a decimal number between 0 and 65535"
        path = parts.path or "/"
        target = path + ("?" + parts.query if parts.query else "")
        for fresh in (False, True):
            link = self._link(parts.hostname, port, fresh)
            try:
                link.request(verb, target, body=body, headers=headers)
                response = link.getresponse()
                break
            except (ConnectionError, http.client.BadStatusLine, socket.timeout, OSError) as error:
                link.close()
                # A kept connection may have been closed meanwhile; a new one that fails is told.
                if fresh or getattr(link, "is_new", False):
                    return 0, {}, b"", connect_text(error, parts.hostname, port)
        link.is_new = False
        return self._read(link, response)

    def _link(self, name, port, fresh):
        links = self._local.__dict__.setdefault("links", {})
        link = links.get((name, port))
        if link is None or fresh:
            link = links[(name, port)] = http.client.HTTPConnection(name, port, timeout=SOCKET_TIMEOUT)
            link.is_new = True
        return link

    def _read(self, link, response):
        headers = {name.lower(): value for name, value in response.getheaders()}
        error = ""
        try:
            body = response.read()
        except http.client.IncompleteRead as problem:
            body = problem.partial
            missing = problem.expected
            error = (f"transfer closed with {missing} bytes remaining to read" if missing
                     else "transfer closed with outstanding read data remaining")
            link.close()
        except (OSError, http.client.HTTPException):
            body, error = b"", "Recv failure: Connection reset by peer"
            link.close()
        if headers.get("content-encoding") in ("gzip", "deflate") and body:
            body = gzip.decompress(body) if headers["content-encoding"] == "gzip" else zlib.decompress(body)
        return response.status, headers, body, error


def connect_text(error, name, port):
    """What curl says of a connection that failed."""
    if isinstance(error, ConnectionRefusedError):
        return f"Failed to connect to {name} port {port}: Connection refused"
    if isinstance(error, socket.gaierror):
        return f"Could not resolve host: {name}"
    if isinstance(error, http.client.RemoteDisconnected):
        return "Empty reply from server"
    if isinstance(error, (ConnectionResetError, BrokenPipeError)):
        return "Recv failure: Connection reset by peer"
    return f"Failed to connect to {name} port {port}: {error}"
