#include "leaks/lost_graph.h"

#include "base/array.h"

#include <stdlib.h>

static void* grow(struct lost_graph* graph, void* array, size_t count, size_t* room, size_t bytes) {
    void* grown = array_room(array, count, room, 1024, bytes);
    graph->failed = graph->failed || grown == NULL;
    return grown != NULL ? grown : array;
}

void lost_graph_begin(struct lost_graph* graph, uint32_t block) {
    graph->nodes = grow(graph, graph->nodes, graph->count, &graph->room, sizeof *graph->nodes);
    if (!graph->failed) graph->nodes[graph->count++] = (struct lost_node){.block = block, .first = graph->way_count};
}

void lost_graph_add(struct lost_graph* graph, uint32_t to) {
    graph->ways = grow(graph, graph->ways, graph->way_count, &graph->way_room, sizeof *graph->ways);
    if (!graph->failed) graph->ways[graph->way_count++] = to;
}

void lost_graph_free(struct lost_graph* graph) {
    free(graph->nodes);
    free(graph->ways);
    *graph = (struct lost_graph){.count = 0};
}

// The ways of node i end here.
static size_t last_of(const struct lost_graph* graph, size_t i) {
    return i + 1 < graph->count ? graph->nodes[i + 1].first : graph->way_count;
}

static uint32_t node_of(const struct lost_graph* graph, uint32_t block) {
    size_t low = 0, high = graph->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (graph->nodes[middle].block < block)
            low = middle + 1;
        else
            high = middle;
    }
    return (uint32_t)low;
}

// A walk: `path` is where it is, `left` the nodes that it has left, in that order.
struct steps {
    uint32_t *path, *left;
    size_t depth, left_count;
    uint8_t* seen;
};

static void enter(const struct lost_graph* graph, struct steps* steps, uint32_t node) {
    steps->seen[node] = 1;
    graph->nodes[node].index = 0;
    steps->path[steps->depth++] = node;
}

// Goes everywhere that leads on from the node, deepest first.
static void walk_from(const struct lost_graph* graph, struct steps* steps, uint32_t start) {
    enter(graph, steps, start);
    while (steps->depth > 0) {
        struct lost_node* node = &graph->nodes[steps->path[steps->depth - 1]];
        size_t way = node->first + node->index, end = last_of(graph, (size_t)(node - graph->nodes));
        if (way < end) {
            node->index++;
            uint32_t next = graph->ways[way];
            if (!steps->seen[next]) enter(graph, steps, next);
        } else {
            steps->left[steps->left_count++] = steps->path[--steps->depth];
        }
    }
}

static void set_class(const struct lost_graph* graph, size_t node, enum block_class class) {
    graph->live->blocks[graph->nodes[node].block].class = (uint8_t) class;
}

// The node left last is led to by nodes of its own circle only. The same holds for the next one that it does not lead
// to, and so on.
static void classify(const struct lost_graph* graph, struct steps* first, struct steps* second) {
    for (uint32_t i = 0; i < graph->count; i++) {
        set_class(graph, i, BLOCK_INDIRECT);
        if (!first->seen[i]) walk_from(graph, first, i);
    }
    for (size_t i = first->left_count; i-- > 0;) {
        uint32_t node = first->left[i];
        if (second->seen[node]) continue;
        set_class(graph, node, BLOCK_DEFINITE);
        walk_from(graph, second, node);
    }
}

static bool make_steps(struct steps* steps, size_t count) {
    *steps = (struct steps){.path = calloc(count + 1, sizeof *steps->path),
                            .left = calloc(count + 1, sizeof *steps->left),
                            .seen = calloc(count + 1, 1)};
    return steps->path != NULL && steps->left != NULL && steps->seen != NULL;
}

static void free_steps(struct steps* steps) {
    free(steps->path);
    free(steps->left);
    free(steps->seen);
}

bool lost_graph_classify(struct lost_graph* graph) {
    struct steps first, second;
    for (size_t i = 0; i < graph->way_count; i++) graph->ways[i] = node_of(graph, graph->ways[i]);
    bool one = make_steps(&first, graph->count), two = make_steps(&second, graph->count);
    bool done = one && two && !graph->failed;
    if (done) classify(graph, &first, &second);
    free_steps(&first);
    free_steps(&second);
    return done;
}
