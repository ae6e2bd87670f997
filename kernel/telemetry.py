"""What the node tells about its own work: structured log lines and Prometheus metrics. Never a patient's identity.

A line is an event name and fields. An exception is told by its type and place; its text only when the error is one of
ours, because a foreign library's text may quote what it read. The only module that talks to `logging`.
"""

import logging
import sys
import traceback
import warnings
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, TextIO, cast

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram, Metric, ProcessCollector, generate_latest
from prometheus_client.registry import Collector
from structlog.contextvars import bound_contextvars
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

from kernel.config import LogConfig
from kernel.errors import ExchangeError

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
STAGE_SECONDS = Histogram(
    "vienanh_stage_seconds", "Seconds that one stage of the work took.", ["stage"], buckets=_SECONDS, registry=REGISTRY
)
INSTANCES = Counter(
    "vienanh_instances", "Instances by the channel they came through and what became of them.",
    ["channel", "outcome"], registry=REGISTRY,
)  # fmt: skip
DELIVERIES = Counter(
    "vienanh_deliveries", "Instances by destination and what became of them.",
    ["destination", "outcome"], registry=REGISTRY,
)  # fmt: skip
HTTP_REFUSED = Counter(
    "vienanh_http_refused", "HTTP connections ended before a request of theirs was read, by status.",
    ["status"], registry=REGISTRY,
)  # fmt: skip
LOG_LOST = Counter("vienanh_log_lost", "Log lines that could not be written.", registry=REGISTRY)
COMMIT_CHANGES = Histogram(
    "vienanh_commit_changes", "Changes that shared one commit.",
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256), registry=REGISTRY,
)  # fmt: skip

SECRET_KEYS = ("password", "token", "authorization", "cookie", "secret", "csrf", "key_bytes")
TEXT_MAX = 500  # characters of one field in a log line
_HIDDEN = "(hidden)"
# These libraries log or warn with what they read or were asked: values of data sets, URLs with names in a query.
_TALKATIVE = ("pydicom", "uvicorn.access", "httpx", "httpcore")


def stage(name: str) -> AbstractContextManager[None]:
    """Time a stage (receive, prepare, commit, deidentify, deliver, qido, metadata, frame, rendered ...).

    `name` is a word of the code, never anything that a stranger sent.
    """
    return _Timed(STAGE_SECONDS.labels(name).time())


class _Timed(AbstractContextManager[None]):
    __slots__ = ("_timer",)

    def __init__(self, timer: AbstractContextManager[Any]) -> None:
        self._timer = timer

    def __enter__(self) -> None:
        self._timer.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._timer.__exit__(kind, error, where)


def exposition() -> bytes:
    """Return all metrics in Prometheus' text format (version 0.0.4), those of absorbed processes added."""
    return generate_latest(_Together())


Tally = list[tuple[str, dict[str, str], float]]  # sample name, labels, value
_absorbed: dict[str, Tally] = {}


def tally() -> Tally:
    """Return what this process counted so far, for another process of the node to absorb."""
    return [
        (sample.name, sample.labels, sample.value)
        for metric in REGISTRY.collect()
        if metric.type in _ADDED_UP
        for sample in metric.samples
        if not sample.name.endswith("_created") and not sample.name.startswith("process_")
    ]


def absorb(process: str, counted: Tally, *, ended: bool = False) -> None:
    """Show what another process counted as part of this one; its last tally stays when it has `ended`."""
    if not ended:
        _absorbed[process] = counted
        return
    _absorbed.pop(process, None)
    totals = _totals([_absorbed.get(_ENDED, []), counted])
    _absorbed[_ENDED] = [(name, dict(labels), value) for (name, labels), value in totals.items()]


_ADDED_UP = ("counter", "histogram")
_ENDED = "ended"


def _totals(tallies: Iterable[Tally]) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    totals: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}
    for counted in tallies:
        for name, labels, value in counted:
            key = name, tuple(sorted(labels.items()))
            totals[key] = totals.get(key, 0.0) + value
    return totals


class _Together(Collector):
    """The metrics of this process with those of absorbed processes added up."""

    def collect(self) -> Iterator[Metric]:
        others = _totals(list(_absorbed.values()))
        for metric in REGISTRY.collect():
            if metric.type in _ADDED_UP:
                mine = [(one.name, one.labels, one.value) for one in metric.samples]
                names = {metric.name, *(metric.name + end for end in ("_total", "_bucket", "_count", "_sum"))}
                theirs = [(name, dict(labels), value) for (name, labels), value in others.items() if name in names]
                merged = Metric(metric.name, metric.documentation, metric.type, metric.unit)
                for (name, labels), value in _totals([mine, theirs]).items():
                    merged.add_sample(name, dict(labels), value)
                yield merged
            else:
                yield metric


def get_logger(room: str) -> FilteringBoundLogger:
    """Return the log of a room: `log.info("instance_stored", sop_instance_uid=...)`."""
    return structlog.get_logger(room=room)


def bound(**fields: Any) -> AbstractContextManager[None]:
    """Add fields, such as the trace id, to every line of this thread or task inside the block."""
    return bound_contextvars(**fields)


def configure(config: LogConfig, stream: TextIO | None = None) -> None:
    """Set up the process's log on `stream` (standard error), and silence libraries that quote what they read."""
    level = logging.getLevelNamesMapping()[config.level.upper()]
    output = stream or sys.stderr
    renderer = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if config.format == "json"
        else structlog.dev.ConsoleRenderer(colors=output.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _describe_exception,
            _redact,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=cast("TextIO", _Lines(output))),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(handlers=[_Forward()], level=max(level, logging.WARNING), force=True)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        warnings.filterwarnings("ignore", module=rf"{name}(\..*)?")


class _Lines:
    """Where lines go. One that cannot be written, on a full disk or to a reader that left, ends nothing but itself."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, line: str) -> None:
        try:
            self._stream.write(line)
            self._stream.flush()
        except (OSError, ValueError):  # ValueError: the stream is closed
            LOG_LOST.inc()

    def flush(self) -> None:
        """Nothing waits."""


class _Forward(logging.Handler):
    """Lines of libraries that use `logging`, told in our form."""

    def emit(self, record: logging.LogRecord) -> None:
        get_logger(record.name).log(record.levelno, record.getMessage(), exc_info=record.exc_info)


def _describe_exception(logger: WrappedLogger, method: str, line: EventDict) -> EventDict:
    del logger, method
    given = line.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        line["error"] = f"{error.code}: {error}" if isinstance(error, ExchangeError) else type(error).__name__
        frames = traceback.extract_tb(error.__traceback__)
        line["where"] = " > ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-4:])
    return line


def _redact(logger: WrappedLogger, method: str, line: EventDict) -> EventDict:
    """Hide the values of secret keys, at any depth of mappings, and cut long texts."""
    del logger, method
    return {key: _redacted(key, value) for key, value in line.items()}


def _redacted(key: str, value: Any) -> Any:
    if any(secret in key.lower() for secret in SECRET_KEYS):
        return _HIDDEN
    if isinstance(value, dict):
        return {str(inner): _redacted(str(inner), content) for inner, content in value.items()}
    if isinstance(value, bytes):
        return f"({len(value)} bytes)"
    return value[:TEXT_MAX] + "..." if isinstance(value, str) and len(value) > TEXT_MAX else value
