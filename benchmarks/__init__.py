"""What our assets cost beside the bare tools, measured side by side: `python -m benchmarks NAME…`.

A folder for each tool: `loading.py` and `building.py` are benchmarks, of runs and of loading a code
location; `building_variants.py` has what the latter compares, each a process of its own;
`generated_….py` writes the project that it builds. What all share: `systems.py` (the servers),
`measure.py` (times processes), `report.py` (a page of the results), `machine.py`, `load_run.py`
(one run of assets), `bare_definitions.py` (assets without YAML).
"""
