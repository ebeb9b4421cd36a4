"""Settings are read as written, printed as they could be written, refused in one line; the command line shows them."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date
from decimal import Decimal
from importlib import metadata
from itertools import takewhile
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from collector.cli import ENGINE_PACKAGES, main
from collector.errors import StartError
from collector.settings import Auth, ClickHouse, Decode, Deliver, Endpoint, Journal, Settings, Sql, describe, load
from collector.settings_retention import FOREVER
from collector.settings_values import MIB, format_duration, format_size

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "config" / "spanledger.yaml"
Keys = dict[str, "Keys"]


@pytest.fixture
def write(tmp_path: Path):
    def written(text: str | bytes) -> Path:
        path = tmp_path / "spanledger.yaml"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return written


def refusal(path: Path | None, *overrides: str, **environ: str) -> str:
    with pytest.raises(StartError) as refused:
        load(path, overrides, environ)
    return str(refused.value)


# The defaults, and the files that ship.


def test_without_a_file_the_defaults_hold() -> None:
    loaded = load(None, environ={})
    assert loaded == Settings()
    assert loaded.receive.grpc.endpoint == Endpoint("127.0.0.1", 4317)
    assert loaded.receive.max_request == 67_108_864
    assert loaded.decode == Decode()
    assert (loaded.decode.accept_past_ns, loaded.decode.accept_future_ns) == (30 * 86_400 * 10**9, 600 * 10**9)
    assert loaded.journal == Journal(directory="./data/journal", sync="always", max_size="4GiB")
    assert loaded.deliver == Deliver(batch_rows=32768, batch_size="32MiB", batch_age="200ms", memory="128MiB")
    assert loaded.deliver.batch_age_ns == 200_000_000
    assert loaded.clickhouse.directory == Path("data/clickhouse")
    assert loaded.query.endpoint.port == 4319
    assert loaded.query.sql == Sql(endpoint="", timeout="30s", memory="2GiB", max_rows=1_000_000)
    assert loaded.query.sql.endpoint is None
    assert loaded.auth == Auth(allow_unauthenticated=False)


def test_the_reference_file_has_exactly_the_keys_and_the_defaults() -> None:
    assert load(REFERENCE, environ={}) == Settings()

    def keys(tree: object) -> Keys:
        return {name: keys(child) for name, child in tree.items()} if isinstance(tree, dict) else {}

    assert keys(yaml.safe_load(REFERENCE.read_text())) == keys(Settings().model_dump(by_alias=True))


def test_the_reference_file_explains_every_key_in_the_line_above() -> None:
    lines = REFERENCE.read_text().splitlines()
    holding_a_value = [i for i, line in enumerate(lines) if not line.lstrip().startswith("#") and ": " in line]

    def values(tree: object) -> int:
        return sum(map(values, tree.values())) if isinstance(tree, dict) else 1

    assert len(holding_a_value) == values(Settings().model_dump(by_alias=True))
    assert [lines[i] for i in holding_a_value if not lines[i - 1].lstrip().startswith("# ")] == []


def entries_shown(key: str) -> list[str]:
    """The lines that the reference file shows, as comments, of the entries of an empty list."""
    before = REFERENCE.read_text().split(f"    {key}: []\n")[0].splitlines()
    shown = list(takewhile(lambda line: line.startswith("    #"), reversed(before)))
    return [line.removeprefix("    # ") for line in reversed(shown) if line.startswith("    #   ")]


def test_the_price_that_the_reference_file_shows_is_one(write) -> None:
    lines = entries_shown("overrides")
    loaded = load(write("\n".join(["enrich:", "  prices:", "    overrides:", *(f"      {line}" for line in lines)])))
    (entry,) = loaded.enrich.prices.overrides
    assert set(entry.model_dump(exclude_defaults=True)) == set(type(entry).model_fields), "it shows every key"
    assert entry.valid_from == date(2026, 1, 31)
    assert entry.rates.given() == {
        "input": Decimal("2.5"),
        "output": Decimal(10),
        "cache_read": Decimal("1.25"),
        "per_request": Decimal("0.01"),
    }
    assert load(write(describe(loaded))) == loaded


def test_the_retention_that_the_reference_file_shows_is_one(write) -> None:
    lines = [f"      {line}" for line in entries_shown("projects")]
    loaded = load(write("\n".join(["clickhouse:", "  retention:", "    projects:", *lines])))
    retention = loaded.clickhouse.retention
    assert [retention.days(kind, "shop") for kind in ("spans", "traces", "logs", "metrics")] == [7, 365, 0, 0]
    assert [retention.days(kind, "another") for kind in ("spans", "traces")] == [0, 0]
    assert load(write(describe(loaded))) == loaded


def test_everything_is_kept_unless_a_retention_is_said() -> None:
    retention = Settings().clickhouse.retention
    assert not retention.expires
    assert {retention.days(kind, "any") for kind in ("spans", "traces", "logs", "metrics")} == {FOREVER}


def test_traces_are_kept_as_long_as_spans_unless_longer_and_a_project_as_all_unless_it_differs(write) -> None:
    text = "clickhouse: {retention: {spans: 30d, logs: 3d, projects: [{project: a, spans: 7d}, {project: b, traces: 90d}]}}"
    retention = load(write(text)).clickhouse.retention
    assert retention.expires
    assert [retention.days("spans", project) for project in "abc"] == [7, 30, 30]
    assert [retention.days("traces", project) for project in "abc"] == [7, 90, 30]
    assert [retention.days("logs", project) for project in "abc"] == [3, 3, 3]
    assert [retention.shortest(kind) for kind in ("spans", "traces", "logs", "metrics")] == [7, 7, 3, FOREVER]


@pytest.mark.parametrize("nothing", ["", "{}", "{prices: }", "{prices: {overrides: }}", "{prices: {overrides: []}}"])
def test_no_prices_of_ones_own_can_be_said_in_any_way(write, nothing: str) -> None:
    assert load(write(f"enrich: {nothing}")) == Settings()


def test_an_environment_variable_may_stand_in_a_list(write) -> None:
    path = write(
        "enrich: {prices: {overrides: [{model: '${env:NAME}', aliases: ['${env:NAME}-2'], rates: {input: 1}}]}}"
    )
    (entry,) = load(path, environ={"NAME": "mine"}).enrich.prices.overrides
    assert (entry.model, entry.aliases) == ("mine", ("mine-2",))


def test_a_list_cannot_be_given_on_the_command_line() -> None:
    line = '--set: enrich.prices.overrides is "[]": allowed is a list, with each entry on a line that begins with -'
    assert refusal(None, "enrich.prices.overrides=[]") == line


def test_the_container_file_listens_on_all_interfaces_and_keeps_its_data_on_the_volume() -> None:
    loaded = load(ROOT / "config" / "docker.yaml", environ={})
    assert str(loaded.receive.grpc.endpoint) == "0.0.0.0:4317"
    assert str(loaded.query.endpoint) == "0.0.0.0:4319"
    assert loaded.auth.allow_unauthenticated
    assert loaded.journal.directory == Path("/var/lib/spanledger/journal")
    assert loaded.clickhouse.directory == Path("/var/lib/spanledger/clickhouse")


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "null\n", "\ufeffjournal:\n  # sync: off\n"])
def test_a_file_or_section_without_keys_means_the_defaults(write, text: str) -> None:
    assert load(write(text), environ={}) == Settings()


# Values.


@pytest.mark.parametrize(
    ("text", "size"),
    [("4096", 4096), ("64MiB", 64 * MIB), ("10MB", 10**7), ("1.5MiB", 3 * MIB // 2), ("2 kB", 2000), ("2048B", 2048)],
)
def test_a_size_is_read_in_bytes(text: str, size: int) -> None:
    assert load(None, [f"receive.max_request={text}"], {}).receive.max_request == size


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [("200ms", 2 * 10**8), ("5s", 5 * 10**9), ("0.5s", 5 * 10**8), ("10m", 600 * 10**9), ("1500us", 1_500_000)],
)
def test_a_duration_is_read_in_nanoseconds(text: str, nanoseconds: int) -> None:
    assert load(None, [f"deliver.batch_age={text}"], {}).deliver.batch_age_ns == nanoseconds


@pytest.mark.parametrize(
    "text", ["-1", "+5MiB", "1e6", "4_096", "64mib", "MiB", "\u0664\u0660\u0669\u0666", "9" * 5000, "1.0000001KiB"]
)
def test_a_size_written_otherwise_is_refused(text: str) -> None:
    assert "allowed is a size from 1KiB to 512MiB" in refusal(None, f"receive.max_request={text}")


@given(st.integers(min_value=2 * 64 * MIB, max_value=64 * 1024**4), st.integers(min_value=10**6, max_value=600 * 10**9))
@example(2**40, 6 * 10**10)
def test_a_size_and_a_duration_are_read_back_as_formatted(size: int, nanoseconds: int) -> None:
    overrides = [f"journal.max_size={format_size(size)}", f"deliver.batch_age={format_duration(nanoseconds)}"]
    loaded = load(None, overrides, {})
    assert (loaded.journal.max_size, loaded.deliver.batch_age_ns) == (size, nanoseconds)


@pytest.mark.parametrize("sync", ["always", "interval", "off"])
def test_off_is_a_word_and_not_a_boolean(write, sync: str) -> None:
    assert load(write(f"journal: {{sync: {sync}}}"), environ={}).journal.sync == sync
    assert load(None, [f"journal.sync={sync}"], {}).journal.sync == sync


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [("[::1]:4317", "::1", 4317), ("localhost:0", "localhost", 0), ("127.1.2.3:65535", "127.1.2.3", 65535)],
)
def test_an_endpoint_is_host_and_port_and_prints_as_written(text: str, host: str, port: int) -> None:
    endpoint = load(None, [f"query.endpoint={text}", "receive.grpc.endpoint=127.0.0.1:0"], {}).query.endpoint
    assert (endpoint.host, endpoint.port, str(endpoint), endpoint.is_loopback) == (host, port, text, True)


@pytest.mark.parametrize("text", ["0.0.0.0:1", "[::]:1", "10.0.0.1:1", "collector_1.example:1", "[fe80::1%eth0]:1"])
def test_an_endpoint_beyond_loopback_needs_the_word_of_the_operator(text: str) -> None:
    refused = refusal(None, f"query.endpoint={text}")
    assert refused.startswith(f'--set: query.endpoint is "{text}": other machines could reach it')
    allowed = load(None, [f"query.endpoint={text}", "auth.allow_unauthenticated=true"], {})
    assert str(allowed.query.endpoint) == text


@pytest.mark.parametrize(
    "text", ["127.1:1", "0:1", "[127.0.0.1]:1", "a..b:1", "a b:1", "[fe80::1%\x1b]:1", "h:\u0661", "h:-1"]
)
def test_an_endpoint_that_resolvers_could_read_otherwise_is_refused(text: str) -> None:
    assert "allowed is HOST:PORT" in refusal(None, f"query.endpoint={text}")


def test_two_servers_may_both_let_the_system_pick_a_port() -> None:
    loaded = load(None, ["receive.grpc.endpoint=127.0.0.1:0", "query.endpoint=127.0.0.1:0"], {})
    assert loaded.receive.grpc.endpoint == loaded.query.endpoint


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().journal.sync = "off"


# The environment and --set.


def test_a_variable_is_read_as_the_type_of_its_key(write) -> None:
    path = write("deliver: {batch_rows: '${env:ROWS}'}\nauth: {allow_unauthenticated: '${env:OPEN:-TRUE}'}")
    loaded = load(path, environ={"ROWS": "100"})
    assert loaded.deliver.batch_rows == 100
    assert loaded.auth.allow_unauthenticated is True


def test_variables_are_replaced_inside_a_text_and_once(write) -> None:
    path = write("journal:\n  directory: ${env:BASE}/${env:NAME:-journal}\n")
    assert load(path, environ={"BASE": "/srv", "NAME": ""}).journal.directory == Path("/srv/journal")
    assert load(path, environ={"BASE": "${env:NAME}", "NAME": "x"}).journal.directory == Path("${env:NAME}/x")


def test_a_variable_that_holds_a_wrong_value_is_refused_under_its_key(write) -> None:
    path = write("journal: {sync: '${env:SYNC}'}")
    assert refusal(path, SYNC="") == f'config {path}: journal.sync is "": allowed are always, interval, off'


def test_an_override_wins_over_the_file_and_the_last_one_over_the_others(write) -> None:
    path = write("journal: {sync: '${env:UNSET}', max_size: 1GiB}")
    loaded = load(path, ["journal.sync=interval", "journal.sync='off'"], {})
    assert (loaded.journal.sync, loaded.journal.max_size) == ("off", 1024**3)


def test_a_refused_override_is_named_as_such(write) -> None:
    path = write("journal: {max_size: 1GiB}")
    assert refusal(path, "journal.sync=") == "--set: journal.sync is empty: allowed are always, interval, off"
    assert refusal(path, "journal.max_size=0").startswith('--set: journal.max_size is "0": allowed is a size')
    assert refusal(path, "query.endpoint=127.0.0.1:4317").startswith("--set: query.endpoint is ")
    assert refusal(path, "receive.max_request=512MiB", "deliver.memory=1GiB", "journal.max_size=1000MiB") == (
        '--set: journal.max_size is "1000MiB": allowed is at least 1GiB, twice receive.max_request'
    )


@pytest.mark.parametrize("override", ["journal.sync", "=off", "journal..sync=off", ".sync=off", "a." * 5000 + "b=1"])
def test_an_override_of_another_form_is_refused(override: str) -> None:
    refused = refusal(None, override)
    assert refused.endswith("allowed is KEY=VALUE, such as journal.max_size=1GiB")
    assert len(refused) < 300


def test_an_override_below_a_value_of_the_file_is_refused(write) -> None:
    refused = refusal(write("journal: {sync: off}"), "journal.sync.mode=off")
    assert refused == "--set journal.sync.mode: journal.sync holds a value, not keys: correct one of them"


def test_an_override_cannot_bring_in_a_tag_an_anchor_or_a_mapping() -> None:
    for text in ("!!python/name:os.system", "&a always", "{always: 1}", "[always]"):
        assert refusal(None, f"journal.sync={text}") == (
            f'--set: journal.sync is "{text}": allowed are always, interval, off'
        )


# What cannot be read.


def test_a_file_that_cannot_be_read_is_named_with_the_reason(tmp_path: Path) -> None:
    missing = tmp_path / "none.yaml"
    reason = "cannot be read (No such file or directory): give the path of a readable file"
    assert refusal(missing) == f"config {missing}: {reason}"
    assert refusal(tmp_path).startswith(f"config {tmp_path}: cannot be read (Is a directory)")


def test_a_file_too_large_to_be_a_configuration_is_not_read(write) -> None:
    assert "larger than 1MiB" in refusal(write("#" * (1024 * 1024 + 1)))
    assert load(write("#" * 1024 * 1024), environ={}) == Settings()


def settings_or_line(path: Path, overrides: list[str]) -> Settings | str:
    try:
        return load(path, overrides, {})
    except StartError as refused:
        return str(refused)


YAML_LIKE = st.text(alphabet=st.sampled_from("journalsync:{}[]-\n \t\"'&*!|>#%?,$\\Ux0~@`\x00\ud800é"), max_size=60)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(YAML_LIKE.map(lambda text: text.encode("utf-8", "surrogatepass")), st.binary(max_size=60)), YAML_LIKE)
@example(b"%YAML 1." + b"1" * 5000 + b"\n---\na: b", "a=\ud800")
@example(b'"\\UFFFFFFFF": a', "\ud800=a")
@example(b"journal: {}", 'journal.directory="\\UFFFFFFFF"')
def test_whatever_a_file_and_an_override_hold_gives_settings_or_one_line(write, content: bytes, override: str) -> None:
    overrides = [override] if "=" in override else [f"journal.directory={override}"]
    outcome = settings_or_line(write(content), overrides)
    if isinstance(outcome, str):
        assert outcome.isprintable()
        assert "pydantic" not in outcome
    else:
        assert load(write(describe(outcome)), environ={}) == outcome


# Printing.


def test_what_describe_prints_can_be_loaded_again(write) -> None:
    overrides = ["journal.sync=off", "journal.directory=./donnée s", "decode.accept_past=36h", "query.endpoint=[::1]:0"]
    loaded = load(None, [*overrides, "deliver.memory=10MB"], {})
    assert load(write(describe(loaded)), environ={}) == loaded


def test_a_password_is_masked_wherever_settings_are_printed() -> None:
    url = "https://writer:hun:t@er2@store.example:8443/db?secure=1&access_token=hunter2&ssl_key=hunter2#x"
    masked = "https://writer:***@store.example:8443/db?secure=1&access_token=***&ssl_key=***#x"
    loaded = Settings().model_copy(update={"clickhouse": ClickHouse.model_construct(url=url)})
    for printed in (describe(loaded), repr(loaded), str(loaded), loaded.model_dump_json()):
        assert masked in printed
        assert "er2" not in printed
    assert loaded.clickhouse.url == url


# The command line.


def test_check_says_valid_and_prints_what_is_in_force(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--config", str(REFERENCE), "--set", "journal.sync=off", "--set", "decode.max_links=7"]) == 0
    first, rest = capsys.readouterr().out.split("\n", 1)
    assert first == "configuration is valid"
    assert (yaml.safe_load(rest)["journal"]["sync"], yaml.safe_load(rest)["decode"]["max_links"]) == ("off", 7)


def test_version_names_what_matters_in_a_report(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = {"grpcio": "1.85.1", "chdb-core-lite": "26.5"}

    def version(distribution: str) -> str:
        if distribution not in installed:
            raise metadata.PackageNotFoundError(distribution)
        return installed[distribution]

    monkeypatch.setattr(metadata, "version", version)
    assert main(["version"]) == 0
    lines = ["spanledger 0+unknown", "grpcio 1.85.1", "chdb-core-lite 26.5", "genai-prices 0+unknown"]
    assert capsys.readouterr().out.splitlines() == lines
    del installed["chdb-core-lite"]
    assert main(["version"]) == 0
    assert not any(engine in capsys.readouterr().out for engine in ENGINE_PACKAGES)


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = ModuleType("collector.app")
    monkeypatch.setitem(sys.modules, "collector.app", module)
    return module


def test_serve_gets_the_settings_and_its_exit_code_is_returned(app: ModuleType) -> None:
    served = []
    app.serve = lambda loaded: served.append(loaded) or 7
    assert main(["serve", "--set", "deliver.batch_rows=5"]) == 7
    assert served == [Settings(deliver=Deliver(batch_rows=5))]


def test_a_refusal_to_start_is_one_sentence_and_exit_code_2(
    app: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    def serve(_: Settings) -> int:
        raise StartError("the journal ./data/journal is in use by another process: stop it")

    app.serve = serve
    assert main(["serve"]) == 2
    line = "spanledger: the journal ./data/journal is in use by another process: stop it\n"
    assert capsys.readouterr() == ("", line)


def test_an_interrupt_from_the_keyboard_is_quiet(app: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    def serve(_: Settings) -> int:
        raise KeyboardInterrupt

    app.serve = serve
    assert main(["serve"]) == 130
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("argv", [[], ["start"], ["check", "--conf", "x"], ["serve", "extra"], ["check", "--set"]])
def test_a_usage_error_exits_with_2(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(argv)
    assert left.value.code == 2
    assert "usage: spanledger" in capsys.readouterr().err


def test_the_module_runs_as_a_program_and_hands_on_its_exit_code() -> None:
    command = [sys.executable, "-m", "collector.cli", "check", "--set", "journal.sync=${env:SYNC}"]
    environ = {**os.environ, "SYNC": "sometimes"}
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == 'spanledger: --set: journal.sync is "sometimes": allowed are always, interval, off\n'
