#include "leaks/reach.h"

#include "leaks/lost_graph.h"

#include <stdlib.h>
#include <string.h>

enum { LARGE = 1 << 14, TOGETHER = MEMORY_PARTS_MAX };

struct walk {
    struct live_blocks* live;
    const struct process_memory* memory;
    struct memory_scan scan;
    uint32_t* waiting;  // blocks that were reached and not looked into yet
    size_t count;
    uint32_t from;  // the lost block that is looked into
    struct lost_graph* lost;
};

// Reachable blocks

static void reach(void* context, uint64_t word) {
    struct walk* walk = context;
    uint32_t number = live_blocks_find(walk->live, word);
    if (number == BLOCK_NONE || walk->live->blocks[number].class != BLOCK_UNREACHED) return;
    walk->live->blocks[number].class = BLOCK_REACHABLE;
    walk->waiting[walk->count++] = number;
}

static void look_into(struct walk* walk, const struct live_block* block) {
    memory_scan_range(&walk->scan, block->start, live_block_end(block), SCAN_PRESENT);
}

// Takes small blocks from those that wait, reads them with one system call, and looks into them.
static void look_into_small(struct walk* walk) {
    static uint64_t words[TOGETHER * LARGE / sizeof(uint64_t)];
    struct memory_part parts[TOGETHER];
    size_t count = 0, bytes = 0;
    while (walk->count > 0 && count < TOGETHER) {
        const struct live_block* block = &walk->live->blocks[walk->waiting[walk->count - 1]];
        if (block->size > LARGE) break;
        walk->count--;
        size_t whole = block->size / sizeof(uint64_t) * sizeof(uint64_t);
        if (whole == 0) continue;
        parts[count++] = (struct memory_part){block->start, whole};
        bytes += whole;
    }
    if (process_memory_read_parts(walk->memory, parts, count, words)) {
        memory_scan_words(&walk->scan, words, bytes / sizeof *words);
        return;
    }
    for (size_t i = 0; i < count; i++)
        memory_scan_range(&walk->scan, parts[i].address, parts[i].address + parts[i].bytes, SCAN_ALL);
}

static void reach_all(struct walk* walk) {
    while (walk->count > 0) {
        const struct live_block* block = &walk->live->blocks[walk->waiting[walk->count - 1]];
        if (block->size > LARGE) {
            walk->count--;
            look_into(walk, block);
        } else {
            look_into_small(walk);
        }
    }
}

// Lost blocks

static void note_way(void* context, uint64_t word) {
    struct walk* walk = context;
    uint32_t number = live_blocks_find(walk->live, word);
    if (number != BLOCK_NONE && number != walk->from && walk->live->blocks[number].class != BLOCK_REACHABLE)
        lost_graph_add(walk->lost, number);
}

static bool classify_lost(struct walk* walk) {
    struct lost_graph graph = {.live = walk->live};
    walk->lost = &graph;
    walk->scan.word = note_way;
    for (uint32_t i = 0; i < walk->live->count; i++) {
        if (walk->live->blocks[i].class == BLOCK_REACHABLE) continue;
        walk->from = i;
        lost_graph_begin(&graph, i);
        look_into(walk, &walk->live->blocks[i]);
    }
    walk->lost = NULL;
    bool done = lost_graph_classify(&graph);
    lost_graph_free(&graph);
    return done;
}

static void set_bounds(struct walk* walk) {
    const struct live_blocks* live = walk->live;
    if (live->count == 0) return;
    walk->scan.low = live->blocks[0].start;
    walk->scan.high = live_block_end(&live->blocks[live->count - 1]) + 1;
}

bool reach_classify(struct live_blocks* live, const struct roots* roots, const struct process_memory* memory) {
    struct walk walk = {.live = live, .memory = memory};
    walk.waiting = malloc((live->count + 1) * sizeof *walk.waiting);
    if (walk.waiting == NULL) return false;
    memory_scan_open(&walk.scan, memory);
    walk.scan.word = reach;
    walk.scan.context = &walk;
    set_bounds(&walk);
    roots_scan(roots, &walk.scan);
    reach_all(&walk);
    bool done = classify_lost(&walk);
    memory_scan_close(&walk.scan);
    free(walk.waiting);
    return done;
}
