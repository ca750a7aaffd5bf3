// Writes a trace file: the operations of each thread, encoded as in workload/trace_file.h.
// Thread-safety: none. Errors: false; trace_write() sets errno.
#ifndef HAKSTRESS_RECORD_TRACE_WRITE_H
#define HAKSTRESS_RECORD_TRACE_WRITE_H

#include "workload/trace_file.h"

#include <stdio.h>

struct stream {
    uint32_t lane;
    uint32_t slot;  // of its last operation
    uint64_t operations;
    uint64_t position;  // in the order of all operations, after its last one
    unsigned char* bytes;
    size_t used, room;
};

struct trace {
    struct trace_header header;  // without the sizes and the checksum
    const char* command;
    uint16_t* groups;
    struct stream* streams;
};

// `position` is the operation's place among those of all threads. `tag` is where its first byte lies, for
// stream_hand_on().
bool stream_add(struct stream* stream, const struct trace_op* op, uint64_t position, size_t* tag);
void stream_hand_on(struct stream* stream, size_t tag);

// Fills in sizes and checksum. Some write errors show only at fclose.
bool trace_write(struct trace* trace, FILE* out);
void trace_free(struct trace* trace);

#endif
