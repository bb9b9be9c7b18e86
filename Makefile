# The two commands of the README are "go run ./cmd/meseta demo" and "make test"; everything else is for
# those who work on Meseta.

SHELL       := bash
.SHELLFLAGS := -eu -o pipefail -c

GO       ?= go
PKGS     := ./...
TIMEOUT  ?= 20m
SEEDS    ?= 1000
FUZZTIME ?= 1m
LAYERS   := JVM|Jars|Reads

.PHONY: build release test check vet fmt generate generated unit interop interop-full interop-layers bench bench-size soak storm sim fuzz clean

build: ## the binary, static
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/meseta ./cmd/meseta

# What is released is the same, byte by byte, whoever builds a commit wherever: no paths, no time.
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
ARCHS   := amd64 arm64

release: ## static binaries for each platform, and their checksums, in dist
	rm -rf dist && mkdir dist
	for arch in $(ARCHS); do \
		CGO_ENABLED=0 GOOS=linux GOARCH=$$arch $(GO) build -trimpath -ldflags "-s -w -X main.release=$(VERSION)" \
			-o dist/meseta-linux-$$arch ./cmd/meseta; \
	done
	cd dist && sha256sum meseta-* | tee SHA256SUMS

test: check unit ## everything that proves the project

check: fmt vet generated

fmt:
	@out=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$out" || { echo "gofmt wants to change:"; echo "$$out"; exit 1; }

vet:
	$(GO) vet $(PKGS)

generate: ## the Go code of the .proto files, and the tables of settings in docs/configuration.md
	$(GO) run ./api/internal/generate
	$(GO) test ./docs -count 1 -run TestTablesOfSettingsAreCurrent -update

generated:
	$(GO) run ./api/internal/generate -check

unit: ## unit, property, simulation and end-to-end tests, race detector on
	$(GO) test -race -timeout $(TIMEOUT) -json $(PKGS) | $(GO) run ./internal/house/testlog -skips docs/testing.md

interop: interop-layers ## programs that others wrote, unmodified, against a real cluster; Spark comes from PyPI
	cd interop && $(GO) test -race -timeout $(TIMEOUT) ./...

interop-full: LAYERS := $(LAYERS)|Real
interop-full: interop-layers ## all of it, on every version of Spark: it takes an hour
	cd interop && $(GO) test -race -timeout $(TIMEOUT) .
	cd interop && $(GO) test -timeout 3h -v ./spark -full

interop-layers: ## what we say of Java's and Spark's classes, before a JVM
	SPARK_HOME_2_12=$$(interop/spark/get 3.5) SPARK_HOME_2_13=$$(interop/spark/get 4.0) \
		$(GO) test -tags interop -run '$(LAYERS)' -timeout $(TIMEOUT) ./internal/spark/...

bench: ## what we claim about speed, beside what the machine can do: bench/README.md
	$(GO) run ./bench

bench-size: ## how small and quiet the daemons are: bench/README.md
	$(GO) run ./bench -size

soak: ## 100,000 launches through the supervisor; it takes some minutes
	MESETA_SOAK=100000 $(GO) test -run TestSoak -v -timeout 1h ./internal/container/supervisor

storm: ## each kind of process killed and stopped 50 times while 200 tasks run; some ten minutes
	$(GO) test -race -run TestNothingIsLost -v -timeout 2h ./internal/e2e/storm -storm.each 50

sim: ## more seeds of the simulator: make sim SEEDS=10000
	$(GO) test -run TestSeeds -v -timeout 24h ./internal/sim -sim.seeds $(SEEDS)

fuzz: ## every fuzzer, one after the other: make fuzz FUZZTIME=1h
	@git grep -n '^func Fuzz' -- '*_test.go' | sed -E 's,^(.*)/[^/]*:[0-9]+:func (Fuzz[A-Za-z0-9_]*).*,./\1 \2,' | \
	while read -r package name; do \
		echo "$$package $$name"; \
		$(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) "$$package" < /dev/null; \
	done

clean:
	rm -rf bin dist
