# The two commands: `make run` and `make test`. Needs git, make and python3 (3.11 or newer), nothing else.

PORT ?= 8000
PYTHON ?= python3
PY := .venv/bin/python
export PORT LISTEN DEMO

.PHONY: help run setup setup-dev test check lint-fix messages clean

help:
	@echo "make run          the helpdesk on this machine, with demo data (PORT=8000, LISTEN=127.0.0.1, DEMO=1)"
	@echo "make test         every check and the whole suite (ARGS='…' goes to pytest)"
	@echo "make setup        only prepare .venv"
	@echo "make check        the checks without the suite"
	@echo "make lint-fix     let ruff mend what it can"
	@echo "make messages     collect the texts to translate (needs GNU gettext)"
	@echo "make clean        remove .venv, caches and .run with all its data"

run: setup
	@exec $(PY) -m helpdesk.run

# Installing: a stamp for each lock, so that a second call is instant and a changed lock installs again.

setup: .venv/runtime-installed
setup-dev: .venv/dev-installed

.venv/runtime-installed: requirements.txt
	$(call venv)
	@echo "Installing what it runs on (half a minute or so) …"
	@$(PY) -m pip install -qq --disable-pip-version-check --no-input --require-hashes -r requirements.txt
	@touch $@

.venv/dev-installed: requirements-dev.txt
	$(call venv)
	@echo "Installing what it is built and tested with (a minute or two) …"
	@$(PY) -m pip install -qq --disable-pip-version-check --no-input --require-hashes -r requirements-dev.txt
	@touch .venv/runtime-installed $@

define venv
@command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON) here. Install Python 3.11 or newer, or name one: make setup PYTHON=/path/to/python3"; exit 1; }
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) -V 2>&1). Name another: make setup PYTHON=python3.12"; exit 1; }
@$(PY) -c 'import pip' 2>/dev/null || { echo "Making .venv with $$($(PYTHON) -V)"; $(PYTHON) -m venv --clear .venv; } || { echo "$(PYTHON) cannot make a virtual environment. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
endef

# Checks and tests

check: setup-dev
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) .venv/bin/lint-imports
	$(PY) -m mypy .
	$(PY) manage.py compile_translations
	$(PY) manage.py makemigrations --check --dry-run

test: check
	@$(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS) || { failed=$$?; test $$failed = 1 || exit $$failed; \
	  echo; echo "What failed beside other tests is tried once more, alone. What passes now leans on time or on a neighbour: mend it."; \
	  $(PY) -m pytest --last-failed --last-failed-no-failures none --maxfail 3 $(ARGS); }

lint-fix: setup-dev
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

messages: setup-dev
	@command -v xgettext >/dev/null || { echo "GNU gettext is needed to collect texts. On Debian and Ubuntu: apt-get install gettext"; exit 1; }
	$(PY) manage.py makemessages --locale ru --no-location --no-obsolete --ignore .venv --ignore .run --ignore bench --ignore tests
	$(PY) manage.py compile_translations

clean:
	@test ! -e .run/lock || ! grep -q . .run/lock || { echo "It is running here ($$(cat .run/lock)); stop it first."; exit 1; }
	rm -rf .venv .run .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
