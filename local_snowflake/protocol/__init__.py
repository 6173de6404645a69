"""Snowflake's HTTP protocol: from a request to a session, and from a result to the response.

`routes.py` has the routes and turns every exception into a response, never an HTTP 500, which
drivers repeat for minutes. `login.py` opens sessions, `queries.py` runs the statements of a request
and keeps a record of them for clients that fetch a result later or cancel it. `bindings.py` reads
bind variables, `results.py` encodes results, `clients.py` watches for clients that disconnect.

Add a route that a driver calls to `routes.build_app`, a field of the login's response to
`login.login_data`, a property of how rows are encoded to `results.py`.
"""
