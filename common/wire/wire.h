// The codec of docs/protocol.md: frames to bytes (MessagePack) and back, made from frames.def. It
// trusts no bytes: the decoder checks every size, type and range before it fills in a field. It
// never sends, logs or keeps what it was given.

#ifndef MM_WIRE_H
#define MM_WIRE_H

#include "frame.h"

// Why bytes were not a frame; the statuses of docs/protocol.md, 2.
typedef enum {
    MM_WIRE_OK = 0,
    MM_WIRE_MALFORMED,   // not msgpack, cut off, too deep, too many elements, trailing bytes
    MM_WIRE_VERSION_BAD, // msgpack, but of another version of the protocol
    MM_WIRE_KIND_BAD,    // a frame kind that this version does not have
    MM_WIRE_FIELD_BAD,   // a field is missing, of the wrong type, out of range or not UTF-8
    MM_WIRE_STATUS_COUNT
} mm_wire_status_t;

// Decoding. A decoder owns the arrays that its frames point to and reuses them. It allocates
// nothing after mm_decoder_new.
typedef struct mm_decoder mm_decoder_t;

mm_decoder_t *mm_decoder_new(void);
void mm_decoder_destroy(mm_decoder_t **self_p);

// Decodes one frame. *ret_frame is untouched on failure; on success its arrays live until the next
// call and its texts as long as `data`.
mm_wire_status_t mm_decode(mm_decoder_t *self, const void *data, size_t size,
                           mm_frame_t *ret_frame);

// The bad field of the last mm_decode that failed, by its name on the wire ("results[3].status",
// "frame" when it was malformed): never NULL, valid until the next call.
const char *mm_decoder_complaint(const mm_decoder_t *self);

// Whether the last mm_decode gave MM_WIRE_VERSION_BAD for a hello, whose first four elements are
// the same in every version; then sets its version, worker (borrowed from `data`) and nonce, so
// that the hello can be refused.
bool mm_decoder_foreign_hello(const mm_decoder_t *self, uint64_t *ret_version, mm_str_t *ret_worker,
                              uint64_t *ret_nonce);

// Encoding. An encoder is one reused buffer. It asserts that what it is given can be decoded:
// names, hosts, UTF-8, counts, ranges.
typedef struct mm_encoder mm_encoder_t;

mm_encoder_t *mm_encoder_new(void);
void mm_encoder_destroy(mm_encoder_t **self_p);

// The finished frame; owned by the encoder, valid until its next use.
mm_str_t mm_encoder_bytes(const mm_encoder_t *self);

// A whole frame in one call, lists included; no batch may be open. A list has at most
// MM_BATCH_ITEMS items (asserted); to stay within MM_BATCH_BYTES is up to the caller.
void mm_encode_frame(mm_encoder_t *self, const mm_frame_t *frame);

// The same for a REFUSED, whose elements are the same in every version, to a worker of this one.
void mm_encode_refused(mm_encoder_t *self, const mm_frame_t *frame, uint64_t version);

// A batch is a frame that is encoded item by item: begin it with its header, add items until it is
// full, finish it. Its kind must have a BATCH in frames.def; the items of `header` are ignored. No
// other batch may be open.
void mm_encode_begin(mm_encoder_t *self, const mm_frame_t *header);
// mm_encode_job(self, &job), mm_encode_task, _result, _verdict and _acknowledgement: add an item to
// the open batch, which must be of that item and not full (asserted).
#define BATCH(item, ...) void mm_encode_##item(mm_encoder_t *self, const mm_##item##_t *it);
#include "expand_frames.h"
// Close the batch; its bytes are then mm_encoder_bytes.
void mm_encode_finish(mm_encoder_t *self);

// Items in the open batch; 0 also when there is none.
size_t mm_encoder_count(const mm_encoder_t *self);
// Whether the open batch takes no further item: it has MM_BATCH_ITEMS, or MM_BATCH_BYTES are
// reached. False when none is open.
bool mm_encoder_is_full(const mm_encoder_t *self);

#endif
