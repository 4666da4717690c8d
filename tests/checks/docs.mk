# The documents say what is so: rules, links and paths, and the commands of the README.

.PHONY: rules docs options readme protocol
check: rules docs options readme protocol

# Each rule that is cited has a row in docs/rules.md, and a row names only what exists.
rules:
	@tests/checks/rules.sh

# Links, anchors and paths lead somewhere, and lines are at most 100 columns long.
docs:
	@tests/checks/docs.sh

# Each option has its row in docs/operations.md, and no row is left over.
options:
	@tests/checks/options.sh

# The README's blocks run as they are pasted, in a copy of the tree.
readme: all audit
	@tests/checks/readme.sh $(abspath $(BUILD))

# The tables of docs/protocol.md are those of common/wire/frames.def, and each frame is received.
protocol: $(BUILD)/tests/protocol
	@tests/checks/protocol.sh $< docs/protocol.md
	@tests/checks/frames.sh

$(BUILD)/tests/protocol: $(BUILD)/obj/tests/checks/protocol.o $(TEST_LIBRARIES)
	@mkdir -p $(@D)
	$(TEST_LINK)

# Plants a fault for each check of the documents, the layers and purity, and sees it fail.
.PHONY: prove
prove: all
	@tests/checks/prove.sh $(abspath $(BUILD)) '$(PROVE)'
