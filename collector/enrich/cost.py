"""Cost of every span of a batch, in exact integers of 1e-12 USD, with the evidence for it.

Spans are grouped by provider, models, server and service tier; each group is looked up in the price book once. What is
left for each span is integer arithmetic over whole columns: its price row by time, its tier by input tokens, and a sum
of counts times rates.

The results equal those of `genai_prices.calc_price`, rounded to 12 decimal places (half to even), and are null where
that refuses. Beyond it, these are null as well: models with rates, but none per token or request (genai-prices says 0),
names that its clauses fit in part only (see `prices_match`), parts larger than a reported whole even where the part has
no rate of its own, and what is out of range.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import date

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from collector.enrich.cost_bill import Bill, billed, billed_part
from collector.enrich.cost_rates import RateTables, rate_tables
from collector.enrich.cost_reported import reported_costs
from collector.enrich.cost_usage import Bools, Int64s, Usage, usage_from_columns
from collector.enrich.prices import PriceBook, PricedModel, PriceRow, UnpricedReason
from collector.enrich.prices_tiers import pricing_tier
from collector.enrich.prices_units import COST_PARTS, INPUT_KEYS, USAGE_KEYS

MONEY = pa.decimal128(18, 12)

_REASONS = ("", *(reason.value for reason in UnpricedReason))
_CODES = {reason: code for code, reason in enumerate(UnpricedReason, start=1)}
_SOURCES = ("", "unpriced", "computed", "reported")
_NO_PRICE = PricedModel((PriceRow(provider="", model=""),))
"""Stands first in the tables, for the spans that have no price: rates of zero and empty names."""


def cost_columns(
    book: PriceBook,
    *,
    provider: pa.Array,
    request_model: pa.Array,
    response_model: pa.Array,
    start_time: pa.Array,
    usage: Mapping[str, pa.Int64Array],
    service_tier: pa.Array | None = None,
    server_address: pa.Array | None = None,
    reported: pa.DoubleArray | None = None,
    refused: Mapping[UnpricedReason, Bools] | None = None,
) -> dict[str, pa.Array]:
    """Return the cost of each span and the evidence for it.

    Names are strings, plain or dictionary-encoded, null or "" where absent; `start_time` is a timestamp without nulls;
    `usage` has nullable int64 columns named as in `prices_units.USAGE_KEYS`, counted as the semantic conventions say:
    input includes cached tokens, output includes reasoning, every other column counts a part of these. `service_tier` is
    as senders report it; `reported` is the total in USD as they report it, float64, null where absent. `refused` marks
    spans that report some usage which must not be priced, and why.

    A span is priced by its response model, or by its request model if it names no other.

    - cost_input, cost_output, cost_other, cost_total: decimal128(18, 12), USD; other is the fee per request, 0 without
      one. Each is rounded on its own: input + output + other can differ from the total by 1e-12. Null unless computed,
      but for a total that is reported
    - cost_cache_read, cost_cache_write, cost_reasoning: decimal128(18, 12), USD; the part of input or output for these
      tokens, at the rate each is billed at; null unless computed and the tokens are reported
    - cost_reported: decimal128(18, 12), USD as the sender reports it; null if that is no report (see `cost_reported`)
    - cost_source: dictionary<string>; "computed"; else "reported" if the sender reports a cost, which then is the total;
      else "unpriced", or "" where no usage is reported
    - price_provider, price_model, price_tier, price_version: dictionary<string>; which price; "" unless computed
    - price_effective_date: date32; first day of that price, null if it is undated or the cost is not computed
    - unpriced_reason: dictionary<string>; an `UnpricedReason` where usage is reported and no cost computed, else ""
    """
    counts = usage_from_columns(usage, len(start_time))
    names = [_encoded(column) for column in (provider, request_model, response_model)]
    # Addresses and tiers are many, what they mean is little: spans are told apart by that.
    names.append(_encoded_as(server_address, book.provider_at, counts.length))
    names.append(_encoded_as(service_tier, pricing_tier, counts.length))
    models, model, reason = _models(book, names)
    tables = rate_tables(models)
    row = tables.active_rows(model, start_time.cast(pa.timestamp("ns", "UTC")).cast(pa.int64()).to_numpy())
    for refusal in {row.refusal for row in tables.rows if row.refusal}:
        _refuse(reason, np.array([row.refusal is refusal for row in tables.rows])[row], refusal)
    unusable = _refuse_unusable(reason, counts, refused or {})
    billable = counts.without(reason != 0)
    _refuse_inconsistent(reason, billable, tables, row)
    line = tables.tier_lines(row, billable.counts.get(INPUT_KEYS[0], np.zeros(counts.length, np.int64)))
    bill = billed(tables, line, billable)
    _refuse(reason, bill.out_of_range, UnpricedReason.OUT_OF_RANGE)
    has_usage = counts.any_reported() | unusable
    computed = has_usage & (reason == 0)
    no_tokens = has_usage & ~unusable & ~counts.above_zero()
    return {
        "cost_input": _decimals(bill.input, computed),
        "cost_output": _decimals(bill.output, computed),
        "cost_other": _decimals(bill.other, computed),
        **_parts(tables, line, billable, computed),
        **_totals(bill, computed, has_usage, no_tokens, reported),
        **_evidence(tables, np.where(computed, line, 0)),
        "unpriced_reason": _dictionary(_REASONS, np.where(has_usage, reason, 0)),
    }


def _parts(tables: RateTables, line: Int64s, counts: Usage, computed: Bools) -> dict[str, pa.Array]:
    columns = {}
    for name, counted_by in COST_PARTS.items():
        present = counts.reported.get(USAGE_KEYS.index(counted_by))
        if present is None:
            columns[name] = pa.nulls(counts.length, MONEY)
        else:
            columns[name] = _decimals(billed_part(tables, line, counts, name), computed & present)
    return columns


def _totals(
    bill: Bill, computed: Bools, has_usage: Bools, no_tokens: Bools, reported: pa.DoubleArray | None
) -> dict[str, pa.Array]:
    """Say what each span costs in all, and who says so."""
    source = has_usage.astype(np.int32) + computed
    if reported is None or reported.null_count == len(reported):
        total, cost_reported = _decimals(bill.total, computed), pa.nulls(len(computed), MONEY)
    else:
        amounts, valid = reported_costs(reported, no_tokens)
        source = np.where(valid & ~computed, _SOURCES.index("reported"), source)
        total = _decimals(np.where(computed, bill.total, amounts), computed | valid)
        cost_reported = _decimals(amounts, valid)
    return {"cost_total": total, "cost_reported": cost_reported, "cost_source": _dictionary(_SOURCES, source)}


def _refuse(reason: Int64s, rows: Bools, because: UnpricedReason) -> None:
    """Give these rows a reason, unless they have one."""
    if rows.any():
        reason[rows & (reason == 0)] = _CODES[because]


def _refuse_unusable(reason: Int64s, counts: Usage, refused: Mapping[UnpricedReason, Bools]) -> Bools:
    """Refuse the rows that the caller does, which are returned, and those with a count that is out of range."""
    unusable = np.zeros(counts.length, np.bool_)
    for because, rows in refused.items():
        _refuse(reason, rows, because)
        unusable |= rows
    _refuse(reason, counts.negative(), UnpricedReason.INVALID_USAGE)
    _refuse(reason, counts.beyond_range(), UnpricedReason.OUT_OF_RANGE)
    return unusable


def _refuse_inconsistent(reason: Int64s, counts: Usage, tables: RateTables, row: Int64s) -> None:
    """Refuse the rows whose counts contradict each other, or are too few to tell what the rates apply to."""
    _refuse(reason, counts.parts_exceed_whole(), UnpricedReason.INVALID_USAGE)
    breakdown = tables.breakdown_of_row[row]
    for index, rules in enumerate(tables.breakdowns):
        rows = np.flatnonzero(breakdown == index)
        some = counts.take(rows)
        found = reason[rows]
        _refuse(found, some.incomplete(rules), UnpricedReason.INCOMPLETE_USAGE)
        _refuse(found, some.oversubscribed(rules), UnpricedReason.INVALID_USAGE)
        reason[rows] = found


def _models(book: PriceBook, columns: Sequence[tuple[Int64s, list[str]]]) -> tuple[list[PricedModel], Int64s, Int64s]:
    """Look up every distinct combination of names once: the models found, and for each span its model and reason.

    The columns are the arguments of `_price`, and the service tier.
    """
    group, combinations = _groups([codes for codes, _ in columns])
    models = {_NO_PRICE: 0}
    model_of_group = np.zeros(len(combinations), np.int64)
    reason_of_group = np.zeros(len(combinations), np.int64)
    for index, codes in enumerate(combinations):
        provider, request, response, server, tier = (
            names[code] for (_, names), code in zip(columns, codes, strict=True)
        )
        found = _price(book, provider, request, response, server)
        if isinstance(found, UnpricedReason):
            reason_of_group[index] = _CODES[found]
        else:
            model_of_group[index] = models.setdefault(found.for_tier(tier), len(models))
    return list(models), model_of_group[group], reason_of_group[group]


def _price(
    book: PriceBook, provider: str, request_model: str, response_model: str, server: str
) -> PricedModel | UnpricedReason:
    # A model that answered in place of the one that was asked may cost anything.
    return book.model(provider, response_model or request_model, server)


def _encoded(column: pa.Array) -> tuple[Int64s, list[str]]:
    """Return a code for each row, and the string that each code stands for; null is "" under a code of its own."""
    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    names = [name or "" for name in encoded.dictionary.to_pylist()]
    return encoded.indices.cast(pa.int64()).fill_null(len(names)).to_numpy(), [*names, ""]


def _encoded_as(column: pa.Array | None, meaning: Callable[[str], str], length: int) -> tuple[Int64s, list[str]]:
    """Like `_encoded`, with what each string means: equal meanings have one code, and no column means "" everywhere."""
    if column is None or column.null_count == length:
        return np.zeros(length, np.int64), [""]
    codes, names = _encoded(column)
    meanings = {"": 0}
    code_of_name = np.array([meanings.setdefault(meaning(name), len(meanings)) for name in names], np.int64)
    return code_of_name[codes], list(meanings)


def _groups(columns: Sequence[Int64s]) -> tuple[Int64s, list[tuple[int, ...]]]:
    """Return the group of each row, and the codes of each group: rows with equal codes are one group."""
    widths = [int(codes.max(initial=0)) + 1 for codes in columns]
    if math.prod(widths) >= 2**62:  # too many for one number: the last column joins the groups of those before it
        before, combinations = _groups(columns[:-1])
        group, pairs = _groups([before, columns[-1]])
        return group, [(*combinations[position], code) for position, code in pairs]
    combined = columns[0]
    for codes, width in zip(columns[1:], widths[1:], strict=True):
        combined = combined * width + codes if width > 1 else combined
    encoded = pa.array(combined).dictionary_encode()
    group = encoded.indices.to_numpy().astype(np.int64)
    return group, [_digits(number, widths) for number in encoded.dictionary.to_pylist()]


def _digits(number: int, widths: Sequence[int]) -> tuple[int, ...]:
    """Take a combined number apart again."""
    codes = []
    for width in reversed(widths):
        number, code = divmod(number, width)
        codes.append(code)
    return tuple(reversed(codes))


def _evidence(tables: RateTables, line: Int64s) -> dict[str, pa.Array]:
    """Say which price was used; line 0 is the absence of one."""
    lines = list(tables.lines())
    days = np.array([_days(row.effective_date) for row, _ in lines], np.int32)
    dated = np.array([row.effective_date is not None for row, _ in lines])
    return {
        "price_provider": _named([row.provider for row, _ in lines], line),
        "price_model": _named([row.model for row, _ in lines], line),
        "price_tier": _named(["", *(tier for _, tier in lines[1:])], line),
        "price_version": _named([row.version for row, _ in lines], line),
        "price_effective_date": pa.array(days[line], mask=~dated[line]).cast(pa.date32()),
    }


def _days(day: date | None) -> int:
    """Days since 1970, as in Arrow; any number for none."""
    return 0 if day is None else day.toordinal() - date(1970, 1, 1).toordinal()


def _named(names: Sequence[str], line: Int64s) -> pa.DictionaryArray:
    """Dictionary-encode the name of each span's line."""
    distinct = {name: code for code, name in enumerate(dict.fromkeys(names))}
    return _dictionary(tuple(distinct), np.array([distinct[name] for name in names], np.int32)[line])


def _dictionary(values: Sequence[str], codes: npt.NDArray[np.integer]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), pa.array(values, pa.string()))


def _decimals(amounts: Int64s | None, valid: Bools) -> pa.Decimal128Array:
    """Return 1e-12 USD (None: 0 everywhere) as decimals, null where not valid.

    Valid amounts are not negative: the upper halves are zero.
    """
    words = np.zeros((len(valid), 2), "<i8")
    if amounts is not None:
        np.multiply(amounts, valid, out=words[:, 0])
    validity = np.packbits(valid, bitorder="little")
    return pa.Array.from_buffers(MONEY, len(valid), [pa.py_buffer(validity), pa.py_buffer(words)])
