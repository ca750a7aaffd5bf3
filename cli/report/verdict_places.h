// Rules for where the fault address is: the stack, before a block, freed memory, no code, near NULL.
// Thread-safety: none needed. Errors: false if the sign is not there.
#ifndef HAKSTRESS_VERDICT_PLACES_H
#define HAKSTRESS_VERDICT_PLACES_H

#include "report/verdict_draft.h"

bool by_stack(struct verdict* verdict, const struct verdict_facts* facts);
bool by_underflow(struct verdict* verdict, const struct verdict_facts* facts);
bool by_closed_memory(struct verdict* verdict, const struct verdict_facts* facts);
bool by_freed_memory(struct verdict* verdict, const struct verdict_facts* facts);
bool by_execution(struct verdict* verdict, const struct verdict_facts* facts);
bool by_null(struct verdict* verdict, const struct verdict_facts* facts);

#endif
