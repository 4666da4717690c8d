# Programs of the tests with real servers (postgresql.sh).

.PHONY: postgresql
postgresql: $(if $(LIBPQ),$(addprefix $(BUILD)/tests/,link_shell fence))
tests: postgresql

$(BUILD)/tests/link_shell: $(BUILD)/obj/tests/postgresql/link_shell.o $(TEST_LIBRARIES)
	@mkdir -p $(@D)
	$(TEST_LINK)

$(BUILD)/tests/fence: $(BUILD)/obj/tests/postgresql/fence.o $(TEST_LIBRARIES)
	@mkdir -p $(@D)
	$(TEST_LINK)

# The fence: TAKEOVERS=25000 under load, SEED=n. A quarter of an hour.
.PHONY: campaign-fence
campaign-fence: all postgresql
	MAYHEM_BUILD='$(abspath $(BUILD))' tests/e2e/e2e_pg_fence.sh $(or $(TAKEOVERS),25000) $(or $(SEED),1)
