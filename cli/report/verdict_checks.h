// Rules for what the process itself reported: checks that failed, and blocks of two allocators, which checks find as
// well.
// Thread-safety: none needed. Errors: false if the sign is not there.
#ifndef HAKSTRESS_VERDICT_CHECKS_H
#define HAKSTRESS_VERDICT_CHECKS_H

#include "report/verdict_draft.h"

bool by_ownership_check(struct verdict* verdict, const struct verdict_facts* facts);
bool by_program_check(struct verdict* verdict, const struct verdict_facts* facts);
bool by_crossed_block(struct verdict* verdict, const struct verdict_facts* facts);
bool by_other_check(struct verdict* verdict, const struct verdict_facts* facts);

// What a program did that failed the check of this name, in words; NULL: it is no check of a program.
const char* verdict_cause_of_check(const char* check);

#endif
