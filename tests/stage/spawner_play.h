// A spawner with commands, each with a pipe of its own, for the tests of the spawner. Nothing is
// slept for: what processes do is waited for with poll, under a limit. All processes of an attempt
// hold its pipe, so when the last has died the pipe has its end; who carries a tag is counted in
// /proc by a reader of its own.

#ifndef SPAWNER_PLAY_H
#define SPAWNER_PLAY_H

#include "clock.h"
#include "spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define PLAY_SLOTS    512
#define PLAY_LIMIT_MS 60000 // for anything that a process has to do; not reached when all is well

typedef struct {
    mm_spawner_t *spawner;
    uint64_t tags[PLAY_SLOTS];
    int outputs[PLAY_SLOTS]; // reading ends; -1: none
    int64_t end_ms;          // of the next starts; 0: none
} play_t;

// A test with a play_t as its state: a spawner is there, and is destroyed at the end.
#define PLAY_TEST(NAME) cmocka_unit_test_setup_teardown(NAME, play_set_up, play_tear_down)
int play_set_up(void **state);
int play_tear_down(void **state);
// valgrind knows no vfork that shares descriptors, too.
void play_skip_under_valgrind(void);

// Starts a program, or `sh -c SCRIPT`, in a slot. Returns what mm_spawner_start does.
int play_try_start(play_t *self, uint32_t slot, const char *path, char *const *arguments,
                   char *const *environment, int64_t not_after_ms);
void play_start(play_t *self, uint32_t slot, const char *script);

// Waits for the next event.
mm_spawner_event_t play_next(play_t *self);
// Waits for the event of an attempt; no other is to come.
mm_spawner_event_t play_wait(play_t *self, uint32_t slot, mm_spawner_kind_t kind);
void play_assert_exit(play_t *self, uint32_t slot, int code);
// Kills what is in the slot, and waits until nothing of it is there.
void play_kill(play_t *self, uint32_t slot);

// The next line of the output, without its end. False: the end of the pipe.
bool play_line(play_t *self, uint32_t slot, char *ret_line, size_t size);
void play_assert_line(play_t *self, uint32_t slot, const char *expected);
// The rest of the output has been read, and nobody holds the pipe any more.
void play_assert_all_dead(play_t *self, uint32_t slot);
// Closes the reading end, if there is one.
void play_close(play_t *self, uint32_t slot);

// How many processes carry the tag, zombies not counted; the last one's number in *ret_pid, which
// may be NULL.
int play_count_tagged(uint64_t tag, pid_t *ret_pid);

#endif
