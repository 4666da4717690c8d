# Each test that docs/guarantees.md names exists.
.PHONY: guarantees
check: guarantees
guarantees:
	@tests/checks/guarantees.sh docs/guarantees.md
