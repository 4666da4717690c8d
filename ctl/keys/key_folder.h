// The folder of a consumer's keys, as `mayhem keys` works in it:
//
//   consumer.key       the consumer's own
//   consumer.next.key  its next one, from `rotate` to `rotate --switch`
//   consumer.old.key   its former one, from `rotate --switch` to `rotate --finish`
//   allowed            the allow list
//   NAME.key           the file of each client, until it is moved away
//   .lock              one command at a time

#ifndef KEY_FOLDER_H
#define KEY_FOLDER_H

#include "key_file.h"
#include "target.h"

#define KEY_PATH 4096
#define KEY_WORD (4 * KEY_PATH + 8) // a path as a shell reads it

typedef enum {
    KEY_FOLDER_LOOK,   // nothing is changed
    KEY_FOLDER_LIST,   // only the allow list is changed, whatever has become of the consumer's keys
    KEY_FOLDER_CHANGE, // nobody else changes anything meanwhile
    KEY_FOLDER_MAKE    // the same; the folder and consumer.key are made when they are missing
} key_folder_use_t;

typedef struct {
    char path[KEY_PATH];
    char allowed[KEY_PATH + 16];
    char argument[KEY_WORD + 8]; // for a command to type: " --keys DIR", " --dir DIR", or ""
    int lock;                    // descriptor; -1: none
    mm_key_t consumer, next, former;
    bool has_consumer, has_next, has_former;
} key_folder_t;

// keys: --keys; NULL: MAYHEM_KEYS, or `keys` in the target's folder. Returns 0, or a sysexits code
// after one sentence on standard error. Destroy it in any case.
int key_folder_open(key_folder_t *self, target_t *target, const char *keys, key_folder_use_t use);
// Clears the secrets, and unlocks.
void key_folder_close(key_folder_t *self);

// Whether the allow list is there, which is made with consumer.key: a new one would revoke all
// whose keys it does not have. Returns 0, or a sysexits code after a sentence.
int key_folder_need_list(const key_folder_t *self);

// The path of a file in it, "eu-1" and ".key". False, after a sentence: it is too long.
bool key_folder_path(const key_folder_t *self, const char *name, char ret_path[KEY_PATH]);

// Calls fn with each client's key, in order of the names, and its file. A file that cannot be read
// ends that, after a sentence; so does a code of fn. Returns that code, or 0. fn may change the
// key.
typedef int key_folder_fn(void *arg, mm_key_t *key, const char *path);
int key_folder_each(const key_folder_t *self, key_folder_fn *fn, void *arg);

// Whether the consumer's own files are called so.
bool key_folder_is_own(const char *name);
// A path as a shell reads it: in quotes when it has to be. Returns buffer.
char *key_folder_word(const char *path, char buffer[KEY_WORD]);

#endif
