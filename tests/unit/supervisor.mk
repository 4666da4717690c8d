# test_run_settings asks the restarter that was built, which is not beside a test.
$(BUILD)/tests/test_run_settings: LIBS += -Wl,--wrap=child_process_sibling
$(BUILD)/tests/test_run_settings: $(BUILD)/mayhem-restarter
