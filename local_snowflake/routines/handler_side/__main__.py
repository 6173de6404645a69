"""`python -m local_snowflake.routines.handler_side FOLDER`: run the handler of a message."""

from __future__ import annotations

import contextlib
import os
import sys

from local_snowflake.routines.handler_side import function, procedure
from local_snowflake.routines.handler_side.channel import Channel, ServerGoneError
from local_snowflake.routines.handler_side.code import provide_snowflake_module


def main() -> None:
    """Run the handler of the first message."""
    # The project's own modules are importable for the code above only.
    del sys.path[0]
    os.chdir(sys.argv[1])
    channel = Channel()
    provide_snowflake_module()
    with contextlib.suppress(ServerGoneError, BrokenPipeError):
        message = channel.receive_json()
        run = procedure.run if message["kind"] == "PROCEDURE" else function.run
        run(channel, message)
    sys.stdout.flush()
    sys.stderr.flush()
    # Threads and exit handlers of the handler's libraries would only hold up the caller.
    os._exit(0)


if __name__ == "__main__":
    main()
