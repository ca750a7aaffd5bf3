// What guard mode writes into memory that is not the program's, and checks later:
//
//   live block    | bytes asked for | canary: all that is left, of large blocks its start and its end |
//   freed block   | poison: all of it, of large blocks the start                                      |
//   new block     | fill, with HAKMEM_GUARD_FILL: the bytes asked for, of large blocks the start         |
//
// No canary is needed where the bytes asked for are whole pages and a closed page follows. No poison is needed where
// the freed block is closed. The fill is not checked later: it shows itself in what is read from a new block.
//
// Thread-safety: the holder of the block.
// Errors: none.
#ifndef HAK_GUARD_GUARD_BYTES_H
#define HAK_GUARD_GUARD_BYTES_H

#include "base/compiler.h"

#include <string.h>

enum {
    GUARD_CANARY = 0xcb,
    GUARD_POISON = 0xdb,
    GUARD_CANARY_LEAST = 16,    // bytes added to every request
    GUARD_CANARY_START = 3344,  // the longest canary behind a block of a size class
    GUARD_CANARY_END = 64,
    GUARD_POISON_MOST = 16384,
    GUARD_FILL = 0xab,
    GUARD_FILL_MOST = 1 << 20,
};

// What was overwritten: the bytes from `first` to before `end`. The first and the last of them are wrong.
typedef struct {
    const unsigned char* first;
    const unsigned char* end;
} GuardDamage;

// The bits of 32 bytes that differ from `wanted`.
HAK_INLINE uint64_t guard_other_bits(const unsigned char* at, uint64_t wanted) {
    uint64_t words[4];
    memcpy(words, at, sizeof words);
    return (words[0] ^ wanted) | (words[1] ^ wanted) | (words[2] ^ wanted) | (words[3] ^ wanted);
}

// Whether all bytes of [from, end) are `value`. It takes few steps; the last may overlap the one before.
HAK_INLINE bool guard_all_are(const unsigned char* from, const unsigned char* end, uint8_t value) {
    uint64_t wanted = value * UINT64_C(0x0101010101010101), other = 0;
    if (end - from >= 32) {
        for (; end - from > 32; from += 32) other |= guard_other_bits(from, wanted);
        return (other | guard_other_bits(end - 32, wanted)) == 0;
    }
    for (uint64_t word; end - from >= 8; from += 8) {
        memcpy(&word, from, 8);
        other |= word ^ wanted;
    }
    while (from < end) other |= (uint64_t)(*from++ ^ value);
    return other == 0;
}

HAK_INLINE size_t guard_canary_start(size_t slack) {
    return slack < GUARD_CANARY_START ? slack : GUARD_CANARY_START;
}

HAK_INLINE size_t guard_canary_end(size_t slack) {
    size_t rest = slack - guard_canary_start(slack);
    return rest < GUARD_CANARY_END ? rest : GUARD_CANARY_END;
}

// For a block of `bytes` bytes, `size` of them the program's.
HAK_INLINE void guard_canary_write(void* block, size_t size, size_t bytes) {
    unsigned char *from = (unsigned char*)block + size, *end = (unsigned char*)block + bytes;
    memset(from, GUARD_CANARY, guard_canary_start(bytes - size));
    memset(end - guard_canary_end(bytes - size), GUARD_CANARY, guard_canary_end(bytes - size));
}

HAK_INLINE bool guard_canary_is_whole(const void* block, size_t size, size_t bytes) {
    const unsigned char *from = (const unsigned char*)block + size, *end = (const unsigned char*)block + bytes;
    return guard_all_are(from, from + guard_canary_start(bytes - size), GUARD_CANARY) &&
           guard_all_are(end - guard_canary_end(bytes - size), end, GUARD_CANARY);
}

HAK_INLINE size_t guard_poisoned(size_t bytes) {
    return bytes < GUARD_POISON_MOST ? bytes : GUARD_POISON_MOST;
}

HAK_INLINE void guard_poison_write(void* block, size_t bytes) {
    memset(block, GUARD_POISON, guard_poisoned(bytes));
}

// The bytes [from, size) of a new block.
HAK_INLINE void guard_fill_write(void* block, size_t from, size_t size) {
    size_t end = size < GUARD_FILL_MOST ? size : GUARD_FILL_MOST;
    if (from < end) memset((char*)block + from, GUARD_FILL, end - from);
}

// From byte `skip` on.
HAK_INLINE bool guard_poison_is_whole(const void* block, size_t skip, size_t bytes) {
    const unsigned char* from = block;
    return guard_all_are(from + skip, from + guard_poisoned(bytes), GUARD_POISON);
}

// What of [from, end) is not `value`; from `end` on: nothing.
GuardDamage guard_damage(const unsigned char* from, const unsigned char* end, uint8_t value);
// The damage of a canary, or of the poison from byte `skip` on, for messages.
GuardDamage guard_canary_damage(const void* block, size_t size, size_t bytes);
GuardDamage guard_poison_damage(const void* block, size_t skip, size_t bytes);

#endif
