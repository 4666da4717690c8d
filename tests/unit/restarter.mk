# Its hosts answer by this program.
$(BUILD)/tests/test_driver_rubbish: $(BUILD)/tests/answer
