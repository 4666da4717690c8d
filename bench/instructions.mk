# The regression gates that noise cannot fool: instructions per job, part by part, by callgrind, against
# what is on record in bench/instructions.txt; and likewise cache misses, with 10,000 and 100,000 jobs in
# flight, in bench/cachemisses.txt. MARGIN=5 is what a part may be dearer, in percent.
#
#   make instructions                    compares; part of make check
#   make instructions-record             puts the figures of now on record
#   make instructions-profile PART=gather  the dearest functions in one part ('encode_*' too)
#   make cachemisses, cachemisses-record, cachemisses-profile PART=gather WINDOW=100000

INSTRUCTIONS := instructions instructions_parts instructions_roles
instructions_run = CC='$(CC)' FLAGS='$(strip $(CPPFLAGS) $(CFLAGS) $(SANITIZE))' MARGIN='$(MARGIN)' WINDOW='$(WINDOW)' \
                   bench/instructions.sh

$(INSTRUCTIONS:%=$(BUILD)/obj/bench/%.o): $(BUILD)/obj/bench/%.o: bench/%.c
	@mkdir -p $(@D)
	$(compile) $(TEST_INCLUDES) -c -o $@ $<

$(BUILD)/bench/instructions: $(INSTRUCTIONS:%=$(BUILD)/obj/bench/%.o) $(TEST_LIBRARIES)
	@mkdir -p $(@D)
	$(TEST_LINK)

.PHONY: instructions instructions-record instructions-profile
.PHONY: cachemisses cachemisses-record cachemisses-profile
instructions cachemisses: $(BUILD)/bench/instructions
	@$(instructions_run) $@ check $<

instructions-record cachemisses-record: $(BUILD)/bench/instructions
	@$(instructions_run) $(@:-record=) record $<

instructions-profile cachemisses-profile: $(BUILD)/bench/instructions
	@$(instructions_run) $(@:-profile=) profile $< '$(or $(PART),gather)'
