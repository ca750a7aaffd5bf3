// A verdict that is being made, and what all its rules have in common. A rule looks for its sign in the facts; where
// it finds it, it notes the evidence, judges, and gives true.
// Thread-safety: none needed. Errors: text that is too long is cut.
#ifndef HAKSTRESS_VERDICT_DRAFT_H
#define HAKSTRESS_VERDICT_DRAFT_H

#include "report/verdict_facts.h"

#include <jansson.h>
#include <stdbool.h>

struct verdict {
    char cause[512];
    const char *confidence, *culprit;
    json_t* evidence;
};

// Adds to the evidence.
__attribute__((format(printf, 2, 3))) void note(struct verdict* verdict, const char* format, ...);
// Sets the outcome. Gives true.
bool judge(struct verdict* verdict, const char* culprit, const char* confidence, const char* cause);

// A fault of memory access that the processor reported, not a signal that somebody sent. SIGBUS comes for pointers
// that are no addresses, where they are used through the stack's registers.
const struct crash_record* access_fault(const struct verdict_facts* facts);

// Missing changes

// Is there a drain of a slab that another thread owned, which the crash can have come of?
bool has_foreign_drain(const struct verdict_facts* facts);
// Nothing ties the drain that is told to the crash.
bool is_drain_uncertain(const struct story* story);
void note_drain(struct verdict* verdict, const struct story* story);
// Sets cause and culprit; `effect` is what came of the drain.
void cause_missing_change(struct verdict* verdict, const struct story* story, const char* effect);

#endif
