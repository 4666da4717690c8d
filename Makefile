# Mayhem Mandrill. `make help` lists the targets. CC, CFLAGS, CPPFLAGS and LDFLAGS are yours: they
# come last and are never overridden. BUILD=dir builds elsewhere, WERROR=1 makes warnings errors.

BUILD   ?= build
PREFIX  ?= /usr/local
DESTDIR ?=
VERSION := 0.1.0

.DEFAULT_GOAL := all

MSGPACK  := $(shell pkg-config --exists msgpack-c && echo msgpack-c || echo msgpack)
PACKAGES := libczmq libzmq $(MSGPACK) sqlite3 jansson inih libsodium
# Where it is not there, common/postgresql is left out, and with it what needs it.
LIBPQ    := $(shell pkg-config --exists libpq && echo libpq)

# Schemas are longer than the strings that C11 promises, and no longer than those that compilers take.
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
            -Wswitch-enum -Wvla -Wformat=2 -Wundef -Wno-overlength-strings $(if $(WERROR),-Werror)
HARDENED := -fstack-protector-strong -fPIE $(if $(SANITIZE),,-D_FORTIFY_SOURCE=2)
DEFINES  := -D_GNU_SOURCE -DMM_VERSION='"$(VERSION)"' $(if $(LIBPQ),-DMM_HAS_POSTGRESQL)
FOREIGN  := $(shell pkg-config --cflags $(PACKAGES) $(LIBPQ))
LIBS     := $(shell pkg-config --libs $(PACKAGES))
CURSES   := $(shell pkg-config --libs ncursesw)
PQ       := $(if $(LIBPQ),$(shell pkg-config --libs libpq))

compile = $(CC) -std=c11 -O2 -g -pthread -MMD -MP $(DEFINES) $(FOREIGN) $(WARNINGS) $(HARDENED) \
          $(SANITIZE) $(CPPFLAGS) $(CFLAGS)
link    = $(CC) -pie -pthread -Wl,-z,relro,-z,now $(SANITIZE) $(LDFLAGS)

# ---- layers: a folder, and the folders whose headers it sees. A header of a higher layer, or of
# another program, is not found. docs/architecture.md explains the layers.

BASE    := common/base
WIRE    := $(BASE) common/wire
RUNTIME := $(WIRE) common/schema common/runtime/core common/runtime common/runtime/options
WORKER  := $(RUNTIME) common/worker/core common/worker
SPAWNER := $(RUNTIME) common/spawner
POSTGRESQL := $(if $(LIBPQ),common/postgresql)
COMMON  := $(WORKER) common/spawner $(POSTGRESQL)

PROGRAM_FOLDERS := publisher consumer saver restarter supervisor ctl
# The folder of a program and those within it.
program = $(1) $(patsubst %/,%,$(sort $(dir $(wildcard $(1)/*/*.h))))

FOLDERS := common/base common/wire common/schema common/runtime/core common/runtime \
           common/runtime/options common/worker/core common/worker common/spawner \
           $(POSTGRESQL) \
           $(foreach folder,$(PROGRAM_FOLDERS),$(sort $(folder) $(patsubst %/,%,$(dir $(wildcard $(folder)/*/*.c)))))

sees = $(or $(sees_$(1)),$(if $(filter %/core,$(1)),$(WIRE) $(1),$(COMMON) $(call program,$(firstword $(subst /, ,$(1))))))
sees_common/base            := $(BASE)
sees_common/wire            := $(WIRE)
sees_common/schema          := $(BASE) common/schema
sees_common/runtime/core    := $(BASE) common/runtime/core
sees_common/runtime         := $(RUNTIME)
sees_common/runtime/options := $(RUNTIME)
sees_common/worker/core     := $(WIRE) common/worker/core
sees_common/worker          := $(WORKER)
sees_common/spawner         := $(SPAWNER)
sees_common/postgresql      := $(RUNTIME) common/postgresql
sees_supervisor             := $(COMMON) $(call program,supervisor) consumer/core # `mayhem plan` asks it
sees_ctl                    := $(COMMON) $(call program,ctl) supervisor # `mayhem` runs it

# Cores decide and do nothing else: `make check` looks at the symbols that they use.
PURE := common/base common/wire $(filter %/core,$(FOLDERS))

# A file of a store in PostgreSQL, or the one in its place.
LEFT_OUT := $(if $(LIBPQ),%/store_no_postgresql.c,%/store_postgresql.c $(wildcard saver/stores/pg_*.c))
objects   = $(patsubst %.c,$(BUILD)/obj/%.o,$(filter-out $(LEFT_OUT),$(wildcard $(addsuffix /*.c,$(1)))))

# ---- building

PROGRAMS := $(addprefix $(BUILD)/mayhem-,publisher consumer saver restarter) $(BUILD)/mayhem
DRIVERS  := $(patsubst restarter/%,$(BUILD)/%,$(wildcard restarter/drivers/*.ini))

.PHONY: all
all: $(PROGRAMS) $(DRIVERS)
	@touch $(BUILD)/built 2>/dev/null || true # run.sh looks whether a source is newer

define folder_rule
$(BUILD)/obj/$(1)/%.o: $(1)/%.c
	@mkdir -p $$(@D)
	$$(compile) $(addprefix -iquote,$(call sees,$(1))) -c -o $$@ $$<
endef
$(foreach folder,$(FOLDERS),$(eval $(call folder_rule,$(folder))))

$(BUILD)/obj/saver/stores/pg_record.o: saver/stores/postgresql.sql # it is part of that

# lib$(1).a: what is in the folders $(2), without main.c.
define archive_rule
$(BUILD)/lib$(1).a: $(filter-out %/main.o,$(call objects,$(2)))
	rm -f $$@ && $(AR) rcs $$@ $$^
endef
$(eval $(call archive_rule,common,$(filter common/%,$(FOLDERS))))
$(foreach part,$(PROGRAM_FOLDERS),$(eval $(call archive_rule,$(part),$(filter $(part) $(part)/%,$(FOLDERS)))))

$(BUILD)/mayhem-%: $(BUILD)/obj/%/main.o $(BUILD)/lib%.a $(BUILD)/libcommon.a
	$(link) -o $@ $^ $(LIBS)

# Only these two read and write a record in PostgreSQL: whoever else used it would not be linked.
$(BUILD)/mayhem-saver $(BUILD)/mayhem: LIBS += $(PQ)

# Where the programs look for them, beside themselves or in ../share/mayhem.
$(BUILD)/drivers/%.ini: restarter/drivers/%.ini
	@mkdir -p $(@D)
	cp $< $@

$(BUILD)/mayhem: $(BUILD)/obj/ctl/main.o $(addprefix $(BUILD)/lib,ctl.a supervisor.a consumer.a common.a)
	$(link) -o $@ $^ $(LIBS) $(CURSES)

# ---- tests see everything

TEST_FOLDERS  := $(addprefix tests/,stage trace sim fuzz peer rogue audit judge)
TEST_INCLUDES := $(addprefix -iquote,$(sort $(COMMON) $(foreach part,$(PROGRAM_FOLDERS),$(call program,$(part))) $(TEST_FOLDERS)))
TEST_LIBRARIES := $(BUILD)/libtests.a $(PROGRAM_FOLDERS:%=$(BUILD)/lib%.a) $(BUILD)/libcommon.a
TEST_LINK     = $(link) -o $@ $(filter %.o,$^) -Wl,--start-group $(TEST_LIBRARIES) -Wl,--end-group $(LIBS) $(PQ)

TEST_SOURCES := $(filter-out $(if $(LIBPQ),,tests/unit/postgresql/%),$(wildcard tests/unit/*/test_*.c))
TESTS        := $(notdir $(TEST_SOURCES:.c=))
SCENARIOS    := $(wildcard tests/scenarios/*/*.txt)

$(BUILD)/obj/tests/%.o: tests/%.c
	@mkdir -p $(@D)
	$(compile) $(TEST_INCLUDES) -c -o $@ $<

$(eval $(call archive_rule,tests,tests/stage tests/trace tests/judge))

define test_rule
$(BUILD)/tests/$(notdir $(1:.c=)): $(BUILD)/obj/$(1:.c=.o) $(TEST_LIBRARIES)
	@mkdir -p $$(@D)
	$$(TEST_LINK) -lcmocka
endef
$(foreach source,$(TEST_SOURCES),$(eval $(call test_rule,$(source))))

.SECONDARY:
-include $(wildcard $(addsuffix /*.d,$(BUILD)/obj/* $(BUILD)/obj/*/* $(BUILD)/obj/*/*/* $(BUILD)/obj/*/*/*/*))

# ---- checking

.PHONY: tests check test unit purity headers layers simulation asan tsan valgrind lint shellcheck
tests: $(addprefix $(BUILD)/tests/,$(TESTS))

check: unit purity headers layers simulation fuzz-replay nomem instructions plants

test:
	./run.sh --test

# One line per test: PASS or FAIL. Those of a store also with PostgreSQL, if it is there.
with_server = $(if $(LIBPQ),tests/postgresql/with_server.sh)
unit: tests all
	@$(with_server) sh -c 'status=0; for test in $(TESTS); do \
	    tests/checks/run_unit.sh $(BUILD)/tests/$$test || status=1; done; exit $$status'

purity: $(call objects,$(PURE))
	@tests/checks/purity.sh $^

# Fresh seeds each time; a seed that fails is named, and goes into a scenario with its fix.
simulation: $(BUILD)/tests/sim
	@first=$$(date +%s)000; \
	if $(BUILD)/tests/sim -c 10000 -f $$first; then echo "PASS simulation: 10000 seeds from $$first"; \
	else echo "FAIL simulation: seeds from $$first"; exit 1; fi

# Each header compiles alone, with what its folder sees, and with libpq if it is there.
header_checks = $(foreach folder,$(FOLDERS),tests/checks/headers.sh \
    '$(compile) $(addprefix -iquote,$(call sees,$(folder)))' $(folder) \
    $(if $(LIBPQ),,$(wildcard saver/stores/pg_*.h)) &&) true
headers:
	@$(header_checks)

# The include paths are the layers: a header of a higher layer is not found.
layers:
	@tests/checks/layers.sh '$(CC)' \
	    $(foreach folder,$(FOLDERS),'$(folder)=$(addprefix -iquote,$(call sees,$(folder)))')

asan:
	$(MAKE) BUILD=$(BUILD)/asan SANITIZE='-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer' unit

# What is not built with it looks like races: libzmq, above all.
tsan: export TSAN_OPTIONS ?= ignore_noninstrumented_modules=1
tsan:
	$(MAKE) BUILD=$(BUILD)/tsan SANITIZE=-fsanitize=thread unit

valgrind: tests
	@$(with_server) sh -c 'status=0; for test in $(TESTS); do \
	    MEMCHECK="valgrind -q --error-exitcode=99 --leak-check=full" \
	    tests/checks/run_unit.sh $(BUILD)/tests/$$test || status=1; done; exit $$status'

coverage:
	$(MAKE) BUILD=$(BUILD)/coverage SANITIZE=--coverage unit
	@tests/checks/coverage.sh $(BUILD)/coverage/obj $(basename $(wildcard $(addsuffix /*.c,$(PURE))))

tidy = $(foreach folder,$(FOLDERS),clang-tidy --quiet $(wildcard $(folder)/*.c) -- -std=c11 $(DEFINES) \
    $(FOREIGN) $(addprefix -iquote,$(call sees,$(folder))) &&) true
lint: shellcheck
	@$(tidy)

shellcheck:
	shellcheck -x run.sh tests/*.sh tests/*/*.sh bench/*.sh .ci/run

# ---- the simulator

SIM := $(patsubst tests/sim/%.c,$(BUILD)/obj/tests/sim/%.o,$(filter-out %/nomem.c,$(wildcard tests/sim/*.c)))

$(BUILD)/tests/sim: $(SIM) $(TEST_LIBRARIES)
	@mkdir -p $(@D)
	$(TEST_LINK)

# make sim SEED=42 [STEPS=n] replays one seed with its trace; make sim SEEDS=100000 [FIRST=n] runs
# many; POLICY=1: each with a policy, else few have one; SHARED=1: each with a record that two
# consumers share, else one of four has one.
.PHONY: sim
sim: $(BUILD)/tests/sim
	$< $(if $(POLICY),-p) $(if $(SHARED),-S) $(if $(SEED),-s $(SEED) $(if $(STEPS),-n $(STEPS)),-c $(or $(SEEDS),1000) -f $(or $(FIRST),1))

# Larger parts of the checking have a file each.
include $(wildcard tests/*/*.mk bench/*.mk)

# ---- the rest

SOURCES := $(shell git ls-files '*.[ch]' 2>/dev/null)

.PHONY: format format-check install uninstall clean help coverage
format:
	clang-format -i $(SOURCES)

format-check:
	clang-format --dry-run -Werror $(SOURCES)

install: all
	install -d $(addprefix $(DESTDIR)$(PREFIX)/,bin share/mayhem/drivers share/man/man1 share/bash-completion/completions)
	install $(PROGRAMS) $(DESTDIR)$(PREFIX)/bin
	install -m 644 $(DRIVERS) $(DESTDIR)$(PREFIX)/share/mayhem/drivers
	$(BUILD)/mayhem man >$(DESTDIR)$(PREFIX)/share/man/man1/mayhem.1
	$(BUILD)/mayhem completion >$(DESTDIR)$(PREFIX)/share/bash-completion/completions/mayhem

uninstall:
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/bin/,$(notdir $(PROGRAMS))) \
	    $(addprefix $(DESTDIR)$(PREFIX)/share/,man/man1/mayhem.1 bash-completion/completions/mayhem) \
	    $(addprefix $(DESTDIR)$(PREFIX)/share/mayhem/drivers/,$(notdir $(DRIVERS)))

clean:
	rm -rf $(BUILD)

help:
	@echo 'all            the four programs and mayhem, in $(BUILD)/'
	@echo 'check          unit tests, scenarios, 10,000 simulated seeds; layers, purity, rules, documents'
	@echo 'test           everything, as CI runs it (./run.sh --test)'
	@echo 'prove          plants a fault for each check of layers, purity, rules and documents'
	@echo 'sim            the simulator: SEED=n [STEPS=n] replays one, SEEDS=n [FIRST=n] runs many'
	@echo 'sim-score      plants bugs and shows how many seeds each needs to be found'
	@echo 'sim-supervisor the same for the core of the supervisor: SEED=n, SEEDS=n, FIRST=n'
	@echo 'fuzz           SECONDS=n [TARGET=wire]: libFuzzer on all that reads foreign bytes'
	@echo 'campaign       half an hour of kills and stops, judged by the auditor'
	@echo 'campaign-shared  simulated runs of two consumers on one record: SEEDS=n FIRST=n'
	@echo 'campaign-policy  simulated runs with random policies, judged from what happens: SEEDS=n FIRST=n'
	@echo 'campaign-run   the supervisor: STOPS=500 KILLS=2000 SEED=n'
	@echo 'campaign-trees process trees that are given up: TREES=2000 SEED=n'
	@echo 'campaign-policy-real  a policy under kills, judged by its audit: HOSTS=2000 KILLS=200 SEED=n'
	@echo 'campaign-held-kill  kill -9 of all at a trip, halt, absolve, in a ramp: COUNT=100 SEED=n'
	@echo 'campaign-fleet real sshd, restarted under kills: KILLS=50 SEED=n'
	@echo 'campaign-fleet-held  a policy over real sshd, a fifth of them bad: HOSTS=30 SEED=n'
	@echo 'campaign-fence  the fence of PostgreSQL under load: TAKEOVERS=25000 SEED=n'
	@echo 'campaign-list  stops, kills and edits of the list at random: COUNT=200 SEED=n'
	@echo 'campaign-rubbish  what is no identity, from hosts, 48,000 times: SEED=n'
	@echo 'campaign-fresh both commands of the README in minimal Debians: SUITES="bookworm trixie" USERS="root user one"'
	@echo 'bench          against bare ZeroMQ: BENCH="throughput latency ..." RUNS=n; bench-charts draws them'
	@echo 'bench-flood    beside a flood of handshakes, with a firewall and without: RUNS=n FLOOD_RATE=n'
	@echo 'bench-leases   a publisher whose jobs are all under long leases: JOBS=n'
	@echo 'bench-peers-install  what BENCH="peers commands" compares with, as an apt command'
	@echo 'bench-policy   what a policy of 50 groups costs the consumer: HOSTS=n WAITING=n COUNTED=n'
	@echo 'bench-spawner  commands started beside xargs: COUNT=n RUNS=n'
	@echo 'compare        jobs a second beside an older build: OLD=folder PAIRS=n'
	@echo 'instructions   per job, against bench/instructions.txt; instructions-record, instructions-profile PART='
	@echo 'cachemisses    per job with a full window, against bench/cachemisses.txt; -record, -profile PART= WINDOW='
	@echo 'watching       what the loop profile and a viewer cost, in instructions'
	@echo 'asan tsan      the unit tests under sanitizers'
	@echo 'valgrind       the unit tests under valgrind'
	@echo 'coverage       branch coverage of the cores and the wire'
	@echo 'lint           clang-tidy and shellcheck'
	@echo 'format         clang-format all sources; format-check only looks'
	@echo 'install        to $$(DESTDIR)$$(PREFIX)/bin; uninstall takes it back'
	@echo 'clean          remove $(BUILD)/'
