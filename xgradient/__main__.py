"""The entry point of the command ``xgradient``, also run by ``python -m xgradient``."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command line, or name the missing package in one line."""
    try:
        from .cli.commands import cli
    except ModuleNotFoundError as error:
        if error.name != "click":
            raise
        sys.exit(
            "xgradient: error: the command line needs click; "
            'install it with: pip install "xgradient[cli]"'
        )
    try:
        cli(prog_name="xgradient")
    except OSError as error:  # such as help that is written to a full disk
        sys.exit(f"xgradient: error: {error.strerror or error}")
    finally:
        try:
            if sys.stdout is not None:
                sys.stdout.flush()
        except OSError:  # reported already; Python would report it again at its end
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
