// A frame of a stack as text, for people: a place of code (code_place.h) with its number.
// Thread-safety: none needed. Errors: what is not known is left out.
#ifndef HAKSTRESS_FRAME_TEXT_H
#define HAKSTRESS_FRAME_TEXT_H

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

// One line, and a line for each function that is inlined there.
void frame_print(size_t number, const json_t* frame, FILE* out);

#endif
