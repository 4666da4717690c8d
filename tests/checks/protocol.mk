# docs/protocol.md and common/wire/frames.def say the same.
.PHONY: protocol
check: protocol
protocol: $(BUILD)/tests/protocol
	@tests/checks/protocol.sh $< docs/protocol.md

$(BUILD)/tests/protocol: $(BUILD)/obj/tests/checks/protocol.o $(TEST_LIBRARIES)
	@mkdir -p $(@D)
	$(TEST_LINK)
