#include "run/ends.h"

#include "oracle/blocks.h"
#include "runtime/hash_set.h"
#include "runtime/system.h"

enum { ENDS_MOST = (1 << 23) - 1 };  // 256 MiB

static HashSet ends = {.most = ENDS_MOST}, without_stale = {.most = ENDS_MOST}, between = {.most = ENDS_MOST};

// What a scenario's expectations judge, beside the state: how its threads came there.
static Hash add_way(Hash hash) {
    hash = hash_add(hash, run.calls);
    for (unsigned step = 0; step < HAK_STEP_COUNT; step++) hash = hash_add(hash, run.steps[step]);
    for (unsigned b = 0; b < block_count; b++)
        if (!blocks[b].there) hash = hash_add(hash, (uint64_t)(uintptr_t)blocks[b].at);
    return hash;
}

Hash ends_state(void) {
    Hash hash = hash_join(memory_hash(), threads_tls_hash());
    hash = hash_add(hash, system_hash());
    for (unsigned t = 0; t < thread_count; t++) hash = hash_add(hash, threads[t].state);
    for (unsigned b = 0; b < block_count; b++)
        hash = hash_add(hash, blocks[b].there ? (uint64_t)(uintptr_t)blocks[b].at : 0);
    hash = hash_add(hash, (uint64_t)run.copied << 33 | (uint64_t)run.forked << 32 | run.cut_off);
    return run.is_judged ? add_way(hash) : hash;
}

// Where stale loads are allowed, more is checked after a run without one: see check_told() in oracle/rest.c.
bool ends_is_new(void) {
    const Hash state = ends_state();
    const bool is_new = hash_set_add(&ends, state);
    if (run.limits.stale_most == 0 || run.stale_used != 0) return is_new;
    return hash_set_add(&without_stale, state) || is_new;
}

bool ends_between_is_known(Hash state) {
    return hash_set_has(&between, state);
}

void ends_note_between(Hash state) {
    hash_set_add(&between, state);
}

void ends_forget(void) {
    hash_set_clear(&ends);
    hash_set_clear(&without_stale);
    hash_set_clear(&between);
}

void ends_each(void (*visit)(Hash end)) {
    for (uint64_t i = 0; i < ends.size; i++)
        if (ends.table[i].low) visit(ends.table[i]);
}

uint64_t ends_count(void) {
    return ends.count;
}
