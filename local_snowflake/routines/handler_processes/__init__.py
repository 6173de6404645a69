"""The processes that run handlers: their environment, their channel, their way back to the server.

`environment.py` finds the Python and starts processes in it, `forked_processes.py` makes them forks
of one that has imported what they need, `process.py` is one process and the messages to it,
`running.py` the procedures that a session is in, `caller_sessions.py` lets a procedure's handler
log in to its caller's session, `errors.py` makes the errors that clients get. What these processes
run is `../handler_side/`.
"""
