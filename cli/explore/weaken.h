// Explores once for each memory order of docs/OWNERSHIP.md, one notch weaker.
// Thread-safety: none. Errors: a message, and how it ended.
#ifndef HAKSTRESS_EXPLORE_WEAKEN_H
#define HAKSTRESS_EXPLORE_WEAKEN_H

#include "base/json.h"
#include "explore/search.h"

#include <stdio.h>

struct weaken_verdict {
    char place[32];
    bool needed;
    uint64_t schedules;  // explored; if it is needed: up to the fault
    uint64_t weakened;   // operations whose order was weaker
    char scenario[64], check[32];
    char* replay;  // NULL: none
};

struct weaken_outcome {
    struct weaken_verdict place[EXPLORE_PLACES_MOST];
    size_t count, tried;
};

// room: where the search's `arguments` end; one more goes there. An order counts as needed if a schedule that ends in
// a fault ends well with the order as it is. EXPLORE_FAULT: one does not; then *plain has that fault.
enum explore_end weaken_search(const struct explore_search* search, char** room, struct weaken_outcome* outcome,
                               struct explore_outcome* plain);
// A line for each that was tried.
void weaken_print(const struct weaken_outcome* outcome, FILE* out);
json_t* weaken_json(const struct weaken_outcome* outcome);

#endif
