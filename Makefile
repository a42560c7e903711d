# How cropsvc is run, tested and packed. `make` alone lists the targets.
# Settings are environment variables or arguments: make run PORT=8000 WORKERS=1

VENV := .venv
BIN := $(VENV)/bin
OLD := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$python" -c '$(OLD)' 2>/dev/null && echo "$$python" && break; done)
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
COMPILE := $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-emit-find-links --no-header

.DEFAULT_GOAL := help
.PHONY: help run test test-quick lint format check lock up scale reload rotate backup restore ps logs down destroy

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/$(if $(filter celery,$(CROPSVC_QUEUE)),installed-celery,installed) ## everything in the foreground, with an embedded Valkey (DEV=1: with reload)
	@exec $(BIN)/python -m cropsvc.run.local

TESTS_AT_ONCE ?= 3
TIER = $(if $(or $(ALL),$(CI)),all,default)
COVERAGE = $(if $(COV),--cov=cropsvc --cov-branch --cov-report= --cov-fail-under=$(COVERAGE_FLOOR) --durations=25)
COVERAGE_FLOOR := 55 # of the tests' own processes; what servers run is not counted
test: $(VENV)/installed-dev ## the tests on a bare machine (ALL=1 or CI=true: everything; COV=1: with branch coverage; ARGS="-k name" goes to pytest)
	@$(BIN)/python -m pytest $(or $(ARGS),--tier $(TIER) -n $(TESTS_AT_ONCE) $(COVERAGE))

test-quick: $(VENV)/installed-dev ## the tests that start no server
	@$(BIN)/python -m pytest --tier quick -n 2 -q

lint: $(VENV)/installed-dev ## ruff, mypy strict, the import rules, Lua and shell syntax, plain English
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/python -m mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m tests.lint

format: $(VENV)/installed-dev ## reformat the code and mend what ruff can mend
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

check: lint test ## lint, then test

# requirements/dev.txt first: Celery's pins decide for the two that are installed beside it.
lock: $(VENV)/installed-dev ## compile the hashed requirements*.txt from pyproject.toml anew
	@$(COMPILE) --group dev --extra server --extra celery --extra tracing --extra faces --extra heif --extra blobs \
		-o requirements/dev.txt
	@$(COMPILE) -c requirements/dev.txt --extra server -o requirements.txt
	@$(COMPILE) -c requirements/dev.txt -o requirements/client.txt
	@for extra in celery tracing faces heif blobs; do \
		$(COMPILE) -c requirements/dev.txt --extra server --extra $$extra -o requirements/$$extra.txt || exit 1; done
	@for group in kubernetes clients; do $(subst pip compile pyproject.toml,pip compile,$(COMPILE)) \
		--group $$group -o requirements/$$group.txt || exit 1; done

# In containers. COMPOSE, an argument or a variable of the environment, names another compose.
COMPOSE ?= $(shell docker compose version >/dev/null 2>&1 && echo docker compose || echo docker-compose)
PORT ?= 5000
DASHBOARD_PORT ?= 9181
QUEUE ?= rq
export COMPOSE_PROFILES := celery,webhooks # what is started is said by name
export COMPOSE_PROJECT_NAME ?= cropsvc
export STOP_GRACE := $(shell echo $$(($(or $(CROPSVC_JOB_TIMEOUT),30) + 15)))s
CONFIG_NOW = "$$(cat secrets/* compose/valkey.conf compose/rabbitmq/* | cksum)"
RUNS_CELERY = $(COMPOSE) ps -q rabbitmq 2>/dev/null | grep -q .

up: ## the service in containers: build, start or renew, wait until ready (QUEUE=celery: RabbitMQ)
	@compose/make-secrets
	@CONFIG=$(CONFIG_NOW) compose/start-queue $(QUEUE) $(COMPOSE)
	@echo "cropsvc is ready: http://localhost:$(PORT)/"
	@echo "the dashboard:    http://localhost:$(DASHBOARD_PORT)/ ($(or $(CROPSVC_DASHBOARD_USER),admin),"\
		"secrets/dashboard_password)"

scale: ## N=4: so many worker containers in all
	@test "$(N)" -ge 0 2>/dev/null || { echo "make scale N=4: say how many" >&2; exit 1; }
	@QUEUE=rq worker=worker; if $(RUNS_CELERY); then QUEUE=celery worker=celery-worker; fi; \
		export QUEUE; CONFIG=$(CONFIG_NOW) \
		$(COMPOSE) up -d --no-recreate --scale $$worker=$(N) $$worker

reload: ## the front end and the dashboard read secrets/ again, without a pause
	@compose/reload $(COMPOSE)

rotate: ## new passwords for all users of Valkey, without a pause
	@compose/rotate $(COMPOSE)

backup: ## FILE=path: every job and result of the running containers, in one file
	@test -n "$(FILE)" || { echo "make backup FILE=path: say where to" >&2; exit 1; }
	@compose/backup "$(FILE)" $(COMPOSE)
	@ls -l "$(FILE)"

restore: ## FILE=path: put a backup in the place of all jobs (after make down; asks first)
	@test -s "$(FILE)" || { echo "make restore FILE=path: say which backup" >&2; exit 1; }
	@echo "This replaces every job and result of $(COMPOSE_PROJECT_NAME) by those in $(FILE)."
	@printf 'Type yes to go on: '; read -r answer && test "$$answer" = yes
	@compose/restore "$(FILE)" $(COMPOSE)

ps: ## the containers
	@$(COMPOSE) ps

logs: ## their logs, followed
	@$(COMPOSE) logs --follow --tail=100

down: ## stop the containers after their running crops; the jobs are kept
	@$(COMPOSE) down --remove-orphans

destroy: ## remove the containers, all jobs and secrets/ (asks first)
	@echo "This removes the containers and networks of $(COMPOSE_PROJECT_NAME), its volume"
	@echo "with every job and result, and secrets/. The image stays."
	@printf 'Type yes to go on: '; read -r answer && test "$$answer" = yes
	@$(COMPOSE) down --remove-orphans --volumes
	@rm -rf secrets

$(BIN)/python:
	@test -n "$(PYTHON)" || { \
		echo "cropsvc: no Python 3.11 or newer here; name one with PYTHON=/path/to/python" >&2; exit 1; }
	@"$(PYTHON)" -c '$(OLD)' || { \
		echo "cropsvc: PYTHON=$(PYTHON) is not a Python 3.11 or newer" >&2; exit 1; }
	@"$(PYTHON)" -m venv $(VENV)

$(VENV)/installed: requirements.txt | $(BIN)/python
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip
	@echo "Installing requirements.txt into $(VENV) ..."
	@$(PIP) -r requirements.txt
	@touch $@

$(VENV)/installed-celery: requirements/celery.txt $(VENV)/installed
	@echo "Installing requirements/celery.txt into $(VENV) ..."
	@$(PIP) -r requirements/celery.txt
	@touch $@

$(VENV)/installed-dev: requirements/dev.txt $(VENV)/installed
	@echo "Installing requirements/dev.txt into $(VENV) ..."
	@$(PIP) -r requirements/dev.txt
	@touch $@

-include make/*.mk
