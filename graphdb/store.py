"""The store: one class for every database, and the only file that knows the driver.

``connect("graph.db")`` opens a directory of ours, whose server is found or started;
``connect("bolt://...")`` a server that runs somewhere. Both speak Bolt and the same Cypher; they differ in
how a connection is kept from writing (another user, or the session's access mode) and in where the
credentials come from.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from analysis.errors import MisuseError, StoreError
from graphdb import server
from graphdb.aside import Aside
from graphdb.cypher import statement
from graphdb.directory import create_directory, open_directory
from graphdb.engines.engine import Bulk
from graphdb.light import without
from graphdb.plan import columns as plan_columns
from graphdb.refusals import explain, only_reads, shortened, writes_unasked
from graphdb.server_faults import PasswordError, UnopenedError, password_refused
from graphdb.server_version import check_version, ignores_access_mode
from graphdb.time_limit import MOST, check_time_limit

# the driver offers frames of pandas and takes arrays where those libraries are installed; loading them takes
# half of a look-up
with without("pandas", "numpy", "pyarrow"):
    import neo4j
    from neo4j import exceptions, graph

Row = dict[str, Any]

SCHEMES = ("bolt", "bolt+s", "bolt+ssc", "neo4j", "neo4j+s", "neo4j+ssc")
BATCH = 2000
READ_TIMEOUT = 30.0
_CONNECT_SECONDS, _RETRY_SECONDS = 5.0, 15.0
_FIRST_PAUSE = 0.2
"""Seconds before a question is asked again; each next pause is twice as long."""
_UNSENDABLE = (UnicodeEncodeError, OverflowError, RecursionError, TypeError)
"""What the driver raises of a value that it cannot send; a key that is no Unicode has a wrong type to it."""
_NOT_LET_IN = "Neo.ClientError.Security.Unauthorized"
_SCALARS = (str, float, int, bool, type(None))
_CLASHES = 2
"""Times that a statement may clash with another that makes the same node meanwhile."""
_GRACE_SECONDS = 1.0
"""How much longer than the limit a server that keeps it may take to say that it has passed."""
_END_SECONDS = 1.0
"""How long a server may take to end a question that was given up."""
_END_PAUSE = 0.02
"""Seconds until it is looked for again."""
_BEGINNING = 500
"""Letters by which a server knows a question again; it cuts long ones."""

# the driver logs each retry and each server notice; what matters of them is raised as an error
logging.getLogger("neo4j").addHandler(logging.NullHandler())


@dataclass
class _Asking:
    """A question at work: the session that asks, when there is one, and whether anybody waits for it."""

    session: neo4j.Session | None = None
    given_up: bool = False
    done: threading.Event = field(default_factory=threading.Event)


class Store:
    """An open connection to a database; a context manager. Made by `connect`.

    Parameters
    ----------
    driver
        An open driver.
    address
        What a message calls this database: the directory or URL as the person gave it.
    database
        Name of the database on the server, or None for the server's default.
    write
        Whether the connection may write; otherwise the server refuses.
    lease
        Our use of a directory's server, ended with the store.
    undo
        The server lets this user write whatever the access mode of the session: take back what a question
        would write, and refuse it; a text that somebody else wrote is not asked at all.
    """

    def __init__(
        self,
        driver: neo4j.Driver,
        address: str,
        database: str | None,
        write: bool,
        lease: server.Lease | None = None,
        undo: bool = False,
    ) -> None:
        self.address, self._undo = address, undo and not write
        self._driver, self._database, self._lease = driver, database, lease
        self._aside = Aside()
        self._routing = neo4j.RoutingControl.WRITE if write else neo4j.RoutingControl.READ

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def engine(self) -> str | None:
        """What kind of server a directory has; None over a URL."""
        return self._lease.engine.name if self._lease else None

    def check_kept_from_writing(self) -> None:
        """Refuse to ask a text that is not our own where nothing keeps it from writing.

        Nodes and relationships can be taken back, but not schema, users and what runs in transactions of its
        own; and which texts hold such is the server's to say, not ours.

        Raises
        ------
        MisuseError
            The connection is for reading, and the server would let it write.
        """
        if self._undo:
            raise MisuseError(writes_unasked(self.address))

    def close(self) -> None:
        """Close the connection; the last user of a directory ends its server."""
        # the driver does not like to be closed under a question that is about to end
        self._aside.close(_END_SECONDS)
        # a question that was given up on may still hold its connection
        with suppress(exceptions.DriverError, exceptions.Neo4jError, OSError):
            self._driver.close()
        if self._lease is not None:
            self._lease.release()

    def read(
        self, cypher: str, params: Mapping[str, Any] | None = None, timeout: float = READ_TIMEOUT
    ) -> list[Row]:
        """Answer a question within `timeout` seconds.

        Returns
        -------
        list of dict
            One dict a row; values are scalars, lists and maps, never objects of the driver.

        Raises
        ------
        StoreError
            The database refused, did not answer in time, or cannot be reached. An answer that comes late is
            none.
        """
        if not 0 < timeout <= MOST:
            check_time_limit(timeout)
        most = self._lease.engine.read_seconds if self._lease else None
        if most is not None and timeout > most:
            raise MisuseError(
                f"a time limit of {timeout:g} s is more than the server of {self.address} gives; "
                f"expected at most {most:.0f}"
            )
        return self._run(cypher, params or {}, timeout)

    def columns(self, cypher: str, params: Mapping[str, Any] | None = None) -> list[str]:
        """Return the names of a question's columns where no row tells them; none if the server does not say.

        Nothing is asked over a connection that may write, which ArcadeDB would let an explanation do.
        """
        if self._routing is not neo4j.RoutingControl.READ or self._undo:
            return []

        def ask() -> list[str]:
            with self._driver.session(
                database=self._database, default_access_mode=neo4j.READ_ACCESS
            ) as session:
                answer = session.run(neo4j.Query(f"EXPLAIN {cypher}"), dict(params or {}))
                names, plan = answer.keys(), answer.consume().plan
            text = (plan or {}).get("args", {}).get("string-representation", "")
            return list(names) or plan_columns(text)

        # the answer itself is there; a text that is explained already has no columns either
        with suppress(exceptions.DriverError, exceptions.Neo4jError, OSError):
            return self._aside.within(_END_SECONDS, ask)
        return []

    def write(self, cypher: str, params: Mapping[str, Any] | None = None) -> list[Row]:
        """Run a statement that changes the database, in one transaction; its rows as in `read`."""
        return self._run(cypher, params or {}, None)

    def write_together(self, statements: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        """Run statements in one transaction: all of them are done, or none is."""

        def work(transaction: neo4j.ManagedTransaction) -> None:
            for cypher, params in statements:
                transaction.run(cypher, dict(params)).consume()

        def write() -> list[Row]:
            with self._driver.session(
                database=self._database, bookmark_manager=self._driver.execute_query_bookmark_manager
            ) as session:
                session.execute_write(work)
            return []

        self._explained(write, None)

    def write_rows(
        self,
        cypher: str,
        rows: Iterable[Mapping[str, Any]],
        params: Mapping[str, Any] | None = None,
        batch: int = BATCH,
        advance: Callable[[int], None] | None = None,
    ) -> None:
        """Run a statement over ``$rows``, `batch` at a time, each batch in a transaction of its own.

        A statement that returns how many rows it has ``written`` is held to have written all of them.

        Raises
        ------
        StoreError
            The database refused or went away, or a row joins a node that is not there.
        """
        left = iter(rows)
        while part := [dict(row) for row in islice(left, batch)]:
            answer = self.write(cypher, {**(params or {}), "rows": part})
            if answer and answer[0].get("written", len(part)) != len(part):
                raise StoreError(
                    f"{self.address} took {answer[0]['written']} of {len(part)} rows, for the nodes that the "
                    "others join are gone: something else deletes there; run the command again to complete it"
                )
            if advance is not None:
                advance(len(part))

    @contextmanager
    def loading(self, first: Callable[[], bool]) -> Iterator[Bulk | None]:
        """Hold the right to load; yield the server's bulk way where it has one and a load may go it.

        Parameters
        ----------
        first
            Whether nothing of what is to be loaded is there. Asked while no other load is at work in the
            directory; without a bulk way, or beside another load, not at all.
        """
        if self._lease is None:
            yield None
            return
        bulk = self._lease.engine.bulk
        with self._lease.directory.loading(lambda: bulk is not None and first()) as alone:
            yield bulk(self._lease.directory, self._lease.server.http) if bulk and alone else None

    @contextmanager
    def deleting(self) -> Iterator[None]:
        """Hold the right to delete what a load may stand on; in a directory no load is at work meanwhile."""
        if self._lease is None:
            yield
            return
        with self._lease.directory.alone():
            yield

    def _run(self, cypher: str, params: Mapping[str, Any], timeout: float | None) -> list[Row]:
        asking = _Asking()

        def ask() -> list[Row]:
            if self._undo:
                return self._undone(cypher, params, timeout)
            if timeout is not None:
                return self._asked(cypher, params, timeout, asking)
            # of two that merge the same node at once, the second finds it when it looks again
            for _ in range(_CLASHES):
                with suppress(exceptions.ConstraintError):
                    return self._executed(cypher, params)
            return self._executed(cypher, params)

        return self._explained(ask, timeout, lambda: self._end(cypher, asking))

    def _executed(self, cypher: str, params: Mapping[str, Any]) -> list[Row]:
        """Run a statement in a managed transaction."""
        answer = self._driver.execute_query(
            neo4j.Query(cypher), dict(params), routing_=self._routing, database_=self._database
        )
        return [_row(record) for record in answer.records]

    def _explained(
        self, ask: Callable[[], list[Row]], timeout: float | None, end: Callable[[], None] = lambda: None
    ) -> list[Row]:
        """Return what `ask` returns in time; what the driver raises becomes a sentence.

        `end` is called of a question that was given up.
        """
        try:
            return ask() if timeout is None else self._in_time(ask, timeout, end)
        except (exceptions.DriverError, exceptions.Neo4jError, OSError) as error:
            if self._lease and getattr(error, "code", None) == _NOT_LET_IN:
                raise StoreError(password_refused(self._lease.directory)) from error
            reads = self._routing is neo4j.RoutingControl.READ
            lost = isinstance(error, exceptions.ServiceUnavailable | exceptions.SessionExpired)
            trouble = server.trouble(self._lease.directory, lost) if self._lease else None
            sentence = explain(error, self.address, timeout, reads=reads, trouble=trouble)
            raise StoreError(sentence) from error
        except _UNSENDABLE as error:
            raise MisuseError(
                f"a value cannot be sent to a database ({shortened(str(error))}); expected text that is "
                "Unicode, whole numbers of 64 bits, and lists that are not nested without end"
            ) from error

    def _in_time(self, ask: Callable[[], list[Row]], timeout: float, end: Callable[[], None]) -> list[Row]:
        """Return an answer that is not late."""
        began = time.monotonic()
        try:
            answer = self._aside.within(timeout + (0.0 if self._goes_on else _GRACE_SECONDS), ask)
        except (TimeoutError, KeyboardInterrupt):
            end()
            raise
        if time.monotonic() - began > timeout:
            raise TimeoutError
        return answer

    @property
    def _goes_on(self) -> bool:
        """Whether the server ignores the limit that the driver sends along, and goes on with the question."""
        return self._lease is not None and self._lease.engine.read_seconds is not None

    def _end(self, cypher: str, asking: _Asking) -> None:
        """End a question that was given up in a server that would go on with it."""
        asking.given_up = True
        until = time.monotonic() + _END_SECONDS
        # it may be that the question is still on its way
        while self._goes_on and not asking.done.wait(_END_PAUSE) and time.monotonic() < until:
            # the server tells which question it is by our end of the connection, of which the driver says
            # nothing in public; without it, the question goes on until the server's own limit
            connection = getattr(asking.session, "_connection", None)
            port = getattr(connection, "local_port", None)
            if port is not None:
                asked = {"address": f"/127.0.0.1:{port}", "beginning": cypher[:_BEGINNING]}
                with suppress(exceptions.DriverError, exceptions.Neo4jError, OSError):
                    self._aside.within(max(0.0, until - time.monotonic()), partial(self._terminate, asked))

    def _terminate(self, asked: Mapping[str, Any]) -> None:
        with self._driver.session(database=self._database) as session:
            session.run(statement("end_question"), dict(asked)).consume()

    def _asked(self, cypher: str, params: Mapping[str, Any], timeout: float, asking: _Asking) -> list[Row]:
        """Ask in one message, where a transaction of ours takes three; again where that may help."""
        try:
            return self._asked_again(cypher, params, timeout, asking)
        finally:
            asking.done.set()

    def _asked_again(
        self, cypher: str, params: Mapping[str, Any], timeout: float, asking: _Asking
    ) -> list[Row]:
        mode = neo4j.READ_ACCESS if self._routing is neo4j.RoutingControl.READ else neo4j.WRITE_ACCESS
        until, pause = time.monotonic() + _RETRY_SECONDS, _FIRST_PAUSE
        while True:
            try:
                with self._driver.session(
                    database=self._database,
                    default_access_mode=mode,
                    bookmark_manager=self._driver.execute_query_bookmark_manager,
                ) as session:
                    asking.session = session
                    answer = session.run(neo4j.Query(cypher, timeout=timeout), dict(params))
                    return [_row(record) for record in answer]
            except (exceptions.DriverError, exceptions.Neo4jError) as error:
                if asking.given_up or not error.is_retryable() or time.monotonic() + pause > until:
                    raise
            time.sleep(pause)
            pause *= 2

    def _undone(self, cypher: str, params: Mapping[str, Any], timeout: float | None) -> list[Row]:
        """Ask in a transaction that is never committed."""
        with (
            self._driver.session(database=self._database, default_access_mode=neo4j.READ_ACCESS) as session,
            session.begin_transaction(timeout=timeout) as question,
        ):
            answer = question.run(cypher, dict(params))
            rows = [_row(record) for record in answer]
            if answer.consume().counters.contains_updates:
                raise StoreError(only_reads(self.address, "it was taken back"))
        return rows


def connect(where: str | Path, *, write: bool = False, create: bool = False, much: bool = False) -> Store:
    """Open the database at a URL or in a directory of ours.

    Parameters
    ----------
    where
        ``bolt://host:port``, ``neo4j://...``, ``neo4j+s://...``, or the path of a directory. The credentials
        of a URL come from ``NEO4J_USERNAME``, ``NEO4J_PASSWORD`` and ``NEO4J_DATABASE``.
    write
        Open it for writing; otherwise the server itself refuses every write. An ArcadeDB over a URL cannot be
        told to: see `Store.check_kept_from_writing`.
    create
        Make an absent directory.
    much
        There are hundreds of thousands of rows to write.

    Raises
    ------
    MisuseError
        The URL is of another kind or holds credentials, or the directory is absent or not one of ours.
    DataError
        The directory is damaged or of another format version.
    StoreError
        The database cannot be reached, refuses us, or is held elsewhere.
    """
    if "://" in str(where):
        return _connect_url(str(where), write)
    directory = create_directory(where) if create else open_directory(where)
    lease = server.acquire(directory, answers, much=much)
    user = directory.writer if write else directory.reader
    try:
        driver = _driver(lease.server.url, (user, directory.password(user)))
    except BaseException:
        lease.release()
        raise
    return Store(driver, str(where), lease.engine.database, write, lease)


def answers(url: str, user: str, password: str, database: str) -> bool:
    """Whether a server at `url` lets us in and answers a question.

    Raises
    ------
    PasswordError
        It does not take the password.
    UnopenedError
        It cannot open the database.
    """
    try:
        with _driver(url, (user, password)) as driver:
            try:
                with driver.session(database=database) as session:
                    return bool(session.run("RETURN 1 AS one").single(strict=True)["one"] == 1)
            except exceptions.DatabaseUnavailable as error:
                # it may be about to open it
                if why := _unopened(driver, database):
                    raise UnopenedError(why) from error
                return False
    except exceptions.AuthError as error:
        # who is locked out for a while may have the right password
        if error.code == _NOT_LET_IN:
            raise PasswordError from error
        return False
    except (exceptions.DriverError, exceptions.Neo4jError, OSError):
        return False


def _unopened(driver: neo4j.Driver, database: str) -> str:
    """Return what a Neo4j says of why it cannot open a database; nothing while it tries."""
    text = "SHOW DATABASES YIELD name, statusMessage WHERE name = $name RETURN statusMessage"
    with driver.session(database="system") as session:
        found = session.run(text, {"name": database}).single()
    return shortened(found["statusMessage"] or "") if found else ""


def _connect_url(url: str, write: bool) -> Store:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise MisuseError("the --db URL cannot be read; expected bolt://HOST:PORT or neo4j://HOST") from error
    if "@" in parts.netloc:
        raise MisuseError(
            "the --db URL holds credentials; set NEO4J_USERNAME and NEO4J_PASSWORD in the environment"
        )
    if parts.scheme not in SCHEMES or not host:
        raise MisuseError(f"--db {url}: expected a directory, or a URL that begins with bolt:// or neo4j://")
    password = os.environ.get("NEO4J_PASSWORD")
    auth = (os.environ.get("NEO4J_USERNAME") or "neo4j", password) if password else None
    database = os.environ.get("NEO4J_DATABASE") or None
    driver = _driver(url, auth)
    try:
        with driver.session(database=database) as session:
            server_info = session.run("RETURN 1 AS one").consume().server
        check_version(server_info.agent, url)
        undo = ignores_access_mode(server_info.agent)
    except BaseException as error:
        driver.close()
        # what answers there may be anything, and not all that the driver makes of it is an error of its own
        if isinstance(error, Exception) and not isinstance(error, StoreError):
            raise StoreError(explain(error, url)) from error
        raise
    return Store(driver, url, database, write, undo=undo)


def _driver(url: str, auth: tuple[str, str] | None) -> neo4j.Driver:
    try:
        return neo4j.GraphDatabase.driver(
            url,
            auth=auth,
            connection_timeout=_CONNECT_SECONDS,
            connection_acquisition_timeout=2 * _CONNECT_SECONDS,
            max_transaction_retry_time=_RETRY_SECONDS,
        )
    except (exceptions.DriverError, ValueError) as error:
        raise MisuseError(
            f"--db {url}: {shortened(str(error))}; expected bolt://HOST:PORT or neo4j://HOST"
        ) from error


def _row(record: neo4j.Record) -> Row:
    return dict(zip(record.keys(), map(plain, record.values()), strict=True))


def plain(value: Any) -> Any:  # noqa: ANN401  any value of a query
    """Turn what the driver returns into scalars, lists and maps."""
    made: Any = value
    # nearly all values are of these, and to ask of what kind a value is takes longer than to fetch it
    if type(value) in _SCALARS:
        return value
    if isinstance(value, graph.Relationship):
        made = {"type": value.type, **plain(dict(value))}
    elif isinstance(value, graph.Node):
        made = plain(dict(value))
    elif isinstance(value, graph.Path):
        made = {"nodes": plain(list(value.nodes)), "edges": plain(list(value.relationships))}
    elif isinstance(value, Mapping):
        made = {str(key): plain(item) for key, item in value.items()}
    elif isinstance(value, list | tuple | set):
        made = [plain(item) for item in value]
    elif not isinstance(value, _SCALARS):
        made = str(value)
    return made
