// What the exec driver says of a task that has ended, in words: one line of UTF-8. Pure.

#ifndef EXEC_WORDS_H
#define EXEC_WORDS_H

#include "output_tail.h"
#include "restart.h"

// What is known at the end of a task, beside its result. Texts that are not there are empty.
typedef struct {
    const output_tail_t *command; // what it has written; NULL: none was sent
    const output_tail_t *look;    // the last one; NULL: there was none
    const restart_end_t *looked;  // how that ended
    const char *unprepared;       // how --before has failed
    const char *unwell;           // what the last health has said that was not good, or its end
    const char *program;          // that could not be started
    int error;                    // why not, an errno; 0: that is not why
    int pid;                      // what could not be killed; 0: unknown
    mm_str_t lacking;             // the key of an attribute that did not come with the job
    uint32_t number;              // of the command in the driver's list
    int64_t timeout_ms, verify_ms;
} exec_said_t;

// The error of a result whose leg, status, end, exit, sent and machine are known, at most size - 1
// bytes; empty when it is ok, and when it was given back by no fault of this machine.
void exec_words_error(const exec_said_t *said, const mm_result_t *result, char *ret_text,
                      size_t size);
// What a look has shown by which such a result has failed, without what the command has said: who
// answers, or how the question has ended. Empty: nothing.
void exec_words_look(const exec_said_t *said, const mm_result_t *result, char *ret_text,
                     size_t size);
// The same of an identify that has exited with 0 and shown no identity: `it answered "Last login:
// today", which is no identity`.
void exec_words_answer(const output_tail_t *output, char *ret_text, size_t size);
// How a run has ended and the last words of it: "exit 1: sudo: a password is required".
void exec_words_end(const restart_end_t *end, const output_tail_t *output, char *ret_text,
                    size_t size);

#endif
