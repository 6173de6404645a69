"""The key `config`: dlt's settings, by section."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from factories.core.yaml.problems import sorted_problems
from factories.core.yaml.reader import YamlFile
from factories.dlt.config.source_check import config_problems


def problems_of(config: str) -> list[str]:
    text = f"config: {config}\n"
    data = yaml.safe_load(text)
    file = YamlFile(Path("p.yaml"), "p.yaml", data, text)
    found = sorted_problems(config_problems(file, data["config"], ["config"]))
    return [str(problem).removeprefix("p.yaml:") for problem in found]


@pytest.mark.parametrize(
    "config",
    [
        "{}",
        "{runtime: {log_level: DEBUG, dlthub_telemetry: false, request_timeout: '60'}}",
        "{runtime: {slack_incoming_hook: '${HOOK}', sentry_dsn: null}}",
        "{extract: {workers: 2, max_parallel_items: '${N}', next_item_mode: fifo}}",
        "{normalize: {workers: 1, start_method: spawn, data_writer: {disable_compression: true}}}",
        "{normalize: {parquet_normalizer: {add_dlt_load_id: 'true'}}}",
        "{load: {workers: 4, raise_on_max_retries: 3, delete_completed_jobs: true}}",
        "{load: {parallelism_strategy: table-sequential, raise_on_failed_jobs: true}}",
        "{data_writer: {buffer_max_items: 100, file_max_bytes: 10000, compression: zstd}}",
    ],
)
def test_what_dlt_takes(config: str) -> None:
    assert problems_of(config) == []


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ("[]", ["1:9: config: must be a mapping, not []"]),
        (
            "{runtme: {}}",
            [
                (
                    "1:10: unknown key 'runtme'; did you mean 'runtime'? "
                    "(allowed: runtime, extract, normalize, load, data_writer)"
                )
            ],
        ),
        ("{load: 5}", ["1:16: load: must be a mapping, not 5"]),
        (
            "{extract: {worker: 5}}",
            [
                (
                    "1:20: unknown key 'worker'; did you mean 'workers'? (allowed: "
                    "max_parallel_items, workers, futures_poll_interval, copy_on_fork, "
                    "next_item_mode)"
                )
            ],
        ),
        (
            "{extract: {workers: two, copy_on_fork: maybe}, runtime: {request_timeout: abc}}",
            [
                "1:29: workers: must be a whole number, not 'two'",
                "1:48: copy_on_fork: must be true or false, not 'maybe'",
                "1:83: request_timeout: must be a number, not 'abc'",
            ],
        ),
        (
            "{extract: {next_item_mode: lifo}, runtime: {log_level: DEBG}}",
            [
                (
                    "1:36: next_item_mode: 'lifo' is not one of the allowed values; "
                    "did you mean 'fifo'? (allowed: fifo, round_robin)"
                ),
                (
                    "1:64: log_level: 'DEBG' is not one of the allowed values; "
                    "did you mean 'DEBUG'? (allowed: CRITICAL, ERROR, WARNING, INFO, DEBUG)"
                ),
            ],
        ),
        (
            "{load: {parallelism_strategy: parallell}}",
            [
                (
                    "1:39: parallelism_strategy: 'parallell' is not one of the allowed values; "
                    "did you mean 'parallel'? (allowed: parallel, table-sequential, sequential)"
                )
            ],
        ),
        (
            "{runtime: {slack_incoming_hook: https://hooks.example/abc}}",
            [
                (
                    "1:41: slack_incoming_hook: a secret must come from the environment: write "
                    '"${NAME}", such as "${SLACK_INCOMING_HOOK}"'
                )
            ],
        ),
        # What the pipeline sets itself, what has no effect, and what would hide a failure.
        (
            "{runtime: {pipeline_name: x}, normalize: {pool_type: thread}}",
            [
                "1:20: 'pipeline_name' is the file's own `pipeline`",
                "1:51: 'pool_type' has no effect: dlt derives it from `workers`",
            ],
        ),
        (
            "{load: {raise_on_failed_jobs: false}}",
            [
                (
                    "1:39: raise_on_failed_jobs: must stay true: else a load that failed would "
                    "count as done"
                )
            ],
        ),
        (
            "{normalize: {destination_capabilities: x, _load_storage_config: y}}",
            [
                (
                    "1:22: unknown key 'destination_capabilities' (allowed: start_method, "
                    "workers, run_sleep, json_normalizer, parquet_normalizer, model_normalizer, "
                    "data_writer)"
                ),
                (
                    "1:51: unknown key '_load_storage_config' (allowed: start_method, workers, "
                    "run_sleep, json_normalizer, parquet_normalizer, model_normalizer, "
                    "data_writer)"
                ),
            ],
        ),
        (
            "{normalize: {json_normalizer: 5, model_normalizer: {add_dlt_idd: true}}}",
            [
                "1:39: json_normalizer: must be a mapping, not 5",
                (
                    "1:61: unknown key 'add_dlt_idd'; did you mean 'add_dlt_id'? "
                    "(allowed: add_dlt_id, add_dlt_load_id)"
                ),
            ],
        ),
    ],
)
def test_mistakes(config: str, expected: list[str]) -> None:
    assert problems_of(config) == expected
