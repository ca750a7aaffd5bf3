// Text in a number: user data that was written over a pointer.
#ifndef HAKSTRESS_HIDDEN_TEXT_H
#define HAKSTRESS_HIDDEN_TEXT_H

#include <stdbool.h>
#include <stdint.h>

// The bytes of `value`, in memory order, as text: all of them printable up to the zeros at the end, two at least.
bool hidden_text_whole(uint64_t value, char out[9]);

// The two bytes that the Larson workload writes, 'a' and 'b', inside a value of another origin: whole, or shifted by one byte.
bool hidden_text_payload(uint64_t value);

#endif
