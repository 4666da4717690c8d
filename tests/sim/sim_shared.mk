# Two consumers, two savers and their database, with a shared record in each seed: SEEDS=100000
# FIRST=n. A violated seed is replayed with make sim SEED=n SHARED=1.

.PHONY: campaign-shared
campaign-shared: $(BUILD)/tests/sim
	$< -S -c $(or $(SEEDS),100000) -f $(or $(FIRST),1)
