"""ripext's requests and answers."""

import base64
from urllib.parse import quote

from ..budget import JSON_BYTE
from ..errors import NativeError
from ..formatting import format_text
from ..http import Flight
from ..registry import native
from .json import Value, parse, value_of, write


class Request:
    """A request that is being put together."""

    def __init__(self, url):
        self.url, self.query, self.form = url, "", ""
        self.headers = {"Accept": "application/json", "Content-Type": "application/json"}
        self.connect_timeout, self.timeout, self.redirects = 10, 30, 5
        self.receive = self.send = 0


def request_of(m, handle):
    return m.host.handles.read(handle, "HTTPRequest")


@native("HTTPRequest.HTTPRequest")
def new_request(m, url):
    text = m.text(url)
    if not text:
        raise NativeError("URL cannot be empty.")
    return m.host.handles.new("HTTPRequest", Request(text), m.plugin)


def value(m, form, args):
    # A buffer of 8192 bytes on the way, as in the extension.
    raw = format_text(m, m.text(form), args).encode("utf-8", "surrogateescape")
    return raw[:8191].decode("utf-8", "surrogateescape")


@native("HTTPRequest.AppendQueryParam")
def append_query_param(m, handle, name, form, *args):
    request, key = request_of(m, handle), m.text(name)
    if not key:
        raise NativeError("Parameter name cannot be empty.")
    pair = f"{escaped(key)}={escaped(value(m, form, args))}"
    request.query += ("&" if request.query else "?") + pair


@native("HTTPRequest.AppendFormParam")
def append_form_param(m, handle, name, form, *args):
    request = request_of(m, handle)
    pair = f"{escaped(m.text(name))}={escaped(value(m, form, args))}"
    request.form += ("&" if request.form else "") + pair


def escaped(text):
    return quote(text.encode("utf-8", "surrogateescape"), safe="-._~")


@native("HTTPRequest.SetHeader")
def set_header(m, handle, name, form, *args):
    request, key = request_of(m, handle), m.text(name)
    if not key:
        raise NativeError("Header name cannot be empty.")
    request.headers[key] = value(m, form, args)


@native("HTTPRequest.SetBasicAuth")
def set_basic_auth(m, handle, user, password):
    pair = m.raw(user) + b":" + m.raw(password)
    request_of(m, handle).headers["Authorization"] = "Basic " + base64.b64encode(pair).decode()


def setting(name, field):
    def get(m, handle):
        return getattr(request_of(m, handle), field)

    def put(m, handle, number):
        setattr(request_of(m, handle), field, number)
    native(f"HTTPRequest.{name}.get")(get)
    native(f"HTTPRequest.{name}.set")(put)


for name, field in (("ConnectTimeout", "connect_timeout"), ("MaxRedirects", "redirects"), ("Timeout", "timeout"),
                    ("MaxRecvSpeed", "receive"), ("MaxSendSpeed", "send")):
    setting(name, field)


def perform(m, handle, verb, body, function, data):
    request = request_of(m, handle)
    if m.plugin.function(function) is None:
        raise NativeError("Could not create forward.")
    flight = Flight(m.plugin, function, data, verb, request.url + request.query, dict(request.headers), body)
    flight.timeout, flight.redirects = request.timeout, request.redirects
    m.host.http.add(flight)
    m.host.http.asked_for.append((m.host.now, f"{verb} {flight.url}"))
    m.host.budget.frame.requests += 1
    m.host.handles.free(handle)


@native("HTTPRequest.Get")
def get(m, handle, function, data=0):
    perform(m, handle, "GET", None, function, data)


@native("HTTPRequest.Delete")
def delete(m, handle, function, data=0):
    perform(m, handle, "DELETE", None, function, data)


def with_body(verb):
    def send(m, handle, body, function, data=0):
        request_of(m, handle)
        text = write(value_of(m, body))
        m.n += len(text) * JSON_BYTE
        perform(m, handle, verb, text.encode("utf-8"), function, data)
    return send


for verb in ("Post", "Put", "Patch"):
    native(f"HTTPRequest.{verb}")(with_body(verb.upper()))


@native("HTTPRequest.PostForm")
def post_form(m, handle, function, data=0):
    request = request_of(m, handle)
    request.headers["Content-Type"] = "application/x-www-form-urlencoded"
    perform(m, handle, "POST", request.form.encode(), function, data)


class Response:
    """An answer, inside the callback."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body, self.data = status, headers, body, 0


def response_of(m, handle):
    return m.host.handles.read(handle, "HTTPResponse")


@native("HTTPResponse.Status.get")
def status(m, handle):
    return response_of(m, handle).status


@native("HTTPResponse.GetHeader")
def get_header(m, handle, name, buffer, size):
    found = response_of(m, handle).headers.get(m.text(name).lower())
    if found is None:
        return 0
    m.put(buffer, size, found)
    return 1


@native("HTTPResponse.Data.get")
def data(m, handle):
    response = response_of(m, handle)
    if not response.data:
        # The body is read here, on the thread of the game.
        m.n += len(response.body) * JSON_BYTE
        if not response.body:
            raise NativeError("Invalid JSON in line -1, column -1: wrong arguments")
        response.data = m.host.handles.new("JSON", Value(parse(response.body)), m.plugin)
    return response.data


def deliver(host, flight, answer):
    """Calls back; the handles of answer and data go afterwards, whatever happened."""
    code, headers, body, error = answer
    response = Response(code, headers, body)
    handle = host.handles.new("HTTPResponse", response, None)
    host.call(flight.plugin, flight.plugin.function(flight.function), handle, flight.data, error)
    host.handles.free(handle)
    host.handles.free(response.data)
