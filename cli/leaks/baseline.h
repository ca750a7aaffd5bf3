// Leaks that are known: a file that --leaks-save writes and --leaks-baseline reads. A leak is recognised by the
// functions of its stack, without lines and offsets, so that it stays known when the program is built anew.
//   {kind: "leaks", schema, leaks: [{calls: [FUNCTION or MODULE+OFFSET BUILD-ID], blocks, bytes}]}
// Thread-safety: none needed. Errors: false after one line on stderr.
#ifndef HAKSTRESS_BASELINE_H
#define HAKSTRESS_BASELINE_H

#include <jansson.h>
#include <stdbool.h>

// The set of known leaks; the caller owns it. NULL: the file is wrong.
json_t* baseline_read(const char* path);
// Sets `known` of each stack of a leaks document that is in the set.
void baseline_apply(const json_t* known, json_t* leaks);
// Writes what was lost, except what was suppressed.
bool baseline_save(const char* path, const json_t* leaks);

#endif
