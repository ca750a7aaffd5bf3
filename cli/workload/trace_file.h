// The trace file of `hakstress record`: its layout (drawn in docs/RECORD.md), and a reader that reads it in small
// pieces without allocating, so that the process whose allocator is measured holds little of it.
// Thread-safety: an open struct trace_file may be shared; a reader belongs to one thread. Errors: NULL, or the reason
// in static memory.
#ifndef HAKSTRESS_WORKLOAD_TRACE_FILE_H
#define HAKSTRESS_WORKLOAD_TRACE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRACE_MAGIC "hktrace"
enum { TRACE_VERSION = 1, TRACE_GROUP = 64, TRACE_OP_MOST = 32, TRACE_BUFFER = 64 << 10 };
enum { TRACE_CUT_SHORT = 1 };  // a flag: recording ended before the program

struct trace_header {
    char magic[8];
    uint32_t version;
    uint32_t flags;
    uint64_t file_bytes;
    uint64_t checksum;     // of the whole file, with 0 in this field
    uint64_t events;       // operations and order marks; of all threads
    uint64_t allocations;  // operations that return a block, realloc among them
    uint64_t frees;
    uint64_t peak_live_bytes;
    uint32_t threads;
    uint32_t lanes;          // the most threads at work at the same time
    uint32_t groups;         // of TRACE_GROUP slots
    uint32_t command_bytes;  // length of the text after the header, padded to 8
};
// Then: the command; the lane of each group, uint16_t, padded to 8; struct trace_thread for each; the threads' streams.

struct trace_thread {
    uint32_t lane, unused;
    uint64_t operations;     // without order marks
    uint64_t offset, bytes;  // of its stream in the file
};

enum trace_kind {
    TRACE_MALLOC,
    TRACE_CALLOC,
    TRACE_ALIGNED,
    TRACE_REALLOC,
    TRACE_FREE,
    TRACE_ORDER,  // this many operations of other threads come first
    TRACE_KINDS,
};

// The first byte of an operation: kind, flags, and the difference of its slot from the one of the thread's last
// operation.
enum {
    TRACE_KIND_MASK = 7,
    TRACE_WAITS = 8,      // the slot's turn follows: another lane used it last
    TRACE_HANDS_ON = 16,  // another lane uses the slot next: its turn is incremented
    TRACE_NEAR_SHIFT = 5,
    TRACE_FAR = 7,  // the difference follows, else it is -3 to 3 in this number, zigzag
};

static inline uint64_t trace_zigzag(int64_t difference) {
    return ((uint64_t)difference << 1) ^ (uint64_t)(difference >> 63);
}

#define TRACE_SIZE_MOST ((UINT64_C(1) << 48) - 1)
enum { TRACE_ALIGN_MOST = 47 };  // log2

struct trace_op {
    enum trace_kind kind;
    bool waits, hands_on;
    uint32_t slot, turn;
    unsigned align_log2;
    uint64_t size;  // TRACE_ORDER: operations of others
};

struct trace_file {
    int fd;
    struct trace_header header;
    uint64_t groups_at, threads_at;
};

// Opens the file and checks all of it. NULL, or the reason why it cannot be used.
const char* trace_open(struct trace_file* file, const char* path);
void trace_close(struct trace_file* file);
bool trace_thread_read(const struct trace_file* file, uint32_t index, struct trace_thread* out);
bool trace_groups_read(const struct trace_file* file, uint16_t* out);  // header.groups of them

struct trace_reader {
    const struct trace_file* file;
    uint64_t offset, left;  // what is not in the buffer yet
    uint32_t slot;
    bool failed;
    size_t at, filled;
    unsigned char buffer[TRACE_BUFFER + TRACE_OP_MOST];  // zeros after the end, so that nothing beyond is read
};

void trace_reader_start(struct trace_reader* reader, const struct trace_file* file, const struct trace_thread* thread);
// The next operation; false at the end of the stream, or after a failed read.
bool trace_next(struct trace_reader* reader, struct trace_op* op);

#define TRACE_CHECKSUM_START UINT64_C(0xcbf29ce484222325)
uint64_t trace_checksum(uint64_t sum, const void* data, size_t size);

static inline uint64_t trace_padded(uint64_t size) {
    return (size + 7) / 8 * 8;
}

#endif
