#include "workload/replace.h"

#include "workload/alloc.h"

void replace_at_random(struct team_member* member, unsigned burst, char* (*new_block)(struct team_member* member)) {
    char** blocks = member->memory;
    const uint64_t count = member->run->params[REPLACE_BLOCKS];
    for (uint64_t i = 0; i < count; i++) blocks[i] = new_block(member);
    team_ready(member);
    do {
        for (unsigned i = 0; i < burst; i++) {
            uint64_t victim = workload_random_below(&member->random, count);
            wl_free(blocks[victim]);
            blocks[victim] = new_block(member);
        }
    } while (team_goes_on(member, burst));
    team_done(member);
    for (uint64_t i = 0; i < count; i++) wl_free(blocks[i]);
}
