#include "guard/guard_bytes.h"

// The first byte of [from, end) that is not `value`; `end`: there is none.
static const unsigned char* first_other(const unsigned char* from, const unsigned char* end, uint8_t value) {
    while (from < end && *from == value) from++;
    return from;
}

// The end of the last byte of [from, end) that is not `value`; `from`: there is none.
static const unsigned char* behind_last_other(const unsigned char* from, const unsigned char* end, uint8_t value) {
    while (end > from && end[-1] == value) end--;
    return end;
}

GuardDamage guard_canary_damage(const void* block, size_t size, size_t bytes) {
    const unsigned char *from = (const unsigned char*)block + size, *end = (const unsigned char*)block + bytes;
    const unsigned char *start_end = from + guard_canary_start(bytes - size),
                        *rest = end - guard_canary_end(bytes - size);
    const unsigned char* first = first_other(from, start_end, GUARD_CANARY);
    const unsigned char* last = behind_last_other(rest, end, GUARD_CANARY);
    if (first == start_end) first = first_other(rest, end, GUARD_CANARY);
    if (last == rest) last = behind_last_other(from, start_end, GUARD_CANARY);
    return (GuardDamage){first, last};
}

GuardDamage guard_damage(const unsigned char* from, const unsigned char* end, uint8_t value) {
    return (GuardDamage){first_other(from, end, value), behind_last_other(from, end, value)};
}

GuardDamage guard_poison_damage(const void* block, size_t skip, size_t bytes) {
    const unsigned char* from = block;
    return guard_damage(from + skip, from + guard_poisoned(bytes), GUARD_POISON);
}
