// The options of leak checks, and what they make of the leaks of a run.
// Thread-safety: none needed. Errors: one line on stderr.
#ifndef HAKSTRESS_LEAK_PLAN_H
#define HAKSTRESS_LEAK_PLAN_H

#include "args/args.h"
#include "leaks/leaks.h"
#include "leaks/suppressions.h"

struct leak_plan {
    bool wanted, with_reachable;
    bool has_exit;
    uint64_t exit;  // the exit status if something was lost
    const char *wrappers, *save;
    bool suppresses;
    struct suppressions suppressions;
    json_t* known;  // NULL: no baseline
};

// What to repeat of the options.
void leak_plan_again(const struct args* args, char* out, size_t size);
bool leak_plan_read(struct leak_plan* plan, const struct args* args);
void leak_plan_free(struct leak_plan* plan);

// The document of what was read, with functions and lines, and with what suppressions and baseline say of each stack.
json_t* leak_plan_judge(struct leak_plan* plan, const struct leaks* leaks);
// The same for the end of the run. false in *saved: the file of --leaks-save could not be written.
json_t* leak_plan_apply(struct leak_plan* plan, const struct leaks* leaks, bool* saved);

#endif
