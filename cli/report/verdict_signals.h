// Rules for how the process ended or stopped making progress, if its memory shows nothing.
// Thread-safety: none needed. Errors: false if the sign is not there.
#ifndef HAKSTRESS_VERDICT_SIGNALS_H
#define HAKSTRESS_VERDICT_SIGNALS_H

#include "report/verdict_draft.h"

bool by_hang(struct verdict* verdict, const struct verdict_facts* facts);
bool by_sender(struct verdict* verdict, const struct verdict_facts* facts);
bool by_foreign_drain(struct verdict* verdict, const struct verdict_facts* facts);
bool by_instruction(struct verdict* verdict, const struct verdict_facts* facts);
bool by_caller_of_abort(struct verdict* verdict, const struct verdict_facts* facts);
bool by_other_signal(struct verdict* verdict, const struct verdict_facts* facts);
bool by_death(struct verdict* verdict, const struct verdict_facts* facts);

#endif
