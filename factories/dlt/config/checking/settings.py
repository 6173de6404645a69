"""The key `config`: sections of dlt's `config.toml`, checked against dlt's own specs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import reduce
from operator import getitem
from typing import Any, get_args

from dlt.common.configuration.exceptions import ConfigValueCannotBeCoercedException
from dlt.common.configuration.specs import BaseConfiguration, RuntimeConfiguration
from dlt.common.configuration.specs.base_configuration import extract_inner_hint
from dlt.common.configuration.utils import deserialize_value
from dlt.common.data_writers.buffered import BufferedDataWriter
from dlt.common.destination.configuration import (
    CsvFormatConfiguration,
    ParquetFormatConfiguration,
)
from dlt.extract.pipe_iterator import PipeIterator, TPipeNextItemMode
from dlt.load.configuration import LoaderConfiguration
from dlt.normalize.configuration import ItemsNormalizerConfiguration, NormalizeConfiguration
from dlt.pipeline.configuration import PipelineRuntimeConfiguration

from factories.core.yaml import variables
from factories.core.yaml.problems import Problem
from factories.core.yaml.validation import format_value
from factories.dlt.config.checking.places import Place, has_variable
from factories.dlt.config.checking.specs import KINDS, field_problems, fields_of

DATA_WRITER: tuple[type[BaseConfiguration], ...] = (
    BufferedDataWriter.BufferedDataWriterConfiguration,
    CsvFormatConfiguration,
    ParquetFormatConfiguration,
)
SECTIONS: Mapping[str, tuple[type[BaseConfiguration], ...]] = {
    "runtime": (RuntimeConfiguration, PipelineRuntimeConfiguration),
    "extract": (PipeIterator.PipeIteratorConfiguration,),
    "normalize": (NormalizeConfiguration,),
    "load": (LoaderConfiguration,),
    "data_writer": DATA_WRITER,
}
# Sections within a section.
NESTED: Mapping[tuple[str, str], tuple[type[BaseConfiguration], ...]] = {
    ("normalize", "data_writer"): DATA_WRITER,
    ("normalize", "json_normalizer"): (ItemsNormalizerConfiguration,),
    ("normalize", "parquet_normalizer"): (ItemsNormalizerConfiguration,),
    ("normalize", "model_normalizer"): (ItemsNormalizerConfiguration,),
}
# Fields of a spec that dlt embeds in another under a private name.
EMBEDDED = {"load": {"delete_completed_jobs": bool}}
REFUSED = {
    "pipeline_name": "is the file's own `pipeline`",
    "pool_type": "has no effect: dlt derives it from `workers`",
}
NOT_SETTINGS = frozenset({"destination_capabilities", "pluggable_run_context"})
CHOICES = {
    "next_item_mode": get_args(TPipeNextItemMode),
    "log_level": ("CRITICAL", "ERROR", "WARNING", "INFO", "DEBUG"),
    "start_method": ("fork", "spawn", "forkserver"),
}


def settings_problems(config: Any, place: Place) -> Iterator[Problem]:
    """Yield what is wrong with the value of `config`."""
    if not isinstance(config, Mapping):
        yield place.problem(f"{place.name}: must be a mapping, not {format_value(config)}")
        return
    for section, values in config.items():
        if section not in SECTIONS:
            yield place.unknown_key(section, list(SECTIONS))
        else:
            yield from _section_problems(values, (section,), SECTIONS[section], place[section])


def variable_problems(written: Mapping[str, Any], config: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with settings now that their `${VAR}`s have values, without the values.

    Args:
        written: The settings as the file has them; they are right except for the variables.
        config: The same with the values.
    """
    for path, name in variables.names(written):
        steps = [str(step) for step in path]
        nested = NESTED.get((steps[0], steps[1]))
        depth = 2 if nested else 1
        key, value = steps[depth], reduce(getitem, steps[: depth + 1], config)
        fields = {**fields_of(*(nested or SECTIONS[steps[0]])), **EMBEDDED.get(steps[0], {})}
        inner = extract_inner_hint(fields[key], preserve_literal=True)
        must_be = f"config.{'.'.join(steps)}: the value of ${{{name}}} must be"
        if key in CHOICES and value not in CHOICES[key]:
            yield f"{must_be} one of {', '.join(map(str, CHOICES[key]))}"
            continue
        try:
            deserialize_value(key, value, inner)
        except ConfigValueCannotBeCoercedException:
            yield f"{must_be} {KINDS.get(inner, 'another kind of value')}"


def _section_problems(
    values: Any,
    section: tuple[str, ...],
    specs: tuple[type[BaseConfiguration], ...],
    place: Place,
) -> Iterator[Problem]:
    if not isinstance(values, Mapping):
        yield place.problem(f"{place.name}: must be a mapping, not {format_value(values)}")
        return
    fields = {**fields_of(*specs), **EMBEDDED.get(section[-1], {})}
    nested = {key: inner for (outer, key), inner in NESTED.items() if (outer,) == section}
    allowed = [key for key in {**fields, **nested} if key not in {*REFUSED, *NOT_SETTINGS}]
    for key, value in values.items():
        at = place[key]
        if key in nested:
            yield from _section_problems(value, (*section, key), nested[key], at)
        elif key in REFUSED and key in fields:
            yield at.problem(f"{key!r} {REFUSED[key]}", at_key=True)
        elif key not in allowed:
            yield place.unknown_key(key, allowed)
        elif key in CHOICES and value is not None and not has_variable(value):
            if value not in CHOICES[key]:
                yield at.not_allowed(value, CHOICES[key])
        else:
            found = list(field_problems(value, fields[key], at))
            yield from found
            if key == "raise_on_failed_jobs" and not found and value in {False, "false", "False"}:
                message = f"{key}: must stay true: else a load that failed would count as done"
                yield at.problem(message)
