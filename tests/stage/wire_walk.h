// A frame as its fields in the order of the wire: frames.def for the tests and fuzzers that treat
// fields by their types, whatever they mean.

#ifndef WIRE_WALK_H
#define WIRE_WALK_H

#include "wire.h"

typedef enum {
#define TYPE(type, c_type) WIRE_##type,
#define TEXT(type)
#define NUMBER(type, c_type)
#include "expand_frames.h"
    WIRE_TEXT,
    WIRE_NUMBER,
    WIRE_PAIRS, // a map
    WIRE_ATTRIBUTES,
    WIRE_LIST, // its items follow, then WIRE_END
    WIRE_ITEM, // an item that is an array: its fields follow, then WIRE_END
    WIRE_END
} wire_class_t;

typedef enum {
#define TEXT(type) WIRE_TEXT_##type,
#include "expand_frames.h"
} wire_text_t;

typedef enum {
#define ITEM(item) WIRE_ITEM_##item,
#include "expand_frames.h"
} wire_item_t;

typedef struct {
    wire_class_t class;
    const char *name;   // on the wire; NULL: an item has none
    void *value;        // the member; of a list its count; of a WIRE_ITEM the struct
    size_t size;        // of the member
    uint64_t low, high; // of a number its range; of a text its bytes; of a list or a map its count
    wire_text_t text;   // of a WIRE_TEXT
    wire_item_t which;  // of a WIRE_ITEM
    uint32_t *pair_count; // of a WIRE_PAIRS, whose value is a const mm_pair_t **
    size_t key_max, value_max;
} wire_field_t;

// Embed it as first member.
typedef struct wire_visitor {
    void (*visit)(struct wire_visitor *self, const wire_field_t *field);
    // Whether `visit` sets the values: of a list the count, of an item any fields, which are zero
    // so far. The items are in static memory: they live until a frame of the same body is made.
    bool makes;
    bool makes_all;   // also the optional fields whose condition does not hold yet
    bool is_optional; // the field at hand may be missing, and all behind it; set by the walk
} wire_visitor_t;

// Visits all fields behind version and kind. Changes the frame only if the visitor makes it.
void wire_walk(wire_visitor_t *visitor, mm_frame_t *frame);

// Of a WIRE_NUMBER; in its range (asserted).
uint64_t wire_number(const wire_field_t *field);
void wire_set_number(const wire_field_t *field, uint64_t number);

#endif
