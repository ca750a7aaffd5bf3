// The story of a fault: which thread drained which slab without owning it, what became of a block of that slab, and why the fault
// address is what it is. Each step stands on something that was recorded; what no record tells is said to be unknown.
// Thread-safety: none needed. Errors: nothing recorded gives no story.
#ifndef HAKSTRESS_STORY_H
#define HAKSTRESS_STORY_H

#include "child/crash_record.h"
#include "child/messages.h"
#include "report/heap_view.h"
#include "report/rings.h"

struct story_input {
    const struct ring_reader* rings;
    struct heap_view* heap;
    const struct crash_record* record;  // NULL: the handler did not run
    const struct check_message* check;  // NULL: no check spoke
    const char* workload;               // of hakstress; NULL: a program of somebody else
    uint32_t thread, os_tid;            // that crashed; 0: unknown
};

struct who {
    uint32_t thread, os_tid;  // 0: unknown
    bool ended;
};

// How a drain was tied to the fault, the surest first.
enum story_tie {
    TIE_NONE,       // there was no foreign drain
    TIE_CHECK,      // it is what the check stopped
    TIE_LINK,       // of the slab whose damaged link was followed
    TIE_POINTER,    // of a slab that the fault address or a register points into
    TIE_LAST_SEEN,  // of a slab that the crashed thread used last
    TIE_LATEST,     // it is the last of all that there were
};

struct story {
    enum story_tie tie;
    uint32_t slab, change;  // change 0: unknown which, or none
    const char* site;       // name of the change
    struct who drainer, owner;
    uint64_t drain_tick;  // 0: unknown
    bool drain_is_later;  // than the one that did the harm, which nothing recalls
    uint32_t blocks;
    uint32_t other_drains;  // of the same slab by threads that did not own it, as far as the rings recall
    // A free-list link that led out of the heap.
    bool has_link;
    uint64_t block, link, link_tick;
    uint32_t block_slab;         // `slab` too, if a drain of it is known
    uint64_t first_malloc_tick;  // of the block's mallocs since its last free, the first and the last; 0: unknown
    uint64_t malloc_tick;
    struct who reader;    // of the link
    bool block_was_live;  // by its last malloc, when the link was read
    bool block_was_free;  // by its last free
    bool block_was_given_twice;
    json_t* json;  // as story_tell gives it; NULL: no story
};

void story_find(struct story* story, const struct story_input* input);

struct who ring_event_who(const struct ring_event* event);
// {"thread", "os_tid", "ended"}; and in words, "thread 3 (os thread 1002)".
json_t* who_json(const struct who* who);
void who_text(const struct who* who, char* out, size_t size);

const char* change_site(uint32_t change);     // NULL: no such change
const char* change_missing(uint32_t change);  // what is done without it
const char* change_words(uint32_t change);    // what it is called where it was specified
uint32_t change_of_site(const char* site);    // 0: none

#endif
