// The story of a fault: which thread drained which slab without owning it, what happened to a block of that slab, and
// why the fault address is what it is. Each step is based on a record; what no record shows is listed as unknown.
// Thread-safety: none needed. Errors: without records there is no story.
#ifndef HAKSTRESS_STORY_H
#define HAKSTRESS_STORY_H

#include "observe/crash_record.h"
#include "child/messages.h"
#include "report/heap_view.h"
#include "report/rings.h"

struct story_input {
    const struct ring_reader* rings;
    struct heap_view* heap;
    const CrashRecord* record;          // NULL: the handler did not run
    const struct check_message* check;  // NULL: no check failed
    const char* workload;               // of hakstress; NULL: the user's program
    uint32_t thread, os_tid;            // of the crash; 0: unknown
};

struct who {
    uint32_t thread, os_tid;  // 0: unknown
    bool ended;
};

// How a drain is connected to the fault, the surest way first.
enum story_tie {
    TIE_NONE,       // there was no foreign drain
    TIE_CHECK,      // the check stopped it
    TIE_LINK,       // it drained the slab whose damaged link was followed
    TIE_POINTER,    // it drained a slab that the fault address or a register points into
    TIE_LAST_SEEN,  // it drained a slab that the crashed thread used last
    TIE_LATEST,     // it is the last drain of all
};

struct story {
    enum story_tie tie;
    uint32_t slab, change;  // change 0: unknown, or none
    const char* site;       // name of the change
    struct who drainer, owner;
    uint64_t drain_tick;  // 0: unknown
    bool drain_is_later;  // than the one that did the harm, of which there is no record
    uint32_t blocks;
    uint32_t other_drains;  // of the same slab, by threads that did not own it, as far as the rings show
    // A free-list link that led out of the heap.
    bool has_link;
    uint64_t block, link, link_tick;
    uint32_t block_slab;         // equal to `slab`, if a drain of it is known
    uint64_t first_malloc_tick;  // the first of the block's mallocs since its last free, and the last; 0: unknown
    uint64_t malloc_tick;
    struct who reader;    // who read the link
    bool block_was_live;  // according to its last malloc, when the link was read
    bool block_was_free;  // according to its last free
    bool block_was_given_twice;
    json_t* json;  // as story_tell makes it; NULL: no story
};

void story_find(struct story* story, const struct story_input* input);

struct who ring_event_who(const struct ring_event* event);
// {"thread", "os_tid", "ended"}; and in words, "thread 3 (os thread 1002)".
json_t* who_json(const struct who* who);
void who_text(const struct who* who, char* out, size_t size);

const char* change_site(uint32_t change);     // NULL: no such change
const char* change_missing(uint32_t change);  // what happens without it
const char* change_words(uint32_t change);    // its name in the specification
uint32_t change_of_site(const char* site);    // 0: none

#endif
