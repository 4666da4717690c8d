// A simulated host whose sshd is real: it boots, listens, goes down when it is asked to, and comes
// back with another boot id. host_run is the whole life of the process that is this host.
//
// In its folder, made by fleet.sh: `conf` (KEY=VALUE, see host.c), `sshd_config`, `control` (a FIFO
// of requests: see host.c:obey), `machine-id`. It writes `boot-id`, `up-since` (ms of
// CLOCK_BOOTTIME), `state` (for systemctl) and `log`, of which each line is
//
//   BOOT_MS WALL_MS BOOT_ID EVENT [TEXT]
//
// up OLD_ID|- · listening · down WHY · and what the host's programs tell: command, asked,
// refused, read. `up` is written before anybody can read the new boot id.
#ifndef FLEET_HOST_H
#define FLEET_HOST_H

// Returns an exit code when TERM comes or the parent ends; then nothing of the host runs any more.
// One byte is written to `ready` when it listens for the first time.
int host_run(const char *folder, const char *sshd, int ready);

#endif
