#include "leaks/leaks.h"

#include "base/json.h"
#include "leaks/own_memory.h"
#include "leaks/reach.h"
#include "report/noted_stack.h"

#include <stdlib.h>

enum { PROCESSES_LISTED = 64, STACKS_LISTED = 5000 };  // stacks of a process

static const char* const class_names[BLOCK_CLASSES] = {NULL, "reachable", "indirect", "definite"};

void leaks_start(struct leaks* leaks, bool with_reachable) {
    *leaks = (struct leaks){.with_reachable = with_reachable, .processes = json_array()};
}

void leaks_free(struct leaks* leaks) {
    leak_table_free(&leaks->table);
    json_decref(leaks->processes);
}

// Reading a process

struct process_view {
    const struct leaking_process* of;
    struct process_memory memory;
    struct procmaps maps;
    struct live_blocks live;
    struct leak_modules modules;
};

static int by_stack(const void* a, const void* b) {
    const struct live_block *x = a, *y = b;
    if (x->stack != y->stack) return x->stack < y->stack ? -1 : 1;
    return x->site < y->site ? -1 : x->site > y->site;
}

static bool is_lost(const struct leak_sums* sums) {
    return sums->of[BLOCK_DEFINITE].blocks + sums->of[BLOCK_INDIRECT].blocks > 0;
}

// The blocks of one stack.
struct group {
    const struct live_block* first;
    struct leak_sums sums;
};

static uint64_t lost_bytes(const struct leak_sums* sums) {
    return sums->of[BLOCK_DEFINITE].bytes + sums->of[BLOCK_INDIRECT].bytes;
}

static int by_bytes(const struct leak_sums* x, const struct leak_sums* y) {
    if (lost_bytes(x) != lost_bytes(y)) return lost_bytes(x) > lost_bytes(y) ? -1 : 1;
    if (is_lost(x) != is_lost(y)) return is_lost(x) ? -1 : 1;
    uint64_t more = x->of[BLOCK_REACHABLE].bytes, less = y->of[BLOCK_REACHABLE].bytes;
    return more > less ? -1 : more < less;
}

static int most_first(const void* a, const void* b) {
    const struct group *x = a, *y = b;
    int order = by_bytes(&x->sums, &y->sums);
    return order != 0 ? order : by_stack(x->first, y->first);
}

static void add_group(struct leaks* leaks, struct process_view* view, const struct group* group) {
    uint64_t addresses[LEAK_FRAMES_MAX];
    const struct live_block* block = group->first;
    size_t count = noted_stack_read(&view->memory, view->of->ring->stacks, block->stack, addresses, LEAK_FRAMES_MAX);
    if (count == 0) addresses[count++] = block->site;
    leak_table_add(&leaks->table, &view->modules, addresses, count, &group->sums);
}

// Sorts the blocks by stack; they cannot be looked up any more. Returns how many groups there are.
static size_t make_groups(struct live_blocks* live, struct group* groups) {
    size_t count = 0;
    if (live->count > 0) qsort(live->blocks, live->count, sizeof *live->blocks, by_stack);
    for (size_t i = 0; i < live->count; i++) {
        const struct live_block* block = &live->blocks[i];
        if (block->inherited) continue;
        if (count == 0 || by_stack(groups[count - 1].first, block) != 0)
            groups[count++] = (struct group){.first = block};
        struct leak_sum* sum = &groups[count - 1].sums.of[block->class];
        sum->blocks++;
        sum->bytes += block->size;
    }
    return count;
}

static bool add_stacks(struct leaks* leaks, struct process_view* view, struct leak_sums* all) {
    struct group* groups = malloc((view->live.count + 1) * sizeof *groups);
    if (groups == NULL) return false;
    size_t count = make_groups(&view->live, groups);
    qsort(groups, count, sizeof *groups, most_first);
    for (size_t i = 0; i < count; i++) {
        leak_sums_add(all, &groups[i].sums);
        if (!is_lost(&groups[i].sums) && !leaks->with_reachable) continue;
        if (i < STACKS_LISTED)
            add_group(leaks, view, &groups[i]);
        else
            leak_sums_add(&leaks->unlisted, &groups[i].sums);
    }
    free(groups);
    return true;
}

static void put_sums(json_t* object, const struct leak_sums* sums) {
    for (size_t i = BLOCK_REACHABLE; i < BLOCK_CLASSES; i++) {
        json_t* sum = json_object();
        json_put_count(sum, "blocks", sums->of[i].blocks);
        json_put_count(sum, "bytes", sums->of[i].bytes);
        json_object_set_new(object, class_names[i], sum);
    }
}

static void list_process(struct leaks* leaks, const struct leaking_process* of, const struct leak_sums* sums) {
    if (!is_lost(sums) || json_array_size(leaks->processes) == PROCESSES_LISTED) return;
    json_t* process = json_object();
    json_put_whole(process, "pid", of->process);
    json_put_text(process, "command", of->command);
    put_sums(process, sums);
    json_array_append_new(leaks->processes, process);
}

static bool classify(struct process_view* view) {
    const struct leaking_process* of = view->of;
    const struct own_memory own = {
        .library = of->library, .folder = of->ring_folder, .ring = of->ring, .ring_address = of->ring_address};
    struct ranges ranges = {.count = 0};
    own_memory_find(&own, of->thread, &view->maps, &ranges);
    const struct roots roots = {
        .maps = &view->maps, .own = &ranges, .threads = of->threads, .thread_count = of->thread_count};
    bool done = reach_classify(&view->live, &roots, &view->memory) && !ranges.failed;
    ranges_free(&ranges);
    return done;
}

static void read_process(struct leaks* leaks, struct process_view* view) {
    struct leak_sums sums = {.of = {{0}}};
    if (!classify(view) || !leak_modules_open(&view->modules, &view->maps)) {
        leaks->failed++;
        return;
    }
    bool added = add_stacks(leaks, view, &sums);
    leak_modules_close(&view->modules);
    leaks->failed += !added;
    if (!added) return;
    leak_sums_add(&leaks->sums, &sums);
    list_process(leaks, view->of, &sums);
    leaks->searched++;
}

void leaks_read(struct leaks* leaks, const struct leaking_process* of) {
    struct process_view view = {.of = of};
    process_memory_open(&view.memory, of->thread);
    if (procmaps_read(&view.maps, of->thread) &&
        live_blocks_read(&view.live, &view.memory, of->ring->guard, of->ring->start_tsc))
        read_process(leaks, &view);
    else if (view.live.failed)
        leaks->failed++;
    else
        leaks->without_records++;
    live_blocks_free(&view.live);
    procmaps_free(&view.maps);
    process_memory_close(&view.memory);
}

// The whole run

static int most_lost_first(const void* a, const void* b) {
    const struct leak_stack *x = *(struct leak_stack*const*)a, *y = *(struct leak_stack*const*)b;
    int order = by_bytes(&x->sums, &y->sums);
    return order != 0 ? order : x < y ? -1 : x > y;
}

static json_t* stack_json(const struct leak_stack* stack) {
    json_t *object = json_object(), *frames = json_array();
    put_sums(object, &stack->sums);
    json_put_count(object, "processes", stack->processes);
    for (size_t i = 0; i < stack->count; i++) {
        json_t* frame = json_object();
        json_put_count(frame, "module", stack->frames[i].module);
        json_put_hex(frame, "offset", stack->frames[i].offset);
        if (stack->frames[i].address != 0) json_put_hex(frame, "address", stack->frames[i].address);
        json_array_append_new(frames, frame);
    }
    json_object_set_new(object, "frames", frames);
    return object;
}

static json_t* stacks_json(const struct leak_table* table) {
    json_t* list = json_array();
    const struct leak_stack** sorted = calloc(table->stack_count + 1, sizeof *sorted);
    for (size_t i = 0; sorted != NULL && i < table->stack_count; i++) sorted[i] = &table->stacks[i];
    if (sorted != NULL) qsort(sorted, table->stack_count, sizeof *sorted, most_lost_first);
    for (size_t i = 0; sorted != NULL && i < table->stack_count; i++)
        json_array_append_new(list, stack_json(sorted[i]));
    free(sorted);
    return list;
}

static json_t* modules_json(const struct leak_table* table) {
    json_t* list = json_array();
    for (size_t i = 0; i < table->module_count; i++) {
        json_t* module = json_object();
        json_put_text(module, "path", table->modules[i].path);
        if (table->modules[i].build_id[0] != '\0') json_put_text(module, "build_id", table->modules[i].build_id);
        json_array_append_new(list, module);
    }
    return list;
}

static json_t* unlisted_json(const struct leaks* leaks) {
    json_t* object = json_object();
    put_sums(object, &leaks->unlisted);
    return object;
}

json_t* leaks_json(const struct leaks* leaks) {
    json_t* object = json_object();
    put_sums(object, &leaks->sums);
    json_put_count(object, "processes_searched", leaks->searched);
    json_object_set(object, "processes", leaks->processes);
    json_object_set_new(object, "unlisted", unlisted_json(leaks));
    json_object_set_new(object, "modules", modules_json(&leaks->table));
    json_object_set_new(object, "stacks", stacks_json(&leaks->table));
    return object;
}
