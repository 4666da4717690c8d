# The strangers of tests/e2e/e2e_rogue.sh.

$(BUILD)/tests/rogue: $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard tests/rogue/*.c)) $(TEST_LIBRARIES)
	@mkdir -p $(@D)
	$(TEST_LINK)

tests: $(BUILD)/tests/rogue
