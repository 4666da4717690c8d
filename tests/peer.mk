# The hostile peer of tests/e2e_hostile.sh, and what tests/e2e_world.sh needs.

PEER := peer peer_bytes peer_floods peer_frames peer_raw peer_tales

$(BUILD)/tests/peer: $(patsubst %,$(BUILD)/tests/%.o,$(PEER)) $(TEST_LIBRARIES)
	$(link) -o $@ $(filter %.o,$^) -Wl,--start-group $(TEST_LIBRARIES) -Wl,--end-group $(LIBS)

tests: $(BUILD)/tests/peer

# The wall clock of tests/e2e_world.sh.
$(BUILD)/tests/clock_shift.so: tests/clock_shift.c
	@mkdir -p $(@D)
	$(filter-out -fPIE,$(compile)) -fPIC -shared -o $@ $<

tests: $(BUILD)/tests/clock_shift.so
