// Rules for what bad pointers and links contain: text, the fill pattern of freed memory, numbers that are not
// addresses.
// Thread-safety: none needed. Errors: false if the sign is not there.
#ifndef HAKSTRESS_VERDICT_POINTERS_H
#define HAKSTRESS_VERDICT_POINTERS_H

#include "report/verdict_draft.h"

bool by_followed_link(struct verdict* verdict, const struct verdict_facts* facts);
bool by_text_address(struct verdict* verdict, const struct verdict_facts* facts);
bool by_impossible_address(struct verdict* verdict, const struct verdict_facts* facts);
bool by_poison_address(struct verdict* verdict, const struct verdict_facts* facts);
bool by_kernel_address(struct verdict* verdict, const struct verdict_facts* facts);

#endif
