"""Automation files: where they lie, and their mistakes, each with its place."""

from __future__ import annotations

import pytest

from tests.factories.automation.conftest import Location

JOB = "jobs: {load_raw: {selection: 'group:raw'}}\n"
SCHEDULE = 'schedules: {nightly: {cron: "0 5 * * *", job: load_raw}}\n'
SENSOR = "sensors: {after: {type: run_status, jobs: [load_raw, other/job], job: python_job}}\n"


def names(location: Location) -> tuple[list[str], list[str], list[str]]:
    repository = location.definitions.get_repository_def()
    return (
        sorted(job.name for job in repository.get_all_jobs() if job.name[0] != "_"),
        [schedule.name for schedule in repository.schedule_defs],
        sorted(sensor.name for sensor in repository.sensor_defs),
    )


def test_one_file_says_the_same_as_one_for_each_kind(location: Location) -> None:
    location.write(JOB + SCHEDULE + SENSOR)
    of_one = names(location)
    (location.project.root / "shop/automation.yaml").unlink()
    location.write(JOB, "jobs.yaml")
    location.write(SCHEDULE, "schedules.yaml")
    location.write(SENSOR, "sensors.yml")

    assert names(location) == of_one
    assert of_one == (["load_raw", "python_job"], ["nightly"], ["after", "automation"])


def test_what_is_missing_is_one_problem(location: Location) -> None:
    (location.project.root / "shop").mkdir()

    assert location.problems() == [
        "shop: holds no automation.yaml, jobs.yaml, schedules.yaml or sensors.yaml"
    ]
    assert location.problems(automation="shop/automation.yaml") == [
        "shop/automation.yaml: the file does not exist"
    ]


def test_every_mistake_of_every_entry_is_told_at_once(location: Location) -> None:
    location.write(
        """
        jobs:
          both: {selection: "*", dbt_select: x}
          syntax: {selection: "group:raw and"}
          attribute: {selection: "gruop:raw"}
          dbt: {dbt_select: "tag:daily"}
          class: {selection: "*"}
          typo: {selektion: "*"}
          nothing:
        schedules:
          nightly: {cron: "0 5 * *", job: python_job}
          lost: {cron: "0 5 * * *", job: pyhton_job, environments: [prd]}
          tagged: {cron: "0 5 * * *", job: python_job, tags: {dagster/x: "1"}}
          unknown: {cron: "0 5 * * *", job: pyhton_job}
        sensors:
          odd: {type: file, job: python_job}
          files: {type: files, path: "s4://in/*", job: python_job, tags: {file: "{pth}"}}
          secret:
            type: files
            path: "s3://in/*"
            job: python_job
            storage_options: {secret: s3cret, key: "${NOT_THERE}"}
            run_config: {ops: {x: "${SHOP_URL}"}}
          query: {type: sql, query: "select 1 from {orders}", job: python_job}
          loop: {type: run_status, job: python_job, jobs: [python_job, lod]}
        """
    )
    assert location.problems() == [
        f"shop/automation.yaml:{problem}"
        for problem in (
            "2:9: selection and dbt_select exclude each other: give one of selection or dbt_select",
            (
                "3:23: selection: 'group:raw and' is not a selection like `group:flight_ops and not"
                " key:flight_ops/raw/flights`: at its character 14: mismatched input '<EOF>'"
            ),
            (
                "4:26: selection: 'gruop' is nothing to select by; did you mean 'group'?"
                " (allowed: key, group, kind, tag, owner)"
            ),
            "5:21: dbt_select: this code location has no dbt project",
            "6:3: 'class' cannot be a name: letters, digits and '_', and no word of Python",
            (
                "6:22: selection: a job has one kind of partitions, and these assets have 4:"
                " by_file; daily, daily_sum; fixed; hourly"
            ),
            (
                "7:10: unknown key 'selektion'; did you mean 'selection'?"
                " (allowed: selection, dbt_select, dbt_exclude, description, run_config, tags)"
            ),
            "8:11: must be a mapping, not empty",
            "10:19: cron: '0 5 * *' is not a cron schedule of five fields like '0 2 * * *'",
            (
                "11:61: environments[0]: 'prd' is not one of the allowed values; did you"
                " mean 'prod'?"
                " (allowed: local, dev, prod, branch)"
            ),
            "12:66: dagster/x: 'dagster/x': tags that begin with dagster/ are set by the factories",
            (
                "13:37: job: this code location has no job 'pyhton_job'; did you mean 'python_job'?"
                " (allowed: attribute, class, dbt, python_job, syntax)"
            ),
            (
                "15:15: type: 'file' is not a kind of sensor; did you mean 'files'?"
                " (allowed: files,"
                " asset_update, dbt_model_update, run_status, sql, webhook_queue)"
            ),
            (
                "16:30: path: 's4' is not a file system"
                " (allowed: file, s3, s3a, gs, gcs, abfs, abfss, az)"
            ),
            (
                "16:73: {pth} stands for nothing here: write {{ and }} for braces; did you mean"
                " '{path}'? (allowed: {path}, {name}, {stem}, {size}, {paths})"
            ),
            "21:31: secret: a secret is written as a variable: ${NAME}",
            "21:44: ${NOT_THERE} is not defined in the environment",
            (
                "22:24: run_config: the job python_job refuses it: Received unexpected config entry"
                ' "x" at path root:ops'
            ),
            (
                "22:27: ${SHOP_URL}: run_config takes no variables, which the UI would"
                " show: an asset"
                " reads them itself"
            ),
            "23:29: {orders} stands for nothing here: write {{ and }} for braces",
            "24:52: jobs: the sensor would start python_job again after each of its runs",
            (
                "24:64: jobs: this code location has no job 'lod': of another one, location/lod"
                " (allowed: attribute, class, dbt, python_job, syntax)"
            ),
        )
    ]


def test_what_does_not_fit_the_location_is_told_beside_mistakes_of_other_entries(
    location: Location,
) -> None:
    location.write(
        """
        jobs:
          typo: {selektion: "*"}
          python_job: {selection: load}
          gone: {selection: "group:rw"}
          configured: {selection: load, run_config: {ops: {load: {config: {pth: x}}}}}
        schedules:
          of_typo: {cron: "0 5 * * *", job: typo}
          of_gone: {cron: "0 5 * * *", job: gone}
          by_file: {cron: "0 5 * * *", selection: "key:by_file"}
        sensors:
          class: {type: files, path: "in/*", selection: fixed}
        """
    )
    assert location.problems() == [
        "defs/assets.py:31:1: two jobs are named 'python_job': here and at shop/automation.yaml:3",
        *(
            f"shop/automation.yaml:{problem}"
            for problem in (
                (
                    "2:10: unknown key 'selektion'; did you mean 'selection'?"
                    " (allowed: selection, dbt_select, dbt_exclude, description, run_config, tags)"
                ),
                (
                    "4:21: selection: 'group:rw' selects no asset of this code location;"
                    " did you mean 'group:raw'?"
                ),
                (
                    "5:68: run_config: the job configured refuses it: Received unexpected config"
                    ' entry "pth" at path root:ops:load:config'
                ),
                (
                    "9:43: the job by_file has DynamicPartitionsDefinition: a schedule knows which"
                    " partition to run by time, or runs all of a fixed list"
                ),
                "11:3: 'class' cannot be a name: letters, digits and '_', and no word of Python",
                "11:49: the job class has partitions: say by `partition` which one a run makes",
            )
        ),
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "sensors: {a: {type: files, path: 'in/*', job: python_job, files_per_run: 101}}",
            "1:14: files_per_run must not be more than files_per_tick",
        ),
        (
            "sensors: {a: {type: files, path: 'gs://in/*', job: python_job}}",
            (
                "1:34: path: gs:// needs gcsfs, which this environment does not have:"
                " install data-platform[gcs]"
            ),
        ),
        (
            "jobs: {a: {selection: 'group:rw'}}",
            (
                "1:23: selection: 'group:rw' selects no asset of this code location;"
                " did you mean 'group:raw'?"
            ),
        ),
        (
            "jobs: {a: {selection: 'key:load or key:marts'}}",
            (
                "1:23: selection: 'key:marts' selects no asset of this code location;"
                " did you mean 'mart'?"
            ),
        ),
        (
            "jobs: {a: {selection: 'lod'}}",
            "1:23: selection: 'lod' selects no asset of this code location; did you mean 'load'?",
        ),
        (
            "jobs: {a: {selection: 'status:healthy'}}",
            (
                "1:23: selection: 'status:healthy' asks for what a code location does not"
                " know of its"
                " assets (allowed: key, group, kind, tag, owner)"
            ),
        ),
        (
            "jobs: {a: {selection: 'group:days or group:hours'}}",
            (
                "1:23: selection: a job has one kind of partitions, and these assets have 2: daily,"
                " daily_sum; hourly"
            ),
        ),
        (
            "jobs: {a: {selection: load, run_config: {ops: {load: {config: {pth: x}}}}}}",
            (
                '1:64: run_config: the job a refuses it: Received unexpected config entry "pth" at'
                " path root:ops:load:config"
            ),
        ),
        (
            (
                "sensors: {a: {type: files, path: 'in/*', selection: load,"
                " run_config: {ops: {load: {config: {pth: '{path}', number: '{size}'}}}}}}"
            ),
            (
                '1:94: run_config: the job a refuses it: Received unexpected config entry "pth" at'
                " path root:ops:load:config"
            ),
        ),
        (
            (
                "sensors: {a: {type: run_status, jobs: python_job, selection: load,"
                " run_config: {ops: {load: {config: {number: '{run_id}', path: '{ended_job}'}}}}}}"
            ),
            (
                "1:111: run_config: the job a refuses it: Invalid scalar at path"
                ' root:ops:load:config:number. Value "{run_id}" of type "<class \'str\'>" is not'
                ' valid for expected type "Int"'
            ),
        ),
        (
            "schedules: {a: {cron: '0 5 * * *', selection: 'key:by_file'}}",
            (
                "1:47: the job a has DynamicPartitionsDefinition: a schedule knows which"
                " partition to"
                " run by time, or runs all of a fixed list"
            ),
        ),
        (
            "sensors: {a: {type: files, path: 'in/*', selection: fixed}}",
            "1:53: the job a has partitions: say by `partition` which one a run makes",
        ),
        (
            "sensors: {a: {type: files, path: 'in/*', job: python_job, partition: '{stem}'}}",
            "1:70: partition: the job python_job has no partitions",
        ),
        (
            "sensors: {a: {type: asset_update, assets: load, selection: daily}}",
            (
                "1:60: load does not have the partitions of the job a: its updates do not say which"
                " one to run"
            ),
        ),
        (
            "sensors: {a: {type: sql, query: select 1, selection: daily}}",
            "1:54: the job a has partitions, and a sensor of type sql names none",
        ),
    ],
)
def test_what_does_not_fit_the_code_location_is_a_problem(
    location: Location, text: str, problem: str
) -> None:
    location.write(text + "\n")
    assert location.problems() == [f"shop/automation.yaml:{problem}"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            (
                "jobs: {a: {selection: load, tags: no}}\n"
                "sensors: {b: {type: run_status, jobs: a, job: python_job}}\n"
                "schedules: {c: {cron: '0 5 * * *', job: a}}"
            ),
            "1:35: tags: must be a mapping, not 'no'",
        ),
        ("sensors: {a: {path: 'in/*', job: python_job}}", "1:11: type: is missing"),
        (
            "sensors: {a: {type: 7, path: 'in/*', job: python_job}}",
            "1:21: type: 7 is not a kind of sensor",
        ),
        (
            "schedules: {a: {cron: '0 5 * * *', job: '${JOB}'}}",
            "1:41: ${JOB}: job takes no variables",
        ),
    ],
)
def test_one_mistake_is_one_problem(location: Location, text: str, problem: str) -> None:
    location.write(text + "\n")
    (told,) = location.problems()
    assert told.startswith(f"shop/automation.yaml:{problem}")


def test_names_that_yaml_and_python_have_in_common_are_told_with_both_places(
    location: Location,
) -> None:
    location.write(
        """
        jobs: {python_job: {selection: load}, twice: {selection: load}}
        schedules:
          twice: {cron: "0 5 * * *", selection: load}
          automation: {cron: "0 5 * * *", job: twice}
          tick: {cron: "0 5 * * *", job: twice}
        """
    )
    location.project.write(
        "defs/more.py",
        """
        import dagster as dg
        tick = dg.ScheduleDefinition(name="tick", job_name="python_job", cron_schedule="0 1 * * *")
        """,
    )
    assert location.problems() == [
        "defs/assets.py:31:1: two jobs are named 'python_job': here and at shop/automation.yaml:1",
        (
            "defs/more.py:2:1: two schedules or sensors are named 'tick': here and at"
            " shop/automation.yaml:5"
        ),
        (
            "shop/automation.yaml:3:3: what 'twice' runs is a job of that name, and there is one at"
            " shop/automation.yaml:1: give `job: twice`, or another name"
        ),
    ]
