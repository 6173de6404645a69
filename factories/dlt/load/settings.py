"""What dlt finds when it looks for its settings: those of a pipeline's YAML and the environment."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from dlt.common.configuration import is_secret_hint
from dlt.common.configuration.container import Container
from dlt.common.configuration.exceptions import ConfigurationException
from dlt.common.configuration.providers import DictionaryProvider, EnvironProvider
from dlt.common.configuration.providers.environ import SECRET_STORAGE_PATH
from dlt.common.configuration.providers.provider import ConfigProvider
from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext
from dlt.common.runtime.run_context import RunContext

# Files of this size load side by side; without a limit one table would be one file.
FILE_MAX_BYTES = 128 * 1024 * 1024


class _StepRunContext(RunContext):
    """dlt's context of one step: no `.dlt` folder of this machine takes part in it."""

    def __init__(
        self, folder: Path, config: Mapping[str, Any], secret_found: Callable[[str], None]
    ) -> None:
        super().__init__(str(folder))
        self._secret_found = secret_found
        self._global_dir = str(folder)
        self._settings = _merge(_defaults(), config)

    def initial_providers(self) -> list[ConfigProvider]:
        settings = DictionaryProvider()
        for section, values in self._settings.items():
            settings.set_value(section, values, None)
        # The environment wins, as it does in dlt.
        return [_Environment(self._secret_found), settings]


class _Environment(EnvironProvider):
    """The environment, which reports each secret that dlt takes from it.

    dlt asks it for some 4,000 names in a step, most of which are not set.
    """

    def __init__(self, secret_found: Callable[[str], None]) -> None:
        super().__init__()
        self._secret_found = secret_found
        # Where dlt looks for the file of a secret before it looks into the environment.
        self._has_files = Path(SECRET_STORAGE_PATH).parent.is_dir()

    def get_value(  # type: ignore[override]  # as its base class has it
        self, key: str, hint: type[Any], pipeline_name: str, *sections: str
    ) -> tuple[Any | None, str]:
        name = self.get_key_name(key, pipeline_name, *sections)
        if not self._has_files and name not in os.environ:
            return None, name  # without asking whether it were a secret, which takes long
        value, name = super().get_value(key, hint, pipeline_name, *sections)
        if value and is_secret_hint(hint):
            self._secret_found(str(value))
        return value, name


@contextmanager
def dlt_settings(
    config: Mapping[str, Any], folder: Path, secret_found: Callable[[str], None]
) -> Iterator[None]:
    """Let dlt find these settings while the context is open, and no file of its own.

    Args:
        config: Sections of dlt's `config.toml`, such as `{"runtime": {"request_timeout": 20}}`.
        folder: Where dlt may keep what it keeps for itself.
        secret_found: Called with each secret that dlt takes from the environment.

    Raises:
        dlt.common.configuration.exceptions.ConfigurationException: When a setting is of another
            kind than dlt takes.
    """
    context = PluggableRunContext(_StepRunContext(folder, config, secret_found))
    before = Container()[PluggableRunContext]
    with ExitStack() as entered:
        try:
            entered.enter_context(Container().injectable_context(context))
        except ConfigurationException:
            Container()[PluggableRunContext] = before  # dlt leaves the one that it refuses
            raise
        yield


@contextmanager
def step_defaults(secret_found: Callable[[str], None]) -> Iterator[None]:
    """Let dlt find what a step needs where nobody has set it, beside all settings of its own.

    Args:
        secret_found: Called with each secret that dlt takes from its settings.
    """
    context = Container()[PluggableRunContext]
    providers = context.providers.providers
    defaults = DictionaryProvider()
    for section, values in _defaults().items():
        defaults.set_value(section, values, None)
    watched: list[ConfigProvider] = [_Watched(each, secret_found) for each in providers]
    context.providers.providers = [*watched, defaults]
    context.initialize_runtime()
    try:
        yield
    finally:
        context.providers.providers = providers
        context.initialize_runtime()


class _Watched(ConfigProvider):
    """A provider that reports each secret that dlt takes from it."""

    def __init__(self, provider: ConfigProvider, secret_found: Callable[[str], None]) -> None:
        self._provider = provider
        self._secret_found = secret_found

    def get_value(
        self, key: str, hint: type[Any], pipeline_name: str | None, *sections: str
    ) -> tuple[Any | None, str]:
        value, name = self._provider.get_value(key, hint, pipeline_name, *sections)
        if value and is_secret_hint(hint):
            self._secret_found(str(value))
        return value, name

    def get_value_location(self, key: str, pipeline_name: str | None, *sections: str) -> str:
        return self._provider.get_value_location(key, pipeline_name, *sections)

    def set_value(self, key: str, value: Any, pipeline_name: str | None, *sections: str) -> None:
        self._provider.set_value(key, value, pipeline_name, *sections)

    @property
    def supports_secrets(self) -> bool:
        return self._provider.supports_secrets

    @property
    def supports_sections(self) -> bool:
        return self._provider.supports_sections

    @property
    def name(self) -> str:
        return self._provider.name

    @property
    def is_empty(self) -> bool:
        return self._provider.is_empty

    @property
    def is_writable(self) -> bool:
        return self._provider.is_writable

    @property
    def locations(self) -> Sequence[str]:
        return self._provider.locations

    @property
    def present_locations(self) -> Sequence[str]:
        return self._provider.present_locations


def _defaults() -> dict[str, Any]:
    return {
        # Cancelling the run must end the step: Dagster's own handler hears the signal.
        "runtime": {"dlthub_telemetry": False, "intercept_signals": False},
        "data_writer": {"file_max_bytes": FILE_MAX_BYTES},
        # A trace would be written to the working folder, with the text of errors unmasked.
        "enable_runtime_trace": False,
        # Arrow tables get the load's id too, as all other rows do.
        "normalize": {"parquet_normalizer": {"add_dlt_load_id": True}},
    }


def _merge(general: dict[str, Any], specific: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(general)
    for key, value in specific.items():
        old = merged.get(key)
        both = isinstance(old, dict) and isinstance(value, Mapping)
        merged[key] = _merge(old or {}, value) if both else value
    return merged
