// What a number tells that should be a pointer: text, or the filling of freed memory.
#ifndef HAKSTRESS_HIDDEN_TEXT_H
#define HAKSTRESS_HIDDEN_TEXT_H

#include <stdbool.h>
#include <stdint.h>

// What guard mode fills freed blocks with.
#define HIDDEN_POISON 0xdb

// The bytes of `value`, in memory order, as text: all of them printable up to the zeros at the end, two at least.
bool hidden_text_whole(uint64_t value, char out[9]);

// The two bytes that the Larson workload writes, 'a' and 'b', inside a value of another origin: whole, or shifted by one byte.
bool hidden_text_payload(uint64_t value);

// Four bytes `poison` or more, side by side: what an address is that was read out of filled memory, also with a small offset added.
bool hidden_poison(uint64_t value, uint8_t poison);

#endif
