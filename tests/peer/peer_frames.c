// Frames that are right but for one field: for each kind that a consumer takes, each field in turn
// is missing, of another type, out of range, too long or not UTF-8. They are made from the table of
// docs/protocol.md, section 3, by msgpack-c, since the encoder of the product would refuse to.

#include "peer.h"

#include <assert.h>
#include <string.h>

#define ITEMS_TOO_MANY (MM_BATCH_ITEMS + 1)
#define NAME_MAX_SIZE  16

typedef enum { MISSING, TYPE, RANGE, LONG, UTF8, ITEM, MUTATIONS } mutation_t;

static const char *const mutation_names[] = {"missing", "type", "range", "long", "utf8", "item"};

// name:class, and name[...] for a list of one item. The classes:
//   n name, N name or empty, h host, t text, w words, u u64, z u64 from 1, c u32 from 1,
//   m milliseconds, b bool, i id, g leg, s status, o outcome or proof, e end, x exit, r role,
//   l slots, p part, P parts, v evidence, U list of u64, L list
static const struct {
    const char *name;
    mm_frame_kind_t kind;
    mm_socket_role_t place;
    const char *fields;
} kinds[] = {
    {"jobs", MM_FRAME_JOBS, MM_SOCKET_JOBS,
     "publisher:n life:u driver:N dead:u run:u groups[group:N hosts:u ] "
     "jobs[id:i host:h delivery:c ] "},
    {"hello", MM_FRAME_HELLO, MM_SOCKET_INBOX,
     "worker:n nonce:u role:r session:u sequence:u stamp_ms:m slots:l last_serial:u part:p parts:P "
     "driver:N verbs:u held[number:u id:i leg:g started:b host:h ] "
     "results[serial:z number:u leg:g id:i status:s outcome:o took_ms:m error:t evidence:v ] "},
    {"heartbeat", MM_FRAME_HEARTBEAT, MM_SOCKET_INBOX,
     "worker:n nonce:u role:r session:u sequence:u stamp_ms:m slots:l last_serial:u part:p parts:P "
     "held[number:u id:i leg:g started:b host:h ] "
     "results[serial:z number:u leg:g id:i status:s outcome:o took_ms:m error:t evidence:v ] "},
    {"started", MM_FRAME_STARTED, MM_SOCKET_INBOX, "worker:n nonce:u session:u numbers:U "},
    {"results", MM_FRAME_RESULTS, MM_SOCKET_INBOX,
     "worker:n nonce:u session:u "
     "results[serial:z number:u leg:g id:i status:s outcome:o took_ms:m error:t evidence:v ] "},
    {"results-of-real-restarts", MM_FRAME_RESULTS, MM_SOCKET_INBOX,
     "worker:n nonce:u session:u "
     "results[serial:z number:u leg:g id:i status:s outcome:o took_ms:m error:t evidence:v "
     "end:e exit:x proof:o machine:i boot:i sent:b more:b words:w health:t owes:b ] "},
    {"bye", MM_FRAME_BYE, MM_SOCKET_INBOX, "worker:n nonce:u session:u last_serial:u "},
    {"order", MM_FRAME_ORDER, MM_SOCKET_INBOX,
     "viewer:u orders[id:i action:e name:t run:u until_ms:m why:t actor:t ] "},
    {"recorded", MM_FRAME_RECORDED, MM_SOCKET_INBOX,
     "worker:n nonce:u session:u recorded[id:i error:t ] "},
    {"state", MM_FRAME_STATE, MM_SOCKET_INBOX,
     "worker:n nonce:u session:u run:u from:u next:u "
     "state[action:e seq:u name:t groups:t at_ms:m until_ms:m outcome:o casualty:b why:t ] "},
    {"lease", MM_FRAME_LEASE, MM_SOCKET_INBOX,
     "worker:n nonce:z verb:g stamp_ms:m verdict:g life:u left_ms:m halted:b orders_seq:u "
     "restarters_elsewhere:b "},
    {"handover", MM_FRAME_HANDOVER, MM_SOCKET_INBOX, "viewer:u id:i why:t actor:t "},
};

typedef struct {
    const char *at; // in the fields
    int victim;     // which field is bad
    mutation_t mutation;
    int count;     // of fields seen
    char class;    // of the victim; 0: there is no such field
    char path[40]; // its name, with that of its list
    char list[NAME_MAX_SIZE + 1];
} walk_t;

static bool is_applicable(mutation_t mutation, char class)
{
    switch (mutation) {
    case MISSING: return class != 'e'; // it may, with all that is behind it
    case TYPE: return true;
    case RANGE: return !strchr("bL", class);
    case LONG: return strchr("nNhtwivUL", class) != NULL;
    case UTF8: return strchr("nNhtwv", class) != NULL;
    case ITEM: return strchr("UL", class) != NULL;
    case MUTATIONS: break;
    }
    return false;
}

// ---- values

static void put_text(msgpack_packer *out, const char *text, size_t size)
{
    (void)msgpack_pack_str_with_body(out, text, size);
}

static void put_bytes(msgpack_packer *out, const char *bytes, size_t size)
{
    (void)msgpack_pack_bin_with_body(out, bytes, size);
}

static void put_evidence(msgpack_packer *out, size_t pairs, const char *key, size_t key_size,
                         const char *value, size_t value_size)
{
    (void)msgpack_pack_map(out, pairs);
    for (size_t i = 0; i < pairs; i++) {
        put_text(out, key, key_size);
        put_text(out, value, value_size);
    }
}

static void put_numbers(msgpack_packer *out, size_t count)
{
    (void)msgpack_pack_array(out, count);
    for (size_t i = 0; i < count; i++)
        (void)msgpack_pack_uint64(out, i);
}

static void put_good(msgpack_packer *out, char class)
{
    switch (class) {
    case 'n': put_text(out, "peer", 4); break;
    case 'h': put_text(out, "peer-host", 9); break;
    case 'N':
    case 't':
    case 'w': put_text(out, "", 0); break;
    case 'b': (void)msgpack_pack_true(out); break;
    case 'i': put_bytes(out, "peer-job-8-bytes", 16); break;
    case 'v': put_evidence(out, 1, "k", 1, "v", 1); break;
    case 'U': put_numbers(out, 1); break;
    case 'u':
    case 'm':
    case 's':
    case 'o':
    case 'l':
    case 'x':
    case 'p': (void)msgpack_pack_int(out, 0); break;
    case 'g':
    case 'r': (void)msgpack_pack_int(out, 2); break;
    default: (void)msgpack_pack_int(out, 1); break;
    }
}

static void put_range(msgpack_packer *out, char class)
{
    switch (class) {
    case 'n':
    case 'N':
    case 'h': put_text(out, "-rf", 3); break;
    case 't':
    case 'w': put_text(out, "a\0b", 3); break;
    case 'i': put_bytes(out, "fifteen-bytes--", 15); break;
    case 'v': put_evidence(out, 1, "", 0, "v", 1); break;
    case 'u': (void)msgpack_pack_int(out, -1); break;
    case 'z':
    case 'c':
    case 'P': (void)msgpack_pack_int(out, 0); break;
    case 'm': (void)msgpack_pack_uint64(out, UINT64_C(1) << 63); break;
    case 'l': (void)msgpack_pack_int(out, MM_SLOTS_MAX + 1); break;
    case 'e': (void)msgpack_pack_int(out, MM_END_LAST + 1); break;
    case 'x': (void)msgpack_pack_int(out, MM_EXIT_NONE + 1); break;
    case 'p': (void)msgpack_pack_int(out, MM_PARTS_MAX); break;
    case 'U':
        (void)msgpack_pack_array(out, 1);
        (void)msgpack_pack_int(out, -1);
        break;
    default: (void)msgpack_pack_int(out, 9); break;
    }
}

static void put_long(msgpack_packer *out, char class)
{
    char text[MM_ERROR_MAX + 1];
    memset(text, 'a', sizeof text);
    switch (class) {
    case 'n':
    case 'N': put_text(out, text, MM_NAME_MAX + 1); break;
    case 'w': put_text(out, text, MM_WORDS_MAX + 1); break;
    case 'h': put_text(out, text, MM_HOST_MAX + 1); break;
    case 't': put_text(out, text, MM_ERROR_MAX + 1); break;
    case 'i': put_bytes(out, text, 17); break;
    case 'v': put_evidence(out, MM_EVIDENCE_MAX + 1, "k", 1, "v", 1); break;
    default: put_numbers(out, ITEMS_TOO_MANY); break;
    }
}

static void put_bad(msgpack_packer *out, char class, mutation_t mutation)
{
    bool is_text = strchr("nNhtw", class) != NULL;
    switch (mutation) {
    case TYPE:
        if (is_text)
            (void)msgpack_pack_int(out, 7);
        else
            put_text(out, "x", 1);
        break;
    case RANGE: put_range(out, class); break;
    case LONG: put_long(out, class); break;
    case UTF8:
        if (is_text)
            put_text(out, "a\xC3(", 3);
        else
            put_evidence(out, 1, "k", 1, "\xED\xA0\x80", 3);
        break;
    case ITEM:
        (void)msgpack_pack_array(out, 1);
        put_text(out, "x", 1);
        break;
    case MISSING:
    case MUTATIONS: assert(false);
    }
}

// ---- the walk through a kind's fields

static size_t put_group(walk_t *self, msgpack_sbuffer *to);

static void put_list(walk_t *self, msgpack_packer *out, msgpack_sbuffer *to, bool hit)
{
    msgpack_sbuffer item;
    msgpack_sbuffer_init(&item);
    size_t fields = put_group(self, &item);
    size_t items = hit && self->mutation == LONG ? ITEMS_TOO_MANY : 1;
    if (hit && self->mutation != LONG) {
        put_bad(out, 'L', self->mutation);
    } else {
        (void)msgpack_pack_array(out, items);
        for (size_t i = 0; i < items; i++) {
            (void)msgpack_pack_array(out, fields);
            (void)msgpack_sbuffer_write(to, item.data, item.size);
        }
    }
    msgpack_sbuffer_destroy(&item);
}

static void note_victim(walk_t *self, char class, const char *name, size_t size)
{
    self->class = class;
    (void)snprintf(self->path, sizeof self->path, "%s%s%.*s", self->list, *self->list ? "." : "",
                   (int)size, name);
}

// Packs the fields up to the end of the list or of all; returns how many. Behind one that is
// missing nothing is packed, but all are counted.
static size_t put_group(walk_t *self, msgpack_sbuffer *to)
{
    size_t packed = 0;
    msgpack_sbuffer nowhere;
    msgpack_sbuffer_init(&nowhere);
    bool is_cut = false;
    while (*self->at && *self->at != ']') {
        const char *name = self->at;
        size_t size = strcspn(name, ":[");
        bool is_list = name[size] == '[', hit = self->count++ == self->victim;
        char class = is_list ? 'L' : name[size + 1];
        self->at = name + size + (is_list ? 1 : 2);
        if (hit)
            note_victim(self, class, name, size);
        is_cut = is_cut || (hit && self->mutation == MISSING);
        packed += !is_cut;
        msgpack_sbuffer *buffer = is_cut ? &nowhere : to;
        msgpack_packer out;
        msgpack_packer_init(&out, buffer, msgpack_sbuffer_write);
        if (is_list) {
            (void)snprintf(self->list, sizeof self->list, "%.*s", (int)size, name);
            put_list(self, &out, buffer, hit && !is_cut);
            *self->list = '\0';
            self->at++;
        } else if (hit && !is_cut) {
            put_bad(&out, class, self->mutation);
        } else {
            put_good(&out, class);
        }
        self->at++; // the blank
    }
    msgpack_sbuffer_destroy(&nowhere);
    return packed;
}

// Builds the frame of that kind whose field `victim` is bad, into `to`.
static void build(size_t kind, walk_t *walk, msgpack_sbuffer *to)
{
    msgpack_sbuffer body;
    msgpack_packer out;
    msgpack_sbuffer_init(&body);
    walk->at = kinds[kind].fields;
    walk->class = 0;
    walk->count = 0;
    size_t count = put_group(walk, &body);
    msgpack_packer_init(&out, to, msgpack_sbuffer_write);
    (void)msgpack_pack_array(&out, count + 2);
    (void)msgpack_pack_int(&out, MM_WIRE_VERSION);
    (void)msgpack_pack_int(&out, (int)kinds[kind].kind);
    (void)msgpack_sbuffer_write(to, body.data, body.size);
    msgpack_sbuffer_destroy(&body);
}

bool peer_frame(peer_t *self, size_t number, bool send, peer_item_t *ret_item)
{
    size_t left = number;
    for (size_t kind = 0; kind < sizeof kinds / sizeof *kinds; kind++) {
        walk_t walk = {.victim = 0, .class = 'n'};
        for (; walk.class != 0; walk.victim++) {
            for (int i = 0; i < MUTATIONS; i++) {
                msgpack_sbuffer frame;
                msgpack_sbuffer_init(&frame);
                walk.mutation = (mutation_t)i;
                build(kind, &walk, &frame);
                bool is_one = walk.class != 0 && is_applicable(walk.mutation, walk.class);
                bool is_it = is_one && left-- == 0;
                if (is_it && send)
                    peer_send(self, kinds[kind].place, frame.data, frame.size);
                msgpack_sbuffer_destroy(&frame);
                if (!is_it)
                    continue;
                (void)snprintf(ret_item->name, sizeof ret_item->name, "%s.%s.%s", kinds[kind].name,
                               walk.path, mutation_names[i]);
                ret_item->drops = 1;
                return true;
            }
        }
    }
    return false;
}
