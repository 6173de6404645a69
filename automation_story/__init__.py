"""Stories of automation, told by the real daemon: `make automation-story`, `make demo-story`.

`plain.py` has two code locations of plain assets; `demo.py` the demo itself, from nothing to
predictions, with kills on the way. `story.py` and `served.py` are what both stand on; the other
modules are the demo's: `demo_project.py` copies it with crons of two minutes, `instance_facts.py`
reads what Dagster has run, `lineage.py` says what must be made and what was made for no cause,
`figures.py` compares tables with what the sources hold, `alert_server.py` takes alerts, and
`kills.py` lists what is killed.
"""
