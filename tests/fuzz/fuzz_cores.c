// Fuzzing the cores with what may come over the wire: frames that are well-formed, from peers that
// lie, crash, repeat and hurry. No core may abort, hand its shell what cannot be sent, break its
// own tables, or stay stuck when the liars have gone. The first byte chooses the core.

#include "fuzz_cores.h"
#include "fuzz.h"

#include <assert.h>

int64_t fuzz_pause(fuzz_bytes_t *in)
{
    static const int64_t pauses[] = {0,    1,    20,   100,  499,   500,
                                     1000, 1500, 2000, 3000, 10000, 100000};
    uint8_t choice = fuzz_byte(in);
    return choice < 0x80 ? choice % 4 : pauses[choice % (sizeof pauses / sizeof *pauses)];
}

void fuzz_send(const mm_frame_t *frame)
{
    static mm_encoder_t *encoder;
    static mm_decoder_t *decoder; // another than that of what is being received
    if (!encoder) {
        encoder = mm_encoder_new();
        decoder = mm_decoder_new();
    }
    mm_frame_t received;
    mm_encode_frame(encoder, frame);
    mm_str_t bytes = mm_encoder_bytes(encoder);
    mm_wire_status_t status = mm_decode(decoder, bytes.data, bytes.size, &received);
    assert(status == MM_WIRE_OK && received.kind == frame->kind);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_bytes_t in = {data, data + size};
    switch (fuzz_byte(&in) % 4) {
    case 0: fuzz_core_gather(&in, false); break;
    case 1: fuzz_core_gather(&in, true); break;
    case 2: fuzz_core_worker(&in); break;
    case 3: fuzz_core_outbox(&in); break;
    }
    return 0;
}
