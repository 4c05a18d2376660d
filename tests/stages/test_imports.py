"""What a stage imports before its work begins: importing is most of what the quick ones do."""

import subprocess
import sys

import pytest

from tools.checkouts import ROOT

# The packages that take longest to import.
SLOW = {"PIL", "dvc", "jinja2", "matplotlib", "pandas", "pooch", "scipy", "scipy.stats", "sklearn"}
USED = {
    "check": {"pandas"},
    "download": set(),
    "normalize": {"pandas"},
    "train": {"pandas"},
    "evaluate": {"pandas"},
    "repeat": {"pandas"},
    "analyse": {"PIL", "jinja2", "matplotlib", "pandas", "scipy"},
}


@pytest.mark.parametrize("stage", USED)
def test_a_stage_imports_only_what_it_uses(stage):
    code = f"import sys, stages.{stage}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert set(done.stdout.split()) & SLOW == USED[stage]
