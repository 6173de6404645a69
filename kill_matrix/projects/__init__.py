"""The projects that are run: one for each tool, small enough for a run of seconds."""

from __future__ import annotations

from kill_matrix.projects import dbt, dlt, sling, snowpark
from kill_matrix.projects.project import Project

PROJECTS: dict[str, Project] = {
    project.tool: project for project in (sling.PROJECT, dlt.PROJECT, dbt.PROJECT, snowpark.PROJECT)
}
