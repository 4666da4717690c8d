# Fuzzing. `make fuzz [SECONDS=60] [TARGET=wire]` needs clang; what it finds new stays in
# $(BUILD)/fuzz/corpus, a crash in $(BUILD)/fuzz. `make fuzz-replay` runs the inputs of tests/corpus with any
# compiler. `make fuzz-corpus` adds to tests/corpus what covers more than it does, the smallest inputs first;
# `make fuzz-coverage` says how much of what is fuzzed the corpora reach.

FUZZ := wire hostline inventory options keys scenario logs cores
fuzz_OBJECTS_wire     := fuzz_wire
fuzz_OBJECTS_hostline := fuzz_hostline
fuzz_OBJECTS_inventory := fuzz_inventory
fuzz_OBJECTS_options  := fuzz_options
fuzz_OBJECTS_keys     := fuzz_keys
fuzz_OBJECTS_scenario := fuzz_scenario
fuzz_OBJECTS_logs     := fuzz_logs
fuzz_OBJECTS_cores    := fuzz_cores fuzz_core_gather fuzz_gather_check fuzz_gather_honest fuzz_core_outbox fuzz_core_worker fuzz_frame

# Only for libFuzzer.
fuzz_MUTATOR_wire := fuzz_wire_mutator fuzz_frame

# What is fuzzed.
fuzz_SOURCES_wire     := $(addprefix common/wire/,decode.c scan.c suffix.c)
fuzz_SOURCES_hostline := $(addprefix publisher/source/,foreign_format.c host_grammar.c host_words.c hostline.c)
fuzz_SOURCES_inventory := $(addprefix publisher/source/,host_range.c inventory_ini.c inventory_tree.c)
fuzz_SOURCES_options  := $(wildcard common/runtime/options/*.c) common/base/duration.c
fuzz_SOURCES_keys     := $(addprefix common/runtime/,allow_list.c key_file.c private_file.c)
fuzz_SOURCES_scenario := tests/trace/gather_reader.c tests/trace/tokens.c
fuzz_SOURCES_logs     := $(addprefix ctl/explain/,logline.c timeline.c explain_out.c explain_json.c)
fuzz_SOURCES_cores    := $(wildcard consumer/core/*.c common/worker/core/*.c publisher/core/*.c)

fuzz_LIMITS_wire     := -max_len=4096 -malloc_limit_mb=4
fuzz_LIMITS_hostline := -max_len=512
fuzz_LIMITS_inventory := -max_len=1024
fuzz_LIMITS_options  := -max_len=1024
fuzz_LIMITS_keys     := -max_len=768
fuzz_LIMITS_scenario := -max_len=2048
fuzz_LIMITS_logs     := -max_len=2048
fuzz_LIMITS_cores    := -max_len=768

fuzz_CHOSEN := $(if $(TARGET),$(filter $(TARGET),$(FUZZ)),$(FUZZ))
fuzz_BUILD := $(MAKE) CC=clang BUILD=$(BUILD)/fuzz \
    SANITIZE='-fsanitize=fuzzer-no-link -fsanitize=address,undefined -fno-sanitize-recover=all $(FUZZ_CFLAGS)'

define fuzz_target
$(BUILD)/tests/fuzz_$(1): $(patsubst %,$(BUILD)/obj/tests/fuzz/%.o,$(sort $(fuzz_OBJECTS_$(1)) $(fuzz_MUTATOR_$(1)))) \
                          $(TEST_LIBRARIES)
	@mkdir -p $$(@D)
	$$(link) -fsanitize=fuzzer -o $$@ $$(filter %.o,$$^) -Wl,--start-group $(TEST_LIBRARIES) -Wl,--end-group $(LIBS) $(PQ)
$(BUILD)/tests/fuzz_replay_$(1): $(patsubst %,$(BUILD)/obj/tests/fuzz/%.o,fuzz_replay $(fuzz_OBJECTS_$(1))) \
                                 $(TEST_LIBRARIES)
	@mkdir -p $$(@D)
	$$(link) -o $$@ $$(filter %.o,$$^) -Wl,--start-group $(TEST_LIBRARIES) -Wl,--end-group $(LIBS) $(PQ)
.PHONY: fuzz-run-$(1)
fuzz-run-$(1): fuzz-build
	@mkdir -p $(BUILD)/fuzz/corpus/$(1)
	@echo 'fuzz: $(1) for $(or $(SECONDS),60) seconds'
	@$(BUILD)/fuzz/tests/fuzz_$(1) $(fuzz_LIMITS_$(1)) -max_total_time=$(or $(SECONDS),60) -timeout=10 \
	    -print_final_stats=1 -verbosity=0 -artifact_prefix=$(BUILD)/fuzz/$(1)- \
	    $(BUILD)/fuzz/corpus/$(1) tests/corpus/$(1)
endef
$(foreach target,$(FUZZ),$(eval $(call fuzz_target,$(target))))

# What makes inputs and compares them is not what is fuzzed: its branches would only be in the way.
$(BUILD)/obj/tests/fuzz/fuzz_wire_mutator.o $(BUILD)/obj/tests/fuzz/fuzz_frame.o: override SANITIZE :=
$(BUILD)/obj/tests/fuzz/fuzz_wire.o: override SANITIZE := $(filter-out -fsanitize=fuzzer-no-link%,$(SANITIZE))

.PHONY: fuzz fuzz-build fuzz-replay fuzz-corpus fuzz-coverage
fuzz-build:
	@test -n '$(fuzz_CHOSEN)' || { echo "make fuzz: there is no TARGET '$(TARGET)'; there are $(FUZZ)" >&2; exit 64; }
	@command -v clang >/dev/null || { echo 'make fuzz: it needs clang (apt-get install clang)' >&2; exit 69; }
	+@$(fuzz_BUILD) $(patsubst %,$(BUILD)/fuzz/tests/fuzz_%,$(fuzz_CHOSEN))

fuzz: fuzz-build $(patsubst %,fuzz-run-%,$(fuzz_CHOSEN))

fuzz-replay: $(patsubst %,$(BUILD)/tests/fuzz_replay_%,$(FUZZ))
	@status=0; for target in $(FUZZ); do \
	    $(BUILD)/tests/fuzz_replay_$$target $$target tests/corpus/$$target || status=1; done; exit $$status

# Inputs are compared by the edges that they reach, not by how often: that keeps the corpora small.
fuzz-corpus: fuzz-build
	@for target in $(fuzz_CHOSEN); do mkdir -p tests/corpus/$$target $(BUILD)/fuzz/corpus/$$target; \
	    $(BUILD)/fuzz/tests/fuzz_$$target -merge=1 -use_counters=0 -verbosity=0 \
	        tests/corpus/$$target $(BUILD)/fuzz/corpus/$$target; done

fuzz-coverage:
	@$(MAKE) -s CC=clang BUILD=$(BUILD)/fuzz-coverage SANITIZE='-fprofile-instr-generate -fcoverage-mapping' \
	    $(patsubst %,$(BUILD)/fuzz-coverage/tests/fuzz_replay_%,$(fuzz_CHOSEN))
	@$(foreach target,$(fuzz_CHOSEN),tests/fuzz/fuzz_coverage.sh $(BUILD) $(target) $(fuzz_SOURCES_$(target)) &&) true
