// Numbers that the user typed. Thread-safety: any thread.
#ifndef HAKSTRESS_NUMBER_H
#define HAKSTRESS_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

// Decimal text with nothing after it. False if it is not a number or is out of range.
bool parse_number(const char* text, uint64_t min, uint64_t max, uint64_t* out);

#endif
