// The codec of docs/protocol.md: frames to bytes (msgpack) and back. It trusts nothing: bytes pass
// a bounded scan before msgpack-c sees them, and every field is checked before a struct is filled.
// It never sends, logs or keeps what it was given.

#ifndef MM_WIRE_H
#define MM_WIRE_H

#include "frame.h"

// Why bytes were not a frame. Each has its counter and its clause in docs/protocol.md.
typedef enum {
    MM_WIRE_OK = 0,
    MM_WIRE_MALFORMED,   // not msgpack, cut off, too deep, too many elements, trailing bytes
    MM_WIRE_VERSION_BAD, // msgpack, but of another version of the protocol
    MM_WIRE_KIND_BAD,    // a frame kind that this version does not have
    MM_WIRE_FIELD_BAD,   // a field is missing, of the wrong type, out of range or not UTF-8
    MM_WIRE_STATUS_COUNT
} mm_wire_status_t;

// A short English name, for logs: "malformed".
const char *mm_wire_status_name(mm_wire_status_t status);

// The length of the longest prefix of text that may stand in an error or reason: whole characters
// of UTF-8 without NUL, at most size_max bytes. The encoder asserts on texts that are longer or not
// UTF-8, so what comes from outside is cut or mended first.
size_t mm_wire_utf8_prefix(mm_str_t text, size_t size_max);

// Decoding. A decoder owns the arrays that its frames point to and reuses them.
typedef struct mm_decoder mm_decoder_t;

mm_decoder_t *mm_decoder_new(void);
void mm_decoder_destroy(mm_decoder_t **self_p);

// Decodes one frame. *ret_frame is untouched on failure; on success its arrays live until the next
// call and its texts as long as `data`.
mm_wire_status_t mm_decode(mm_decoder_t *self, const void *data, size_t size,
                           mm_frame_t *ret_frame);

// Which field was bad in the last mm_decode that failed ("results[3].status", "frame" when it was
// malformed): never NULL, valid until the next call.
const char *mm_decoder_complaint(const mm_decoder_t *self);

// Whether the last mm_decode gave MM_WIRE_VERSION_BAD for a hello, whose first four elements are
// the same in every version; then sets who said it (borrowed from `data`), so that it can be
// refused.
bool mm_decoder_foreign_hello(const mm_decoder_t *self, mm_str_t *ret_worker, uint64_t *ret_nonce);

// Encoding. An encoder is one reused buffer. It asserts that what it is given can be decoded:
// names, hosts, UTF-8, counts, ranges. A batch is begun with its header, takes items until it is
// full, and is finished; frames without items are encoded by one call.
typedef struct mm_encoder mm_encoder_t;

mm_encoder_t *mm_encoder_new(void);
void mm_encoder_destroy(mm_encoder_t **self_p);

// The finished frame; owned by the encoder, valid until its next use.
mm_str_t mm_encoder_bytes(const mm_encoder_t *self);

// Items in the open batch; 0 also when there is none.
size_t mm_encoder_count(const mm_encoder_t *self);
// Whether the open batch takes no further item: MM_BATCH_ITEMS, or MM_BATCH_BYTES reached. A full
// batch must not be given more (asserted). False when none is open.
bool mm_encoder_is_full(const mm_encoder_t *self);

// Begin a batch: the item fields of `header` are ignored, its kind must be one that takes items
// (jobs, tasks, started, results, notices, beat). No other batch may be open.
void mm_encode_begin(mm_encoder_t *self, const mm_frame_t *header);
void mm_encode_job(mm_encoder_t *self, const mm_job_t *job);
void mm_encode_task(mm_encoder_t *self, const mm_task_t *task);
void mm_encode_number(mm_encoder_t *self, uint64_t number); // an item of started
void mm_encode_result(mm_encoder_t *self, const mm_result_t *result);
void mm_encode_verdict(mm_encoder_t *self, const mm_verdict_t *verdict);
void mm_encode_acknowledgement(mm_encoder_t *self, const mm_acknowledgement_t *acknowledgement);
// Close the batch; its bytes are then mm_encoder_bytes and mm_encoder_count is 0 again.
void mm_encode_finish(mm_encoder_t *self);

// A whole frame in one call, lists included: any kind, and no batch may be open. The caller keeps
// lists within MM_BATCH_ITEMS and MM_BATCH_BYTES (asserted for the items).
void mm_encode_frame(mm_encoder_t *self, const mm_frame_t *frame);

#endif
