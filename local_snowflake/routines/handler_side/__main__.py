"""`python -m local_snowflake.routines.handler_side FOLDER`: run the handler of a message.

Where a fork server can be had, `fork_server.py` starts handlers sooner.
"""

from __future__ import annotations

import sys

from local_snowflake.routines.handler_side.code import provide_snowflake_module
from local_snowflake.routines.handler_side.handler import run_handler


def main() -> None:
    """Run the handler of the first message."""
    # From here on the project's own modules cannot be imported.
    del sys.path[0]
    provide_snowflake_module()
    run_handler(sys.argv[1])


if __name__ == "__main__":
    main()
