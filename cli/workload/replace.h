// A working set of each thread, replaced at random: free a block, put a new one in its place.
// Thread-safety and errors: as team_run().
#ifndef HAKSTRESS_WORKLOAD_REPLACE_H
#define HAKSTRESS_WORKLOAD_REPLACE_H

#include "workload/team.h"

#define REPLACE_BLOCKS_MAX 65536

// The first parameter of a workload that replaces blocks.
enum { REPLACE_BLOCKS };

// The work of a member whose memory is REPLACE_BLOCKS_MAX pointers. It looks at the clock each `burst` blocks.
void replace_at_random(struct team_member* member, unsigned burst, char* (*new_block)(struct team_member* member));

#endif
