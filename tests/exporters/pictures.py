"""The README's pictures of exports, from the sample store: python -m tests.exporters.pictures.

Needs Chromium, pdfTeX and pdftoppm, and the extra `figures`.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from backend import Reader, export, form_of, open_store, sample_store
from backend.records.exports import ExportRequest
from tests.support import ROOT

PAIR = ("countdown-base@countdown", "countdown-rl-150@countdown")
FOLDER = ROOT / "sample_data" / "pictures"
DOCUMENT = r"""\documentclass{article}
\usepackage{booktabs,longtable,textcomp}
\pagestyle{empty}
\begin{document}
\input{sets.tex}
\end{document}
"""


def _small(path: Path, box: tuple[int, int, int, int] | None = None, width: int = 820, colours: int = 200) -> None:
    """Cut, scaled, and with few colours."""
    from PIL import Image, ImageChops

    image = Image.open(path).convert("RGB")
    if box is None:
        # As much as is not white, and a margin.
        left, top, right, bottom = (
            ImageChops.difference(image, Image.new("RGB", image.size, "white")).getbbox() or (0,) * 4
        )
        box = (left - 30, top - 30, right + 30, bottom + 30)
    image = image.crop(box)
    image = image.resize((width, round(image.height * width / image.width)), Image.Resampling.LANCZOS)
    image.quantize(colours).save(path, optimize=True)


def main() -> None:
    """Make all three."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        database = open_store(sample_store())
        with Reader(database) as reader:
            for what, name in (("sets", "sets.html"), ("sets", "sets.tex"), ("curves", "curves.svg")):
                export(reader, ExportRequest(what, form_of(what, Path(name)), PAIR), folder / name)
        database.close()
        shutil.copy(folder / "curves.svg", FOLDER / "export-figure.svg")
        page = FOLDER / "export-page.png"
        subprocess.run(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1000,1240",
             f"--screenshot={page}", (folder / "sets.html").as_uri()],
            check=True, capture_output=True,
        )  # fmt: skip
        _small(page, (0, 0, 1000, 1240))
        (folder / "document.tex").write_text(DOCUMENT)
        for _ in range(3):  # longtable finds its widths by and by
            subprocess.run(["pdflatex", "-halt-on-error", "document.tex"], cwd=folder, check=True, capture_output=True)
        table = FOLDER / "export-table"
        command = ["pdftoppm", "-r", "130", "-png", "-f", "1", "-l", "1", "-singlefile", folder / "document.pdf", table]
        subprocess.run(command, check=True)
        _small(table.with_suffix(".png"), colours=12)


if __name__ == "__main__":
    main()
