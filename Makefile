.DEFAULT_GOAL := help
SHELL := /bin/bash

# Beside Go, the tests need a C compiler for the race detector, a real MariaDB, a
# real browser with a font, a checker for the scripts' types, Node for a receiver
# of webhooks, axe-core, and AsyncAPI's own schema: see deps.
AXE := .cache/npm/node_modules/axe-core/axe.min.js
AXE_VERSION := 4.11.0
ASYNCAPI := .cache/npm/node_modules/@asyncapi/specs/schemas/3.1.0.json
ASYNCAPI_VERSION := 6.11.1

.PHONY: help
help: ## list what make can do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: ## run Bellhub with its demo; it prints what to open
	go run .

.PHONY: test
test: deps ## install what the tests need, and run them all
	go test -race -timeout 14m ./...

.PHONY: test-long
test-long: deps ## what takes longer than every change should: each fuzz target, the story again and again, hundreds of faults
	@for target in $$(grep -rlE '^func Fuzz' --include='*_test.go' . | xargs -n1 dirname | sort -u); do \
	  for name in $$(grep -rhoE '^func Fuzz[A-Za-z]+' $$target/*_test.go | cut -c6-); do \
	    go test -run '^$$' -fuzz "^$$name\$$" -fuzztime 60s $$target || exit 1; \
	  done; \
	done
	go test -count 10 -timeout 60m ./hub/hubtest/story
	go test -timeout 60m ./hub/hubtest/faults -long

.PHONY: check
check: deps ## formatting, vet, staticcheck, module files, the scripts' types
	@out=$$(go tool gofumpt -l *.go hub plugins static storage); \
	  if [ -n "$$out" ]; then echo "not formatted (run make format):"; echo "$$out"; exit 1; fi
	go vet ./...
	go tool staticcheck ./...
	go mod tidy -diff
	go mod verify
	tsc -p static

.PHONY: format
format: ## format the Go code
	go tool gofumpt -w *.go hub plugins static storage

.PHONY: deps
deps: $(AXE) $(ASYNCAPI) ## install what the tests need (on Debian as root), or say what is missing
	@missing=(); \
	command -v gcc >/dev/null || missing+=(gcc libc6-dev); \
	{ command -v mariadbd || [ -x /usr/sbin/mariadbd ]; } >/dev/null || missing+=(mariadb-server); \
	command -v chromium >/dev/null || missing+=(chromium); \
	command -v tsc >/dev/null || missing+=(node-typescript); \
	command -v node >/dev/null || missing+=(nodejs); \
	fc-list 2>/dev/null | grep -q . || missing+=(fontconfig fonts-dejavu-core); \
	if [ $${#missing[@]} -eq 0 ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$${missing[@]}" >/dev/null; \
	else \
	  echo "Please install: $${missing[*]} (Debian's names)." >&2; exit 1; \
	fi

# In one step: npm removes what it is not told of.
$(AXE) $(ASYNCAPI) &:
	@if ! command -v npm >/dev/null; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends npm >/dev/null; \
	  else echo "Please install: npm" >&2; exit 1; fi; \
	fi
	npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix .cache/npm axe-core@$(AXE_VERSION) @asyncapi/specs@$(ASYNCAPI_VERSION)
	@touch $(AXE) $(ASYNCAPI)
