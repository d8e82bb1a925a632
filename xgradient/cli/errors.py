"""Errors of the command line: one line on stderr, and an exit code."""

from __future__ import annotations

import errno
import importlib.util
import signal
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import click

from . import outputs


class Failure(click.ClickException):
    """Report an error in one line on stderr."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(" ".join(message.split()))
        self.exit_code = exit_code  # type: ignore[misc]  # click knows one per class

    def show(self, file: IO[Any] | None = None) -> None:
        """Write the error to a file, by default to stderr."""
        click.echo(f"xgradient: error: {self.format_message()}", file=file, err=True)


class Stopped(BaseException):
    """Stop the process after a signal to end."""


def need(extra: str, *modules: str) -> None:
    """Refuse to run without optional packages."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        raise Failure(
            f"this command needs {', '.join(missing)}; "
            f'install what is missing with: pip install "xgradient[{extra}]"'
        )


@contextmanager
def errors_in_one_line(outcome: str) -> Iterator[None]:
    """Turn errors of arguments and files, and signals to end, into one line."""
    with _stoppable() as received, warnings.catch_warnings():
        # Hide warnings of libraries about formats and undefined numbers, meant for programmers.
        warnings.simplefilter("ignore")
        try:
            yield
        except BaseException as error:
            if received:  # the signal may have caused other errors
                message = f"stopped by {received[0].name}; {outcome}"
                raise Failure(message, 128 + received[0]) from None
            if isinstance(error, outputs.FileError):
                raise Failure(str(error)) from None
            # Errors of the operating system and of libraries that read files; click itself
            # handles a pipe whose reader has ended.
            broken = getattr(error, "errno", None) == errno.EPIPE
            if isinstance(error, OSError | RuntimeError | MemoryError) and not broken:
                raise Failure(f"{outcome}: {outputs.reason(error)}") from error
            raise


@contextmanager
def errors_labelled(label: str) -> Iterator[None]:
    """Put a label before the error of any library."""
    try:
        yield
    except Exception as error:
        raise Failure(f"{label}: {outputs.reason(error)}") from error


@contextmanager
def _stoppable() -> Iterator[list[signal.Signals]]:
    """Let signals that end a process raise `Stopped`, so that partial outputs are removed.

    Yields the list of signals received.
    """
    handlers: dict[int, Any] = {}
    received: list[signal.Signals] = []

    def stop(number: int, _: Any) -> None:
        for other in handlers:  # a second signal must not disturb the removal
            signal.signal(other, signal.SIG_IGN)
        received.append(signal.Signals(number))
        raise Stopped

    if threading.current_thread() is threading.main_thread():
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            # Ignored signals stay ignored, as nohup needs it.
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                handlers[number] = signal.signal(number, stop)
    try:
        yield received
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
