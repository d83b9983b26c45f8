# Thin: each line runs something a person could type.

.DEFAULT_GOAL := help
.PHONY: help setup build demo deb test memcheck check deny check-pure bench conformance lab clean
.SUFFIXES:

CARGO ?= cargo

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install the Debian packages that are missing (root; starts and enables nothing)
	@scripts/require-root make setup
	@scripts/install-packages build lab

build: ## build the programs into target/release
	$(CARGO) build --release --workspace --bins

# One set of features, so that nothing is built twice: what is left out is not needed to show the pair at work.
DEMO := $(addprefix --package ,ha-examples ha-tests sphynx) $(addprefix --bin ,lab crm_mon crm_mon-live watch \
	appliquer_hautedispo instance synchro-nodes diagnose)

demo: ## EOLE's page followed on two nodes, a power cut, the fail-over as it happens and what it costs (root)
	@scripts/require-root make demo
	@scripts/install-packages build lab
	$(CARGO) build --release $(DEMO)
	$${CARGO_TARGET_DIR:-target}/release/lab demo

deb: ## the Debian package of the Sphynx programs, in target/debian
	@scripts/install-packages build
	$(CARGO) build --release $(DEMO)
	scripts/package $(DEB)

test: ## every test, those against the real daemons included (root)
	@scripts/require-root make test
	@scripts/install-packages build lab
	$(CARGO) test --workspace --no-fail-fast

memcheck: ## the tests against the real daemons with all agents under valgrind (root, slow)
	@scripts/require-root make memcheck
	@scripts/install-packages build lab check
	HA_LAB_MEMCHECK=1 $(CARGO) test --release -p ha-tests --test live

check: ## formatting, lints, documentation, the layer rule
	scripts/check-layers
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --all-features -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --workspace --no-deps
	$(CARGO) check -p ha-core --no-default-features

deny: ## licences, sources and known holes of the dependencies (needs cargo-deny)
	$(CARGO) deny check

check-pure: ## build and test what needs neither root nor a C library
	$(CARGO) test -p ha-core --no-default-features

bench: ## figures beside the C tools, as ratios of one run (root; BENCH=--check fails on a missed goal)
	@scripts/require-root make bench
	@scripts/install-packages build lab check
	scripts/bench $(BENCH)

conformance: ## hold crm_mon against stored references (HA_CONFORMANCE=DIR)
	scripts/conformance

lab: ## start two nodes and say how to use them (root)
	@scripts/require-root make lab
	@scripts/install-packages build lab
	$(CARGO) build --release --workspace --bins
	$(CARGO) run --release --quiet --bin lab -- up

clean: ## remove what was built
	$(CARGO) clean
