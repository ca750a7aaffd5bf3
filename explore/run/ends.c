#include "run/ends.h"

#include "oracle/blocks.h"
#include "runtime/hash_set.h"
#include "runtime/system.h"

enum { ENDS_MOST = (1 << 23) - 1 };  // 256 MiB

static HashSet ends = {.most = ENDS_MOST}, between = {.most = ENDS_MOST};

Hash ends_state(void) {
    Hash hash = hash_join(memory_hash(), threads_tls_hash());
    hash = hash_add(hash, system_hash());
    for (unsigned t = 0; t < thread_count; t++) hash = hash_add(hash, threads[t].state);
    for (unsigned b = 0; b < block_count; b++)
        hash = hash_add(hash, blocks[b].there ? (uint64_t)(uintptr_t)blocks[b].at : 0);
    return hash_add(hash, (uint64_t)run.copied << 33 | (uint64_t)run.forked << 32 | run.cut_off);
}

bool ends_is_new(void) {
    return hash_set_add(&ends, ends_state());
}

bool ends_between_is_known(Hash state) {
    return hash_set_has(&between, state);
}

void ends_note_between(Hash state) {
    hash_set_add(&between, state);
}

void ends_forget(void) {
    hash_set_clear(&ends);
    hash_set_clear(&between);
}

uint64_t ends_count(void) {
    return ends.count;
}
