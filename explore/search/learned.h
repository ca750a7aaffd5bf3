// What a search has learned of the words and lines that threads share, as text: another process begins with it.
//
//   word+word...+lLINE...      offsets and numbers of lines, hexadecimal
//
// Thread-safety: none needed.
// Errors: false: the text is none.
#ifndef EXPLORE_SEARCH_LEARNED_H
#define EXPLORE_SEARCH_LEARNED_H

#include "record/text.h"

#include <stdbool.h>
#include <stdint.h>

void learned_add_to(Text* text);
// Words and lines.
uint32_t learned_count(void);
// After run_prepare(). count: of the text.
bool learned_restore(const char* text, uint32_t* count);

#endif
