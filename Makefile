# make run and make test are all that is needed; each installs what is missing (see scripts/install-missing) and builds.
# make itself exits with 2 on every failure; the exit code of chaosrig stands in make's last line, as "Error N".

SCENARIO = faults/db-restart.yaml
PREFIX = /usr/local

# Release, so that the figures are right. Swift's own libraries are linked in, so that the installed program needs no
# Swift on the machine; libpq, libsqlite3, libyaml, libmicrohttpd and libcrypto remain shared libraries of the system.
SWIFT_BUILD = swift build --configuration release --static-swift-stdlib --product chaosrig
CHAOSRIG = .build/release/chaosrig
# So many tests at the same time: all at once, as Swift Testing would have it, they starve each other on a small machine.
WIDTH = 12
# Swift Testing only: with XCTest in the process the leak checker reports XCTest itself.
SWIFT_TEST = swift test --disable-xctest --experimental-maximum-parallelization-width $(WIDTH) \
    $(if $(FILTER),--filter '$(FILTER)')
INSTALLED = $(DESTDIR)$(PREFIX)/bin/chaosrig
SHARE = $(DESTDIR)$(PREFIX)/share
MANUAL = $(SHARE)/man/man1/chaosrig.1
BASH_COMPLETION = $(SHARE)/bash-completion/completions/chaosrig
ZSH_COMPLETION = $(SHARE)/zsh/site-functions/_chaosrig
FISH_COMPLETION = $(SHARE)/fish/vendor_completions.d/chaosrig.fish
ALL_INSTALLED = $(INSTALLED) $(MANUAL) $(BASH_COMPLETION) $(ZSH_COMPLETION) $(FISH_COMPLETION)

.DEFAULT_GOAL = help
FORMATTED = Package.swift Sources Tests docs/example/Package.swift docs/example/Sources docs/example/Tests
.PHONY: help run test test-example test-tsan test-asan build format lint install uninstall clean

help: ## show this list
	@echo 'chaosrig: make TARGET, where TARGET is one of'
	@sed -nE 's/^([a-z-]+):.*## (.*)/    \1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r target text; do \
	    printf '    %-12s  %s\n' $$target "$$text"; done
	@echo
	@echo 'run    SCENARIO=$(SCENARIO)  the scenario; ARGS="--seed 7" adds options'
	@echo 'test   FILTER=PostgresDriverTests    only the tests whose name matches'
	@echo 'install, uninstall  PREFIX=$(PREFIX)'
	@echo
	@echo 'Exit codes of chaosrig, which make prints as "Error N" (and exits with 2 itself): 1 an invariant is violated,'
	@echo '2 usage or scenario error, 3 something is missing here, 4 inconclusive, 5 something could not be healed.'

# A scenario that names its database (SQLite, or the URL of a server) needs no PostgreSQL server here.
# exec: the rig gets Ctrl-C, and a SIGTERM that make passes on, itself, and heals before it ends.
run: ## run SCENARIO and judge it
	@scripts/install-missing build $$(grep -LEs '^[^#]*\b(sqlite|url):' $(SCENARIO) </dev/null | sed 's/.*/server/' | head -n 1)
	$(SWIFT_BUILD)
	@exec $(CHAOSRIG) run $(SCENARIO) $(ARGS)
	@echo 'chaosrig: exit code 0, every invariant is valid'

test: ## run all tests, on a real PostgreSQL and SQLite
	@scripts/install-missing build server poolers faults clients metrics validators browser
	$(SWIFT_TEST)

# In a scratch folder of its own, although that compiles the library again: in the shared one SwiftPM once took the plan made
# for the other package, and ran all the tests of that.
test-example: ## run the tests of docs/example, a package that uses the library
	@scripts/install-missing build server
	swift test --disable-xctest --package-path docs/example

# Under a sanitizer everything is slow: fewer tests at the same time, and of the suites on the program only some scenarios.
# `make test` runs all the others. What only computes has no threads to look at, and draws thousands of histories and series.
ONLY_COMPUTES = RigModelTests|CheckersTests|ScenarioFileTests|ReportingTests
test-tsan: WIDTH = 4
test-tsan: ## run the tests, and some scenarios on the program, under the thread sanitizer
	@scripts/install-missing build server poolers faults clients validators
	export CHAOSRIG_SANITIZER=1; t='$(SWIFT_TEST) --sanitize=thread --scratch-path .build-tsan'; \
	    $$t --skip 'InvariantSuites|$(ONLY_COMPUTES)' && $$t --filter ShippedScenarioSuite

# Only these targets: in others the leak checker reports timers of cancelled sleeps that are pending when the process ends.
# lld: the default linker warns some 280 times of symbols of the address sanitizer.
LEAK_CHECKED = ThreadingTests|EventLoopTests|ConnectionPoolTests|PostgresDriverTests|SQLiteDriverTests|ResultsDatabaseTests
LEAK_CHECKED_TOO = ScenarioFileTests|WorkloadsTests|FaultInjectionTests|PoolFeatureTests|ExplorationTests
test-asan: WIDTH = 8
test-asan: ## the same for pool and drivers under the address sanitizer and its leak checker
	@scripts/install-missing build server poolers faults clients validators
	export CHAOSRIG_SANITIZER=1 ASAN_OPTIONS=detect_leaks=1:$$ASAN_OPTIONS; \
	    t='$(SWIFT_TEST) --sanitize=address --scratch-path .build-asan -Xswiftc -use-ld=lld'; \
	    $$t --filter '$(LEAK_CHECKED)|$(LEAK_CHECKED_TOO)' && $$t --filter ShippedScenarioSuite

build: ## build the program: .build/release/chaosrig
	@scripts/install-missing build
	$(SWIFT_BUILD)

format: ## format all Swift files in place
	swift format --in-place --recursive --parallel $(FORMATTED)

lint: ## check format, dependencies, shell scripts and the compose file; changes nothing
	swift format lint --strict --recursive --parallel $(FORMATTED)
	scripts/lint

# The man page and the completions of the shells come from the program itself.
install: build ## put chaosrig, its man page and completions into PREFIX, with sudo if that is needed
	@mkdir -p .build/share
	@$(CHAOSRIG) manual > .build/share/chaosrig.1
	@for shell in bash zsh fish; do $(CHAOSRIG) completions $$shell > .build/share/completions.$$shell || exit 1; done
	@put() { \
	    install -D -m "$$1" "$$2" "$$3" 2>/dev/null || sudo install -D -m "$$1" "$$2" "$$3" || \
	        { echo "Cannot write $$3. Try: make install PREFIX=\$$HOME/.local" >&2; exit 1; }; \
	    echo "Installed $$3"; \
	}; \
	put 755 $(CHAOSRIG) $(INSTALLED); \
	put 644 .build/share/chaosrig.1 $(MANUAL); \
	put 644 .build/share/completions.bash $(BASH_COMPLETION); \
	put 644 .build/share/completions.zsh $(ZSH_COMPLETION); \
	put 644 .build/share/completions.fish $(FISH_COMPLETION)
	@case ":$$PATH:" in *:$(PREFIX)/bin:*) ;; *) echo 'Add $(PREFIX)/bin to your PATH to call it as chaosrig.' ;; esac

uninstall: ## remove from PREFIX what install put there
	@rm -f $(ALL_INSTALLED) 2>/dev/null || sudo rm -f $(ALL_INSTALLED) || \
	    { echo 'Cannot remove $(ALL_INSTALLED).' >&2; exit 1; }

clean: ## remove everything that was built; runs/ stays
	rm -rf .build .build-tsan .build-asan docs/example/.build
