# Lack of memory in the cores; part of make check. The seeds are three of different shapes.
.PHONY: nomem
nomem: $(BUILD)/tests/nomem
	@$< $(or $(POINTS),200) 3 14 159

$(BUILD)/tests/nomem: $(BUILD)/obj/tests/sim/nomem.o $(filter-out %/sim.o,$(SIM)) $(TEST_LIBRARIES)
	@mkdir -p $(@D)
	$(TEST_LINK)
