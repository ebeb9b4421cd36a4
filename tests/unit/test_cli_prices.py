"""`spanledger prices list` and `show`: what a person sees, and one sentence where there is no price."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.cli import main

OWN = """
enrich:
  prices:
    overrides:
      - {model: gpt-4o, provider: openai, rates: {input: 1.5, output: 6}}
      - {model: mine, aliases: [ours], valid_from: 2026-01-31, rates: {input: 0.5, per_request: 0.01}}
      - {model: later, valid_from: 2099-01-01, rates: {input: 1}}
"""


@pytest.fixture
def own(tmp_path: Path) -> str:
    path = tmp_path / "spanledger.yaml"
    path.write_text(OWN)
    return str(path)


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[list[str]]:
    """The words of every line that the command prints."""
    assert main(["prices", *arguments]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return [line.split() for line in captured.out.splitlines() if line.strip()]


def refused(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 1) -> str:
    assert main(["prices", *arguments]) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("spanledger: ")
    assert captured.err.count("\n") == 1
    return captured.err.removeprefix("spanledger: ").rstrip("\n")


def test_the_list_has_a_line_for_every_model_with_a_price(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, "list")
    assert lines[0][:6] == ["provider", "model", "input", "output", "cache", "read"]
    (sonnet,) = [line for line in lines if line[:2] == ["anthropic", "claude-sonnet-4-5"]]
    assert sonnet[2:6] == ["3", "15", "0.3", "3.75"]
    assert len(lines) > 2000
    sentence = f"{len(lines) - 3} models, USD per million tokens, today's ordinary price of genai-prices "
    assert " ".join(lines[-1]).startswith(sentence)


@pytest.mark.parametrize("provider", ["groq", "GROQ", "aws.bedrock", "aws"])
def test_the_list_of_one_provider_has_its_models_only(capsys: pytest.CaptureFixture[str], provider: str) -> None:
    lines = printed(capsys, "list", "--provider", provider)
    assert {line[0] for line in lines[2:-1]} == {"aws" if provider.startswith("aws") else "groq"}


def test_the_list_shows_what_is_in_force(capsys: pytest.CaptureFixture[str], own: str) -> None:
    lines = printed(capsys, "list", "--config", own)
    assert [line[2:4] for line in lines if line[:2] == ["openai", "gpt-4o"]] == [["1.5", "6"]]
    assert next(line for line in lines if line[0] == "mine")[1:3] == ["0.5", "2026-01-31"]
    assert not [line for line in lines if line[0] == "later"], "not yet"


def test_a_model_is_shown_with_every_price_and_how_it_was_found(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, "show", "openai/gpt-5-2025-08-07")
    assert lines[0] == ["unit", "USD", "per", "tier", "from", "hours", "(UTC)", "version"]
    assert ["input_tokens", "1.25", "million", "tokens", "base", "genai-prices"] in [line[:6] for line in lines]
    assert ["output_tokens", "5", "million", "tokens", "flex", "2026-10-12"] in [line[:6] for line in lines]
    assert " ".join(lines[-2]) == '"openai/gpt-5-2025-08-07" is priced as gpt-5 of openai'
    assert lines[-1][:6] == ["names", "that", "lead", "to", "it:", "gpt-5"]


def test_with_a_day_only_what_applies_on_it_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    old, new = (printed(capsys, "show", "o3", "--at", day) for day in ("2025-06-09", "2025-06-10"))
    assert [line[1] for line in old if line[0] == "input_tokens"] == ["10"]
    assert [line[1] for line in new if line[0] == "input_tokens"] == ["2"]
    both = printed(capsys, "show", "deepseek-chat", "--provider", "deepseek", "--at", "2026-01-31")
    hours = {" ".join(line[5:8]): line[1] for line in both if line[0] == "input_tokens"}
    assert hours == {"00:30 to 16:30": "0.27", "16:30 to 00:30": "0.135"}


def test_a_fee_is_per_request_and_a_tier_by_input_tokens_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, "show", "sonar", "--provider", "perplexity")
    assert ["requests", "0.012", "request", "base"] in [line[:4] for line in lines]
    lines = printed(capsys, "show", "gemini-2.5-pro", "--at", "2026-01-31")
    assert ["input_tokens", "2.5", "million", "tokens", "input_tokens>200000"] in [line[:5] for line in lines]


def test_a_narrow_terminal_cuts_no_number(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    lines = printed(capsys, "show", "gemini-2.5-pro")
    assert ["batch,", "input_tokens>200000", "2026-10-14"] in [line[4:7] for line in lines]


def test_a_price_of_ones_own_is_shown_with_its_version(capsys: pytest.CaptureFixture[str], own: str) -> None:
    lines = printed(capsys, "show", "ours", "--config", own)
    assert lines[2][:7] == ["input_tokens", "0.5", "million", "tokens", "base", "2026-01-31", "configuration"]
    assert " ".join(lines[-2]) == '"ours" is priced as mine of any provider'


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("show", "gpt-4oo"), 'there is no price for "gpt-4oo"; closest are gpt-4o, '),
        (
            ("show", "claude-sonnet-4-7", "--provider", "anthropic"),
            'there is no price for "claude-sonnet-4-7" of anthropic; closest are claude-sonnet-4-6, claude-sonnet-4-5, ',
        ),
        (("show", "zzzzzzzzzz"), 'there is no price for "zzzzzzzzzz"; no other name is close to it'),
        (("show", "gpt-4o", "--provider", "opnai"), 'the provider "opnai" has no prices; closest are openai, '),
        (("list", "--provider", "antropic"), 'the provider "antropic" has no prices; closest are anthropic'),
        (
            ("show", "whisper-1", "--provider", "openai"),
            "whisper-1 of openai has no price by tokens or requests: it is billed by other units, or not yet",
        ),
    ],
)
def test_what_has_no_price_gives_one_sentence(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], sentence: str
) -> None:
    assert refused(capsys, *arguments).startswith(sentence)


def test_before_its_first_day_a_price_of_ones_own_is_none(capsys: pytest.CaptureFixture[str], own: str) -> None:
    sentence = refused(capsys, "show", "mine", "--at", "2026-01-30", "--config", own)
    assert sentence.startswith("mine of any provider has no price by tokens or requests on 2026-01-30: ")


def test_a_wrong_day_or_configuration_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    sentence = '--at "yesterday": allowed is a day from 1970-01-01 to 2099-12-31, written like 2026-01-31'
    assert refused(capsys, "show", "gpt-4o", "--at", "yesterday", code=2) == sentence
    missing = tmp_path / "missing.yaml"
    assert refused(capsys, "list", "--config", str(missing), code=2).startswith(f"config {missing}: cannot be read")


@pytest.mark.parametrize("argv", [["prices"], ["prices", "show"], ["prices", "list", "gpt-4o"], ["prices", "delete"]])
def test_a_usage_error_exits_with_2(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(argv)
    assert left.value.code == 2
    assert "usage: spanledger" in capsys.readouterr().err
