"""Sets up the log: one line per event on stderr, for people or for collectors, and never a secret in it."""

import logging
import sys
import threading
import traceback
from types import TracebackType

import structlog
from structlog.typing import Processor

from app.redaction import redact, without_secrets
from app.settings import settings

# What every line gets, whether it comes from this project or from a library's standard logger.
_ON_EVERY_LINE: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def set_up() -> None:
    """Send all logging of this process through redaction to stderr; call it again after a setting changed."""
    logging.setLogRecordFactory(_RecordWithoutSecrets)
    _send_libraries_to_the_root()
    # They tell every step at level info; the commands tell their own progress.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("uvicorn.access").setLevel(logging.WARNING)
    root = logging.getLogger()
    for handler in [one for one in root.handlers if isinstance(one, _Stderr)]:
        root.removeHandler(handler)
    root.addHandler(_handler())
    root.setLevel(settings().log_level.upper())
    logging.captureWarnings(True)
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_in_thread
    _configure_structlog()


class _RecordWithoutSecrets(logging.LogRecord):
    """A record that is clean whoever writes it: libraries such as Streamlit attach handlers of their own later."""

    def __init__(self, *args: object, **more: object) -> None:
        super().__init__(*args, **more)  # type: ignore[arg-type]  # handed on as they come
        if self.exc_info and self.exc_info[0]:
            self.exc_text = without_secrets("".join(traceback.format_exception(*self.exc_info)).rstrip())
        if not self.args and isinstance(self.msg, str):
            self.msg = without_secrets(self.msg)

    def getMessage(self) -> str:  # noqa: N802 - the name that logging calls
        """The message; where its arguments don't fit, logging would print them to stderr as they are."""
        if not self.args:
            return super().getMessage()
        try:
            return without_secrets(super().getMessage())
        except (TypeError, ValueError, KeyError):
            return without_secrets(f"{self.msg} (the arguments of this line do not fit it)")


class _Stderr(logging.StreamHandler):  # type: ignore[type-arg]  # not generic at run time
    """Writes to what is stderr at that moment: a progress bar takes its place for a while."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def _handler() -> logging.Handler:
    handler = _Stderr()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*_ON_EVERY_LINE, structlog.stdlib.ExtraAdder()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.StackInfoRenderer(),
                # The plain traceback: the prettier ones print local variables.
                structlog.processors.format_exc_info,
                redact,
                _renderer(),
            ],
        )
    )
    return handler


def _renderer() -> Processor:
    if settings().log_format == "json":
        return structlog.processors.JSONRenderer(ensure_ascii=False)
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)


def _send_libraries_to_the_root() -> None:
    """Take away the handlers that libraries gave to their own loggers, so that every line has one form."""
    for name in list(logging.root.manager.loggerDict):
        logger = logging.getLogger(name)
        for handler in list(logger.handlers):
            logger.removeHandler(handler)
        logger.propagate = True


def _configure_structlog() -> None:
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *_ON_EVERY_LINE,
            # Already here, so that handlers other than ours are handed clean lines too.
            structlog.processors.format_exc_info,
            redact,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
    )


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    logging.getLogger("sightline").critical("Stopped by an error.", exc_info=(kind, error, trace))


def _log_uncaught_in_thread(failure: threading.ExceptHookArgs) -> None:
    if failure.exc_value is not None and not isinstance(failure.exc_value, SystemExit):
        name = failure.thread.name if failure.thread else "unknown"
        exc_info = (failure.exc_type, failure.exc_value, failure.exc_traceback)
        logging.getLogger("sightline").error("The thread %s was stopped by an error.", name, exc_info=exc_info)
