# The regression gate that noise cannot fool: instructions per job, part by part, by callgrind, against what
# is on record in bench/instructions.txt. MARGIN=5 is what a part may be dearer, in percent.
#
#   make instructions                    compares; part of make check
#   make instructions-record             puts the figures of now on record
#   make instructions-profile PART=gather  the dearest functions in one part ('encode_*' too)

INSTRUCTIONS := instructions instructions_parts instructions_roles
instructions_run = CC='$(CC)' FLAGS='$(strip $(CPPFLAGS) $(CFLAGS) $(SANITIZE))' MARGIN='$(MARGIN)' \
                   bench/instructions.sh

$(INSTRUCTIONS:%=$(BUILD)/bench/%.o): $(BUILD)/bench/%.o: bench/%.c
	@mkdir -p $(@D)
	$(compile) $(TEST_INCLUDES) -c -o $@ $<

$(BUILD)/bench/instructions: $(INSTRUCTIONS:%=$(BUILD)/bench/%.o) $(TEST_LIBRARIES)
	$(link) -o $@ $(filter %.o,$^) -Wl,--start-group $(TEST_LIBRARIES) -Wl,--end-group $(LIBS)

.PHONY: instructions instructions-record instructions-profile
instructions: $(BUILD)/bench/instructions
	@$(instructions_run) check $<

instructions-record: $(BUILD)/bench/instructions
	@$(instructions_run) record $<

instructions-profile: $(BUILD)/bench/instructions
	@$(instructions_run) profile $< '$(or $(PART),gather)'
