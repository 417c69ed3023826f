# Everything a newcomer needs. Each target makes what it builds on.

BENCH_OUT = $(or $(OUT),$(error say where the results go: make $@ OUT=results.json))

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint types bench bench-voice bench-video clean

help:
	@echo "make setup           install what is missing, and build .venv/bin/openvoice"
	@echo "make demo            two clients on a private server call each other, and a report of it"
	@echo "make test            lint, types, and the tests, on each Python from 3.11 to 3.13 found here"
	@echo "make lint            the style of the code (ruff)"
	@echo "make types           the types of the code (mypy)"
	@echo "make bench OUT=FILE  how quickly calls come about and what they cost, as a table and as JSON"
	@echo "make bench-voice OUT=FILE"
	@echo "                     voice on bad networks beside aiortc and Chromium, as a table and as JSON"
	@echo "make bench-video OUT=FILE"
	@echo "                     the same of video"
	@echo "make clean           remove what the other targets made here, but not the system's packages"

setup:
	@scripts/setup

demo: setup
	@.venv/bin/openvoice demo $(ARGS)

test:
	@scripts/setup --tests
	@scripts/test

lint: setup
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .

types: setup
	@.venv/bin/mypy

bench:
	@: $(BENCH_OUT)
	@scripts/setup --bench
	@.venv/bin/python -m tests.bench calls "$(BENCH_OUT)" $(ARGS)

bench-voice:
	@: $(BENCH_OUT)
	@scripts/setup --bench
	@.venv/bin/python -m tests.bench voice "$(BENCH_OUT)" $(ARGS)

bench-video:
	@: $(BENCH_OUT)
	@scripts/setup --bench
	@.venv/bin/python -m tests.bench video "$(BENCH_OUT)" $(ARGS)

clean:
	rm -rf .venv .venv-3.* .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist
	find src tests -name __pycache__ -type d -exec rm -rf {} +
