// Which blocks a process can still reach: from its roots, and from there through other blocks. Of the others, those
// that no other lost block leads to are lost definitely, and the rest indirectly. Of lost blocks that lead to each
// other in a circle, one is lost definitely.
// Thread-safety: none needed. Errors: false if there is no memory here.
#ifndef HAKSTRESS_REACH_H
#define HAKSTRESS_REACH_H

#include "leaks/live_blocks.h"
#include "leaks/roots.h"

// Sets the class of each block.
bool reach_classify(struct live_blocks* live, const struct roots* roots, const struct process_memory* memory);

#endif
