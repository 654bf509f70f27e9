# Everything runs in a virtual environment of its own, made on first use.
PYTHON ?= python3
VENV ?= .venv
PORT ?= 8000
SEEDS ?= 10000
FIRST ?= 0
RUN = $(VENV)/bin/python

.PHONY: help sandbox sandbox-reset test simulate bench test-stripe lint security docs migrations clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

sandbox: ## Serve the demo shop on 127.0.0.1 (PORT=8000)
	@$(PYTHON) scripts/venv.py $(VENV) sandbox
	@PORT=$(PORT) $(RUN) scripts/sandbox.py

sandbox-reset: ## Forget all that was done in the demo shop; the next start makes it anew
	@$(PYTHON) scripts/sandbox.py --reset

test: ## Run the whole suite on SQLite and on PostgreSQL (PYTEST="..." sets pytest's options)
	@$(PYTHON) scripts/venv.py $(VENV) test,docs
	@$(RUN) scripts/services.py -- $(RUN) scripts/suite.py

simulate: ## Let worlds live in which everything goes wrong (SEEDS=10000, FIRST=0)
	@$(PYTHON) scripts/venv.py $(VENV) test,docs
	@$(RUN) -m tests.simulation --seeds $(SEEDS) --first $(FIRST)

bench: ## Measure each path beside the floor of the machine (QUICK=1: a minute; ENTRIES=1000000: more behind the account; PEERS=1: others too; BULK=1: work on a million rows)
	@$(PYTHON) scripts/venv.py $(VENV) test,docs
	@$(RUN) scripts/services.py postgresql -- $(RUN) -m benchmarks $(if $(QUICK),--quick) $(if $(ENTRIES),--entries $(ENTRIES)) $(if $(PREPARED),--prepared)
ifneq ($(PEERS),)
	@$(PYTHON) scripts/venv.py .venv-peers test
	@.venv-peers/bin/pip install --quiet -r benchmarks/requirements-peers.txt
	@.venv-peers/bin/python scripts/services.py postgresql -- .venv-peers/bin/python -m benchmarks.peers $(if $(QUICK),--quick)
endif
ifneq ($(BULK),)
	@$(RUN) scripts/services.py postgresql -- $(RUN) benchmarks/expiry.py $(if $(QUICK),,--lots 1000000 --accounts 200000)
	@$(RUN) scripts/services.py postgresql -- $(RUN) benchmarks/backfill.py $(if $(QUICK),,--orders 1000000 --customers 200000)
	@$(RUN) scripts/services.py postgresql -- $(RUN) benchmarks/tier_review.py $(if $(QUICK),,--members 1000000)
	@$(RUN) scripts/services.py postgresql -- $(RUN) benchmarks/scale.py $(if $(QUICK),--members 20000 --rows 20000)
endif

test-stripe: ## Try the contract of our Stripe server on Stripe's own test mode (STRIPE_TEST_KEY=sk_test_...)
	@case "$(STRIPE_TEST_KEY)" in sk_test_?*) ;; *) \
		echo "STRIPE_TEST_KEY must hold a secret key of Stripe's test mode (sk_test_...)."; exit 2;; esac
	@$(PYTHON) scripts/venv.py $(VENV) test,docs
	@STRIPE_TEST_KEY="$(STRIPE_TEST_KEY)" $(RUN) -m pytest tests/stripe_server

lint: ## ruff, and mypy on the ledger, the engine and the payments
	@$(PYTHON) scripts/venv.py $(VENV) test,docs
	@$(RUN) scripts/checks.py lint

security: ## bandit, Django's check --deploy, and known weaknesses of what is installed
	@$(PYTHON) scripts/venv.py $(VENV) test,docs
	@$(RUN) scripts/checks.py security

migrations: ## Fail when a model has no migration
	@$(PYTHON) scripts/venv.py $(VENV) test,docs
	@$(RUN) scripts/checks.py migrations

docs: ## Build the documentation; warnings are errors
	@$(PYTHON) scripts/venv.py $(VENV) test,docs
	@$(RUN) scripts/checks.py docs

clean: ## Remove the virtual environment, what was built, and the demo shop
	rm -rf $(VENV) var build dist docs/_build .tox .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
