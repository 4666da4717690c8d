# These ask the restarter that was built, which is not beside a test.
$(addprefix $(BUILD)/tests/,test_run_settings test_run_driver test_run_policy test_run_leash): LIBS += -Wl,--wrap=child_process_sibling
$(addprefix $(BUILD)/tests/,test_run_settings test_run_driver test_run_policy test_run_leash): $(BUILD)/mayhem-restarter
