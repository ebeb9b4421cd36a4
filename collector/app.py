"""The composition root: settings to wired parts. Started from the store backwards, stopped from the sockets forwards."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from importlib.metadata import PackageNotFoundError, version

import uvicorn
from starlette.types import ASGIApp

from collector.auth import Keys
from collector.batch import LogBatch, SignalBatch, SpanBatch
from collector.dead.wishes import Wishes
from collector.decode import Limits
from collector.deliver import Delivery
from collector.enrich import PriceBook, enrich
from collector.enrich.event_logs import enrich_logs
from collector.enrich.prices_table import price_table
from collector.errors import Outcome, StartError
from collector.journal import Journal
from collector.memory import control_group_limit, keep_freed_memory
from collector.query.api import Backend
from collector.query.app import create_app
from collector.query.grpc.service import SERVICE, TraceStoreService
from collector.query.sql.app import sql_app
from collector.receive import Admission, GrpcReceiver, Intake, cannot_listen
from collector.replay import decode_again
from collector.screen import show_listening, show_stopped
from collector.settings import Endpoint, Settings
from exporters.clickhouse import ClickHouse
from exporters.clickhouse.statements import limits_of

STOP_GRACE = 20.0
"""Seconds that a stop may take: at most half of it for what is in flight, the rest for what waits for the store."""

_log = logging.getLogger(__name__)


def serve(settings: Settings) -> int:
    """Run the collector until SIGTERM or SIGINT; returns the exit code. Raises `StartError` when it cannot start."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    for name in ("urllib3", "clickhouse_connect"):  # what fails there is said again, in a sentence
        logging.getLogger(name).setLevel(logging.CRITICAL)
    keep_freed_memory(_memory_limit(settings))
    return asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> int:
    stopping = _stop_signals()
    with _parts(settings) as parts:
        # What was loaded so far, the price book above all, lives as long as the process: the collector of cycles need not
        # visit it again and again. What comes later is mostly columns, which hold no cycles: looking for them as often as
        # Python does by default took a twentieth of all processor time.
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)
        parts.delivery.start()
        parts.wishes.start()
        parts.retention.start()
        parts.removal.start(settings.clickhouse.remove_deleted_after_ns / 1e9)
        servers = list(_servers(settings, parts))
        receiver = GrpcReceiver(
            parts.intake,
            parts.keys,
            max_request=settings.receive.max_request,
            beside={SERVICE: parts.trace_store},
        )
        try:
            for server in servers:
                await server.start()
            grpc_port = await receiver.start(str(settings.receive.grpc.endpoint))
            ports = {server.key: server.port for server in servers}
            show_listening(settings, grpc_port=grpc_port, ports=ports, version=program_version())
            await stopping.wait()
            show_stopped("stopping: no new requests are taken; what was acknowledged is written to the store")
        finally:
            until = time.monotonic() + STOP_GRACE
            await receiver.stop(STOP_GRACE / 2)
            await asyncio.to_thread(parts.wishes.stop)
            await asyncio.to_thread(parts.delivery.stop, until - time.monotonic())
            for server in servers:
                await server.stop()
        left = parts.journal.records
    show_stopped(
        f"stopped; {left} requests wait in the journal for the next start" if left else "stopped; the journal is empty"
    )
    return 0


def _memory_limit(settings: Settings) -> int | None:
    """Return the resident bytes at which requests are refused, or None."""
    if settings.receive.memory_limit:
        return settings.receive.memory_limit
    group = control_group_limit()
    return None if group is None else group * 4 // 5


class _Parts:
    """The stages of one collector, wired."""

    def __init__(
        self,
        settings: Settings,
        journal: Journal,
        clickhouse: ClickHouse,
        executor: ThreadPoolExecutor,
        readers: ThreadPoolExecutor,
    ) -> None:
        limits = Limits.of(settings.decode)
        prices = PriceBook.load(settings.enrich.prices.overrides)
        clickhouse.add_prices({version: partial(price_table, prices, version) for version in prices.versions})

        def enrich_any(batch: SignalBatch) -> SignalBatch:
            if isinstance(batch, SpanBatch):
                return enrich(batch, prices)
            return enrich_logs(batch) if isinstance(batch, LogBatch) else batch

        self.journal = journal
        self.store = clickhouse.store
        self.retention = clickhouse.retention
        self.removal = clickhouse.removal
        self.keys = Keys(settings.auth)
        self.backend = Backend(clickhouse.store, clickhouse.editor, self.keys, settings.query.attributes)
        self.trace_store = TraceStoreService(clickhouse.store, clickhouse.editor, self.keys, readers)
        self.statements = clickhouse.statements(limits_of(settings.query.sql)) if settings.query.sql.endpoint else None
        self.delivery = Delivery(
            journal,
            clickhouse.exporter,
            decode=partial(decode_again, limits=limits),
            enrich=enrich_any,
            batch_rows=settings.deliver.batch_rows,
            batch_size=settings.deliver.batch_size,
            batch_age=settings.deliver.batch_age_ns / 1e9,
            batch_interval=settings.deliver.batch_interval_ns / 1e9,
            memory=settings.deliver.memory,
        )
        clickhouse.editor.follow(self.delivery)
        self.wishes = Wishes(journal, limits, self.delivery.accept_again)
        clickhouse.retention.follow(self.delivery)
        count_rejected = clickhouse.exporter.count_rejected
        admission = Admission(settings.receive.max_in_flight, _memory_limit(settings))
        self.intake = Intake(journal, limits, self.delivery.accept, executor, count_rejected, admission=admission)

    def not_ready(self) -> str | None:
        """Why the collector should get no traffic now, or None."""
        try:
            self.store.ping()
        except Outcome as outcome:
            return str(outcome)
        return self.delivery.trouble


@contextmanager
def _parts(settings: Settings) -> Iterator[_Parts]:
    # The journal is locked first: a second collector on the same data ends here, before it touches the store.
    with (
        Journal.open(
            settings.journal.directory,
            max_size=settings.journal.max_size,
            max_dead=settings.journal.max_dead,
            sync=settings.journal.sync,
        ) as journal,
        ClickHouse(settings.clickhouse, settings.query.attributes.references(), writer=journal.identity) as clickhouse,
        ThreadPoolExecutor(max_workers=1, thread_name_prefix="decode") as executor,
        # Half as many as the store has handles to read with: the other half is for HTTP.
        ThreadPoolExecutor(max_workers=4, thread_name_prefix="grpc-read") as readers,
    ):
        yield _Parts(settings, journal, clickhouse, executor, readers)


def _servers(settings: Settings, parts: _Parts) -> Iterator[_HttpServer]:
    api = create_app(parts.backend, version=program_version(), ready=parts.not_ready)
    yield _HttpServer("query.endpoint", api, settings.query.endpoint)
    if parts.statements is not None and settings.query.sql.endpoint is not None:
        interface = sql_app(parts.statements, parts.keys)
        yield _HttpServer("query.sql.endpoint", interface, settings.query.sql.endpoint)


class _HttpServer(uvicorn.Server):
    """An application on the event loop of the collector, which alone handles the signals."""

    def __init__(self, key: str, app: ASGIApp, endpoint: Endpoint) -> None:
        """Serve `app` at `endpoint`, which the setting `key` names."""
        super().__init__(
            uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=5)
        )
        self.key = key
        self._endpoint = endpoint
        self._task: asyncio.Task[None] | None = None
        self.port = endpoint.port

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield

    async def start(self) -> None:
        """Listen. Raises `StartError` when the address cannot be had."""
        family = socket.AF_INET6 if ":" in self._endpoint.host else socket.AF_INET
        try:
            listening = socket.create_server((self._endpoint.host, self._endpoint.port), family=family)
        except OSError as error:
            raise cannot_listen(self.key, str(self._endpoint), error) from error
        # The event loop sets it only on sockets that name their protocol, which these do not. Without it the body of a short
        # answer waits 40 ms for the client to confirm the header.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port = listening.getsockname()[1]
        self._task = asyncio.create_task(self.serve(sockets=[listening]))
        while not self.started:
            if self._task.done():
                raise StartError(f"{self.key}: the server did not start on {self._endpoint}")
            await asyncio.sleep(0.01)

    async def stop(self) -> None:
        """Finish the requests in flight and stop listening."""
        self.should_exit = True
        if self._task is not None:
            await self._task


def _stop_signals() -> asyncio.Event:
    """Return an event that SIGTERM and SIGINT set. A second signal ends the process at once."""
    stopping = asyncio.Event()

    def stop() -> None:
        if stopping.is_set():
            os._exit(1)
        stopping.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    # A terminal sends SIGHUP when it is closed; elsewhere it asks many a program to read its configuration again.
    if sys.stdin.isatty():
        loop.add_signal_handler(signal.SIGHUP, stop)
    else:
        sentence = "SIGHUP changes nothing: the configuration is read at the start only: restart the collector"
        loop.add_signal_handler(signal.SIGHUP, _log.warning, sentence)
    return stopping


def program_version() -> str:
    """Return the version of the installed distribution."""
    try:
        return version("spanledger")
    except PackageNotFoundError:
        return "0+unknown"
