"""Values remembered between requests: the newest uses, up to a weight. Never rights, only bytes and their whereabouts."""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """Values by key; those longest unused go when the weights together go over `weight_max`. Safe in threads."""

    def __init__(self, weight_max: int) -> None:
        self._weight_max = weight_max
        self._weight = 0
        self._lock = threading.Lock()
        self._kept: OrderedDict[K, tuple[V, int]] = OrderedDict()

    def get(self, key: K) -> V | None:
        """Return the value, and count it as used."""
        with self._lock:
            kept = self._kept.get(key)
            if kept is None:
                return None
            self._kept.move_to_end(key)
            return kept[0]

    def put(self, key: K, value: V, weight: int = 1) -> None:
        """Remember a value; one that is heavier than everything allowed is not kept."""
        with self._lock:
            replaced = self._kept.pop(key, None)
            self._weight -= replaced[1] if replaced else 0
            if weight > self._weight_max:
                return
            self._kept[key] = (value, weight)
            self._weight += weight
            while self._weight > self._weight_max:
                _, (_, lightened) = self._kept.popitem(last=False)
                self._weight -= lightened

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()
            self._weight = 0

    @property
    def weight(self) -> int:
        """The weights of all that is kept, together."""
        return self._weight
