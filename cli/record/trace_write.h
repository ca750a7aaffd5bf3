// Writing a trace file: the operations of each thread, coded as workload/trace_file.h says.
// Thread-safety: none. Errors: false; trace_write() leaves errno.
#ifndef HAKSTRESS_RECORD_TRACE_WRITE_H
#define HAKSTRESS_RECORD_TRACE_WRITE_H

#include "workload/trace_file.h"

#include <stdio.h>

struct stream {
    uint32_t lane;
    uint32_t slot;  // of its last operation
    uint64_t operations;
    uint64_t position;  // in the order of all operations, behind its last one
    unsigned char* bytes;
    size_t used, room;
};

struct trace {
    struct trace_header header;  // but for the sizes and the sum
    const char* command;
    uint16_t* groups;
    struct stream* streams;
};

// `position`: of the operation among those of all threads. `tag`: where its first byte lies, for stream_hand_on().
bool stream_add(struct stream* stream, const struct trace_op* op, uint64_t position, size_t* tag);
void stream_hand_on(struct stream* stream, size_t tag);

// Fills in sizes and sum. What stdio could not write it may also tell at fclose.
bool trace_write(struct trace* trace, FILE* out);
void trace_free(struct trace* trace);

#endif
