# What is too long for --test: kills and stops by the hundred, judged by the auditor. Half an hour.
.PHONY: campaign
campaign: all audit
	tests/e2e/campaign_takeover.sh
	tests/e2e/campaign_stop.sh
	for seed in 1 2 3; do ./run.sh --chaos 300 --seed $$seed --mock-time 1ms..20ms --rate 150 -q || exit 1; done

# The supervisor: 500 stops and 2,000 kills, with both cores busy. Three quarters of an hour.
.PHONY: campaign-run
campaign-run: all audit
	tests/e2e/campaign_run.sh $(or $(STOPS),500) $(or $(KILLS),2000) $(or $(SEED),1)

# Both commands of the README in minimal folders of each Debian: SUITES=trixie USERS=root choose. An hour.
.PHONY: campaign-fresh
campaign-fresh:
	@SUITES='$(SUITES)' USERS='$(USERS)' BUILD='$(abspath $(BUILD))' tests/e2e/campaign_fresh.sh

# Rubbish from hosts: each kind in each form 1,000 times, a third of it at each place. SEED=n
.PHONY: campaign-rubbish
campaign-rubbish: $(BUILD)/tests/test_driver_rubbish
	RUBBISH=334 SEED=$(or $(SEED),1) $<

# Process trees that are given up, through real restarters: TREES=2000 SEED=n. Ten minutes.
.PHONY: campaign-trees
campaign-trees: all $(BUILD)/tests/test_spawner_kill
	MAYHEM_BUILD='$(abspath $(BUILD))' tests/e2e/campaign_trees.sh $(or $(TREES),2000) $(SEED)

# Stops, kills and edits of the list at random, COUNT times with the mock and with hosts that are files:
# SEED=n COUNT=200. An hour.
.PHONY: campaign-list
campaign-list: all fleet
	MAYHEM_BUILD='$(abspath $(BUILD))' tests/e2e/e2e_list.sh $(or $(SEED),1) $(or $(COUNT),200)

# A policy of six groups over 2,000 hosts of a mock under KILLS=200, judged by the audit alone: SEED=n.
# Then once more with several attempts of each. Half an hour.
.PHONY: campaign-policy-real
campaign-policy-real: all judge
	MAYHEM_BUILD='$(abspath $(BUILD))' tests/e2e/e2e_policy.sh $(or $(HOSTS),2000) $(or $(KILLS),200) $(or $(SEED),1) 1
	MAYHEM_BUILD='$(abspath $(BUILD))' tests/e2e/e2e_policy.sh $(or $(HOSTS),2000) $(or $(KILLS),200) $(or $(SEED),1) 3

# kill -9 of everything at crash points around a trip, a halt, an absolve and the steps of a ramp:
# those of e2e_held_kill.sh, and COUNT=100 more, drawn: SEED=n. Ten minutes.
.PHONY: campaign-held-kill
campaign-held-kill: all judge
	MAYHEM_BUILD='$(abspath $(BUILD))' tests/e2e/e2e_held_kill.sh $(or $(COUNT),100) $(or $(SEED),1)

# Three sites over tcp with keys, under kills, stops and cuts.
.PHONY: campaign-sites
campaign-sites: all tests audit fleet
	ROUNDS=$(or $(ROUNDS),200) SEED=$(or $(SEED),1) tests/e2e/e2e_sites.sh
