#include "record/trace_write.h"

#include <stdlib.h>
#include <string.h>

static bool make_room(struct stream* stream) {
    if (stream->used + 2 * TRACE_OP_MOST <= stream->room) return true;
    size_t room = stream->room != 0 ? stream->room * 2 : 4096;
    unsigned char* bytes = realloc(stream->bytes, room);
    if (bytes == NULL) return false;
    stream->bytes = bytes;
    stream->room = room;
    return true;
}

static void put_byte(struct stream* stream, unsigned byte) {
    stream->bytes[stream->used++] = (unsigned char)byte;
}

static void put_number(struct stream* stream, uint64_t number) {
    for (; number > 127; number >>= 7) put_byte(stream, (unsigned)(number & 127) | 128);
    put_byte(stream, (unsigned)number);
}

bool stream_add(struct stream* stream, const struct trace_op* op, uint64_t position, size_t* tag) {
    if (!make_room(stream)) return false;
    if (position != stream->position) {
        put_byte(stream, TRACE_ORDER);
        put_number(stream, position - stream->position);
    }
    const uint64_t zigzag = trace_zigzag((int64_t)op->slot - (int64_t)stream->slot);
    const unsigned near = zigzag < TRACE_FAR ? (unsigned)zigzag : TRACE_FAR;
    *tag = stream->used;
    put_byte(stream, (unsigned)op->kind | (op->waits ? TRACE_WAITS : 0U) | near << TRACE_NEAR_SHIFT);
    if (near == TRACE_FAR) put_number(stream, zigzag);
    if (op->waits) put_number(stream, op->turn);
    if (op->kind == TRACE_ALIGNED) put_byte(stream, op->align_log2);
    if (op->kind != TRACE_FREE) put_number(stream, op->size);
    stream->slot = op->slot;
    stream->position = position + 1;
    stream->operations++;
    return true;
}

void stream_hand_on(struct stream* stream, size_t tag) {
    stream->bytes[tag] |= TRACE_HANDS_ON;
}

// Writes the file twice: once for its checksum, with out NULL, and once to the disk.

struct output {
    FILE* out;
    uint64_t sum;
};

static bool put(struct output* output, const void* data, size_t size) {
    static const char zeros[8];
    const size_t padding = (size_t)trace_padded(size) - size;
    output->sum = trace_checksum(output->sum, data, size);
    output->sum = trace_checksum(output->sum, zeros, padding);
    if (output->out == NULL) return true;
    return fwrite(data, 1, size, output->out) == size && fwrite(zeros, 1, padding, output->out) == padding;
}

static struct trace_thread entry_of(const struct stream* stream, uint64_t offset) {
    return (struct trace_thread){
        .lane = stream->lane, .operations = stream->operations, .offset = offset, .bytes = stream->used};
}

static bool put_all(const struct trace* trace, struct output* output) {
    const struct trace_header* header = &trace->header;
    bool done = put(output, header, sizeof *header) && put(output, trace->command, header->command_bytes) &&
                put(output, trace->groups, header->groups * sizeof *trace->groups);
    uint64_t offset = sizeof *header + trace_padded(header->command_bytes) +
                      trace_padded(header->groups * sizeof *trace->groups) +
                      header->threads * sizeof(struct trace_thread);
    for (uint32_t i = 0; i < header->threads && done; i++) {
        const struct trace_thread thread = entry_of(&trace->streams[i], offset);
        done = put(output, &thread, sizeof thread);
        offset += trace_padded(thread.bytes);
    }
    for (uint32_t i = 0; i < header->threads && done; i++)
        done = put(output, trace->streams[i].bytes, trace->streams[i].used);
    return done;
}

static uint64_t size_of(const struct trace* trace) {
    const struct trace_header* header = &trace->header;
    uint64_t size = sizeof *header + trace_padded(header->command_bytes) +
                    trace_padded(header->groups * sizeof *trace->groups) +
                    header->threads * sizeof(struct trace_thread);
    for (uint32_t i = 0; i < header->threads; i++) size += trace_padded(trace->streams[i].used);
    return size;
}

bool trace_write(struct trace* trace, FILE* out) {
    struct trace_header* header = &trace->header;
    memcpy(header->magic, TRACE_MAGIC, sizeof header->magic);
    header->version = TRACE_VERSION;
    header->file_bytes = size_of(trace);
    header->checksum = 0;
    struct output output = {.sum = TRACE_CHECKSUM_START};
    put_all(trace, &output);
    header->checksum = output.sum;
    output.out = out;
    return put_all(trace, &output) && fflush(out) == 0;
}

void trace_free(struct trace* trace) {
    for (uint32_t i = 0; i < trace->header.threads && trace->streams != NULL; i++) free(trace->streams[i].bytes);
    free(trace->streams);
    free(trace->groups);
    *trace = (struct trace){0};
}
