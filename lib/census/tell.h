// A census as text for people, and as JSON: of this process and of others alike.
// Thread-safety: all functions. No malloc; async-signal-safe if the flush is.
// Errors: none.
#ifndef HAK_CENSUS_TELL_H
#define HAK_CENSUS_TELL_H

#include "census/census.h"
#include "census/out.h"

// One figure of a census. Text, JSON, CSV and Prometheus take their names and meanings from this table.
typedef struct {
    const char* name;
    size_t offset;  // in Census
    const char* help;
    bool grows;  // a count that never falls
} CensusFigure;
const CensusFigure* census_figure(unsigned index);  // NULL: no more
uint64_t census_value(const Census* census, const CensusFigure* figure);

// The row with the most live bytes but for those in `done`; CENSUS_ROWS: none has a live block.
unsigned census_largest_row(const Census* census, const bool done[CENSUS_ROWS]);

// First what a user wants to know, then memory explained and the size classes, then the internals.
void census_text(Out* out, const Census* census);
void census_json(Out* out, const Census* census);
enum { CENSUS_JSON_MOST = 24 << 10 };

#endif
