"""The `dp` command."""

from __future__ import annotations

import signal
import sys
from importlib.metadata import EntryPoint, entry_points
from typing import Annotated

import typer
from rich.console import Console

from factories.cli.checking.report_formats import ReportFormat, as_annotations
from factories.cli.checking.report_formats import as_json as report_as_json
from factories.core.env_file import load_env_file
from factories.core.local_systems import LocalSystemError, load_entry_point
from factories.core.project import project_root, set_project_folders
from factories.core.yaml.problems import ConfigError, format_problems

COMMANDS = "dp.commands"
SelectArgument = Annotated[
    list[str] | None, typer.Argument(help="Asset keys or groups; by default every asset.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print data for a machine to read.")]


def build_app() -> typer.Typer:
    """Return the command with what the installed systems add to it."""
    app = typer.Typer(
        name="dp",
        help="The data platform's command.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )
    app.command("check")(check)
    app.command("doctor")(doctor)
    app.command("sql")(sql)
    app.command("run")(run)
    app.command("dev")(dev)
    app.command("status")(status)
    app.command("ls")(ls)
    app.command("runs")(runs)
    app.command("changed")(changed)
    app.command("plan")(plan)
    app.command("docs")(docs)
    app.add_typer(build_alerts_app(), name="alerts")
    for point in sorted(entry_points(group=COMMANDS), key=lambda point: point.name):
        _add_commands(app, point)
    return app


def _add_commands(app: typer.Typer, point: EntryPoint) -> None:
    """Add the commands of a local system; where it is not installed, one that says so."""
    try:
        app.add_typer(load_entry_point(point), name=point.name)
    except LocalSystemError as error:
        message = str(error)
        takes_anything = {"allow_extra_args": True, "ignore_unknown_options": True}

        @app.command(point.name, context_settings=takes_anything, help="Not installed here.")
        def not_installed() -> None:
            typer.echo(message, err=True)
            raise typer.Exit(1)


def _say_target() -> None:
    """Tell what the command works on; never among the data that it prints."""
    from factories.core.warehouse.names import describe_target  # noqa: PLC0415 - see below

    typer.echo(f"target: {describe_target()}", err=True)


def check(
    report_format: Annotated[
        ReportFormat | None,
        typer.Option(
            "--format", help="text (the default), github: annotations of a workflow, or json."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Validate every YAML file and the joined asset graph; all problems at once."""
    from factories.cli.check import check_project  # noqa: PLC0415 - commands load what they use

    if as_json and report_format not in {None, ReportFormat.JSON}:
        raise typer.BadParameter(f"--json is --format json, and not --format {report_format}")
    _say_target()
    assets, problems = check_project()
    if as_json or report_format is ReportFormat.JSON:
        typer.echo(report_as_json(assets, problems))
    elif not problems:
        typer.echo(f"{assets} asset{'' if assets == 1 else 's'}, no problems")
    elif report_format is ReportFormat.GITHUB:
        typer.echo("\n".join(as_annotations(problems)))
    else:
        typer.echo(format_problems(problems), err=True)
    raise typer.Exit(1 if problems else 0)


def doctor(
    as_json: JsonOption = False,
    free_gib: Annotated[float, typer.Option(min=0, help="GiB that must be free on disk.")] = 2.0,
) -> None:
    """Tell what keeps this machine from running the platform, and how to mend it."""
    from factories.cli.doctor.doctor import examine  # noqa: PLC0415 - as above

    _say_target()
    raise typer.Exit(examine(as_json=as_json, least_gib=free_gib))


def sql(
    statement: Annotated[str, typer.Argument(help="One SQL statement.")],
    database: Annotated[str, typer.Option(help="Database of unqualified names.")] = "RAW",
    as_json: JsonOption = False,
) -> None:
    """Run one SQL statement on the target's warehouse."""
    from factories.cli.sql import SqlFailedError, print_result, run_statement  # noqa: PLC0415

    _say_target()
    try:
        result = run_statement(statement, database)
    except SqlFailedError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    print_result(result, Console(), as_json=as_json)


def run(
    select: SelectArgument = None,
    as_json: JsonOption = False,
) -> None:
    """Materialize the assets of all code locations; the main job."""
    from factories.cli.running.run import run_assets  # noqa: PLC0415

    _say_target()
    raise typer.Exit(run_assets(select or [], as_json=as_json))


def dev(
    port: Annotated[int, typer.Option(help="Port of the Dagster UI.")] = 3000,
) -> None:
    """Serve the Dagster UI on 127.0.0.1, with the daemon that runs what is due."""
    from factories.cli.serving.dagster_process import serve  # noqa: PLC0415

    _say_target()
    raise typer.Exit(serve(port))


def status(select: SelectArgument = None, as_json: JsonOption = False) -> None:
    """Tell how each asset is: when it was made, what failed, and why it is not running."""
    from factories.cli.looking.look import show_status  # noqa: PLC0415

    _say_target()
    raise typer.Exit(show_status(select or [], as_json=as_json))


def ls(select: SelectArgument = None, as_json: JsonOption = False) -> None:
    """List the assets: group, kinds, owners, automation condition, and where each is defined."""
    from factories.cli.looking.look import show_assets  # noqa: PLC0415

    _say_target()
    raise typer.Exit(show_assets(select or [], as_json=as_json))


def changed(
    base: Annotated[str, typer.Option(help="The commit or branch that the change is for.")],
    as_json: JsonOption = False,
) -> None:
    """List the code locations that a change touches, with the reasons; for CI as a matrix."""
    from factories.cli.changes.touched import show_touched  # noqa: PLC0415

    raise typer.Exit(show_touched(base, as_json=as_json))


def plan(
    base: Annotated[str, typer.Option(help="The commit or branch that the change is for.")],
    as_json: JsonOption = False,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Print a comment for a pull request.")
    ] = False,
) -> None:
    """Tell what a change does to the asset graph before it is deployed; nothing is reached."""
    from factories.cli.changes.show_plan import show_plan  # noqa: PLC0415

    _say_target()
    raise typer.Exit(show_plan(base, as_json=as_json, as_markdown=as_markdown))


def runs(
    limit: Annotated[int, typer.Option(min=1, help="How many of the last runs.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """List the last runs: how each went, why it was there, and why it failed."""
    from factories.cli.looking.look import show_runs  # noqa: PLC0415

    _say_target()
    raise typer.Exit(show_runs(limit, as_json=as_json))


def build_alerts_app() -> typer.Typer:
    """Return `dp alerts`."""
    app = typer.Typer(help="Alerts: try a route, mute, and see what is open.", no_args_is_help=True)
    app.command("test")(alerts_test)
    app.command("mute")(alerts_mute)
    app.command("list")(alerts_list)
    return app


def alerts_test(
    route: Annotated[str, typer.Argument(help="A route of an alerts.yaml.")],
) -> None:
    """Post a message to every channel of a route."""
    from factories.cli.alerts import AlertsCommandError, test_route  # noqa: PLC0415

    _say_target()
    try:
        for line in test_route(route):
            typer.echo(line)
    except AlertsCommandError as error:
        _refuse(error)


def alerts_mute(
    name: Annotated[str, typer.Argument(help="A route, or the key of an asset.")],
    duration: Annotated[str, typer.Option("--for", help="Such as 30m, 2h or 7d; 0s ends it.")],
    reason: Annotated[str, typer.Option(help="Why, for the others.")] = "",
) -> None:
    """Tell nothing of a route or an asset for a while."""
    from factories.cli.alerts import AlertsCommandError, mute  # noqa: PLC0415

    _say_target()
    try:
        typer.echo(mute(name, duration, reason))
    except AlertsCommandError as error:
        _refuse(error)


def alerts_list() -> None:
    """Print the routes, what is open, which channels are down, and what is muted."""
    from factories.cli.alerts import AlertsCommandError, list_alerts  # noqa: PLC0415

    _say_target()
    console = Console()
    try:
        for part in list_alerts():
            console.print(part)
    except AlertsCommandError as error:
        _refuse(error)


def _refuse(error: Exception) -> None:
    typer.echo(str(error), err=True)
    raise typer.Exit(1) from None


def docs() -> None:
    """Write the reference of the YAML files' keys, docs/reference/yaml.md."""
    from factories.cli.reference.page import write_reference  # noqa: PLC0415

    typer.echo(f"wrote {write_reference()}")


def main() -> None:
    """Run the command; when it is told to end, it stops what it started, as after Ctrl-C."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _load_environment()
    build_app()()


def _load_environment() -> None:
    """Read the project's `.env`, and say which project and local folder this is about."""
    try:
        load_env_file(project_root())
    except ConfigError as error:
        sys.exit(str(error))
    set_project_folders()
