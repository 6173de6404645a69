"""What is killed in mid-work, and whether a plain rerun is enough: `python -m kill_matrix CASE…`.

`cases.py` lists what is killed, while which work is done, and when; `projects/` has a small
project for each tool, with its inputs. `place.py` is a project on a local folder of its own, which
each case begins with as it was; `gates.py` holds a step where it is to be killed, `processes.py`
finds what to kill and what was left running; `case_run.py` runs one case, `compare.py` compares the
tables with those of a run that nothing disturbed, `outcomes.py` keeps what came of each case, and
`page.py` writes `docs/reference/kill-matrix.md`.
"""
