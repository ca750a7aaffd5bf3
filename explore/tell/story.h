// The story of a run that ends in a fault: what it was, step by step, what rule it breaks, and what would have
// prevented it.
//
//   story_tell ──> Story ──> story_text, story_json, story_page
//
// Thread-safety: none: one run at a time.
// Errors: story_tell: false and a message if the schedule cannot be run.
#ifndef EXPLORE_TELL_STORY_H
#define EXPLORE_TELL_STORY_H

#include "again/again.h"
#include "tell/rows.h"

enum { REPLAY_TEXT = 65536, PREVENTED_MOST = 8, STATE_WORDS = 256 };

typedef struct {
    char replay[REPLAY_TEXT];
    const char* file;  // of the scenario, to be named after the string; NULL: its name finds it
    char check[sizeof run.check];
    char fault[2 * FAULT_TEXT];
    const char* rule;  // a sentence of docs/OWNERSHIP.md; NULL: none
    unsigned prevented_count;
    char prevented[PREVENTED_MOST][WORDS_ROOM];  // what would have prevented it, one thing each
    char tried[WORDS_ROOM];                      // what was tried and would not have
    uint32_t switches, preemptions;
    Scenario scenario;  // as it was run
} Story;                // its steps are in `rows`

// Runs the schedule and fills the story.
bool story_tell(const Replay* replay, const Scenario* whole, Story* story, char* message, size_t size);

// "slab 40: owner A; remote stack empty; free list d, e; counts 2 free, 34 used".
void story_state(uint32_t slab, uint32_t event, char* out, size_t size);
// What a row says of itself, without thread and state: "A4 remote word: empty -> unowned: the remote word of slab ...".
void story_row(const Row* row, char* out, size_t size);

#endif
