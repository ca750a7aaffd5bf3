// What is to be done: rows, rounds, and how long a run lasts.
// Thread-safety: none. Errors: an exit status other than 0 after a message.
#ifndef HAKSTRESS_COMPARE_PLAN_H
#define HAKSTRESS_COMPARE_PLAN_H

#include "args/args.h"
#include "compare/comparison.h"

// Fills in all that options and operands say but for the allocators, which are there already.
int plan_take(const struct args* args, struct comparison* comparison);
void plan_free(struct comparison* comparison);

// Runs that are planned at most, warm-ups and extra runs included.
double plan_runs(const struct comparison* comparison);

// The processors for a row's runs, where pinned: as many as it has threads.
void plan_processors(struct row* row);

// Rows of the table of ratios: what the correction is for.
size_t plan_ratios(const struct comparison* comparison);

#endif
