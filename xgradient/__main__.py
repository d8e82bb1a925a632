"""The entry point of the command ``xgradient``, also run by ``python -m xgradient``."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line, or say in one line what has to be installed for it."""
    try:
        from .cli import cli
    except ModuleNotFoundError as error:
        if error.name != "click":
            raise
        sys.exit(
            "xgradient: error: the command line needs click; "
            'install it with: pip install "xgradient[cli]"'
        )
    cli(prog_name="xgradient")


if __name__ == "__main__":
    main()
