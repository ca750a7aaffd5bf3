// A verdict in the making, and what all its rules share. A rule searches the facts for its sign. If it finds the sign,
// it adds the evidence, judges, and returns true.
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
// Sets the outcome. Returns true.
bool judge(struct verdict* verdict, const char* culprit, const char* confidence, const char* cause);

// A fault of memory access that the processor reported, not a signal that was sent. SIGBUS comes for invalid addresses
// that are used through the stack registers.
const CrashRecord* access_fault(const struct verdict_facts* facts);

// Missing changes

// Is there a drain of a slab that another thread owned, which may have led to the crash?
bool has_foreign_drain(const struct verdict_facts* facts);
// Nothing connects the drain to the crash.
bool is_drain_uncertain(const struct story* story);
void note_drain(struct verdict* verdict, const struct story* story);
// Sets cause and culprit; `effect` is the result of the drain.
void cause_missing_change(struct verdict* verdict, const struct story* story, const char* effect);

#endif
