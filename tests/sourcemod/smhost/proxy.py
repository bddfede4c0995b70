"""A proxy between plugins and a server, that breaks what it is told to break."""

import http.client
import json
import re
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


class Seen:
    """A request that came by."""

    def __init__(self, verb, path, headers, body):
        self.verb, self.path, self.headers, self.body = verb, path, headers, body
        self.status, self.answer = None, b""

    @property
    def line(self):
        return f"{self.verb} {self.path}"

    @property
    def key(self):
        return self.headers.get("Idempotency-Key", "")


class Fault:
    """What happens to requests whose line matches, so many times (None: always)."""

    def __init__(self, kind, match, times, **more):
        self.kind, self.match, self.left, self.more = kind, re.compile(match), times, more
        self.hits = 0

    def takes(self, seen):
        return self.left != 0 and self.match.search(seen.line)


class Proxy:
    """Listens on a port of its own; `url` is what plugins are given."""

    def __init__(self, upstream):
        parts = urlsplit(upstream)
        self.upstream = (parts.hostname, parts.port)
        self.seen, self.faults, self.rewrites = [], [], []
        self._lock, self._holding, self._released = threading.Lock(), 0, threading.Event()
        self._server, self.port, self._links = None, 0, set()
        self.up()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def held(self):
        """How many requests wait for `release`."""
        return self._holding

    # Up and down
    def up(self):
        """The server can be reached."""
        if self._server is None:
            handler = type("Handler", (_Handler,), {"proxy": self})
            self._server = _Server(("127.0.0.1", self.port), handler)
            self._server.links = self._links
            self.port = self._server.server_port
            threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def down(self):
        """Nobody listens: connections are refused, open ones end."""
        if self._server is None:
            return
        self._server.shutdown()
        self._server.server_close()
        self._server = None
        for link in list(self._links):
            try:
                link.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.release()
        self.down()

    # Faults
    def fault(self, kind, match=".", times=1, **more):
        """Breaks the next requests whose line (`POST /api/…`) matches.

        Kinds: `status` (code, body, headers), `html`, `empty`, `truncated`, `huge`, `hold` (until
        `release`), `lost` (the server gets it, the answer is cut off), `reset` (the server gets nothing).
        """
        fault = Fault(kind, match, times, **more)
        with self._lock:
            self.faults.append(fault)
        return fault

    def heal(self):
        """No faults any more."""
        with self._lock:
            self.faults.clear()
        self.release()

    def release(self):
        """Lets go what is held."""
        self._released.set()

    def rewrite(self, change):
        """`change(path, answer)` may alter each JSON answer, or give another one."""
        self.rewrites.append(change)

    def requests(self, match):
        """What came by so far."""
        return [seen for seen in list(self.seen) if re.search(match, seen.line)]

    def _fault_of(self, seen):
        with self._lock:
            self.seen.append(seen)
            for fault in self.faults:
                if fault.takes(seen):
                    fault.hits += 1
                    if fault.left is not None:
                        fault.left -= 1
                    if fault.kind == "hold":
                        self._holding += 1
                        self._released.clear()
                    return fault
        return None

    def _wait(self):
        self._released.wait(60)
        with self._lock:
            self._holding -= 1


class _Server(ThreadingHTTPServer):
    daemon_threads, allow_reuse_address, request_queue_size = True, True, 64
    links = set()

    def process_request(self, request, address):
        self.links.add(request)
        super().process_request(request, address)

    def shutdown_request(self, request):
        self.links.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request, address):
        """Connections that end in the middle are what this is for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body are two writes: the second would wait for the other side otherwise.
    disable_nagle_algorithm = True
    proxy = None

    def log_message(self, *_):
        """Says nothing."""

    def _take(self):
        size = int(self.headers.get("Content-Length") or 0)
        seen = Seen(self.command, self.path, dict(self.headers), self.rfile.read(size) if size else b"")
        fault = self.proxy._fault_of(seen)
        if fault is None:
            status, headers, body = self._forward(seen)
            return self._answer(seen, status, headers, self._rewritten(seen, body))
        return getattr(self, "_" + fault.kind)(seen, fault.more)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _take

    def _forward(self, seen):
        link = http.client.HTTPConnection(*self.proxy.upstream, timeout=60)
        try:
            # The way back is plain: what is rewritten has to be read.
            headers = {k: v for k, v in seen.headers.items() if k.lower() not in ("accept-encoding", "connection")}
            link.request(seen.verb, seen.path, body=seen.body or None, headers=headers)
            response = link.getresponse()
            return response.status, response.getheaders(), response.read()
        except OSError:
            return 502, [("Content-Type", "text/html")], b"<html>no way</html>"
        finally:
            link.close()

    def _rewritten(self, seen, body):
        for change in self.proxy.rewrites:
            try:
                answer = json.loads(body)
            except ValueError:
                return body
            changed = change(seen.path, answer)
            body = json.dumps(answer if changed is None else changed).encode()
        return body

    def _answer(self, seen, status, headers, body, length=None):
        seen.status, seen.answer = status, body
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    # The faults
    def _status(self, seen, more):
        body = more.get("body", b'{"code": 13, "status": "INTERNAL", "message": "planted", "reason": "INTERNAL"}')
        headers = [("Content-Type", "application/json"), *more.get("headers", {}).items()]
        self._answer(seen, more["code"], headers, body if isinstance(body, bytes) else json.dumps(body).encode())

    def _html(self, seen, more):
        self._answer(seen, more.get("code", 200), [("Content-Type", "text/html")], b"<html><body>Welcome!</body></html>")

    def _empty(self, seen, more):
        self._answer(seen, more.get("code", 200), [], b"")

    def _truncated(self, seen, _):
        status, headers, body = self._forward(seen)
        half = body[:len(body) // 2]
        self._answer(seen, status, headers, half, length=len(body))
        self.close_connection = True

    def _huge(self, seen, more):
        size = more.get("size", 2_000_000)
        self._answer(seen, 200, [("Content-Type", "application/json")], b'{"items": [], "pad": "' + b"x" * size + b'"}')

    def _hold(self, seen, _):
        self.proxy._wait()
        self._answer(seen, *self._forward(seen))

    def _lost(self, seen, _):
        seen.status, _, seen.answer = self._forward(seen)
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _reset(self, _seen, _):
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)
