"""Options of the commands, made from the signatures and docstrings of the operators."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

import click

from ..operators.documentation import parameter_texts
from .errors import Failure
from .numbers import int_or_auto, number_or_int, number_or_text
from .positions import read_positions

#: Key under which a context keeps the words of its command line.
WORDS = "xgradient.words"
#: Key under which a context keeps the components that have no declared option.
COMPONENTS = "xgradient.components"
#: Parameters of operators that are not options: the data, and the components.
NOT_OPTIONS = ("obj", "components", "dims")


class HelpFormatter(click.HelpFormatter):
    """Give texts the room of option names on narrow terminals, so that no word is cut."""

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        """Write names and texts in two columns."""
        super().write_dl(rows, min(col_max, max(6, self.width - 50)), col_spacing)


class HelpContext(click.Context):
    """Let a command write its help by `HelpFormatter`."""

    formatter_class = HelpFormatter


class CommandGroup(click.Group):
    """Hold commands whose help is not cut."""

    context_class = HelpContext


class OperatorCommand(click.Command):
    """Parse ``--NAME VARIABLE`` as a component, and keep the words for the history attribute."""

    context_class = HelpContext
    takes_components = False

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the words after keeping them and taking components out."""
        ctx.meta[WORDS] = list(args)
        ctx.meta[COMPONENTS] = {}
        if self.takes_components:
            known = {name for option in self.get_params(ctx) for name in option.opts}
            known |= {name for option in self.get_params(ctx) for name in option.secondary_opts}
            args, ctx.meta[COMPONENTS] = _take_components(args, known, ctx)
        return super().parse_args(ctx, args)


def _take_components(
    args: list[str], known: set[str], ctx: click.Context
) -> tuple[list[str], dict[str, str]]:
    """Return the words without those of components, and the components by name."""
    rest, components, words = [], {}, iter(args)
    for word in words:
        option, given, value = word.partition("=")
        if word == "--" or not word.startswith("--") or option in known:
            rest.append(word)
            continue
        variable = value if given else next(words, None)
        if not variable or variable.startswith("--"):
            raise click.UsageError(f"No such option, or a component without variable: {word}", ctx)
        components[option[2:]] = variable
    return rest, components


def _period(word: str) -> tuple[str, float | bool]:
    """Split ``lon`` or ``lon=360`` into name and period; True leaves the period to the axis."""
    name, given, period = word.partition("=")
    try:
        return name, float(period) if given else True
    except ValueError:
        raise click.BadParameter(f"the period {period!r} of {name!r} is not a number") from None


def chunks(word: str) -> dict[str, int]:
    """Parse ``time=100,lat=auto`` into a mapping, without the automatic sizes."""
    sizes = {}
    for entry in word.split(","):
        name, _, size = (part.strip() for part in entry.partition("="))
        if size == "-1" or (size.isdecimal() and int(size)):
            sizes[name] = int(size)
        elif size != "auto":
            raise click.BadParameter(f"{entry!r} is not NAME=SIZE, NAME=-1 or NAME=auto")
    return sizes


def _named(words: Iterable[str], convert: Callable[[str], Any]) -> Any:
    """Return one value, or a mapping from words such as ``NAME=VALUE``; None for no words."""
    pairs = [word.partition("=") for word in words]
    if not pairs:
        return None
    if len(pairs) == 1 and not pairs[0][1]:
        return convert(pairs[0][0])
    for name, given, _ in pairs:
        if not given:
            _refuse_mixture(name)
    return {name: convert(value) for name, _, value in pairs}


def _points(words: tuple[str, ...]) -> list[float | str] | None:
    """Parse ``5,10.5`` or times; None for no words."""
    return [number_or_text(part) for word in words for part in word.split(",")] or None


def _conditions(word: str) -> Any:
    """Parse ``even``, ``even,odd`` or ``value:280,slope:0``."""
    conditions: list[Any] = []
    for part in word.split(","):
        kind, given, number = part.strip().partition(":")
        try:
            conditions.append((kind, float(number)) if given else kind)
        except ValueError:
            raise Failure(f"the {kind} {number!r} in boundary is not a number") from None
    return conditions[0] if len(conditions) == 1 else tuple(conditions)


def _window(word: str) -> tuple[Any, ...]:
    """Parse ``5,2`` or ``3 days,2,tricube``."""
    window, *rest = (part.strip() for part in word.split(","))
    return (int(window) if window.isdecimal() else window, *(map(number_or_int, rest)))


def _refuse_mixture(word: str) -> NoReturn:
    raise Failure(f"{word!r} is given together with others; give each as NAME=VALUE")


def _dims(words: tuple[str, ...]) -> list[str] | None:
    return list(words) or None


#: Options that are not as their parameter is: declarations, how values become an argument, and
#: attributes of the option. All others follow from the signature and the docstring.
SPECIAL: dict[str, tuple[tuple[str, ...], Callable[[Any], Any], dict[str, Any]]] = {
    "dim": (
        ("-d", "--dim", "dim"),
        _dims,
        {
            "multiple": True,
            "metavar": "NAME",
            "help": "Dimension, coordinate or CF name. Repeat the option for more.",
        },
    ),
    "periodic": (
        ("-p", "--periodic", "periodic"),
        lambda pairs: dict(pairs) or None,
        {
            "multiple": True,
            "type": _period,
            "metavar": "NAME[=PERIOD]",
            "help": "Periodic dimension, with its period in units of the coordinate (seconds along "
            "a time). By default 360 degrees along longitudes, else n uniform steps. Repeat the "
            "option for more.",
        },
    ),
    "boundary": (
        ("--boundary", "boundary"),
        lambda words: _named(words, _conditions),
        {
            "multiple": True,
            "metavar": "[NAME=]LOW[,HIGH]",
            "help": "Conditions at the ends of a dimension: one-sided, missing, extend, even, odd, "
            "periodic, value:NUMBER or slope:NUMBER. Repeat the option for more.",
        },
    ),
    "wall": (
        ("--wall", "wall"),
        str,
        {
            "type": click.Choice(["node", "face"]),
            "default": "node",
            "help": "Walls and coasts: at the last points (node), or half a step beyond (face).",
        },
    ),
    "coast": (
        ("--coast", "coast"),
        lambda words: _named(words, _conditions),
        {
            "multiple": True,
            "metavar": "[NAME=]CONDITION",
            "help": "Condition next to missing values, with --skipna, such as even. Repeat the "
            "option for more.",
        },
    ),
    "spacing": (
        ("--spacing", "spacing"),
        lambda words: _named(words, number_or_text),
        {
            "multiple": True,
            "metavar": "[NAME=]STEP",
            "help": "Uniform step that replaces the coordinate. Repeat the option for more.",
        },
    ),
    "metric": (
        ("-m", "--metric", "metric"),
        lambda words: _named(words, number_or_text),
        {
            "multiple": True,
            "metavar": "METRIC",
            "help": "Lengths of coordinates: sphere, ellipsoid, cf (the grid mapping of the file), "
            "wrf, roms, nemo or mitgcm (the scale factors of the file), the radius of a sphere in "
            "metres, or NAME=FACTOR with metres per unit of a dimension, as a number or the name "
            "of a variable. Repeat the last for more.",
        },
    ),
    "skipna": (
        ("-s", "--skipna", "skipna"),
        bool,
        {"is_flag": True},
    ),
    "smooth": (
        ("--smooth", "smooth"),
        lambda word: word and _window(word),
        {
            "metavar": "WINDOW,DEGREE",
            "help": "Window, in points or as a length with units, and degree of the polynomials "
            "that are fitted to noisy data.",
        },
    ),
    "at": (
        ("--at", "at"),
        _points,
        {
            "multiple": True,
            "metavar": "VALUES",
            "help": "Values of the coordinate at which to differentiate, such as 5,10.5.",
        },
    ),
    "from_": (
        ("--from", "from_"),
        str,
        {
            "type": click.Choice(["start", "end"]),
            "default": "start",
            "help": "Where integrals begin: at the first or at the last cell.",
        },
    ),
    "relative": (
        ("--relative", "relative"),
        lambda word: word,
        {
            "type": click.Choice(["grid", "earth"]),
            "help": "Directions of the components: those in which x and y of the grid increase, or "
            "east and north. By default the attributes decide, else the axes of the call.",
        },
    ),
    "positions": (
        ("--positions", "positions"),
        read_positions,
        {
            "multiple": True,
            "metavar": "AXIS:POSITION=NAME,POSITION=NAME",
            "help": "Dimension of each position on an axis. Repeat the option for more axes.",
        },
    ),
    "units": (
        ("-u", "--units", "units"),
        lambda words: _named(words, str),
        {
            "multiple": True,
            "metavar": "[RESULT=]UNITS",
            "help": "Units of the results, such as 'K (100 km)-1', or of one result by its name. "
            "Repeat the option for more.",
        },
    ),
}
#: Short names of options.
SHORT = {"accuracy": "-a", "deriv": "-n"}


def option_names(operator: Callable[..., Any]) -> list[str]:
    """Return the parameters of an operator that are options of its command."""
    return [name for name in inspect.signature(operator).parameters if name not in NOT_OPTIONS]


def operator_options(operator: Callable[..., Any], *, required: bool) -> list[click.Option]:
    """Return the options of an operator's command.

    Parameters
    ----------
    operator : callable
        The operator.
    required : bool
        Whether a dimension must be named.
    """
    parameters, texts = inspect.signature(operator).parameters, parameter_texts(operator)
    options = []
    for name in option_names(operator):
        if name in SPECIAL:
            declarations, _, attributes = SPECIAL[name]
            attributes = {**attributes, "required": required and name == "dim"}
            if name == "skipna":
                attributes["help"] = _first_sentence(texts[name])
        else:
            declarations, attributes = _plain_option(parameters[name], texts.get(name, ""))
        options.append(click.Option([*declarations], **attributes))
    return options


def _plain_option(
    parameter: inspect.Parameter, text: str
) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Return the declarations and attributes of an option, by a parameter and its description."""
    name, default = parameter.name, parameter.default
    attributes: dict[str, Any] = {"help": _first_sentence(text), "default": default}
    if isinstance(default, bool):
        attributes["is_flag"] = True
    elif "auto" in str(parameter.annotation) and isinstance(default, int):
        attributes.update(type=int_or_auto, show_default=True, metavar="INTEGER|auto")
    elif isinstance(default, int) or re.search(r"\bint\b", str(parameter.annotation)):
        attributes.update(type=int, show_default=default is not None)
    elif re.search(r"\bfloat\b", str(parameter.annotation)):
        attributes.update(type=number_or_text, metavar="VALUE")
    else:
        attributes["metavar"] = "NAME"
    short = (SHORT[name],) if name in SHORT else ()
    return (*short, f"--{name.replace('_', '-')}", name), attributes


def _first_sentence(text: str) -> str:
    """Return the first sentence of a description, without marks of code."""
    return re.split(r"(?<=[.])\s+(?=[A-Z])", " ".join(text.split()).replace("`", ""))[0]


def operator_arguments(operator: Callable[..., Any], given: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of an operator from the values of its options that are given."""
    arguments = {
        name: SPECIAL[name][1](given[name]) if name in SPECIAL else given[name]
        for name in option_names(operator)
    }
    names = arguments.get("dim")
    if names and "Iterable" not in str(inspect.signature(operator).parameters["dim"].annotation):
        if len(names) > 1:
            raise Failure(f"--dim is given {len(names)} times, but this command is for one")
        (arguments["dim"],) = names
    return {name: value for name, value in arguments.items() if value is not None}
