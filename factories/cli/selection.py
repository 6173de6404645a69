"""Which assets the words of a command line stand for: keys or groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from factories.core.yaml.problems import did_you_mean, nearest


class Selectable(Protocol):
    """An asset, as far as it can be selected."""

    @property
    def key(self) -> str:
        """Its key, such as `flight_ops/raw/flights`."""

    @property
    def group(self) -> str:
        """Its group."""


class SelectionError(Exception):
    """A word stands for no asset; the text says so."""


Asset = TypeVar("Asset", bound=Selectable)


def select_assets(assets: Sequence[Asset], selection: Sequence[str]) -> list[Asset]:
    """Return the assets that keys and groups name.

    Raises:
        SelectionError: When there is no asset, or a name stands for none.
    """
    if not selection:
        if not assets:
            raise SelectionError("The code locations have no assets.")
        return list(assets)
    names = {asset.key for asset in assets} | {asset.group for asset in assets}
    for word in selection:
        if word not in names:
            groups = sorted({asset.group for asset in assets})
            hint = did_you_mean(nearest(word, names)) or f"; groups: {', '.join(groups)}"
            raise SelectionError(f"{word!r} is neither an asset nor a group{hint}")
    return [asset for asset in assets if {asset.key, asset.group} & set(selection)]
