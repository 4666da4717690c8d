# The auditor of what a run left behind, and the restart that leaves a record. Neither is linked
# with anything of the pipeline, so that they cannot share its mistakes.

.PHONY: audit
audit: $(BUILD)/tests/audit $(BUILD)/tests/append
tests: audit

$(BUILD)/tests/audit: $(addprefix $(BUILD)/obj/tests/audit/,audit.o audit_read.o audit_postgresql.o)
	@mkdir -p $(@D)
	$(link) -o $@ $^ $(shell pkg-config --libs sqlite3) $(PQ)

$(BUILD)/tests/append: $(BUILD)/obj/tests/audit/append.o
	@mkdir -p $(@D)
	$(link) -o $@ $^
