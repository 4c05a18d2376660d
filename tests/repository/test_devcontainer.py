"""The container to develop in, which no test can start: what it says."""

import json
import re

from tools.checkouts import ROOT

# of the reference at https://containers.dev
KNOWN = {"name": str, "image": str, "postCreateCommand": str}


def test_the_image_is_pinned_and_the_command_a_target_of_the_makefile():
    container = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text())
    assert {name: type(value) for name, value in container.items()} == KNOWN
    assert re.fullmatch(r"[\w./-]+@sha256:[0-9a-f]{64}", container["image"])
    target = container["postCreateCommand"].removeprefix("make ")
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
