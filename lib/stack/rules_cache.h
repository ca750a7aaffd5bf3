// The rules of places in the code that were met before. A rule found here costs a few nanoseconds, one read from the
// unwind tables up to a microsecond.
//
//   entry: | place ^ rule | rule |      two places for each hash
//
// The entry of a place is the one whose two words give the place when they are combined. So an entry that two threads
// write at once, half and half, is one of no place.
// A library that is closed leaves its rules behind; if another one is loaded to the same place, they are wrong there.
// A walk that breaks off therefore begins again without the cache (unwind.c).
// Thread-safety: any thread, and signal handlers: no lock.
// Errors: without memory nothing is kept. The memory is mapped at the first walk.
#ifndef HAK_STACK_RULES_CACHE_H
#define HAK_STACK_RULES_CACHE_H

#include "base/atomic.h"
#include "base/random.h"
#include "stack/frame_rule.h"

#include <string.h>

enum { RULES_CACHE_PAIRS_LOG2 = 14 };

typedef struct {
    _Atomic uint64_t mixed, rule;
} RulesCacheEntry;

typedef struct {
    RulesCacheEntry pair[1 << RULES_CACHE_PAIRS_LOG2][2];  // the newer one first
} RulesCache;

extern HAK_INTERNAL _Atomic(RulesCache*) rules_cache;

HAK_INLINE RulesCacheEntry* rules_cache_pair(RulesCache* cache, uintptr_t place) {
    return cache->pair[place * RANDOM_STEP >> (64 - RULES_CACHE_PAIRS_LOG2)];
}

HAK_INLINE bool rules_cache_matches(const RulesCacheEntry* entry, uintptr_t place, FrameRule* rule) {
    uint64_t word = load_relaxed(&entry->rule);
    memcpy(rule, &word, sizeof word);
    return (load_relaxed(&entry->mixed) ^ word) == place;
}

// false: not known.
HAK_INLINE bool rules_cache_find(uintptr_t place, FrameRule* rule) {
    RulesCache* cache = load_acquire(&rules_cache);  // pairs with the release in map_cache
    if (HAK_UNLIKELY(cache == NULL)) return false;
    const RulesCacheEntry* pair = rules_cache_pair(cache, place);
    return rules_cache_matches(&pair[0], place, rule) || rules_cache_matches(&pair[1], place, rule);
}

void rules_cache_keep(uintptr_t place, FrameRule rule);

#endif
