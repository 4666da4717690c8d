# test_wire counts what the codec allocates.
$(BUILD)/tests/test_wire: LIBS += -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
