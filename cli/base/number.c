#include "base/number.h"

#include <errno.h>
#include <stdlib.h>

bool parse_number(const char* text, uint64_t min, uint64_t max, uint64_t* out) {
    if (*text < '0' || *text > '9') return false;
    char* end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0' || number < min || number > max) return false;
    *out = number;
    return true;
}
