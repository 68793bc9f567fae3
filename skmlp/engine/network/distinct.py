"""Which of several things are the same."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence


def unique(
    items: Sequence, key: Callable[[object], Hashable] = lambda item: item
) -> tuple[list, list[int]]:
    """Those items whose keys differ, and for each item the place of its own among them."""
    places: dict[Hashable, int] = {}
    distinct, place_of = [], []
    for item in items:
        place = places.setdefault(key(item), len(distinct))
        if place == len(distinct):
            distinct.append(item)
        place_of.append(place)
    return distinct, place_of
