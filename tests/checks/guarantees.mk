# Each test that docs/guarantees.md names exists.
.PHONY: guarantees
check: guarantees
guarantees:
	@tests/checks/guarantees.sh docs/guarantees.md

# Each program that a script calls is one that every Debian has or that run.sh installs.
.PHONY: commands
check: commands
commands:
	@tests/checks/commands.sh
