"""What jobs, schedules and sensors select: by Dagster's syntax, and by dbt's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import dagster as dg

from factories.automation.entries import Entry
from factories.core.assets.context import LoadContext
from factories.core.dagster_internals import parse_selection
from factories.core.yaml.problems import Problem, nearest

if TYPE_CHECKING:
    from factories.dbt.model_selection import ModelSelection

ATTRIBUTES = ("key", "group", "kind", "tag", "owner")
# What Dagster tries where its parser fails: the key of an asset, with what is above and below it.
BARE_KEY = re.compile(r"[+*]*[\w./-]+[+*]*")
TERM = re.compile(r'\b([a-z_]+):("[^"]*"|[^\s()"+]+)')
WHERE = re.compile(r"column (\d+): (.*?)( expecting .*)?$")
# What a selection of dbt may name, by the method.
UP_OR_DOWN = re.compile(r"^[@+\d]+|[+\d]+$")


@dataclass(frozen=True)
class Selected:
    """What one entry selects, and the key that says so."""

    entry: Entry[Any]
    key: str
    selection: dg.AssetSelection


def parse(entry: Entry[Any], problems: list[Problem]) -> Selected | None:
    """Return what an entry selects by Dagster's syntax; None, and a problem, when it is none."""
    key, text = "selection", str(entry.item.selection)
    try:
        return Selected(entry, key, parse_selection(text))
    except ValueError as error:
        if BARE_KEY.fullmatch(text):
            return Selected(entry, key, dg.AssetSelection.from_string(text))
        problems.append(_syntax_problem(entry, key, text, str(error)))
        return None


def _syntax_problem(entry: Entry[Any], key: str, text: str, said: str) -> Problem:
    unknown = [word for word, _ in TERM.findall(text) if word not in ATTRIBUTES]
    for word in unknown:
        if (near := nearest(word, ATTRIBUTES)) is not None:
            message = f"{key}: {word!r} is nothing to select by"
            return entry.problem([key], message, allowed=ATTRIBUTES, nearest=near)
    found = WHERE.search(said)
    reason = f"at its character {int(found[1]) + 1}: {found[2]}" if found else said
    example = "`group:flight_ops and not key:flight_ops/raw/flights`"
    message = f"{key}: {text!r} is not a selection like {example}: {reason}"
    return entry.problem([key], message)


@dataclass(frozen=True)
class DbtSelector:
    """Finds the assets of dbt's selections.

    Attributes:
        keys: What each selection names; why not, where dbt refuses it.
    """

    keys: Mapping[ModelSelection, frozenset[dg.AssetKey] | str]
    names: tuple[str, ...]

    @classmethod
    def of(cls, load_context: LoadContext, entries: Iterable[Entry[Any]]) -> DbtSelector:
        """Ask dbt for all that the entries select, at once."""
        wanted = {found for entry in entries for found, _ in _model_selections(entry)}
        # What is to be left out must be there, too.
        wanted |= {replace(found, select=found.exclude, exclude="") for found in wanted}
        wanted |= {replace(found, exclude="") for found in wanted}
        wanted = {found for found in wanted if found.select}
        if not wanted:
            return cls({}, ())
        from factories.dbt.model_selection import (  # noqa: PLC0415 - only where dbt is selected from
            SelectionError,
            select_models,
        )

        keys: dict[ModelSelection, frozenset[dg.AssetKey] | str] = {}
        names: set[str] = set()
        for folder, models in load_context.dbt_models.items():
            names |= {unique_id.split(".")[2] for unique_id in models}
            for selection, found in select_models(folder, wanted).items():
                if isinstance(found, SelectionError):
                    keys[selection] = str(found)
                elif not isinstance(known := keys.get(selection, frozenset()), str):
                    keys[selection] = known | {models[uid] for uid in found if uid in models}
        return cls(keys, tuple(sorted(names)))

    def find(
        self, entry: Entry[Any], key: str, problems: list[Problem]
    ) -> frozenset[dg.AssetKey] | None:
        """Return the assets of an entry's selection; None, and a problem, when there are none.

        Args:
            entry: A job, schedule or sensor.
            key: The key that holds the selection: `dbt_select` or `models`.
            problems: Receives what is wrong.
        """
        selection = next(found for found, at in _model_selections(entry) if at == key)
        if not self.keys:
            message = f"{key}: this code location has no dbt project"
            problems.append(entry.problem([key], message))
            return None
        found = self.keys[selection]
        if isinstance(found, str):
            problems.append(entry.problem([key], f"{key}: dbt refuses it: {found}"))
            return None
        if not found:
            message = f"{key}: {selection.select!r} selects no model"
            near = self._nearest(selection.select)
            if selection.exclude and self.keys[replace(selection, exclude="")]:
                message, near = f"{message} but those that {selection.exclude!r} leaves out", None
            problems.append(entry.problem([key], message, nearest=near))
            return None
        left_out = replace(selection, select=selection.exclude, exclude="")
        if selection.exclude and not self.keys[left_out]:
            excluded = "dbt_exclude" if key == "dbt_select" else "models_exclude"
            message = f"{excluded}: {selection.exclude!r} leaves out no model"
            near = self._nearest(selection.exclude)
            problems.append(entry.problem([excluded], message, nearest=near))
            return None
        return found

    def _nearest(self, text: str) -> str | None:
        """Return the model whose name is most like a word of a selection."""
        words = (UP_OR_DOWN.sub("", word) for word in re.split(r"[\s,]+", text))
        return next((near for word in words if (near := nearest(word, self.names))), None)


def _model_selections(entry: Entry[Any]) -> Iterator[tuple[ModelSelection, str]]:
    """Yield the selections of dbt that an entry has, with the keys that hold them."""
    for key, excluded in (("dbt_select", "dbt_exclude"), ("models", "models_exclude")):
        if (select := getattr(entry.item, key, None)) is not None:
            from factories.dbt.model_selection import ModelSelection  # noqa: PLC0415 - see above

            yield ModelSelection(select, getattr(entry.item, excluded) or ""), key


def selected_keys(
    selected: Selected, graph: Any, problems: list[Problem]
) -> frozenset[dg.AssetKey]:
    """Return the assets that a selection stands for in this code location.

    Args:
        selected: The selection.
        graph: Dagster's asset graph of the location.
        problems: Receives that there are none, or that a part of it names none.
    """
    entry, key = selected.entry, selected.key
    text = getattr(entry.item, key)
    try:
        keys = frozenset(selected.selection.materializable().resolve(graph))
    except dg.DagsterInvalidSubsetError:
        keys = frozenset()
    except Exception:  # noqa: BLE001 - Dagster raises what it has where only its UI knows the answer
        message = f"{key}: {text!r} asks for what a code location does not know of its assets"
        problems.append(entry.problem([key], message, allowed=ATTRIBUTES))
        return frozenset()
    if key == "dbt_select":
        return keys
    wrong = [] if keys else [text]
    for attribute, value in TERM.findall(text):
        plain = value.strip('"')
        if attribute in {"key", "group"} and "*" not in plain:
            term = parse_selection(f'{attribute}:"{plain}"')
            if not term.resolve(graph):
                wrong.append(f"{attribute}:{plain}")
    if wrong:
        candidates = [*_candidates(graph)]
        bare = wrong[-1].removeprefix("key:").strip("+*")
        message = f"{key}: {wrong[-1]!r} selects no asset of this code location"
        problems.append(entry.problem([key], message, nearest=nearest(bare, candidates)))
    return keys


def _candidates(graph: Any) -> Iterator[str]:
    """Yield what a selection could name: keys and groups."""
    for key in sorted(graph.materializable_asset_keys):
        yield key.to_user_string()
        yield f"group:{graph.get(key).group_name}"


def partitions_of(keys: Iterable[dg.AssetKey], graph: Any) -> dict[Any, list[dg.AssetKey]]:
    """Return the partitions of assets, each with the assets that have them."""
    found: dict[Any, list[dg.AssetKey]] = {}
    for key in sorted(keys):
        if (partitions := graph.get(key).partitions_def) is not None:
            found.setdefault(partitions, []).append(key)
    return found
