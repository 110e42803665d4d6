PYTHON ?= python3
FILE = agents.yaml

.PHONY: serve test lint schema readme clean

serve: .venv/installed
	.venv/bin/fondation serve $(FILE) --simulate=missing

test: .venv/installed-dev
	.venv/bin/pytest

lint: .venv/installed-dev
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy

schema: .venv/installed
	.venv/bin/fondation schema > schemas/agents.schema.json

readme: .venv/installed-dev
	.venv/bin/python -m tests.readme

clean:
	rm -rf .venv dist

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "fondation needs Python 3.11 or newer; try: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/installed: pyproject.toml | .venv/bin/python
	.venv/bin/pip install --quiet --disable-pip-version-check -e .
	@touch $@

.venv/installed-dev: pyproject.toml | .venv/bin/python
	.venv/bin/pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@ .venv/installed
