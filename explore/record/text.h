// Text that grows, and is cut where its room ends.
// Thread-safety: none needed.
// Errors: none; `length` is what the whole would have.
#ifndef EXPLORE_RECORD_TEXT_H
#define EXPLORE_RECORD_TEXT_H

#include <stddef.h>

typedef struct {
    char* out;
    size_t size, length;
} Text;

void text_add(Text* text, const char* format, ...) __attribute__((format(printf, 2, 3)));

#endif
