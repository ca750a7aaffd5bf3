// How far two names are apart, to find the one that was probably meant.
// Source: V. I. Levenshtein, "Binary codes capable of correcting deletions, insertions and reversals" (1966).
// Thread-safety: pure.
// Errors: none.
#ifndef HAK_BASE_DISTANCE_H
#define HAK_BASE_DISTANCE_H

#include "base/compiler.h"

enum { DISTANCE_MOST = 48 };  // characters of a name

// How many insertions, deletions and replacements turn the first `a_length` characters of a into the first `b_length`
// of b. Neither length may be more than DISTANCE_MOST.
HAK_INLINE size_t edit_distance(const char* a, size_t a_length, const char* b, size_t b_length) {
    size_t row[DISTANCE_MOST + 1];
    for (size_t j = 0; j <= b_length; j++) row[j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);
            if (row[j] + 1 < best) best = row[j] + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            diagonal = row[j];
            row[j] = best;
        }
    }
    return row[b_length];
}

#endif
