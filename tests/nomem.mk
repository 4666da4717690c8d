# Lack of memory in the cores; part of make check. The seeds are three of different shapes.
.PHONY: nomem
nomem: $(BUILD)/tests/nomem
	@$< $(or $(POINTS),200) 3 14 159

$(BUILD)/tests/nomem: $(patsubst %,$(BUILD)/tests/%.o,nomem $(filter-out sim,$(SIM))) $(TEST_LIBRARIES)
	$(link) -o $@ $(filter %.o,$^) -Wl,--start-group $(TEST_LIBRARIES) -Wl,--end-group $(LIBS)
