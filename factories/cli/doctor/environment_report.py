"""What a Python environment holds, as JSON.

It is run as a file, by an environment's own interpreter, which may lack anything else.
"""

from __future__ import annotations

import json
import platform
import sys
from importlib.metadata import distributions

if __name__ == "__main__":
    found = {each.metadata["Name"]: each.version for each in distributions()}
    json.dump({"python": platform.python_version(), "packages": found}, sys.stdout)
