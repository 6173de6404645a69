"""What dlt refuses is always a problem: valid sources, changed in one place each."""

from __future__ import annotations

import contextlib
import copy
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from dlt.sources.rest_api import rest_api_source

from factories.core.yaml.reader import YamlFile
from factories.dlt.config.checking.places import substituted
from factories.dlt.config.source_check import source_problems
from tests.factories.dlt.config import test_source_check_valid as valid


def mutations(value: Any) -> Iterator[Any]:
    """Yield the value with each of its parts left out, or replaced by something else."""
    for path in paths(value):
        for new in (None, 5, True, "x", [], {}, ["x"], {"x": 1}, "${V}", "{x}", ...):
            changed = copy.deepcopy(value)
            inside = changed
            for step in path[:-1]:
                inside = inside[step]
            if new is ...:
                del inside[path[-1]]
            else:
                inside[path[-1]] = new
            yield changed


def paths(value: Any) -> Iterator[tuple[Any, ...]]:
    children = value.items() if isinstance(value, dict) else ()
    for key, child in enumerate(value) if isinstance(value, list) else children:
        yield (key,)
        yield from ((key, *path) for path in paths(child))


def test_what_dlt_refuses_is_always_a_problem(tmp_path: Path) -> None:
    texts = [
        *(valid.rest_api(client=client) for client in valid.CLIENTS.values()),
        *(valid.rest_api(resources=resources) for resources in valid.RESOURCES.values()),
        textwrap.dedent(valid.DEFAULTS),
    ]
    every = [changed for text in texts for changed in mutations(yaml.safe_load(text))]
    refused = 0
    for config in every[::9]:  # each ninth: all of them take half a minute
        data = {"source": {"rest_api": config}}
        text = yaml.safe_dump(data)
        file = YamlFile(tmp_path / "p.yaml", "p.yaml", data, text)
        if not list(source_problems(file, data["source"], tmp_path)):
            rest_api_source(substituted(config))  # raises when dlt refuses it
        else:
            with contextlib.suppress(Exception):
                rest_api_source(substituted(config))
                continue
            refused += 1
    assert refused > len(every) // 9 // 3
