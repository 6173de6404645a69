"""Carries out the steps of a container file without a container engine.

Each stage is a folder. Absolute paths of the image, such as /app, are below it: the scripts that
its steps run take folders as arguments. What another stage copies is moved, so that it lies where
it was made, as it does in a container.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from docker.utils.build import exclude_paths
from dockerfile_parse import DockerfileParser

VARIABLE = re.compile(r"\$\{(\w+)\}")
FOLDERS = re.compile(r"(?<![\w.$}/-])/(app|build|data)(?=[/:\s]|$)")  # those that the steps make
STEP_SECONDS = 300


@dataclass(frozen=True)
class Stage:
    """What the instructions of a stage have made so far.

    Attributes:
        folder: The root folder.
        args: Build arguments, by name.
        env: Environment variables, with paths below the folder.
        workdir: As the image names it.
        user: The number of the user that its program runs as.
        command: Its program.
        health_command: What tells whether the program is well.
    """

    folder: Path
    args: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    workdir: str = "/"
    user: int = 0
    command: Sequence[str] = ()
    health_command: Sequence[str] = ()

    def path(self, name: str) -> Path:
        """Return where a path of the image is."""
        return self.folder / Path("/", self.workdir, name).relative_to("/")


def read_ignore_file(folder: Path) -> list[str]:
    """Return the patterns of a folder's `.dockerignore`."""
    lines = (folder / ".dockerignore").read_text().splitlines()
    return [line for line in map(str.strip, lines) if line and not line.startswith("#")]


def context_files(folder: Path) -> list[str]:
    """Return the files of a build context, without what `.dockerignore` leaves out."""
    found = exclude_paths(str(folder), read_ignore_file(folder), dockerfile=".dockerignore")
    return sorted(name for name in found if (folder / name).is_file() and name != ".dockerignore")


class ImageBuild:
    """A build of a container file.

    Args:
        file: The container file.
        context: The folder that it is built from.
        args: Build arguments.
        folder: Where the image is made; it does not exist yet.
        step_env: What RUN steps get beside the variables of the file: where packages come from.
        unset: Variables of the file that RUN steps do not get.
    """

    def __init__(
        self,
        file: Path,
        context: Path,
        args: Mapping[str, str],
        folder: Path,
        *,
        step_env: Mapping[str, str],
        unset: Sequence[str] = (),
    ) -> None:
        self._context, self._files = context, context_files(context)
        self._args, self._folder = args, folder
        self._step_env, self._unset = step_env, unset
        with file.open("rb") as opened:
            self._steps = DockerfileParser(fileobj=opened).structure
        self._stages: dict[str, Stage] = {}

    def build(self) -> Stage:
        """Return the last stage, as a build without a target makes it."""
        carry_out = {
            "ARG": self._arg,
            "CMD": self._cmd,
            "COPY": self._copy,
            "ENV": self._env,
            "EXPOSE": lambda stage, _: stage,
            "HEALTHCHECK": self._healthcheck,
            "RUN": self._run,
            "USER": self._user,
            "WORKDIR": self._workdir,
        }
        stage, name = Stage(self._folder), ""  # the arguments before the first FROM
        for step in self._steps:
            if step["instruction"] == "COMMENT":
                continue
            if step["instruction"] == "FROM":
                self._stages[name] = stage
                base, _, name = step["value"].partition(" AS ")
                stage = self._stages.get(base) or self._empty_stage()
            else:
                stage = carry_out[step["instruction"]](stage, step["value"])
        return stage

    def _empty_stage(self) -> Stage:
        if self._folder.exists():  # of the stage before, from which this one may copy
            before = self._folder.with_name(f"{self._folder.name}-{len(self._stages)}")
            self._folder.rename(before)
            moved = {name: replace(each, folder=before) for name, each in self._stages.items()}
            self._stages = moved
        self._folder.mkdir()
        self._folder.chmod(0o755)
        return Stage(self._folder)

    def _arg(self, stage: Stage, value: str) -> Stage:
        key, _, default = value.partition("=")
        return replace(stage, args={**stage.args, key: self._args.get(key, default)})

    def _env(self, stage: Stage, value: str) -> Stage:
        for pair in shlex.split(value):
            key, _, text = pair.partition("=")
            made = FOLDERS.sub(rf"{stage.folder}/\1", _substituted(text, stage))
            stage = replace(stage, env={**stage.env, key: made})
        return stage

    def _workdir(self, stage: Stage, value: str) -> Stage:
        stage.path(value).mkdir(parents=True, exist_ok=True)
        return replace(stage, workdir=value)

    def _copy(self, stage: Stage, value: str) -> Stage:
        words = shlex.split(_substituted(value, stage))
        options = dict(word.split("=") for word in words if word.startswith("--"))
        *sources, target = (word for word in words if not word.startswith("--"))
        if origin := options.get("--from"):
            (source,) = sources
            shutil.move(self._stages[origin].path(source), stage.path(target))
            if "--chown" in options and os.geteuid() == 0:
                os.chown(stage.path(target), *map(int, options["--chown"].split(":")))
            return stage
        for source in sources:
            files = [name for name in self._files if Path(name).is_relative_to(source)]
            assert files, f"COPY {source}: the context has no such file"
            for name in files:
                below = Path(name).relative_to(source)
                whole = below == Path() and target.endswith("/")
                made = stage.path(target) / (Path(name).name if whole else below)
                made.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(self._context / name, made)
        return stage

    def _run(self, stage: Stage, value: str) -> Stage:
        words = [word for word in value.split() if not word.startswith("--mount=")]
        env = {name: text for name, text in stage.env.items() if name not in self._unset}
        command = FOLDERS.sub(rf"{stage.folder}/\1", " ".join(words))
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=stage.path("."),
            env={**self._step_env, **stage.args, **env},
            capture_output=True,
            text=True,
            timeout=STEP_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"RUN {value}: {done.stdout}{done.stderr}"
        return stage

    def _user(self, stage: Stage, value: str) -> Stage:
        return replace(stage, user=int(value.partition(":")[0]))

    def _cmd(self, stage: Stage, value: str) -> Stage:
        return replace(stage, command=json.loads(value))

    def _healthcheck(self, stage: Stage, value: str) -> Stage:
        return replace(stage, health_command=json.loads(value.partition(" CMD ")[2]))


def _substituted(text: str, stage: Stage) -> str:
    """Return a text with `${NAME}` replaced, but for the PATH of the base image."""
    known = {**stage.args, **stage.env}
    return VARIABLE.sub(lambda found: known.get(found[1], found[0]), text)
