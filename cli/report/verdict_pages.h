// The rule of the verdict about blocks on pages of their own, which `hakstress run --pages` gives them.
#ifndef HAKSTRESS_VERDICT_PAGES_H
#define HAKSTRESS_VERDICT_PAGES_H

#include "report/verdict_draft.h"

bool by_page(struct verdict* verdict, const struct verdict_facts* facts);

#endif
