"""Draw the rooms of the package and their imports, into ``architecture.png`` in this folder."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.patches import FancyArrowPatch

HERE = Path(__file__).parent
PACKAGE = HERE.parents[1] / "xgradient"
FRONT = "front door"
#: Each room's place, as fractions of the picture, and its content. They lie on an oval, so that no
#: arrow passes behind a box.
ROOMS = {
    FRONT: (0.14, 0.94, "xgradient, ds.grad"),
    "cli": (0.86, 0.93, "the command line"),
    "operators": (0.46, 0.835, "functions that users call"),
    "geometry": (0.12, 0.55, "metrics and grids"),
    "labels": (0.87, 0.46, "names, units, attributes"),
    "engine": (0.15, 0.28, "chunks and halos"),
    "kernels": (0.42, 0.08, "loops of array libraries"),
    "stencils": (0.76, 0.08, "numerics of one axis"),
}


def room_of(name: str) -> str:
    """Return the room of a module or folder by its first name; others are the front door."""
    return name if name in ROOMS else FRONT


def imported_rooms(path: Path) -> list[str]:
    """Return the rooms that a file imports from, once for each import."""
    folders = path.relative_to(PACKAGE).parts[:-1]
    rooms = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            above = folders[: len(folders) - node.level + 1]
            names = [node.module] if node.module else [alias.name for alias in node.names]
            first = [(*above, *name.split("."))[0] for name in names]
            # Names that begin with "_" are small modules that all rooms share, and the version.
            rooms += [room_of(name) for name in first if not name.startswith("_")]
    return rooms


def count_imports() -> Counter[tuple[str, str]]:
    """Count the imports from room to room."""
    return Counter(
        (room, target)
        for path in PACKAGE.rglob("*.py")
        for room in [room_of(path.relative_to(PACKAGE).parts[0])]
        for target in imported_rooms(path)
        if target != room
    )


def main() -> None:
    """Write ``architecture.png``: an arrow for imports, as thick as they are many."""
    fig, ax = plt.subplots(figsize=(8.6, 6.2), dpi=110)
    ax.set_position((0, 0, 1, 1))
    ax.axis("off")
    style = {"boxstyle": "round,pad=0.5", "fc": "#e8f1f8", "ec": "#2b6a99"}
    boxes = {}
    for name, (x, y, content) in ROOMS.items():
        text = f"$\\bf{{{name.replace(' ', '~')}}}$\n{content}"
        boxes[name] = ax.text(
            x, y, text, ha="center", va="center", fontsize=11, bbox=style, zorder=3
        )
    fig.canvas.draw()  # boxes have sizes after this, so that arrows can end at them
    for (source, target), count in count_imports().items():
        start, end = boxes[source], boxes[target]
        arrow = FancyArrowPatch(
            start.get_position(),
            end.get_position(),
            patchA=start.get_bbox_patch(),
            patchB=end.get_bbox_patch(),
            arrowstyle="-|>",
            mutation_scale=13,
            shrinkA=0,
            shrinkB=2,
            lw=0.8 + count / 12,
            color="#2b6a99" if count > 9 else "0.6",
        )
        ax.add_patch(arrow)
    fig.savefig(HERE / "architecture.png")


if __name__ == "__main__":
    main()
