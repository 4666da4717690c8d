// Frames of each kind, made from frames.def, for the tests of the wire codec.

#ifndef WIRE_SAMPLES_H
#define WIRE_SAMPLES_H

#include "wire.h"

typedef enum {
    SAMPLE_SMALLEST, // each field at its lower limit, no items
    SAMPLE_DISTINCT, // each field with a value of its own, items of every leg, status and verdict
    SAMPLE_LARGEST   // each field at its upper limit, all lists full, the legs in turn
} sample_size_t;

#define SAMPLE_ITEMS 16 // in each list of a distinct sample

// What it points to lives until the next call.
mm_frame_t wire_sample(mm_frame_kind_t kind, sample_size_t size);

// Encodes a frame into memory of exactly its size, so that a sanitizer sees one byte too many read.
// The caller frees *ret_bytes.
size_t sample_encode(mm_encoder_t *encoder, const mm_frame_t *frame, char **ret_bytes);

// Whether the bytes are an array with exactly the values of the frame in the order of frames.def,
// as msgpack-c reads them. Says what differs otherwise.
bool sample_is_frame(const void *bytes, size_t size, const mm_frame_t *frame);

#endif
