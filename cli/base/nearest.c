#include "base/nearest.h"

#include <string.h>

static size_t min3(size_t a, size_t b, size_t c) {
    size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

// How many insertions, deletions and replacements turn a into b.
static size_t edit_distance(const char* a, size_t a_length, const char* b, size_t b_length) {
    size_t row[NEAREST_LONGEST + 1];
    for (size_t j = 0; j <= b_length; j++) row[j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t here = min3(row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = row[j];
            row[j] = here;
        }
    }
    return row[b_length];
}

void nearest_offer(struct nearest* nearest, const char* name) {
    size_t typed_length = strlen(nearest->typed), name_length = strlen(name);
    if (typed_length > NEAREST_LONGEST || name_length > NEAREST_LONGEST) return;
    size_t distance = edit_distance(nearest->typed, typed_length, name, name_length);
    size_t longer = typed_length > name_length ? typed_length : name_length;
    if (distance * 2 > longer) return;  // more than half of it would have to change
    if (nearest->best[0] != '\0' && nearest->distance <= distance) return;
    memcpy(nearest->best, name, name_length + 1);
    nearest->distance = distance;
}
