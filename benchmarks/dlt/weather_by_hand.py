"""The weather pipeline as who uses dlt writes it, without Dagster: run as a script.

dlt finds the warehouse's credentials and its other settings in the environment.
"""

from __future__ import annotations

import sys

import dlt
from dlt.sources.rest_api import rest_api_source


def main() -> None:
    """Load the observations: `python -m benchmarks.dlt.weather_by_hand API_URL FOLDER DATASET`."""
    url, folder, dataset = sys.argv[1:]
    pipeline = dlt.pipeline(
        "weather_by_hand",
        pipelines_dir=folder,
        destination=dlt.destinations.snowflake(),
        dataset_name=dataset,
    )
    source = rest_api_source(
        {
            "client": {
                "base_url": url,
                "paginator": {
                    "type": "cursor",
                    "cursor_path": "next_cursor",
                    "cursor_param": "cursor",
                },
            },
            "resources": [
                {
                    "name": "observations",
                    "write_disposition": "merge",
                    "primary_key": ["origin", "time_hour"],
                    "endpoint": {
                        "path": "observations",
                        "data_selector": "data",
                        "params": {"page_size": 5000, "since": "{incremental.start_value}"},
                        "incremental": {
                            "cursor_path": "time_hour",
                            "initial_value": "2013-01-01T00:00:00Z",
                        },
                    },
                },
            ],
        }
    )
    print(pipeline.run(source, loader_file_format="parquet"))


if __name__ == "__main__":
    main()
