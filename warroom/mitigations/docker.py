"""What can be done on a Docker engine; each kind stands in a file of its own."""

from __future__ import annotations

from typing import Final

from warroom.mitigations import (
    _docker_bulk,
    _docker_logs,
    _docker_network,
    _docker_prune,
    _docker_recreate,
    _docker_scale,
    _docker_verbs,
)
from warroom.mitigations._docker_verbs import Options

__all__ = ["SPECS", "Options"]

SPECS: Final = (
    *_docker_verbs.SPECS,
    *_docker_recreate.SPECS,
    *_docker_scale.SPECS,
    *_docker_logs.SPECS,
    *_docker_network.SPECS,
    *_docker_prune.SPECS,
    *_docker_bulk.SPECS,
)
