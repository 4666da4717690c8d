# Mayhem Mandrill. `make help` lists the targets. CC, CFLAGS, CPPFLAGS and LDFLAGS are yours: they come
# last and are never overridden. BUILD=dir builds elsewhere, WERROR=1 makes warnings errors.

BUILD   ?= build
PREFIX  ?= /usr/local
DESTDIR ?=
VERSION := 0.1.0

.DEFAULT_GOAL := all

MSGPACK  := $(shell pkg-config --exists msgpack-c && echo msgpack-c || echo msgpack)
PACKAGES := libczmq libzmq $(MSGPACK) sqlite3 jansson inih

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
            -Wswitch-enum -Wvla -Wformat=2 -Wundef $(if $(WERROR),-Werror)
HARDENED := -fstack-protector-strong -fPIE $(if $(SANITIZE),,-D_FORTIFY_SOURCE=2)
DEFINES  := -D_GNU_SOURCE -DMM_VERSION='"$(VERSION)"'
INCLUDES := -Icommon $(shell pkg-config --cflags $(PACKAGES))
LIBS     := $(shell pkg-config --libs $(PACKAGES))
CURSES   := $(shell pkg-config --libs ncursesw)

compile = $(CC) -std=c11 -O2 -g -pthread -MMD -MP $(DEFINES) $(INCLUDES) $(WARNINGS) $(HARDENED) \
          $(SANITIZE) $(CPPFLAGS) $(CFLAGS)
link    = $(CC) -pie -pthread -Wl,-z,relro,-z,now $(SANITIZE) $(LDFLAGS)

# ---- sources

COMMON := clock duration endpoint heap histogram id link log log_format loop options options_check \
          options_ini options_print options_value process profile profile_text recent results socket span sqlite table tell text wire \
          wire_decode wire_encode wire_scan words worker worker_report
PUBLISHER := filecheck hostline hostset intake outbox outbox_chunk outbox_db outbox_db_batch outbox_db_read \
             outbox_db_upgrade outbox_text progress report run slab source_file source_generate source_paced telling
CONSUMER := flight gather gather_legs gather_out gather_reader gather_text gather_view holdings hops hosts life memory names \
            notes outgoing view watch workers
SAVER := inject store_sqlite
RESTARTER := child command driver_exec driver_mock
CTL := attach callgrind cmd_explain cmd_lines cmd_profile cmd_status cmd_tail cmd_top code collect ctl explain_json \
       explain_out feed folder limit line_costs line_table live logline logscan page place profile_callgrind profile_out \
       profiles records screen screen_drill snapshot source tells terminal timeline timeline_conclude top top_save units

TESTS := $(patsubst tests/%.c,%,$(wildcard tests/test_*.c))
SCENARIOS := $(wildcard tests/scenarios/*/*.txt)

# Cores are pure: they decide and do nothing else. `make check` holds them to it.
CORES := common/heap common/histogram common/profile common/recent common/results common/table common/text common/worker common/worker_report consumer/flight consumer/gather \
         consumer/gather_legs consumer/gather_out consumer/gather_view consumer/holdings consumer/hops consumer/hosts consumer/memory consumer/names \
         consumer/workers publisher/outbox publisher/slab saver/inject

PROGRAMS := $(addprefix $(BUILD)/mayhem-,publisher consumer saver restarter) $(BUILD)/mayhemctl
libraries = $(foreach folder,$(1),$(BUILD)/lib$(folder).a) $(BUILD)/libcommon.a

# ---- building

.PHONY: all
all: $(PROGRAMS)

# An archive and a program per folder: a program sees its own folder and common, nothing else.
define folder
$(1)_OBJECTS := $$(patsubst %,$(BUILD)/$(1)/%.o,$(2))
$(BUILD)/lib$(1).a: $$($(1)_OBJECTS)
	rm -f $$@ && $(AR) rcs $$@ $$^
$(BUILD)/$(1)/%.o: $(1)/%.c
	@mkdir -p $$(@D)
	$$(compile) -I$(1) -c -o $$@ $$<
endef
$(eval $(call folder,common,$(COMMON)))
$(eval $(call folder,publisher,$(PUBLISHER)))
$(eval $(call folder,consumer,$(CONSUMER)))
$(eval $(call folder,saver,$(SAVER)))
$(eval $(call folder,restarter,$(RESTARTER)))
$(eval $(call folder,ctl,$(CTL)))

$(BUILD)/mayhem-%: $(BUILD)/%/main.o $(BUILD)/lib%.a $(BUILD)/libcommon.a
	$(link) -o $@ $^ $(LIBS)

$(BUILD)/mayhemctl: $(BUILD)/ctl/main.o $(BUILD)/libctl.a $(BUILD)/libcommon.a
	$(link) -o $@ $^ $(LIBS) $(CURSES)

# A test sees everything.
TEST_INCLUDES := -Itests $(patsubst %,-I%,publisher consumer saver restarter ctl)
TEST_LIBRARIES := $(call libraries,publisher consumer saver restarter ctl)

$(BUILD)/tests/%.o: tests/%.c
	@mkdir -p $(@D)
	$(compile) $(TEST_INCLUDES) -c -o $@ $<

$(BUILD)/tests/test_%: $(BUILD)/tests/test_%.o $(TEST_LIBRARIES)
	$(link) -o $@ $< -Wl,--start-group $(TEST_LIBRARIES) -Wl,--end-group $(LIBS) -lcmocka

.SECONDARY:
-include $(wildcard $(BUILD)/*/*.d)

# ---- checking

.PHONY: tests check test unit purity headers simulation asan tsan valgrind lint shellcheck
tests: $(addprefix $(BUILD)/tests/,$(TESTS))

check: unit purity headers simulation fuzz-replay nomem instructions plants

test:
	./run.sh --test

# One line per test: PASS or FAIL.
unit: tests all
	@status=0; for test in $(TESTS); do \
	    tests/run_unit.sh $(BUILD)/tests/$$test || status=1; done; exit $$status

purity: $(patsubst %,$(BUILD)/%.o,$(CORES))
	@tests/check_purity.sh $^

# Fresh seeds each time; a seed that fails is named, and goes into a scenario with its mend.
simulation: $(BUILD)/tests/sim
	@first=$$(date +%s)000; \
	if $(BUILD)/tests/sim -c 10000 -f $$first; then echo "PASS simulation: 10000 seeds from $$first"; \
	else echo "FAIL simulation: seeds from $$first"; exit 1; fi

headers:
	@tests/check_headers.sh '$(compile)' common publisher consumer saver restarter ctl

asan:
	$(MAKE) BUILD=$(BUILD)/asan SANITIZE='-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer' unit

tsan:
	$(MAKE) BUILD=$(BUILD)/tsan SANITIZE=-fsanitize=thread unit

valgrind: tests
	@status=0; for test in $(TESTS); do \
	    MEMCHECK='valgrind -q --error-exitcode=99 --leak-check=full' \
	    tests/run_unit.sh $(BUILD)/tests/$$test || status=1; done; exit $$status

coverage:
	$(MAKE) BUILD=$(BUILD)/coverage SANITIZE=--coverage unit
	@tests/coverage.sh $(BUILD)/coverage $(CORES) common/wire_scan common/wire_decode common/wire_encode

lint: shellcheck
	clang-tidy --quiet $(wildcard common/*.c publisher/*.c consumer/*.c saver/*.c restarter/*.c) -- \
	    -std=c11 $(DEFINES) $(INCLUDES) -Ipublisher -Iconsumer -Isaver -Irestarter

shellcheck:
	shellcheck -x run.sh common/*.sh tests/*.sh bench/*.sh .ci/run

# ---- the simulator

SIM := sim sim_check sim_consumer sim_draw sim_net sim_publisher sim_worker sim_world

$(BUILD)/tests/sim: $(patsubst %,$(BUILD)/tests/%.o,$(SIM)) $(TEST_LIBRARIES)
	$(link) -o $@ $(filter %.o,$^) -Wl,--start-group $(TEST_LIBRARIES) -Wl,--end-group $(LIBS)

# make sim SEED=42 [STEPS=n] replays one seed with its trace; make sim SEEDS=100000 [FIRST=n] runs many.
.PHONY: sim
sim: $(BUILD)/tests/sim
	$< $(if $(SEED),-s $(SEED) $(if $(STEPS),-n $(STEPS)),-c $(or $(SEEDS),1000) -f $(or $(FIRST),1))

# Larger parts of the checking have a file each.
include $(wildcard tests/*.mk bench/*.mk)

# ---- the rest

SOURCES := $(wildcard */*.c */*.h bench/peers/*.c)

.PHONY: format format-check install uninstall clean help coverage
format:
	clang-format -i $(SOURCES)

format-check:
	clang-format --dry-run -Werror $(SOURCES)

install: all
	install -d $(DESTDIR)$(PREFIX)/bin
	install $(PROGRAMS) $(DESTDIR)$(PREFIX)/bin

uninstall:
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/bin/,$(notdir $(PROGRAMS)))

clean:
	rm -rf $(BUILD)

help:
	@echo 'all            the four programs and mayhemctl, in $(BUILD)/'
	@echo 'check          unit tests, scenarios, purity of the cores, headers, 10,000 simulated seeds'
	@echo 'test           everything, as CI runs it (./run.sh --test)'
	@echo 'sim            the simulator: SEED=n [STEPS=n] replays one, SEEDS=n [FIRST=n] runs many'
	@echo 'sim-score      plants bugs and shows how many seeds each needs to be found'
	@echo 'fuzz           SECONDS=n [TARGET=wire]: libFuzzer on all that reads foreign bytes'
	@echo 'campaign       half an hour of kills and stops, judged by the auditor'
	@echo 'campaign-fresh both commands of the README in minimal Debians: SUITES="bookworm trixie" USERS="root user"'
	@echo 'bench          against bare ZeroMQ: BENCH="throughput latency ..." RUNS=n; bench-charts draws them'
	@echo 'instructions   per job, against bench/instructions.txt; instructions-record, instructions-profile PART='
	@echo 'watching       what the loop profile and a viewer cost, in instructions'
	@echo 'asan tsan      the unit tests under sanitizers'
	@echo 'valgrind       the unit tests under valgrind'
	@echo 'coverage       branch coverage of the cores and the wire'
	@echo 'lint           clang-tidy and shellcheck'
	@echo 'format         clang-format all sources; format-check only looks'
	@echo 'install        to $$(DESTDIR)$$(PREFIX)/bin; uninstall takes it back'
	@echo 'clean          remove $(BUILD)/'
