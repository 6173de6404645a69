"""A project with a model of its own area, and the warehouse where its features lie."""

from __future__ import annotations

import importlib
import sys
import textwrap
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg
import pandas as pd
from sklearn.linear_model import LogisticRegression
from snowflake.snowpark import Session

from factories.core.assets.context import LoadContext
from factories.core.meta.condition_lookup import AutomationConditions
from factories.core.warehouse.names import Relation, WarehouseNames
from factories.core.yaml.problems import format_problems
from factories.snowpark.assets import build_snowpark_assets
from factories.snowpark.in_snowflake.assessment import profile_features
from factories.snowpark.in_snowflake.model_files import dump_model
from factories.snowpark.in_snowflake.training import put_file
from factories.snowpark.models.registry import Registry, TrainedModel, Version
from tests.conftest import WarehouseUnderTest
from tests.factories.snowpark.flights import flights

MODULE = """
    from sklearn.linear_model import LogisticRegression

    def features(session, inputs):
        return inputs["flights"]

    def train(training_data, params):
        columns = params.get("columns", ["hour", "rain"])
        return LogisticRegression().fit(training_data[columns], training_data["is_late"])

    def predict(model, features):
        return model.predict_proba(features[list(model.feature_names_in_)])[:, 1]
"""
AREA = """
    defaults: {runs_in: client}
    features:
      - name: features
        function: delay:features
        inputs: {flights: seeds/flights}
        output: {table: ML.{A}.FEATURES, mode: merge, keys: [flight_id]}
    models:
      - name: delay
        features: features
        target: is_late
        function: delay:train
        split: {by: flight_date, train_until: "2013-03-01", validate_until: "2013-03-20"}
        params: {columns: [hour, rain]}
        metrics: {roc_auc: maximize, brier: minimize}
        promote: {metric: roc_auc, at_least: 0.6}
    scores:
      - name: predictions
        model: delay
        function: delay:predict
        output: {table: ML.{A}.PREDICTIONS, keys: [flight_id], column: probability}
"""
GOOD, WORSE, BEST = "[rain]", "[noise]", "[hour, rain]"


@dataclass
class ModelProject:
    """A project folder with one area, whose schema is the test's own.

    Attributes:
        root: The folder.
        area: The area's name.
        warehouse: The embedded warehouse.
        session: Snowpark's, of the test.
        instance: Dagster's.
        results: What ran so far.
    """

    root: Path
    area: str
    warehouse: WarehouseUnderTest
    session: Session
    instance: dg.DagsterInstance
    results: list[dg.ExecuteInProcessResult] = field(default_factory=list)

    @property
    def schema(self) -> str:
        return f"ML.{self.area.upper()}"

    @property
    def registry(self) -> Registry:
        relation = Relation("ML", self.area.upper(), "MODELS")
        stage = Relation("ML", self.area.upper(), "MODEL_FILES")
        return Registry(self.session, relation, stage)

    def write(self, text: str = AREA, *, module: str = MODULE, **changes: str) -> None:
        """Write the area's file and its module; `changes` replace texts of the file."""
        for old, new in changes.items():
            text = text.replace(old, new)
        body = textwrap.dedent(text).replace("{A}", self.area.upper())
        (self.root / "snowpark" / f"{self.area}.yaml").write_text(body)
        (self.root / "snowpark" / "delay.py").write_text(textwrap.dedent(module))
        forget_modules()

    def columns(self, columns: str, **changes: str) -> None:
        """Write the area's file with the features that the model is fitted with."""
        self.write(AREA.replace("columns: [hour, rain]", f"columns: {columns}"), **changes)

    def load(self, frame: pd.DataFrame | None = None) -> None:
        """Write the features' table."""
        rows = (flights() if frame is None else frame).rename(columns=str.upper)
        self.session.write_pandas(
            rows,
            "FEATURES",
            database="ML",
            schema=self.area.upper(),
            auto_create_table=True,
            overwrite=True,
        )

    def assets(self) -> list[dg.AssetsDefinition]:
        load_context = LoadContext(self.root, WarehouseNames("local"), AutomationConditions())
        assets = build_snowpark_assets(self.root / "snowpark", load_context)
        assert not load_context.problems, format_problems(load_context.problems)
        return assets

    def run(self, name: str, **options: object) -> dg.ExecuteInProcessResult:
        result = dg.materialize(
            self.assets(),
            selection=options.pop("selection", dg.AssetSelection.assets(["ml", self.area, name])),
            instance=self.instance,
            raise_on_error=False,
            **options,
        )
        self.results.append(result)
        return result

    def train(self, **config: object) -> dg.ExecuteInProcessResult:
        ops = {f"snowpark__{self.area}__delay": {"config": config}}
        return self.run("delay", run_config={"ops": ops})

    def champion(self, *columns: str) -> Version:
        """Register a champion without a run; by default as the module trains it."""
        features = list(columns or ("hour", "rain"))
        frame = flights()
        content, sha256 = dump_model(LogisticRegression().fit(frame[features], frame["is_late"]))
        registry, now = self.registry, None
        if self.rows(f"show tables like 'MODELS' in schema {self.schema}"):
            now = registry.champion("delay")
        registry.create()
        put_file(self.session, f"{self.schema}.MODEL_FILES", f"delay/{sha256}.pkl", content)
        new = TrainedModel(
            model="delay",
            run_id="by hand",
            code_version="",
            splits={},
            params={},
            metrics={"validation": {"roc_auc": 0.7}},
            file=f"delay/{sha256}.pkl",
            sha256=sha256,
            details={"features": features, "profile": profile_features(frame, features)},
        )
        return registry.register(new, promote=True, champion=now.version if now else None)

    def metadata(self) -> dict[str, object]:
        """Of the last run's materialization."""
        (event,) = self.results[-1].get_asset_materialization_events()
        return {key: value.value for key, value in event.materialization.metadata.items()}

    def checks(self) -> dict[str, bool]:
        """Whether each check of the last run has passed."""
        found = self.results[-1].get_asset_check_evaluations()
        return {check.check_name: check.passed for check in found}

    def failure(self) -> str:
        """Why the last run's only failed step failed."""
        (event,) = (e for e in self.results[-1].all_events if e.is_step_failure)
        error = event.step_failure_data.error
        return error.cause.message if error.cause else error.message

    def sentence(self) -> str:
        """The same, without the name of Dagster's exception."""
        return self.failure().removeprefix("dagster._core.definitions.events.Failure: ").strip()

    def statuses(self) -> dict[int, str]:
        return {version.version: version.status for version in self.versions()}

    def versions(self) -> list[Version]:
        return self.registry.versions("delay")

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """Query the warehouse; `{s}` stands for the area's schema."""
        return self.warehouse.rows(sql.replace("{s}", self.schema))


def forget_modules() -> None:
    """Have the project's modules read again, as each step's own process does."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "snowpark"]:
        del sys.modules[name]
    importlib.invalidate_caches()
