"""The entry point of the command ``xgradient``, also run by ``python -m xgradient``."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command line, or say in one line what has to be installed for it."""
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
    except OSError as error:  # as of help that goes to a full disk
        sys.exit(f"xgradient: error: {error.strerror or error}")
    finally:
        try:
            if sys.stdout is not None:
                sys.stdout.flush()
        except OSError:  # told already; Python would tell it again at its end
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
