// The text that says which of the six changes are in: all, none, or a list of numbers and ranges as 1-2,6.
#ifndef HAKSTRESS_CHANGES_H
#define HAKSTRESS_CHANGES_H

#include <stdbool.h>

enum { CHANGES_COUNT = 6 };

bool changes_valid(const char* text);

#endif
