# The simulator of the supervisor's core: make sim-supervisor [SEED=n] [SEEDS=n] [FIRST=n]. `make check`
# runs fresh seeds.

SIM_SUPERVISOR := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard tests/sim_supervisor/*.c))

$(BUILD)/tests/sim_supervisor: $(SIM_SUPERVISOR) $(TEST_LIBRARIES)
	@mkdir -p $(@D)
	$(TEST_LINK)

.PHONY: sim-supervisor supervisor-simulation
sim-supervisor: $(BUILD)/tests/sim_supervisor
	$< $(if $(SEED),-s $(SEED),-c $(or $(SEEDS),1000) -f $(or $(FIRST),1))

check: supervisor-simulation
supervisor-simulation: $(BUILD)/tests/sim_supervisor
	@first=$$(date +%s)000; \
	if $< -c 3000 -f $$first; then echo "PASS supervisor-simulation: 3000 seeds from $$first"; \
	else echo "FAIL supervisor-simulation: seeds from $$first"; exit 1; fi
