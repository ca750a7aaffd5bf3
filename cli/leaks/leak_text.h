// A leaks document (leaks.h, leak_places.h, wrappers.h) as text for people.
// Thread-safety: none needed. Errors: what is not known is left out.
#ifndef HAKSTRESS_LEAK_TEXT_H
#define HAKSTRESS_LEAK_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

// The sums, and the stacks that lost most. `brief`: the line of sums alone, and only if something was lost.
void leak_text_print(const json_t* leaks, bool brief, FILE* out);
// Was anything lost that is neither suppressed nor known?
bool leak_text_is_new(const json_t* leaks);

#endif
