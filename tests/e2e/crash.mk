# The programs with the crash points of common/runtime/crash.h, for tests/e2e/e2e_crash.sh.
.PHONY: crash
crash:
	$(MAKE) BUILD=$(BUILD)/crash CPPFLAGS='$(CPPFLAGS) -DMM_CRASH_POINTS' all
