"""The table of ClickHouse's error codes: what each makes of a batch, and of a question."""

from __future__ import annotations

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from collector.errors import Misconfigured, Outcome, Permanent, Retryable
from exporters.clickhouse.client import outcomes
from exporters.clickhouse.error_codes import ERROR_CODES, outcome_of_change, outcome_of_question

BUSY = (
    159, 160, 198, 202, 203, 209, 210, 225, 236, 241, 242, 243, 252, 254, 265, 279, 285, 286, 297, 319, 364, 394, 425, 439,
    499, 519, 574, 692, 733, 745, 749, 762, 999,
)  # fmt: skip
TO_MEND = (
    8, 10, 16, 46, 47, 48, 60, 62, 81, 115, 164, 192, 193, 194, 195, 201, 218, 291, 344, 452, 497, 516, 720, 774,
)  # fmt: skip
ABOUT_THE_DATA = (
    6, 19, 25, 26, 27, 38, 41, 53, 69, 70, 72, 117, 128, 130, 131, 167, 168, 190, 229, 248, 321, 349, 376, 395, 407, 467, 469,
    563, 565, 632, 675, 676, 691, 760,
)  # fmt: skip
NOT_IN_THE_TABLE = (36, 44, 49, 158, 307, 396, 1001, 123456)


def of_change(code: int) -> Outcome:
    """What becomes of a batch."""
    with pytest.raises(Outcome) as caught, outcomes("writing"):
        raise DatabaseError("the reason", code=code)
    return caught.value


def of_question(code: int) -> Outcome:
    """What becomes of a question."""
    with pytest.raises(Outcome) as caught, outcomes("reading", outcome_of_question):
        raise DatabaseError("the reason", code=code)
    return caught.value


def test_every_row_of_the_table_is_tested_here() -> None:
    assert sorted([*BUSY, *TO_MEND, *ABOUT_THE_DATA]) == sorted(ERROR_CODES)


@pytest.mark.parametrize("code", BUSY)
def test_what_the_store_cannot_do_now_is_tried_again(code: int) -> None:
    assert type(of_change(code)) is Retryable
    assert type(of_question(code)) is Retryable


@pytest.mark.parametrize("code", TO_MEND)
def test_what_an_operator_must_mend_is_tried_again_and_says_what_to_mend(code: int) -> None:
    outcome = of_change(code)
    assert type(outcome) is Misconfigured
    assert str(outcome) == f"writing failed: the reason: {ERROR_CODES[code].advice}"
    assert len(ERROR_CODES[code].advice) > 20
    assert type(of_question(code)) is (Permanent if code == 164 else Misconfigured)


@pytest.mark.parametrize("code", ABOUT_THE_DATA)
def test_only_what_is_about_the_data_is_permanent(code: int) -> None:
    assert type(of_change(code)) is Permanent
    assert type(of_question(code)) is Permanent


@pytest.mark.parametrize("code", NOT_IN_THE_TABLE)
def test_a_code_that_is_not_in_the_table_loses_no_batch_and_refuses_a_question(code: int) -> None:
    """Acknowledged data waits; a question costs too much, or is at fault."""
    assert type(of_change(code)) is Retryable
    assert type(of_question(code)) is Permanent


def test_without_a_code_the_statement_was_never_judged() -> None:
    assert type(outcome_of_change(None, "x")) is Retryable
    assert type(outcome_of_question(None, "x")) is Retryable
