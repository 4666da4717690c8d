# Each program that a script calls is one that every Debian has or that run.sh installs.
.PHONY: commands
check: commands
commands:
	@tests/checks/commands.sh
