"""Which dialect each span is read by: its instrumentation scope decides, else the attribute keys that it has.

A scope says who wrote the span; a key may be there because an application copied it. Of several dialects whose markers a
span has, the first in `DIALECTS` is taken; a span that shows none is read by the last, the semantic conventions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from collector.batch import SpanBatch
from collector.enrich.dialects import DIALECTS, Dialect

_UNDECIDED = -1


@dataclass(frozen=True)
class Detected:
    """The dialect of every span of a batch, as a position in `DIALECTS`."""

    codes: npt.NDArray[np.int16]
    by_scope: npt.NDArray[np.bool_]
    """Where the scope decided."""
    dialects: Sequence[Dialect] = DIALECTS

    def present(self) -> Iterator[tuple[Dialect, npt.NDArray[np.bool_] | None]]:
        """Yield each dialect that occurs, and which rows are its own; None where all are. Of no rows: the last one."""
        found = np.unique(self.codes).tolist() or [len(self.dialects) - 1]
        for code in found:
            yield self.dialects[code], None if len(found) == 1 else self.codes == code

    def take(self, rows: npt.NDArray[np.intp]) -> Detected:
        """Return the dialects of these rows."""
        return Detected(self.codes[rows], self.by_scope[rows], self.dialects)

    def names(self) -> pa.DictionaryArray:
        """Return the name of the dialect of every span."""
        names = [dialect.name for dialect in self.dialects]
        distinct = list(dict.fromkeys(names))
        place = np.array([distinct.index(name) for name in names], np.int32)
        return pa.DictionaryArray.from_arrays(pa.array(place[self.codes]), pa.array(distinct, pa.string()))

    def inclusive(self, exclusive_provider: npt.NDArray[np.bool_]) -> npt.NDArray[np.int8]:
        """Return whether the sender's input tokens include cached ones: 1 yes, 0 no, -1 not known.

        `exclusive_provider` marks the rows whose provider leaves them out, which counts where the dialect passes that on.
        """
        stated = np.array([-1 if d.inclusive is None else int(d.inclusive) for d in self.dialects], np.int8)[self.codes]
        passes_on = np.array([dialect.passes_on for dialect in self.dialects])[self.codes]
        return np.where(passes_on & exclusive_provider, 0, stated).astype(np.int8)


def detect(batch: SpanBatch) -> Detected:
    """Return the dialect of every span. Scopes and keys are looked at once per distinct one, not per span."""
    scope = batch.column("scope_name")
    of_scope = np.array([_dialect_of_scope(name) for name in scope.dictionary.to_pylist()], np.int16)
    codes = of_scope[scope.indices.to_numpy()] if len(of_scope) else np.full(len(batch), _UNDECIDED, np.int16)
    by_scope: npt.NDArray[np.bool_] = codes != _UNDECIDED
    if not by_scope.all():
        for code, keys in reversed(_markers(batch.attributes.keys)):  # written last, the first in the order wins
            for key in keys:
                rows = batch.attributes.row[batch.attributes.positions(key)]
                codes[rows[~by_scope[rows]]] = code
        codes[codes == _UNDECIDED] = len(DIALECTS) - 1
    return Detected(codes, by_scope)


@lru_cache(maxsize=4096)
def _dialect_of_scope(name: str) -> int:
    return next((code for code, dialect in enumerate(DIALECTS) if matches(name, dialect.scopes)), _UNDECIDED)


@lru_cache(maxsize=256)
def _markers(keys: frozenset[str]) -> list[tuple[int, list[str]]]:
    """For each dialect with a marker among the keys: its position, and those keys."""
    found = ((code, [key for key in keys if matches(key, d.markers)]) for code, d in enumerate(DIALECTS))
    return [(code, own) for code, own in found if own]


def matches(text: str, patterns: tuple[str, ...]) -> bool:
    """Whether the text is one of these, or starts with one of those that end in ``*``."""
    return any(text.startswith(p[:-1]) if p.endswith("*") else text == p for p in patterns)
