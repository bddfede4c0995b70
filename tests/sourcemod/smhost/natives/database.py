"""DBI on SQLite."""

import re
import sqlite3

from ..budget import MILLISECOND, NATIVE, READ, WRITE
from ..database import BUSY, Result, Work
from ..errors import NativeError
from ..formatting import Arguments, convert
from ..forwards import Argument
from ..machine import to_cell, to_float, wrap
from ..registry import constant, native

constant(1, "Database.SetCharset", "SQL_SetCharset", "SQL_CheckConfig")


def database_of(m, handle):
    return m.host.handles.read(handle, "Database")


def result_of(m, handle):
    found = m.host.handles.read(handle, "DBResultSet", "DBStatement")
    return found if isinstance(found, Result) else found.result


def call(plugin, function, *args):
    plugin.host.call(plugin, function, *args)


# Connections
@native("SQL_ConnectCustom")
def connect_custom(m, keys, error, size, persistent=1):
    name = m.host.handles.read(keys, "KeyValues").find("database")
    m.n += READ
    try:
        database = m.host.databases.open(name.value if name else "sourcemod-local")
    except (sqlite3.Error, OSError) as problem:
        m.put(error, size, str(problem))
        return 0
    m.put(error, size, "")
    return m.host.handles.new("Database", database, m.plugin)


@native("SQL_Connect")
def connect(m, name, persistent, error, size):
    m.n += READ
    return m.host.handles.new("Database", m.host.databases.open(m.text(name)), m.plugin)


@native("Database.Connect", "SQL_TConnect")
def connect_threaded(m, function, name=0, data=0):
    plugin, address = m.plugin, m.plugin.function(function)
    text = m.text(name) if name else "default"

    def opened():
        try:
            database = m.host.databases.open("sourcemod-local" if text == "storage-local" else text)
            handle, error = m.host.handles.new("Database", database, plugin), ""
        except (sqlite3.Error, OSError) as problem:
            handle, error = 0, str(problem)
        call(plugin, address, handle, error, data)
    m.host.databases.answers.append((Waiting(plugin, data), (opened,)))


class Waiting:
    """An answer that needs no statement."""

    def __init__(self, plugin, data):
        self.plugin, self.data, self.database = plugin, (data,), None

    def tell(self, opened):
        opened()


@native("Database.Driver.get", "SQL_ReadDriver")
def driver(m, handle, ident=0, size=0):
    if ident:
        m.put(ident, size, "sqlite")
    return m.host.driver_handle()


@native("DBDriver.GetIdentifier", "SQL_GetDriverIdent")
def driver_ident(m, handle, buffer, size):
    m.put(buffer, size, "sqlite")


@native("SQL_GetDriver", "DBDriver.Find")
def get_driver(m, name=0):
    return m.host.driver_handle() if m.text(name) in ("", "sqlite") else 0


# Threaded statements
@native("Database.Query", "SQL_TQuery")
def query(m, handle, function, text, data=0, priority=1):
    database, plugin, address = database_of(m, handle), m.plugin, m.plugin.function(function)

    def tell(results, error, _index):
        handles = m.host.handles
        mine = handles.new("Database", database, None)
        found = handles.new("DBResultSet", results[0], None) if results else 0
        call(plugin, address, mine, found, error, data)
        handles.free(found)
        handles.free(mine)
    work = Work(m.host.databases, plugin, database, [m.text(text)], tell)
    work.data = (data,)
    m.host.databases.add(work)
    m.n += NATIVE


class Transaction:
    """Statements that hold together."""

    def __init__(self):
        self.statements = []

    def cells(self):
        return (data for _, data in self.statements)


@native("Transaction.Transaction", "SQL_CreateTransaction")
def new_transaction(m):
    return m.host.handles.new("Transaction", Transaction(), m.plugin)


@native("Transaction.AddQuery", "SQL_AddQuery")
def add_query(m, handle, text, data=0):
    statements = m.host.handles.read(handle, "Transaction").statements
    statements.append((m.text(text), data))
    return len(statements) - 1


@native("Database.Execute", "SQL_ExecuteTransaction")
def execute(m, handle, transaction, success=-1, failure=-1, data=0, priority=1):
    database, plugin = database_of(m, handle), m.plugin
    statements = m.host.handles.read(transaction, "Transaction").statements
    # The transaction's handle is used up.
    m.host.handles.free(transaction)
    good, bad = plugin.function(success), plugin.function(failure)
    given = [value for _, value in statements]

    def tell(results, error, index):
        handles = m.host.handles
        mine = handles.new("Database", database, None)
        if error:
            if bad is not None:
                call(plugin, bad, mine, data, len(given), error, index, Argument("array", given))
        elif good is not None:
            found = [handles.new("DBResultSet", result, None) for result in results]
            call(plugin, good, mine, data, len(given), Argument("array", found), Argument("array", given))
            for one in found:
                handles.free(one)
        handles.free(mine)
    work = Work(m.host.databases, plugin, database, [text for text, _ in statements], tell)
    work.transaction, work.data = True, (data, *given)
    m.host.databases.add(work)


# Statements on the game's thread
def at_once(m, database, text, bindings=()):
    m.n += READ if text.lstrip()[:6].upper() in ("SELECT", "PRAGMA") else WRITE
    try:
        cursor = database.link.execute(text, bindings)
        result = Result(cursor, cursor.rowcount, cursor.lastrowid)
        database.error = ""
        return result
    except sqlite3.Error as problem:
        if "locked" in str(problem):
            # The game stands still as long as the driver waits.
            m.n += int(BUSY * 1000) * MILLISECOND
        database.error = str(problem)
        return None


@native("SQL_FastQuery")
def fast_query(m, handle, text, size=-1):
    return int(at_once(m, database_of(m, handle), m.text(text)) is not None)


@native("SQL_Query")
def query_at_once(m, handle, text, size=-1):
    result = at_once(m, database_of(m, handle), m.text(text))
    return m.host.handles.new("DBResultSet", result, m.plugin) if result else 0


class Statement:
    """A prepared statement."""

    def __init__(self, database, text):
        self.database, self.text, self.bound, self.result = database, text, {}, None


@native("SQL_PrepareQuery")
def prepare(m, handle, text, error, size):
    database = database_of(m, handle)
    try:
        database.link.execute("EXPLAIN " + m.text(text), [None] * m.text(text).count("?"))
    except sqlite3.Error as problem:
        m.put(error, size, str(problem))
        return 0
    return m.host.handles.new("DBStatement", Statement(database, m.text(text)), m.plugin)


def bind(m, handle, index, value):
    m.host.handles.read(handle, "DBStatement").bound[index] = value


@native("DBStatement.BindInt", "SQL_BindParamInt")
def bind_int(m, handle, index, value, signed=1):
    bind(m, handle, index, value if signed else value & 0xFFFFFFFF)


@native("DBStatement.BindFloat", "SQL_BindParamFloat")
def bind_float(m, handle, index, value):
    bind(m, handle, index, to_float(value))


@native("DBStatement.BindString", "SQL_BindParamString")
def bind_string(m, handle, index, text, copy=0):
    bind(m, handle, index, m.text(text))


@native("SQL_Execute")
def execute_statement(m, handle):
    statement = m.host.handles.read(handle, "DBStatement")
    values = [statement.bound.get(i) for i in range(statement.text.count("?"))]
    statement.result = at_once(m, statement.database, statement.text, values)
    return int(statement.result is not None)


@native("SQL_GetError")
def get_error(m, handle, buffer, size):
    found = m.host.handles.read(handle, "Database", "DBStatement", "DBResultSet")
    text = getattr(found, "error", "") or getattr(getattr(found, "database", None), "error", "")
    m.put(buffer, size, text)
    return int(bool(text))


constant(0, "SQL_LockDatabase", "SQL_UnlockDatabase")


@native("Database.IsSameConnection", "SQL_IsSameConnection")
def is_same(m, a, b):
    return int(database_of(m, a) is database_of(m, b))


# Text in statements
@native("Database.Escape", "SQL_EscapeString")
def escape(m, handle, text, buffer, size, written=0):
    database_of(m, handle)
    raw = m.raw(text).replace(b"'", b"''")
    if len(raw) >= size:
        return 0
    count = m.put(buffer, size, raw)
    if written:
        m.put_cell(written, count)
    return 1


SPEC = re.compile(r"%(!?)([-0]*)(\d*)(?:\.(\d+))?(.)", re.S)


@native("Database.Format", "SQL_FormatQuery")
def format_query(m, handle, buffer, size, form, *cells):
    """`%s` is escaped, `%!s` is not."""
    database_of(m, handle)
    args = Arguments(m, cells)

    def one(match):
        raw, _, _, precision, kind = match.groups()
        if kind == "%":
            return "%"
        text = convert(m, kind, precision, args)
        if text is None:
            raise NativeError(f"Format %{kind} is not for statements")
        return text.replace("'", "''") if kind == "s" and not raw else text
    m.n += 20 * len(cells)
    return m.put(buffer, size, SPEC.sub(one, m.text(form)), whole=False)


# Results
@native("SQL_HasResultSet", "DBResultSet.HasResults.get")
def has_results(m, handle):
    return int(bool(result_of(m, handle).names))


@native("SQL_GetRowCount", "DBResultSet.RowCount.get")
def row_count(m, handle):
    return len(result_of(m, handle).rows)


@native("SQL_GetFieldCount", "DBResultSet.FieldCount.get")
def field_count(m, handle):
    return len(result_of(m, handle).names)


@native("SQL_GetAffectedRows", "DBResultSet.AffectedRows.get")
def affected_rows(m, handle):
    return max(0, result_of(m, handle).changed)


@native("SQL_GetInsertId", "DBResultSet.InsertId.get")
def insert_id(m, handle):
    return wrap(result_of(m, handle).last or 0)


@native("SQL_FetchRow", "DBResultSet.FetchRow")
def fetch_row(m, handle):
    result = result_of(m, handle)
    result.at += 1
    return int(result.at < len(result.rows))


@native("SQL_MoreRows", "DBResultSet.MoreRows.get")
def more_rows(m, handle):
    result = result_of(m, handle)
    return int(result.at + 1 < len(result.rows))


@native("SQL_Rewind", "DBResultSet.Rewind")
def rewind(m, handle):
    result_of(m, handle).at = -1
    return 1


constant(0, "SQL_FetchMoreResults", "DBResultSet.FetchMoreResults")


@native("SQL_FieldNameToNum", "DBResultSet.FieldNameToNum")
def field_name_to_num(m, handle, name, at):
    names, wanted = result_of(m, handle).names, m.text(name)
    if wanted not in names:
        return 0
    m.put_cell(at, names.index(wanted))
    return 1


@native("SQL_FieldNumToName", "DBResultSet.FieldNumToName")
def field_num_to_name(m, handle, index, buffer, size):
    m.put(buffer, size, result_of(m, handle).names[index])


def told(m, at, value):
    # DBResult: error 0, too long 1, null 2, data 3.
    if at:
        m.put_cell(at, 2 if value is None else 3)


def as_text(value):
    return "" if value is None else value if isinstance(value, str) else str(value)


@native("SQL_FetchString", "DBResultSet.FetchString")
def fetch_string(m, handle, field, buffer, size, result=0):
    value = result_of(m, handle).field(field)
    told(m, result, value)
    return m.put(buffer, size, as_text(value))


@native("SQL_FetchInt", "DBResultSet.FetchInt")
def fetch_int(m, handle, field, result=0):
    value = result_of(m, handle).field(field)
    told(m, result, value)
    digits = re.match(r"\s*-?\d+", as_text(value))
    return wrap(int(digits.group())) if digits else 0


@native("SQL_FetchFloat", "DBResultSet.FetchFloat")
def fetch_float(m, handle, field, result=0):
    value = result_of(m, handle).field(field)
    told(m, result, value)
    return to_cell(float(value or 0))


@native("SQL_IsFieldNull", "DBResultSet.IsFieldNull")
def is_field_null(m, handle, field):
    return int(result_of(m, handle).field(field) is None)


@native("SQL_FetchSize", "DBResultSet.FetchSize")
def fetch_size(m, handle, field):
    return len(as_text(result_of(m, handle).field(field)).encode())


