// A trace file. What trace_open() accepts can be read to its end, and every operation of it is one that the replay
// can do.
#include "workload/trace_file.h"

#include "fuzz/fuzz.h"

#include <string.h>

enum { BYTES_MOST = 64 << 10 };

static void read_thread(const struct trace_file* file, uint32_t index) {
    static struct trace_reader reader;
    struct trace_thread thread;
    struct trace_op op;
    uint64_t operations = 0;
    EXPECT(trace_thread_read(file, index, &thread));
    EXPECT(thread.lane < file->header.lanes);
    trace_reader_start(&reader, file, &thread);
    while (trace_next(&reader, &op)) {
        if (op.kind == TRACE_ORDER) continue;
        EXPECT(op.kind < TRACE_KINDS && op.slot < (uint64_t)file->header.groups * TRACE_GROUP);
        EXPECT(op.align_log2 < 64);
        operations++;
    }
    EXPECT(!reader.failed && operations == thread.operations);
}

static void open_and_read(const void* data, size_t size) {
    struct trace_file file;
    if (trace_open(&file, fuzz_file(data, size)) != NULL) return;
    uint16_t* groups = malloc(file.header.groups * sizeof *groups);
    EXPECT(groups != NULL && trace_groups_read(&file, groups));
    free(groups);
    for (uint32_t i = 0; i < file.header.threads; i++) read_thread(&file, i);
    trace_close(&file);
}

// The same with what a fuzzer cannot guess: magic, version, size and checksum.
static void with_a_right_header(const uint8_t* data, size_t size) {
    static uint8_t copy[BYTES_MOST];
    struct trace_header header;
    if (size < sizeof header || size > sizeof copy) return;
    memcpy(copy, data, size);
    memcpy(&header, copy, sizeof header);
    memcpy(header.magic, TRACE_MAGIC, sizeof header.magic);
    header.version = TRACE_VERSION;
    header.file_bytes = size;
    header.checksum = 0;
    memcpy(copy, &header, sizeof header);
    header.checksum = trace_checksum(TRACE_CHECKSUM_START, copy, size);
    memcpy(copy, &header, sizeof header);
    open_and_read(copy, size);
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    open_and_read(data, size);
    with_a_right_header(data, size);
    return 0;
}
