"""The section `normalize`."""

from typing import Literal

from stages.params.sections import Section


class Normalize(Section):
    """How pixels become inputs."""

    scaling: Literal["unit", "standard"]
