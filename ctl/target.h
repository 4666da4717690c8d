// The pipeline that a command looks at, and the sentences for when it does not answer.

#ifndef TARGET_H
#define TARGET_H

#include "addresses.h"
#include "key_file.h"

#define TARGET_ADDRESS 2304 // bytes of a list of addresses, with its NUL
#define TARGET_WAIT_MS 3000 // for the first answer, and for one more before a warning

typedef struct {
    const char *dir;      // --dir; NULL: MAYHEM_DIR, or run
    const char *consumer; // --consumer; NULL: MAYHEM_CONSUMER unless --dir is given, or that of dir
    const char *key_file; // --key; NULL: MAYHEM_KEY on tcp, or none
    const char *variable; // the variable that has named it; NULL: the command line, or nobody
    bool gives_orders;    // set by the command: an operator's key is needed
    mm_key_t key;
    bool has_key;
    char address[TARGET_ADDRESS]; // as it was given, or found
    mm_addresses_t addresses;     // of its consumers
} target_t;

// Rows of a table of ctl_option_t: the folder alone, and with the address.
#define TARGET_DIR_OPTION(TARGET)                                                                  \
    {                                                                                              \
        .name = "dir", .argument = "DIR", .help = "the pipeline's folder (MAYHEM_DIR, or run)",    \
        .text = &(TARGET)->dir                                                                     \
    }
#define TARGET_OPTIONS(TARGET)                                                                     \
    TARGET_DIR_OPTION(TARGET),                                                                     \
        {.name = "consumer",                                                                       \
         .argument = "ADDR",                                                                       \
         .help = "its address instead, ipc://PATH or tcp://HOST:PORT; several: ADDR,ADDR",         \
         .text = &(TARGET)->consumer},                                                             \
    {                                                                                              \
        .name = "key", .argument = "FILE",                                                         \
        .help = "your key, of a viewer or an operator, for a tcp address with keys (MAYHEM_KEY)",  \
        .text = &(TARGET)->key_file                                                                \
    }

// Sets dir, address and addresses of its consumers, and the key. False, with one sentence in error,
// when there is no such address, or the key is none for it; dir is set then, too.
bool target_resolve(target_t *self, char error[MM_ERROR_MAX]);
// The same with the sentence printed: 0, or 64 of the command line and 78 of a variable, or of what
// is in a key file.
int target_find(target_t *self);
// Of a target that was found; NULL: none.
const mm_key_t *target_key(const target_t *self);
// Sets dir alone, which is all that counts where nobody is asked. 0, or 77 with a sentence printed
// when it is another user's.
int target_folder(target_t *self);

// What names this pipeline in a command for the user to type: " --dir DIR", " --consumer ADDR", or
// "" when that is the default, and --key behind it when it was given. Returns buffer.
#define TARGET_ARGUMENT 8704
char *target_argument(const target_t *self, char buffer[TARGET_ARGUMENT]);
// The path of the record of the folder: db, else MAYHEM_DB, else DIR/mayhem.db; what is empty does
// not count. Returns buffer.
#define TARGET_PATH 4352
char *target_record_of(const char *dir, const char *db, char buffer[TARGET_PATH]);
// The same of this pipeline. NULL: it is known by its address alone, and nothing names a record.
char *target_record(const target_t *self, const char *db, char buffer[TARGET_PATH]);

// Prints that nothing answers, or, if that is known, why (mm_consumers_complaint), and returns the
// code.
int target_fail(const target_t *self, const char *complaint);
// Warns once when a pipeline has become silent. was_silent: what the last call returned. Returns
// whether it is silent now.
bool target_watch(int64_t silent_ms, bool was_silent);

#endif
