"""What a step that trains and a step that scores have in common."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import dagster as dg

from factories.core.warehouse.names import WarehouseNames
from factories.snowpark.catalog import name_missing_inputs
from factories.snowpark.config.entries import Entry, ModelEntry
from factories.snowpark.models.registry import Registry
from factories.snowpark.step import Step, open_step


@dataclass(frozen=True)
class ModelStep(Step):
    """A step that reads features, and the registry of its area's models.

    Attributes:
        registry: Of the area's models.
    """

    registry: Registry


@contextmanager
def open_model_step(
    context: dg.AssetExecutionContext, entry: Entry, model: ModelEntry, names: WarehouseNames
) -> Iterator[ModelStep]:
    """Open a step for a model or its scores; see `open_step` for how it fails.

    Args:
        context: Dagster's.
        entry: What the step makes.
        model: The model, whose features are read; `entry` itself when that is trained.
        names: How the target's databases are called.
    """
    features = {model.features.key: model.features.relation}
    with open_step(context, names, entry) as step:
        registry = Registry(step.session, model.registry, model.stage)
        registry.create()
        with name_missing_inputs(step.session, features):
            yield ModelStep(**vars(step), registry=registry)
