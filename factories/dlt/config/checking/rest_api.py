"""A `rest_api` source: dlt's own `RESTAPIConfig`, as far as YAML can express it."""

from __future__ import annotations

import copy
import graphlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import dlt
import requests
from dlt.sources.helpers.rest_client.redaction import SENSITIVE_PARAMS
from dlt.sources.rest_api import create_resources
from dlt.sources.rest_api.config_setup import build_resource_dependency_graph
from dlt.sources.rest_api.typing import (
    ClientConfig,
    EndpointResource,
    EndpointResourceBase,
    IncrementalConfig,
    IncrementalParamConfig,
    ResolveParamConfig,
    RESTAPIConfig,
)

from factories.core.yaml.problems import Problem
from factories.core.yaml.validation import format_value
from factories.core.yaml.variables import find_intended_variable
from factories.dlt.config.checking.expressions import expression_problems, parents
from factories.dlt.config.checking.places import Place, has_variable, literal_secret, substituted
from factories.dlt.config.checking.resources import name_problems
from factories.dlt.config.checking.rest_client import auth_problems, paginator_problems
from factories.dlt.config.checking.trial import failures
from factories.dlt.config.checking.values import keys_mismatch, mismatches, spec_hints
from factories.dlt.config.rest_entries import endpoint_of, entry_name, entry_names

PARAM_SPECS = {"resolve": ResolveParamConfig, "incremental": IncrementalParamConfig}
# Headers and parameters that hold a secret; `key` is as often the name of a sort key.
SECRET_NAMES = (SENSITIVE_PARAMS - {"key"}) | {"authorization", "x-api-key"}


def rest_api_problems(config: Any, place: Place) -> Iterator[Problem]:
    """Yield what is wrong with the value of `rest_api`."""
    if not isinstance(config, Mapping):
        yield place.problem(f"{place.name}: must be a mapping, not {format_value(config)}")
        return
    source = _Source(config)
    special = {
        "client": _client_problems,
        "resource_defaults": source.defaults_problems,
        "resources": source.resources_problems,
    }
    hints = spec_hints(RESTAPIConfig)
    yield from keys_mismatch(
        config, hints, place, required=("client", "resources"), special=special
    )


def _client_problems(client: Any, place: Place) -> Iterator[Problem]:
    yield from mismatches(client, ClientConfig, place, _SPECIAL)
    if not isinstance(client, Mapping):
        return
    url = client.get("base_url")
    if "base_url" not in client:
        yield place.missing_key("base_url")
    elif (
        isinstance(url, str)
        and "://" not in url
        and not (has_variable(url) or find_intended_variable(url))
    ):
        yield place["base_url"].problem(
            f"base_url: {url!r} is not a URL such as https://example.com"
        )
    yield from _secret_names(client.get("headers"), place["headers"])


def _params_problems(params: Any, place: Place) -> Iterator[Problem]:
    if not isinstance(params, Mapping):
        if params is not None:
            yield place.problem(f"{place.name}: must be a mapping, not {format_value(params)}")
        return
    for key, param in params.items():
        if not isinstance(param, Mapping):
            continue
        kind, at = param.get("type"), place[key]
        if not isinstance(kind, str) or kind not in PARAM_SPECS:
            if "type" in param:
                yield at["type"].not_allowed(kind, list(PARAM_SPECS))
            else:
                message = f"{key}: a mapping needs the key 'type'"
                yield at.problem(message, allowed=list(PARAM_SPECS), at_key=True)
            continue
        yield from mismatches(param, PARAM_SPECS[kind], at)
        if kind == "incremental" and "cursor_path" not in param:
            yield at.missing_key("cursor_path")
    yield from _secret_names(params, place)


def _incremental_problems(value: Any, place: Place) -> Iterator[Problem]:
    if value is None:
        return
    yield from mismatches(value, IncrementalConfig, place)
    if isinstance(value, Mapping) and "cursor_path" not in value:
        yield place.missing_key("cursor_path")


def _response_actions_problems(actions: Any, place: Place) -> Iterator[Problem]:
    if not isinstance(actions, list):
        if actions is not None:
            yield place.problem(f"{place.name}: must be a list, not {format_value(actions)}")
        return
    for index, action in enumerate(actions):
        at = place[index]
        # dlt compares the code with a number, and does nothing for a word it does not know.
        hints = {"status_code": int | None, "content": str | None, "action": str}
        if not isinstance(action, Mapping):
            yield at.problem(f"{at.name}: must be a mapping, not {format_value(action)}")
            continue
        yield from keys_mismatch(action, hints, at, required=("action",))
        word = action.get("action")
        if isinstance(word, str) and word != "ignore":
            yield at["action"].not_allowed(word, ["ignore"])


def _secret_names(values: Any, place: Place) -> Iterator[Problem]:
    for key, value in values.items() if isinstance(values, Mapping) else ():
        if str(key).lower() in SECRET_NAMES and not (isinstance(value, str) and "{" in value):
            yield from literal_secret(value, place[key])


_SPECIAL: Mapping[str, Callable[[Any, Place], Iterator[Problem]]] = {
    "paginator": paginator_problems,
    "auth": auth_problems,
    "params": _params_problems,
    "incremental": _incremental_problems,
    "response_actions": _response_actions_problems,
}


class _Source:
    """The resources of one source: each is checked for itself, and built with its parents only."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        resources = config.get("resources")
        self.resources: list[Any] = resources if isinstance(resources, list) else []
        defaults = config.get("resource_defaults")
        self.defaults: dict[str, Any] = defaults if isinstance(defaults, dict) else {}
        self.names = list(entry_names(config))
        self.usable_defaults = self.defaults
        self.session = requests.Session()

    def defaults_problems(self, defaults: Any, place: Place) -> Iterator[Problem]:
        """Yield what is wrong with what holds for every resource."""
        if defaults is None:
            return
        found = list(mismatches(defaults, EndpointResourceBase, place, _SPECIAL))
        endpoint = endpoint_of(defaults)
        found += expression_problems(
            endpoint, place["endpoint"], names=self.names, has_incremental=True
        )
        found += _secret_names(endpoint.get("headers"), place["endpoint"]["headers"])
        if found:
            self.usable_defaults = {}
        yield from found

    def resources_problems(self, resources: Any, place: Place) -> Iterator[Problem]:
        """Yield what is wrong with the list of resources."""
        if not isinstance(resources, list):
            yield place.problem(f"{place.name}: must be a list, not {format_value(resources)}")
            return
        if not resources:
            yield place.problem(f"{place.name}: must not be empty")
        # Defaults that are wrong are reported where they stand; here they only must not hinder.
        list(self.defaults_problems(self.defaults, place))
        seen: set[str] = set()
        blamed: set[tuple[str | int, ...]] = set()
        for index, resource in enumerate(resources):
            found = list(self._resource_problems(resource, place[index], seen))
            yield from found
            if not found:
                yield from self._refusals(resource, index, place, blamed)
        yield from self._cycle(place)

    def _resource_problems(self, resource: Any, place: Place, seen: set[str]) -> Iterator[Problem]:
        if isinstance(resource, str):
            at = place
        elif isinstance(resource, Mapping):
            at = place["name"]
            yield from mismatches(resource, EndpointResource, place, _SPECIAL)
            endpoint = endpoint_of(resource)
            defaults = endpoint_of(self.usable_defaults)
            where = place["endpoint"]
            yield from expression_problems(
                endpoint,
                where,
                names=self.names,
                has_incremental="incremental" in endpoint or "incremental" in defaults,
            )
            yield from _secret_names(endpoint.get("headers"), where["headers"])
            if "name" not in resource:
                yield place.missing_key("name")
        else:
            yield place.problem(
                f"{place.name}: must be text or a mapping, not {format_value(resource)}"
            )
        name = entry_name(resource)
        if name is None:
            return
        yield from name_problems(name, at, seen)

    def _refusals(
        self, resource: Any, index: int, place: Place, blamed: set[tuple[str | int, ...]]
    ) -> Iterator[Problem]:
        """Yield what dlt says when it builds one resource, with the defaults."""
        value = {
            "resources": _buildable(resource),
            "resource_defaults": _buildable(self.usable_defaults),
        }
        kept = frozenset({("resources",), ("resource_defaults",), ("resources", "name")})
        for path, message in failures(self._build, value, kept):
            if path[:1] == ("resource_defaults",):
                at = Place(place.file, (*place.path[:-1], *path))
                if path in blamed:
                    continue
                blamed.add(path)
            else:
                at = place[index].below(path[1:])
            yield at.problem(f"{at.name}: {message}" if path[1:] else message)

    def _build(self, value: Mapping[str, Any]) -> None:
        """Build one resource as dlt does for a run; nothing is requested.

        Raises:
            Exception: Whatever dlt raises.
        """
        resource, defaults = value["resources"], value["resource_defaults"]
        name = entry_name(resource)
        needed = parents(endpoint_of(resource)) | parents(endpoint_of(defaults))
        above = [dlt.resource([], name=p) for p in sorted(needed) if p in self.names and p != name]
        graph = build_resource_dependency_graph(defaults, [resource, *above])
        client: ClientConfig = {"base_url": "https://example.invalid", "session": self.session}
        create_resources(client, *graph)[str(name)].compute_table_schema()

    def _cycle(self, place: Place) -> Iterator[Problem]:
        """Yield a problem when resources depend on each other in a circle."""
        names = set(self.names)
        try:
            graph = {entry_name(r): parents(endpoint_of(r)) & names for r in self.resources}
            graphlib.TopologicalSorter(graph).prepare()
        except graphlib.CycleError as error:
            circle: Sequence[str] = error.args[1]
            index = next(i for i, r in enumerate(self.resources) if entry_name(r) == circle[0])
            message = f"resources depend on each other: {' → '.join(circle)}"
            yield place[index].problem(message)
        except ValueError:  # a malformed expression, which is reported where it stands
            return


def _buildable(resource: Any) -> Any:
    """Return what can be built without any secret: an authentication is checked by itself."""
    value = copy.deepcopy(substituted(resource))
    if isinstance(value, dict) and isinstance(value.get("endpoint"), dict):
        value["endpoint"].pop("auth", None)
    return value
