#include "stack/rules_cache.h"

#include "os/os.h"

_Atomic(RulesCache*) rules_cache;

// Without memory the next walk tries again.
static HAK_COLD RulesCache* map_cache(void) {
    RulesCache *none = NULL, *fresh = os_calls_are_forbidden() ? NULL : os_map_sparse(sizeof(RulesCache));
    if (fresh == NULL) return NULL;
    if (cas_release(&rules_cache, &none, fresh)) return fresh;  // pairs with the acquires here and in rules_cache_find
    os_unmap(fresh, sizeof(RulesCache));                        // counted if it fails
    return load_acquire(&rules_cache);
}

void rules_cache_keep(uintptr_t place, FrameRule rule) {
    RulesCache* cache = load_acquire(&rules_cache);
    if (cache == NULL) cache = map_cache();
    if (cache == NULL) return;
    uint64_t word;
    memcpy(&word, &rule, sizeof word);
    RulesCacheEntry* pair = rules_cache_pair(cache, place);
    uint64_t before = load_relaxed(&pair[0].rule), mixed = load_relaxed(&pair[0].mixed);
    if ((mixed ^ before) != place) {
        store_relaxed(&pair[1].mixed, mixed);
        store_relaxed(&pair[1].rule, before);
    }
    store_relaxed(&pair[0].mixed, place ^ word);
    store_relaxed(&pair[0].rule, word);
}
