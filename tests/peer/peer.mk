# The hostile peer of tests/e2e/e2e_hostile.sh, and what tests/e2e/e2e_world.sh needs.

$(BUILD)/tests/peer: $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard tests/peer/*.c)) $(TEST_LIBRARIES)
	@mkdir -p $(@D)
	$(TEST_LINK)

tests: $(BUILD)/tests/peer

# The wall clock of tests/e2e/e2e_world.sh.
$(BUILD)/tests/clock_shift.so: tests/e2e/clock_shift.c
	@mkdir -p $(@D)
	$(filter-out -fPIE,$(compile)) -fPIC -shared -o $@ $<

tests: $(BUILD)/tests/clock_shift.so
