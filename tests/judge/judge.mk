# The judge of runs with a policy. It sees no header but its own, so that it cannot share a mistake
# with the pipeline.

.PHONY: judge campaign-policy
judge: $(BUILD)/tests/judge

campaign-policy: $(BUILD)/tests/sim
	$< -p -c $(or $(SEEDS),100000) -f $(or $(FIRST),1)

tests: judge

$(BUILD)/obj/tests/judge/%.o: tests/judge/%.c
	@mkdir -p $(@D)
	$(compile) -iquote tests/judge -c -o $@ $<

$(BUILD)/tests/judge: $(addprefix $(BUILD)/obj/tests/judge/,main.o judge.o judge_policy.o judge_run.o judge_facts.o judge_limits.o)
	@mkdir -p $(@D)
	$(link) -o $@ $^
