// What a number that should be a pointer contains: text, or the fill pattern of freed memory.
#ifndef HAKSTRESS_HIDDEN_TEXT_H
#define HAKSTRESS_HIDDEN_TEXT_H

#include <stdbool.h>
#include <stdint.h>

// The byte that guard mode fills freed blocks with.
#define HIDDEN_POISON 0xdb
// The byte that it fills new blocks with (HAKMEM_GUARD_FILL).
#define HIDDEN_FILL 0xab

// The bytes of `value`, in memory order, as text: all printable up to the zeros at the end, at least two.
bool hidden_text_whole(uint64_t value, char out[9]);

// The two bytes that the Larson workload writes, 'a' and 'b', in a value of another origin: whole, or shifted by one
// byte.
bool hidden_text_payload(uint64_t value);

// At least four bytes `poison` side by side: an address that was read from filled memory, even with a small offset
// added.
bool hidden_poison(uint64_t value, uint8_t poison);

#endif
