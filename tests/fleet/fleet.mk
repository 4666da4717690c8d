# Hosts to restart: real sshd (fleet.sh), and others that are files (file_host.c). Neither is linked
# with anything of the pipeline.

.PHONY: fleet
fleet: $(BUILD)/tests/fleet $(BUILD)/tests/file_host $(BUILD)/tests/sshd_user.so \
    $(BUILD)/tests/answer
tests: fleet

$(BUILD)/tests/fleet: $(addprefix $(BUILD)/obj/tests/fleet/,fleet_main.o host.o descendants_of.o)
	@mkdir -p $(@D)
	$(link) -o $@ $^

$(BUILD)/tests/file_host: $(BUILD)/obj/tests/fleet/file_host.o
	@mkdir -p $(@D)
	$(link) -o $@ $^

$(BUILD)/tests/sshd_user.so: tests/fleet/sshd_user.c
	@mkdir -p $(@D)
	$(compile) -fPIC -shared -o $@ $<

$(BUILD)/tests/answer: $(BUILD)/obj/tests/fleet/answer.o
	@mkdir -p $(@D)
	$(link) -o $@ $^

# Real sshd under kills: KILLS=50 SEED=n. A quarter of an hour.
.PHONY: campaign-fleet
campaign-fleet: all fleet
	tests/e2e/campaign_fleet.sh $(or $(KILLS),50) $(or $(SEED),1)

# A policy over real sshd, a fifth of them bad, with kills, stops and halts: SEED=n HOSTS=30. Five minutes.
.PHONY: campaign-fleet-held
campaign-fleet-held: all fleet judge
	MAYHEM_BUILD='$(abspath $(BUILD))' tests/e2e/e2e_held_fleet.sh $(or $(SEED),1) $(or $(HOSTS),30)
