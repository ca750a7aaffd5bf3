// A reader of bytes that never leaves its bounds.
// Thread-safety: the state is the caller's.
// Errors: what lies outside reads as 0, and `bad` is set.
#ifndef HAK_STACK_BYTES_H
#define HAK_STACK_BYTES_H

#include "base/compiler.h"

#include <string.h>

typedef struct {
    const uint8_t* at;
    const uint8_t* end;
    bool bad;
} Bytes;

HAK_INLINE size_t bytes_left(const Bytes* b) {
    return (size_t)(b->end - b->at);
}

HAK_INLINE bool bytes_have(Bytes* b, uint64_t count) {
    if (count <= bytes_left(b)) return true;
    b->bad = true;
    b->at = b->end;
    return false;
}

#define BYTES_READER(name, type)                    \
    HAK_INLINE type name(Bytes* b) {                \
        type value = 0;                             \
        if (!bytes_have(b, sizeof value)) return 0; \
        memcpy(&value, b->at, sizeof value);        \
        b->at += sizeof value;                      \
        return value;                               \
    }
BYTES_READER(bytes_u8, uint8_t)
BYTES_READER(bytes_u16, uint16_t)
BYTES_READER(bytes_u32, uint32_t)
BYTES_READER(bytes_u64, uint64_t)
#undef BYTES_READER

// LEB128, seven bits a byte, the lowest first. Bits beyond 64 are dropped.
HAK_INLINE uint64_t bytes_leb128(Bytes* b, bool is_signed) {
    uint64_t value = 0;
    unsigned shift = 0;
    uint8_t byte;
    do {
        byte = bytes_u8(b);
        if (shift < 64) value |= (uint64_t)(byte & 0x7f) << shift;
        shift += 7;
    } while (byte & 0x80);
    if (is_signed && shift < 64 && (byte & 0x40)) value |= ~UINT64_C(0) << shift;
    return value;
}

HAK_INLINE uint64_t bytes_unsigned(Bytes* b) {
    return bytes_leb128(b, false);
}

HAK_INLINE int64_t bytes_signed(Bytes* b) {
    return (int64_t)bytes_leb128(b, true);
}

// The next `count` bytes as a reader of their own.
HAK_INLINE Bytes bytes_part(Bytes* b, uint64_t count) {
    if (!bytes_have(b, count)) return (Bytes){b->end, b->end, true};
    Bytes part = {b->at, b->at + count, false};
    b->at += count;
    return part;
}

#endif
