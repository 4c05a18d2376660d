"""The section `normalize`."""

from nnlib.encoding import Scaling
from stages.params.sections import Section


class Normalize(Section):
    """How pixels become inputs."""

    scaling: Scaling
