"""Every way to get the configuration wrong has a file in tests/data/bad_config, and gives exactly one known line."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.cli import main
from collector.errors import StartError
from collector.settings import Settings, load

FOLDER = Path(__file__).parents[1] / "data" / "bad_config"
FILES = sorted(path.stem for path in FOLDER.iterdir())

# The line that each file gives, after "config FILE: ".
LINES = {
    "accept_future_too_long": (
        'decode.accept_future is "31d": allowed is a duration from 0ns to 30d, written like 200ms, 10m or 30d'
    ),
    "accept_past_zero": (
        'decode.accept_past is "0s": allowed is a duration from 1s to 3650d, written like 200ms, 10m or 30d'
    ),
    "alias": "line 3: anchors and aliases (& and *) are not allowed: write the value out",
    "alias_bomb": "line 1: anchors and aliases (& and *) are not allowed: write the value out",
    "allow_unauthenticated_not_a_boolean": 'auth.allow_unauthenticated is "yes": allowed are true, false',
    "anchor": "line 1: anchors and aliases (& and *) are not allowed: write the value out",
    "attributes_not_a_list": (
        'query.attributes.galtea.inference_result is "my.result": allowed is a list, with each entry on '
        "a line that begins with -"
    ),
    "batch_age_without_unit": (
        'deliver.batch_age is "200": allowed is a duration from 1ms to 10m, written like 200ms, 10m or 30d'
    ),
    "batch_interval_without_unit": (
        'deliver.batch_interval is "1": allowed is a duration from 0ns to 10m, written like 200ms, 10m or 30d'
    ),
    "batch_rows_not_whole": 'deliver.batch_rows is "1.5": allowed is a whole number from 1 to 1000000',
    "batch_rows_zero": 'deliver.batch_rows is "0": allowed is a whole number from 1 to 1000000',
    "batch_size_too_large": (
        'deliver.batch_size is "3GiB": allowed is a size from 1MiB to 2GiB, written like 4096, 10MB or 64MiB'
    ),
    "clickhouse_ca_in_home": (
        'clickhouse.tls.ca_certificate is "~/ca.pem": allowed is a path, such as /etc/ssl/ca.pem; for the '
        "home directory write ${env:HOME}"
    ),
    "clickhouse_certificate_in_home": (
        'clickhouse.tls.certificate is "~/client.pem": allowed is a path, such as /etc/ssl/ca.pem; for the '
        "home directory write ${env:HOME}"
    ),
    "clickhouse_cluster_not_a_name": (
        'clickhouse.cluster is "a b": allowed is the name of a cluster as system.clusters has it: letters, '
        "digits, _, . and -"
    ),
    "clickhouse_cluster_of_the_embedded_engine": (
        "clickhouse.cluster is set: allowed only with http(s)://... as clickhouse.url"
    ),
    "clickhouse_compression_unknown": ('clickhouse.compression is "snappy": allowed are none, lz4, zstd'),
    "clickhouse_host_without_port_number": (
        'clickhouse.url is "http://clickhouse.example:http/spanledger": allowed is chdb:PATH, such as '
        "chdb:./data/clickhouse, or http(s)://USER:PASSWORD@HOST:PORT[,HOST:PORT]/DATABASE, with @ and / in "
        "the password written as %40 and %2F"
    ),
    "clickhouse_in_memory": (
        'clickhouse.url is "chdb::memory:": allowed is chdb:PATH, such as chdb:./data/clickhouse, or '
        "http(s)://USER:PASSWORD@HOST:PORT[,HOST:PORT]/DATABASE, with @ and / in the password written as %40 "
        "and %2F"
    ),
    "clickhouse_key_is_a_list": (
        "clickhouse.tls.key is a list: allowed is a path, such as /etc/ssl/ca.pem; for the home directory "
        "write ${env:HOME}"
    ),
    "clickhouse_native_protocol": (
        'clickhouse.url is "clickhouse://writer:***@clickhouse.example:9000/spanledger": ClickHouse is '
        "reached over HTTP here: allowed is chdb:PATH, such as chdb:./data/clickhouse, or "
        "http(s)://USER:PASSWORD@HOST:PORT[,HOST:PORT]/DATABASE, with @ and / in the password written as %40 "
        "and %2F"
    ),
    "clickhouse_parameters": (
        'clickhouse.url is "chdb:./data?password=***": allowed is chdb:PATH, such as chdb:./data/clickhouse, '
        "or http(s)://USER:PASSWORD@HOST:PORT[,HOST:PORT]/DATABASE, with @ and / in the password written as "
        "%40 and %2F"
    ),
    "clickhouse_path_without_scheme": (
        'clickhouse.url is "./data/clickhouse": allowed is chdb:PATH, such as chdb:./data/clickhouse, or '
        "http(s)://USER:PASSWORD@HOST:PORT[,HOST:PORT]/DATABASE, with @ and / in the password written as %40 "
        "and %2F"
    ),
    "clickhouse_replicated_without_cluster": ('clickhouse.replicated is "true": allowed only with clickhouse.cluster'),
    "clickhouse_skip_not_a_boolean": ('clickhouse.skip_unavailable_shards is "1": allowed are true, false'),
    "clickhouse_timeout_without_unit": (
        'clickhouse.timeout is "60": allowed is a duration from 1s to 10m, written like 200ms, 10m or 30d'
    ),
    "clickhouse_verify_not_a_boolean": ('clickhouse.tls.verify is "maybe": allowed are true, false'),
    "control_character": "not YAML, character 26 is a control character: remove it",
    "directory_empty": (
        'journal.directory is "": allowed is a path, such as ./data/journal; for the home directory write ${env:HOME}'
    ),
    "directory_in_home": (
        'journal.directory is "~/spanledger": allowed is a path, such as ./data/journal; for the home '
        "directory write ${env:HOME}"
    ),
    "directory_of_the_store": (
        'journal.directory is "data/clickhouse": allowed is a directory other than that of clickhouse.url'
    ),
    "directory_with_line_break": (
        'journal.directory is "./data\\njournal": allowed is a path, such as ./data/journal; for the home '
        "directory write ${env:HOME}"
    ),
    "endpoint_beyond_loopback": (
        'receive.grpc.endpoint is "0.0.0.0:4317": other machines could reach it without authentication: '
        "listen on 127.0.0.1, configure auth.keys, or set auth.allow_unauthenticated to true"
    ),
    "endpoint_host_name_beyond_loopback": (
        'query.endpoint is "collector.example:4319": other machines could reach it without authentication: '
        "listen on 127.0.0.1, configure auth.keys, or set auth.allow_unauthenticated to true"
    ),
    "endpoint_ipv6_without_brackets": (
        'receive.grpc.endpoint is "::1:4317": allowed is HOST:PORT, such as 127.0.0.1:4317 or [::1]:4317, '
        "with a port from 0 to 65535"
    ),
    "endpoint_ipv6_without_quotes": (
        "line 2: not YAML, expected the node content, but found ':': correct it or quote the value"
    ),
    "endpoint_not_an_address": (
        'query.endpoint is "127.0.0.256:4319": allowed is HOST:PORT, such as 127.0.0.1:4317 or [::1]:4317, '
        "with a port from 0 to 65535"
    ),
    "endpoint_port_too_large": (
        'receive.grpc.endpoint is "127.0.0.1:65536": allowed is HOST:PORT, such as 127.0.0.1:4317 or '
        "[::1]:4317, with a port from 0 to 65535"
    ),
    "endpoint_without_host": (
        'query.endpoint is ":4319": allowed is HOST:PORT, such as 127.0.0.1:4317 or [::1]:4317, with a port '
        "from 0 to 65535"
    ),
    "endpoint_without_port": (
        'receive.grpc.endpoint is "localhost": allowed is HOST:PORT, such as 127.0.0.1:4317 or [::1]:4317, '
        "with a port from 0 to 65535"
    ),
    "endpoints_on_the_same_port": (
        'query.endpoint is "127.0.0.1:4317": allowed is a port other than that of receive.grpc.endpoint'
    ),
    "environment_reference_malformed": (
        'journal.directory is "${HOME}/journal": allowed are ${env:NAME} and ${env:NAME:-default}'
    ),
    "environment_variable_unset": (
        "journal.sync needs the environment variable SPANLEDGER_SYNC, which is not set: set it, or write "
        "${env:SPANLEDGER_SYNC:-default}"
    ),
    "escape_out_of_range": "not YAML, an escape or a directive holds a number out of range: correct it",
    "key_entry_is_a_key": 'auth.keys[0] is "spanledger_***": allowed is a mapping of name, project, scopes, hash',
    "key_entry_misspelt": "auth.keys[0].secret is not a key: allowed in auth.keys[0]: name, project, scopes, hash",
    "key_hash_empty": "auth.keys[0].hash is empty: allowed is the hash of a key, sha256:HEX",
    "key_hash_is_a_key": (
        "auth.keys[0].hash is not the hash of a key: allowed is sha256: and 64 hex digits, as "
        "`spanledger keys new` prints it"
    ),
    "key_hash_too_short": (
        "auth.keys[0].hash is not the hash of a key: allowed is sha256: and 64 hex digits, as "
        "`spanledger keys new` prints it"
    ),
    "key_hash_twice": "auth.keys[1].hash is that of keys[0]: give each key its own",
    "key_in_wrong_section": "receive.endpoint is not a key: allowed in receive: grpc, max_request, max_in_flight, memory_limit",
    "key_misspelt": "journal.dir is not a key: allowed in journal: directory, sync, max_size, max_dead",
    "key_name_twice": "auth.keys[1].name is that of keys[0]: give each key its own",
    "key_not_a_word": "line 2: a key is empty or not a word: write it as KEY: VALUE",
    "key_project_empty": 'auth.keys[0].project is " ": allowed is a name of up to 128 characters',
    "key_project_with_line_break": 'auth.keys[0].project is "shop\\nfront": allowed is a name of up to 128 characters',
    "key_scope_unknown": 'auth.keys[0].scopes[1] is "admin": allowed are read, write, delete',
    "key_scopes_empty": "auth.keys[0].scopes is empty: allowed is at least one of read, write, delete",
    "key_scopes_not_a_list": (
        'auth.keys[0].scopes is "read": allowed is a list, with each entry on a line that begins with -'
    ),
    "key_twice": "line 4: journal.sync is given twice: keep one",
    "key_with_a_secret_unknown": (
        "clickhouse.password is not a key: allowed in clickhouse: url, cluster, replicated, skip_unavailable_shards, "
        "timeout, compression, tls, remove_deleted_after, retention"
    ),
    "key_without_project": "auth.keys[0].project is missing: auth.keys[0] needs it",
    "keys_not_a_list": 'auth.keys is "spanledger_***": allowed is a list, with each entry on a line that begins with -',
    "max_attributes_negative": 'decode.max_attributes is "-1": allowed is a whole number from 1 to 1000000',
    "max_dead_too_small": (
        'journal.max_dead is "100": allowed is a size from 1KiB to 64TiB, written like 4096, 10MB or 64MiB'
    ),
    "max_events_too_many": 'decode.max_events is "1000001": allowed is a whole number from 1 to 1000000',
    "max_links_not_a_number": 'decode.max_links is "all": allowed is a whole number from 1 to 1000000',
    "max_in_flight_too_small": (
        'receive.max_in_flight is "64KiB": allowed is a size from 1MiB to 1TiB, written like 4096, 10MB or 64MiB'
    ),
    "max_request_too_large": (
        'receive.max_request is "1GiB": allowed is a size from 1KiB to 512MiB, written like 4096, 10MB or 64MiB'
    ),
    "max_request_zero": (
        'receive.max_request is "0": allowed is a size from 1KiB to 512MiB, written like 4096, 10MB or 64MiB'
    ),
    "max_size_below_two_requests": (
        'journal.max_size is "100MiB": allowed is at least 128MiB, twice receive.max_request'
    ),
    "max_size_unit_unknown": (
        'journal.max_size is "4 gigabytes": allowed is a size from 2KiB to 64TiB, written like 4096, 10MB or 64MiB'
    ),
    "max_value_length_below_names_of_projects": (
        'decode.max_value_length is "255B": allowed is at least 256B beside auth.project_attribute'
    ),
    "max_value_length_empty": (
        "decode.max_value_length is empty: allowed is a size from 1B to 512MiB, written like 4096, 10MB or 64MiB"
    ),
    "memory_limit_too_small": (
        'receive.memory_limit is "100MiB": allowed is auto, or a size from 256MiB to 1TiB, written like 512MiB'
    ),
    "memory_not_whole_bytes": (
        'deliver.memory is "256.3MiB": allowed is a size from 1MiB to 1TiB, written like 4096, 10MB or 64MiB'
    ),
    "nested_too_deep": "line 1: nested deeper than any key: correct it",
    "not_utf8": "not UTF-8 at byte 28: save it as UTF-8",
    "not_yaml": "line 3: not YAML, mapping values are not allowed here: correct it or quote the value",
    "override_alias_empty": 'enrich.prices.overrides[0].aliases[1] is "": allowed is a name of up to 256 characters',
    "override_aliases_not_a_list": (
        'enrich.prices.overrides[0].aliases is "my-deployment": allowed is a list, with each entry on '
        "a line that begins with -"
    ),
    "override_key_misspelt": (
        "enrich.prices.overrides[0].rate is not a key: allowed in enrich.prices.overrides[0]: model, "
        "aliases, provider, valid_from, service_tier, rates, tiers"
    ),
    "override_model_empty": 'enrich.prices.overrides[0].model is "": allowed is a name of up to 256 characters',
    "override_not_a_mapping": (
        'enrich.prices.overrides[0] is "gpt-4o": allowed is a mapping of model, aliases, provider, '
        "valid_from, service_tier, rates, tiers"
    ),
    "override_provider_with_line_break": (
        'enrich.prices.overrides[0].provider is "open\\nai": allowed is a name of up to 256 characters'
    ),
    "override_rate_negative": (
        'enrich.prices.overrides[0].rates.input is "-1": allowed is an amount in USD from 0 to 100000 '
        "with at most 18 decimal places, written like 2.5 or 0.075"
    ),
    "override_rate_not_a_number": (
        'enrich.prices.overrides[0].rates.input is "free": allowed is an amount in USD from 0 to '
        "100000 with at most 18 decimal places, written like 2.5 or 0.075"
    ),
    "override_rate_too_fine": (
        'enrich.prices.overrides[0].rates.input is "0.0000000000000000001": allowed is an amount in '
        "USD from 0 to 100000 with at most 18 decimal places, written like 2.5 or 0.075"
    ),
    "override_rate_too_large": (
        'enrich.prices.overrides[0].rates.input is "100001": allowed is an amount in USD from 0 to '
        "100000 with at most 18 decimal places, written like 2.5 or 0.075"
    ),
    "override_rate_unknown": (
        "enrich.prices.overrides[0].rates.cached is not a key: allowed in "
        "enrich.prices.overrides[0].rates: input, output, cache_read, cache_write, cache_write_1h, "
        "reasoning, input_audio, output_audio, cache_read_audio, input_image, output_image, "
        "per_request"
    ),
    "override_rate_without_its_whole": (
        "enrich.prices.overrides[0].rates.input is missing: rates.cache_read is the rate of a part of it"
    ),
    "override_service_tier_unknown": (
        'enrich.prices.overrides[0].service_tier is "bulk": allowed are batch, flex, priority, fast'
    ),
    "override_tier_not_above_the_last": (
        'enrich.prices.overrides[0].tiers[1].input_tokens_above is "100000": allowed is a number '
        "larger than that of the tier before"
    ),
    "override_tier_without_base_rate": (
        "enrich.prices.overrides[0].rates.output is missing: tiers[0].rates.output is the rate above it"
    ),
    "override_tier_without_rates": (
        "enrich.prices.overrides[0].tiers[0].rates is empty: allowed is at least one rate that changes"
    ),
    "override_tier_without_start": (
        "enrich.prices.overrides[0].tiers[0].input_tokens_above is missing: "
        "enrich.prices.overrides[0].tiers[0] needs it"
    ),
    "override_twice": (
        'enrich.prices.overrides[1] names "gpt-4o", which is priced by overrides[0] already: give '
        "another valid_from or service_tier"
    ),
    "override_valid_from_not_a_day": (
        'enrich.prices.overrides[0].valid_from is "2026-02-30": allowed is a day from 1970-01-01 to '
        "2099-12-31, written like 2026-01-31"
    ),
    "override_variable_unset": (
        "enrich.prices.overrides[0].rates.input needs the environment variable SPANLEDGER_RATE, which "
        "is not set: set it, or write ${env:SPANLEDGER_RATE:-default}"
    ),
    "override_without_model": "enrich.prices.overrides[0].model is missing: enrich.prices.overrides[0] needs it",
    "override_without_rates": (
        "enrich.prices.overrides[0].rates is empty: allowed is at least one of input, output, "
        "cache_read, cache_write, cache_write_1h, reasoning, input_audio, output_audio, "
        "cache_read_audio, input_image, output_image, per_request"
    ),
    "overrides_not_a_list": (
        "enrich.prices.overrides is a mapping: allowed is a list, with each entry on a line that begins with -"
    ),
    "prices_key_misspelt": "enrich.prices.override is not a key: allowed in enrich.prices: overrides",
    "project_attribute_beside_keys": (
        'auth.project_attribute is "tenant.id" beside auth.keys, which name the project: leave out one'
    ),
    "project_attribute_not_a_name": "auth.project_attribute is a list: allowed is a name of up to 256 characters",
    "python_tag": "line 2: the tag !!python/object/apply:os.system is not allowed: write the value without a tag",
    "remove_deleted_after_too_long": (
        'clickhouse.remove_deleted_after is "2d": allowed is a duration from 1s to 1d, written like 200ms, 10m or 30d'
    ),
    "retention_logs_too_long": (
        'clickhouse.retention.logs is "3651d": allowed is a number of whole days from 1d to 3650d, or forever'
    ),
    "retention_metrics_without_unit": (
        'clickhouse.retention.metrics is "30": allowed is a number of whole days from 1d to 3650d, or forever'
    ),
    "retention_project_key_misspelt": (
        "clickhouse.retention.projects[0].span is not a key: allowed in clickhouse.retention.projects[0]: project, "
        "spans, traces, logs, metrics"
    ),
    "retention_project_outlives_its_traces": (
        'clickhouse.retention.projects[0].traces is "90d": allowed is no less than for spans, 180d'
    ),
    "retention_project_spans_zero": (
        'clickhouse.retention.projects[0].spans is "0d": allowed is a number of whole days from 1d to 3650d, or forever'
    ),
    "retention_project_twice": (
        'clickhouse.retention.projects[1].project is "shop", as that of projects[0]: join them'
    ),
    "retention_project_without_name": (
        "clickhouse.retention.projects[0].project is missing: clickhouse.retention.projects[0] needs it"
    ),
    "retention_projects_not_a_list": (
        'clickhouse.retention.projects is "shop": allowed is a list, with each entry on a line that begins with -'
    ),
    "retention_spans_not_whole_days": (
        'clickhouse.retention.spans is "36h": allowed is a number of whole days from 1d to 3650d, or forever'
    ),
    "retention_traces_of_spans_forever": (
        'clickhouse.retention.traces is "90d": allowed is no less than for spans, forever'
    ),
    "retention_traces_shorter_than_spans": (
        'clickhouse.retention.traces is "7d": allowed is no less than for spans, 30d'
    ),
    "second_document": "line 3: a second document starts here: allowed is one",
    "section_is_a_list": "journal is a list: allowed is a mapping of directory, sync, max_size, max_dead",
    "section_is_a_value": 'receive.grpc is "127.0.0.1:4317": allowed is a mapping of endpoint',
    "section_misspelt": "jurnal is not a key: allowed: receive, decode, journal, enrich, deliver, clickhouse, query, auth",
    "section_twice": "line 3: journal is given twice: keep one",
    "several_errors": 'journal.sync is "sometimes": allowed are always, interval, off; and 2 more',
    "sql_endpoint_beyond_loopback": (
        'query.sql.endpoint is "0.0.0.0:8123": other machines could reach it without authentication: '
        "listen on 127.0.0.1, configure auth.keys, or set auth.allow_unauthenticated to true"
    ),
    "sql_endpoint_on_the_same_port": (
        'query.sql.endpoint is "127.0.0.1:4319": allowed is a port other than that of query.endpoint'
    ),
    "sql_max_rows_zero": 'query.sql.max_rows is "0": allowed is a whole number from 1 to 1000000000',
    "sql_memory_too_small": (
        'query.sql.memory is "1MiB": allowed is a size from 64MiB to 1TiB, written like 4096, 10MB or 64MiB'
    ),
    "sql_timeout_without_unit": (
        'query.sql.timeout is "30": allowed is a duration from 1s to 1h, written like 200ms, 10m or 30d'
    ),
    "sync_is_a_list": "journal.sync is a list: allowed are always, interval, off",
    "sync_is_a_mapping": "journal.sync is a mapping: allowed are always, interval, off",
    "sync_unknown": 'journal.sync is "sometimes": allowed are always, interval, off',
    "tag": "line 2: the tag !!int is not allowed: write the value without a tag",
    "top_level_is_a_list": "the top level is a list: allowed is a mapping of sections, such as journal: {sync: always}",
    "top_level_is_text": (
        'the top level is "journal.sync=always": allowed is a mapping of sections, such as journal: {sync: always}'
    ),
}


def keys_of(tree: dict[str, object], prefix: str = "") -> set[str]:
    keys = set()
    for name, child in tree.items():
        keys |= keys_of(child, f"{prefix}{name}.") if isinstance(child, dict) else {prefix + name}
    return keys


@pytest.fixture(autouse=True)
def without_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPANLEDGER_SYNC", raising=False)
    monkeypatch.delenv("SPANLEDGER_RATE", raising=False)


@pytest.mark.parametrize("name", FILES)
def test_a_bad_file_gives_its_line(name: str) -> None:
    path = FOLDER / f"{name}.yaml"
    with pytest.raises(StartError) as refusal:
        load(path)
    assert str(refusal.value) == f"config {path}: {LINES[name]}"


@pytest.mark.parametrize("name", FILES)
def test_check_prints_that_line_alone_and_exits_with_2(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = FOLDER / f"{name}.yaml"
    assert main(["check", "--config", str(path)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == f"spanledger: config {path}: {LINES[name]}\n"


def test_every_file_has_a_line_and_every_line_a_file() -> None:
    assert set(FILES) == set(LINES)


def test_every_key_has_a_bad_file_that_names_it() -> None:
    named = {line.split(" ")[0] for line in LINES.values()}
    keys = keys_of(Settings().model_dump(by_alias=True))
    attributes = {key for key in keys if key.startswith("query.attributes.")}
    assert keys - attributes <= named
    assert attributes & named, "they are lists of names, all read alike: one file stands for them"


def test_no_line_gives_a_secret_away_or_speaks_of_pydantic() -> None:
    for line in LINES.values():
        assert "hunter2" not in line
        assert not any(word in line.lower() for word in ("pydantic", "validation error", "errors.", "input should"))
