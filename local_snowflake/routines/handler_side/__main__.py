"""`python -m local_snowflake.routines.handler_side FOLDER [SECONDS]`: run the handler of a message.

With SECONDS the process is a spare one: it imports Snowpark before it gets its message, for which
it waits for that time.
"""

from __future__ import annotations

import contextlib
import os
import sys

from local_snowflake.routines.handler_side import function, procedure
from local_snowflake.routines.handler_side.channel import Channel, ServerGoneError
from local_snowflake.routines.handler_side.code import provide_snowflake_module

_ARGUMENTS = 2


def main() -> None:
    """Run the handler of the first message."""
    # From here on the project's own modules cannot be imported.
    del sys.path[0]
    os.chdir(sys.argv[1])
    channel = Channel()
    provide_snowflake_module()
    with contextlib.suppress(ServerGoneError, BrokenPipeError):
        if len(sys.argv) > _ARGUMENTS:
            procedure.preload()
            channel.wait(float(sys.argv[_ARGUMENTS]))
        message = channel.receive_json()
        run = procedure.run if message["kind"] == "PROCEDURE" else function.run
        run(channel, message)
    sys.stdout.flush()
    sys.stderr.flush()
    # Threads and exit handlers of the handler's libraries would only delay the caller.
    os._exit(0)


if __name__ == "__main__":
    main()
