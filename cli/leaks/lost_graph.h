// Lost blocks, and which of them lead to which others.
// Thread-safety: none needed. Errors: lost_graph_classify() returns false if there was no memory.
#ifndef HAKSTRESS_LOST_GRAPH_H
#define HAKSTRESS_LOST_GRAPH_H

#include "leaks/live_blocks.h"

struct lost_node {
    uint32_t block;
    uint32_t index;  // used while walking
    size_t first;    // its ways: ways[first] to the first one of the next node
};

struct lost_graph {
    struct live_blocks* live;
    struct lost_node* nodes;  // sorted by block
    size_t count, room;
    uint32_t* ways;  // numbers of blocks
    size_t way_count, way_room;
    bool failed;
};

// The ways added from now on begin at this block. Blocks come in ascending order.
void lost_graph_begin(struct lost_graph* graph, uint32_t block);
void lost_graph_add(struct lost_graph* graph, uint32_t to);
// Sets the class of each block that began ways.
bool lost_graph_classify(struct lost_graph* graph);
void lost_graph_free(struct lost_graph* graph);

#endif
