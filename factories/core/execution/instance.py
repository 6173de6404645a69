"""The class of Dagster instances that `dagster.yaml` names.

Dagster's daemon and webserver read the conditions of assets from what code locations send them, and
have to know the class of ours before. This is the one class of an instance that each process loads
at its start.
"""

from __future__ import annotations

from typing import Any

import dagster as dg
from dagster._core.instance.ref import InstanceRef

import factories.core.conditions.node  # noqa: F401 - its classes are registered with Dagster
from factories.core.env_file import keep_own_environment


class PlatformInstance(dg.DagsterInstance):
    """Dagster's own instance, in a process that knows the automation conditions from YAML.

    Dagster's commands make it right after they have read a `.env`: a real environment variable
    wins over that, as everywhere in `dp`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take what Dagster gives."""
        keep_own_environment()
        super().__init__(*args, **kwargs)

    @classmethod
    def config_schema(cls) -> dict[str, Any]:
        """No settings beyond Dagster's."""
        return {}

    @classmethod
    def config_defaults(cls, base_dir: str) -> Any:
        """Dagster's defaults for an instance in a folder."""
        return InstanceRef.config_defaults(base_dir)
