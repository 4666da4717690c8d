# The regression gate that noise cannot fool: instructions per job, part by part, by callgrind, against what
# is on record in bench/instructions.txt. MARGIN=5 is what a part may be dearer, in percent.
#
#   make instructions                    compares; part of make check
#   make instructions-record             puts the figures of now on record
#   make instructions-profile PART=gather  the dearest functions in one part ('encode_*' too)

INSTRUCTIONS := instructions instructions_parts instructions_roles
instructions_run = CC='$(CC)' FLAGS='$(strip $(CPPFLAGS) $(CFLAGS) $(SANITIZE))' MARGIN='$(MARGIN)' \
                   bench/instructions.sh

$(INSTRUCTIONS:%=$(BUILD)/obj/bench/%.o): $(BUILD)/obj/bench/%.o: bench/%.c
	@mkdir -p $(@D)
	$(compile) $(TEST_INCLUDES) -c -o $@ $<

$(BUILD)/bench/instructions: $(INSTRUCTIONS:%=$(BUILD)/obj/bench/%.o) $(TEST_LIBRARIES)
	@mkdir -p $(@D)
	$(TEST_LINK)

.PHONY: instructions instructions-record instructions-profile
instructions: $(BUILD)/bench/instructions
	@$(instructions_run) check $<

instructions-record: $(BUILD)/bench/instructions
	@$(instructions_run) record $<

instructions-profile: $(BUILD)/bench/instructions
	@$(instructions_run) profile $< '$(or $(PART),gather)'
