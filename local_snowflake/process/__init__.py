"""The server as a process: starting, finding and stopping it.

`control.py` is how it is started, found and stopped from outside (`dp local up`,
`target.connection_settings()`): it finds the running server by its state file (`state.py`), lets it
prove its identity, and starts one if there is none. `server.py` is that process: it locks the
folder, opens the warehouse, listens on a free port, writes the state file, and ends after a time
without requests.

`control.py` and `state.py` import the standard library and filelock only, so that every code
location's environment can import them. Add what the server does while it starts or stops to
`server.py`, and what clients need to find it to `control.py`.
"""
