// Where the loader puts the bytes of a program or library.
// Thread-safety: none. Errors: segments_read() returns false if it is not an ELF file.
#ifndef HAKSTRESS_SEGMENTS_H
#define HAKSTRESS_SEGMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SEGMENTS_MAX = 16 };

struct segment {
    uint64_t offset, bytes;  // in the file
    uint64_t address;        // as the file's symbols have it
};

struct segments {
    struct segment segment[SEGMENTS_MAX];
    size_t count;
    uint64_t first, end;  // addresses: what is loaded, memory that begins as zeroes included
};

bool segments_read(struct segments* segments, const char* path);
// The address of byte `offset` of the file; false: it is not loaded.
bool segments_address(const struct segments* segments, uint64_t offset, uint64_t* address);

#endif
