# Lines between network namespaces, for tests/e2e/e2e_sites.sh.

$(BUILD)/tests/line: $(BUILD)/obj/tests/sites/line.o $(TEST_LIBRARIES)
	@mkdir -p $(@D)
	$(TEST_LINK)

tests: $(BUILD)/tests/line
