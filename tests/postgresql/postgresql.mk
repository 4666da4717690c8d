# Programs of the tests with real servers (postgresql.sh).

.PHONY: postgresql
postgresql: $(if $(LIBPQ),$(addprefix $(BUILD)/tests/,link_shell))
tests: postgresql

$(BUILD)/tests/link_shell: $(BUILD)/obj/tests/postgresql/link_shell.o $(TEST_LIBRARIES)
	@mkdir -p $(@D)
	$(TEST_LINK)
