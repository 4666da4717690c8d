# make sim-score [PLANT=r01*]: how many seeds the simulator needs for each planted bug of
# tests/plants/, and which test sees those that no invariant can (tests/sim/sim_score.sh). Those of
# the supervisor (s01 to s15) are for its own simulator.

sim-score: export SCORE_BUILD = $(BUILD)
sim-score: export SCORE_COMPILE = $(compile)
sim-score: export SCORE_INCLUDES = $(TEST_INCLUDES)
sim-score: export SCORE_LINK = $(link)
sim-score: export SCORE_OBJECTS = $(SIM)
sim-score: export SCORE_SUPERVISOR_OBJECTS = $(SIM_SUPERVISOR)
sim-score: export SCORE_LIBRARIES = -Wl,--start-group $(TEST_LIBRARIES) -Wl,--end-group $(LIBS) $(PQ)

.PHONY: sim-score
sim-score: $(BUILD)/tests/sim $(BUILD)/tests/sim_supervisor tests
	@tests/sim/sim_score.sh '$(PLANT)'

# A plant that no longer fits the code would be missed only at the next score.
.PHONY: plants
plants:
	@status=0; for patch in tests/plants/*.patch; do \
	    patch --dry-run -s -p1 -F0 <$$patch >/dev/null || { echo "FAIL plants: $$patch does not apply"; status=1; }; \
	done; [ $$status = 1 ] || echo 'PASS plants: all apply'; exit $$status
