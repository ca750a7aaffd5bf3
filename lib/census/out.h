// Text under construction: collected in `buffer`, and written by `flush` when that is nearly full. Without `flush`,
// text that does not fit is cut; `length` is that of the whole text.
// Thread-safety: the caller's own. Errors: none.
#ifndef HAK_CENSUS_OUT_H
#define HAK_CENSUS_OUT_H

#include "base/output.h"

#include <stdio.h>

typedef struct Out {
    char* buffer;
    size_t size;
    size_t length;
    void (*flush)(struct Out* out);
    Output to;     // for the flush
    FILE* stream;  // likewise
} Out;

enum { OUT_LINE_MOST = 512 };  // no out_put is longer

void out_put(Out* out, const char* format, ...) HAK_PRINTF(2, 3);

#endif
