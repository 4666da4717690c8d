// libzmq asks for the id of its process around each look into a mailbox, to notice a fork: nearly a
// third of the system calls of a process that has little to do. glibc does not remember the id, so
// this does, by a getpid () of its own, which libzmq then finds.

#ifndef MM_KNOWN_PID_H
#define MM_KNOWN_PID_H

// From now on getpid () makes no system call. Call it before there are threads. A child of fork ()
// asks the kernel again; one that shares its parent's memory gets its parent's id.
void mm_known_pid_start(void);

#endif
