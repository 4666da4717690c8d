# make bench [BENCH="throughput latency …"] [RUNS=5]: the pipeline beside the skeleton, in one
# table (bench/bench.sh has the cases and settings). The results stay in
# $(BUILD)/bench/results.txt; `make bench-charts [RESULTS=FILE]` draws them into docs/.

# The peers are built when the library of their client is there, and left out by bench.sh when their
# server is not.
bench_PEERS := beanstalkd $(foreach pair,redis:hiredis nats:libnats rabbitmq:librabbitmq,\
    $(shell pkg-config --exists $(lastword $(subst :, ,$(pair))) && echo $(firstword $(subst :, ,$(pair)))))
bench_PROGRAMS := skeleton pipeline fdatasync $(bench_PEERS)
bench_OBJECTS := $(patsubst %,$(BUILD)/obj/bench/%.o,roles probe ready record servers pauses skeleton pipeline fdatasync spawner leases handshakes)
bench_PEER_OBJECTS := $(patsubst %,$(BUILD)/obj/bench/peers/%.o,peer work beanstalkd redis nats rabbitmq)
bench_compile = @mkdir -p $(@D); $(compile) $(TEST_INCLUDES) -Ibench -c -o $@ $<

$(bench_OBJECTS): $(BUILD)/obj/bench/%.o: bench/%.c
	$(bench_compile)
$(bench_PEER_OBJECTS): $(BUILD)/obj/bench/peers/%.o: bench/peers/%.c
	$(bench_compile)

$(BUILD)/bench/pipeline: $(patsubst %,$(BUILD)/obj/bench/%.o,probe ready record servers pauses) $(BUILD)/libpublisher.a
$(BUILD)/bench/redis: LIBS += -lhiredis
$(BUILD)/bench/nats: LIBS += -lnats
$(BUILD)/bench/rabbitmq: LIBS += -lrabbitmq
$(patsubst %,$(BUILD)/bench/%,beanstalkd nats rabbitmq): $(BUILD)/obj/bench/peers/work.o
$(patsubst %,$(BUILD)/bench/%,skeleton pipeline fdatasync spawner leases handshakes): $(BUILD)/bench/%: $(BUILD)/obj/bench/%.o
$(patsubst %,$(BUILD)/bench/%,beanstalkd redis nats rabbitmq): $(BUILD)/bench/%: \
    $(BUILD)/obj/bench/peers/%.o $(BUILD)/obj/bench/peers/peer.o
$(patsubst %,$(BUILD)/bench/%,skeleton pipeline fdatasync spawner leases handshakes beanstalkd redis nats rabbitmq): \
    $(BUILD)/obj/bench/roles.o $(BUILD)/libcommon.a
	@mkdir -p $(@D)
	$(link) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LIBS) $(PQ)

.PHONY: bench
bench: all $(addprefix $(BUILD)/bench/,$(bench_PROGRAMS)) $(if $(filter growth,$(BENCH)),$(BUILD)/tests/file_host)
	@bench/bench.sh $(BUILD) $(BENCH)

# The servers and clients of BENCH=peers, and the programs of BENCH=commands; none is started.
.PHONY: bench-peers-install
bench-peers-install:
	@echo 'apt-get install --no-install-recommends redis-server libhiredis-dev beanstalkd nats-server' \
	    'libnats-dev rabbitmq-server librabbitmq-dev python3-celery python3-redis pdsh clustershell parallel'

.PHONY: bench-charts
bench-charts:
	@bench/charts.sh $(or $(RESULTS),$(BUILD)/bench/results.txt) docs

# What it costs to start commands, beside xargs: COUNT commands in each of RUNS rounds.
.PHONY: bench-spawner
bench-spawner: $(BUILD)/bench/spawner
	@bench/spawner.sh $(BUILD)

# The pipeline beside strangers that make handshakes, with the firewall of docs/sites.md and without
# it, in network namespaces of its own. Needs root and nft.
.PHONY: bench-flood
bench-flood: all $(BUILD)/bench/handshakes
	@bench/flood.sh $(BUILD)

# What a publisher needs for JOBS hosts (a million) that are all under long leases.
.PHONY: bench-leases
bench-leases: all $(BUILD)/bench/leases
	@bench/leases.sh $(BUILD)

# What it costs to be looked at, in instructions: the loop profile, and a viewer.
.PHONY: watching
watching: all $(BUILD)/bench/pipeline
	@bench/watching.sh $(BUILD)

# make compare OLD=BUILD [PAIRS=30]: this build beside an older one, in pairs.
.PHONY: compare
compare: all $(BUILD)/bench/pipeline
	@bench/compare.sh $(or $(OLD),$(error say the older build: make compare OLD=FOLDER)) $(BUILD)

# What a policy costs the consumer, and how much memory hosts need that wait: HOSTS=n WAITING=n.
$(BUILD)/obj/bench/policy.o: $(BUILD)/obj/bench/%.o: bench/%.c
	$(bench_compile)
$(BUILD)/bench/policy: $(BUILD)/obj/bench/policy.o $(BUILD)/libconsumer.a $(BUILD)/libcommon.a
	@mkdir -p $(@D)
	$(link) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LIBS) $(PQ)

.PHONY: bench-policy
bench-policy: all $(BUILD)/bench/policy $(BUILD)/bench/leases
	@bench/policy.sh $(BUILD)
