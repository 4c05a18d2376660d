"""Makes the page of `dvc plots` hold Vega, so that it works offline.

DVC fills its plots into `.dvc/plots.html`, which this module writes from `plots.html` beside it.
The file is not in Git, as it holds 0.8 MB of other people's JavaScript. The setting that names it
is not in Git either: DVC's plots fail if it is set and the file is missing. Without both, DVC's own
page loads Vega from a CDN.
"""

import sys
from importlib.resources import files
from pathlib import Path

from dvc.config import Config

from nnlib.base.files import write_text

DVC = Path(".dvc")
NAME = "plots.html"


def main() -> None:
    """Write the template, and then have DVC use it in this checkout."""
    if not (DVC / "config").exists():
        sys.exit(f"error: {DVC / 'config'} is missing: run this in a checkout of the project")
    scripts = files("js_lib_vega_embed") / "static/js_lib_vega_embed"
    vega = (scripts / "vega-embed-full.js").read_text(encoding="utf-8")
    # DVC fills in its placeholders one by one, as here, so braces need no escape.
    template = Path(__file__).with_name(NAME).read_text(encoding="utf-8")
    write_text(DVC / NAME, template.replace("{vega}", vega))
    with Config(str(DVC.resolve())).edit("local") as config:
        config.setdefault("plots", {})["html_template"] = NAME


if __name__ == "__main__":
    main()
