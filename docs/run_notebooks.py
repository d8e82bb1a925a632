"""Run notebooks and store their outputs: ``python docs/run_notebooks.py notebooks/*.ipynb``.

The documentation shows the stored outputs. Pictures have 192 colours, which keeps them small.
"""

from __future__ import annotations

import base64
import io
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from PIL import Image

COLOURS = 192
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def main() -> None:
    """Run the notebooks that the arguments name."""
    for name in sys.argv[1:]:
        path = Path(name)
        notebook = nbformat.read(path, 4)
        resources = {"metadata": {"path": str(path.parent)}}
        NotebookClient(notebook, timeout=300, resources=resources).execute()
        for cell in notebook.cells:
            cell.metadata.pop("execution", None)
            # Warnings of other packages name folders of this machine.
            if cell.cell_type == "code":
                cell.outputs = [o for o in cell.outputs if o.get("name") != "stderr"]
            for output in cell.get("outputs", []):
                if "image/png" in output.get("data", {}):
                    output.data["image/png"] = smaller(output.data["image/png"])
        notebook.metadata = METADATA
        nbformat.write(notebook, path)


def smaller(png: str) -> str:
    """Return a picture with few colours, as base64."""
    with Image.open(io.BytesIO(base64.b64decode(png))) as picture:
        few = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    buffer = io.BytesIO()
    few.save(buffer, "png", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode()


if __name__ == "__main__":
    main()
