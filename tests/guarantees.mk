# Each test that docs/guarantees.md names exists.
.PHONY: guarantees
check: guarantees
guarantees:
	@tests/check_guarantees.sh docs/guarantees.md
