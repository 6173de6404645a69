"""What the guide shows is taken."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from factories.automation.entries import read_entries
from factories.automation.values import check_values
from factories.core.assets.context import LoadContext
from factories.core.meta.condition_lookup import AutomationConditions
from factories.core.warehouse.names import warehouse_names

GUIDE = Path(__file__).parents[3] / "docs/guides/automation-yaml.md"
SNIPPETS = re.findall(r"```yaml\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("snippet", SNIPPETS, ids=range(len(SNIPPETS)))
def test_every_snippet_of_the_guide_is_valid(
    snippet: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANDING_KEY", "key")
    monkeypatch.setenv("LANDING_SECRET", "secret")
    (tmp_path / "automation.yaml").write_text(snippet)
    load_context = LoadContext(tmp_path, warehouse_names(), AutomationConditions())
    entries = read_entries("automation.yaml", load_context)
    for entry in (*entries.jobs, *entries.ticking()):
        check_values(entry, load_context.problems)

    assert load_context.problems == []
    assert [*entries.jobs, *entries.ticking()]
