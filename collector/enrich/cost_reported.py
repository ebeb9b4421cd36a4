"""Costs as senders report them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from collector.enrich.cost_bill import TOO_MUCH
from collector.enrich.cost_rates import MONEY_SCALE
from collector.enrich.cost_usage import Bools, Int64s


def reported_costs(reported: pa.DoubleArray, no_tokens: Bools) -> tuple[Int64s, Bools]:
    """Return reported costs in 1e-12 USD, and where they are reports.

    `reported` is float64, USD, null where absent; `no_tokens` are the spans that report counts, all of them zero. Not a
    report: what is no number, infinite, negative or does not fit Decimal(18, 12); and a zero, unless the tokens are
    reported as zero too: senders put it where they know no price.
    """
    dollars = reported.fill_null(np.nan).to_numpy(zero_copy_only=False)
    with np.errstate(invalid="ignore", over="ignore"):
        amounts = np.rint(dollars * MONEY_SCALE)
        valid = ((amounts > 0) & (amounts < TOO_MUCH)) | ((amounts == 0) & no_tokens)  # false for what is no number
    return np.where(valid, amounts, 0).astype(np.int64), valid
