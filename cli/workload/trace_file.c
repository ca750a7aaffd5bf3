#include "workload/trace_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool read_at(const struct trace_file* file, uint64_t offset, void* out, size_t size) {
    char* to = out;
    while (size > 0) {
        ssize_t got = pread(file->fd, to, size, (off_t)offset);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        to += got;
        offset += (uint64_t)got;
        size -= (size_t)got;
    }
    return true;
}

bool trace_thread_read(const struct trace_file* file, uint32_t index, struct trace_thread* out) {
    return read_at(file, file->threads_at + index * sizeof *out, out, sizeof *out);
}

bool trace_groups_read(const struct trace_file* file, uint16_t* out) {
    return read_at(file, file->groups_at, out, file->header.groups * sizeof *out);
}

// Reading a stream

void trace_reader_start(struct trace_reader* reader, const struct trace_file* file, const struct trace_thread* thread) {
    reader->file = file;
    reader->offset = thread->offset;
    reader->left = thread->bytes;
    reader->slot = 0;
    reader->failed = false;
    reader->at = reader->filled = 0;
}

static bool refill(struct trace_reader* reader) {
    size_t kept = reader->filled - reader->at;
    size_t more = TRACE_BUFFER - kept;
    if (more > reader->left) more = (size_t)reader->left;
    memmove(reader->buffer, reader->buffer + reader->at, kept);
    if (!read_at(reader->file, reader->offset, reader->buffer + kept, more)) return false;
    reader->at = 0;
    reader->filled = kept + more;
    reader->offset += more;
    reader->left -= more;
    memset(reader->buffer + reader->filled, 0, TRACE_OP_MOST);
    return true;
}

static uint64_t take_number(struct trace_reader* reader) {
    uint64_t number = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        const unsigned char byte = reader->buffer[reader->at++];
        number |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) break;
    }
    return number;
}

static uint32_t take_slot(struct trace_reader* reader, unsigned tag) {
    uint64_t zigzag = tag >> TRACE_NEAR_SHIFT;
    if (zigzag == TRACE_FAR) zigzag = take_number(reader);
    const uint64_t difference = zigzag >> 1 ^ -(zigzag & 1);  // unsigned, because a damaged file may contain anything
    return reader->slot = (uint32_t)(reader->slot + difference);
}

bool trace_next(struct trace_reader* reader, struct trace_op* op) {
    if (reader->filled - reader->at < TRACE_OP_MOST && reader->left > 0 && !refill(reader)) reader->failed = true;
    if (reader->at >= reader->filled || reader->failed) return false;
    const unsigned tag = reader->buffer[reader->at++];
    *op = (struct trace_op){.kind = tag & TRACE_KIND_MASK};
    if (op->kind == TRACE_ORDER) {
        op->size = take_number(reader);
        return true;
    }
    op->waits = (tag & TRACE_WAITS) != 0;
    op->hands_on = (tag & TRACE_HANDS_ON) != 0;
    op->slot = take_slot(reader, tag);
    if (op->waits) op->turn = (uint32_t)take_number(reader);
    if (op->kind == TRACE_ALIGNED) op->align_log2 = reader->buffer[reader->at++];
    if (op->kind != TRACE_FREE) op->size = take_number(reader);
    return true;
}

// Checking a file

uint64_t trace_checksum(uint64_t sum, const void* data, size_t size) {
    const unsigned char* bytes = data;
    for (size_t i = 0; i < size; i++) sum = (sum ^ bytes[i]) * UINT64_C(0x100000001b3);  // FNV-1a
    return sum;
}

// One at a time: the file is checked before there are threads.
static struct trace_reader reader;

static bool is_sum_right(const struct trace_file* file) {
    struct trace_header header = file->header;
    header.checksum = 0;
    uint64_t sum = trace_checksum(TRACE_CHECKSUM_START, &header, sizeof header);
    for (uint64_t at = sizeof header; at < header.file_bytes;) {
        const uint64_t left = header.file_bytes - at;
        const size_t size = left < TRACE_BUFFER ? (size_t)left : TRACE_BUFFER;
        if (!read_at(file, at, reader.buffer, size)) return false;
        sum = trace_checksum(sum, reader.buffer, size);
        at += size;
    }
    return sum == file->header.checksum;
}

static bool is_op_right(const struct trace_file* file, const struct trace_op* op) {
    return op->kind < TRACE_KINDS && op->slot / TRACE_GROUP < file->header.groups &&
           op->align_log2 <= TRACE_ALIGN_MOST && (op->kind == TRACE_ORDER || op->size <= TRACE_SIZE_MOST);
}

static bool is_thread_right(const struct trace_file* file, uint32_t index) {
    struct trace_thread thread;
    struct trace_op op;
    const uint64_t end = file->header.file_bytes;
    uint64_t operations = 0;
    if (!trace_thread_read(file, index, &thread) || thread.lane >= file->header.lanes || thread.offset > end ||
        thread.bytes > end - thread.offset)
        return false;
    trace_reader_start(&reader, file, &thread);
    while (trace_next(&reader, &op)) {
        if (!is_op_right(file, &op)) return false;
        operations += op.kind != TRACE_ORDER;
    }
    return !reader.failed && reader.at == reader.filled && operations == thread.operations;
}

static bool is_content_right(struct trace_file* file) {
    const struct trace_header* header = &file->header;
    const uint64_t most = header->file_bytes;
    file->groups_at = sizeof *header + trace_padded(header->command_bytes);
    file->threads_at = file->groups_at + trace_padded((uint64_t)header->groups * sizeof(uint16_t));
    if (header->threads == 0 || header->lanes == 0 || header->lanes > header->threads || header->groups == 0 ||
        file->threads_at + (uint64_t)header->threads * sizeof(struct trace_thread) > most)
        return false;
    for (uint32_t i = 0; i < header->threads; i++)
        if (!is_thread_right(file, i)) return false;
    return true;
}

static const char* look_through(struct trace_file* file) {
    struct stat status;
    const struct trace_header* header = &file->header;
    if (fstat(file->fd, &status) != 0) return strerror(errno);
    if (!S_ISREG(status.st_mode)) return "it is not a file, but a directory, device or pipe";
    const uint64_t size = (uint64_t)status.st_size;
    const bool is_whole_header = size >= sizeof *header && read_at(file, 0, &file->header, sizeof *header);
    if (!is_whole_header || memcmp(header->magic, TRACE_MAGIC, sizeof header->magic) != 0)
        return "it is not a trace of hakstress record";
    if (header->version != TRACE_VERSION) return "it is a trace of another version of hakstress; record it again";
    if (header->file_bytes != size) return "it was cut, or something was added to it; record it again";
    if (!is_sum_right(file) || !is_content_right(file)) return "it is damaged (its checksum is wrong); record it again";
    return NULL;
}

const char* trace_open(struct trace_file* file, const char* path) {
    *file = (struct trace_file){.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (file->fd < 0) return strerror(errno);
    const char* problem = look_through(file);
    if (problem != NULL) trace_close(file);
    return problem;
}

void trace_close(struct trace_file* file) {
    if (file->fd >= 0) close(file->fd);
    file->fd = -1;
}
