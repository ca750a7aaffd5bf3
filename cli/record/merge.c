#include "record/merge.h"

#include "base/error.h"
#include "record/blocks.h"
#include "record/lanes.h"

#include <stdlib.h>
#include <string.h>

enum { LANES_MOST = UINT16_MAX, QUEUE_SHORT = 256 };

// A place where the replay will keep a block. It belongs to the lane that allocates the block.
struct slot {
    uint64_t size;
    uint32_t owner;  // lane
    uint32_t lane;   // that last used it
    uint32_t turn;
    uint32_t stream;  // of its last operation
    size_t tag;       // of its last operation
    uint32_t next;    // in a list of free slots
    bool used;
};

// A lane reuses at once what it freed itself. What others freed waits in a queue, so that a replay rarely waits for
// them.
struct lane {
    uint32_t own;
    uint32_t queue_first, queue_last, queued;
    uint32_t fresh, fresh_left;  // slots of its newest group
};

// A thread in the middle of a realloc.
struct pending {
    bool is_open;
    uint32_t slot;
    uint64_t address;
};

struct merger {
    const struct recording* recording;
    struct trace* trace;
    struct span* spans;
    uint32_t* streams;  // stream of each thread
    struct pending* pending;
    struct lane* lanes;
    struct slot* slots;
    size_t slot_count, slot_room;
    struct blocks blocks;
    uint64_t live_bytes;
};

// Slots

static bool add_group(struct merger* m, uint32_t lane) {
    struct trace* trace = m->trace;
    if (m->slot_count + TRACE_GROUP > m->slot_room) {
        const size_t room = m->slot_room != 0 ? m->slot_room * 2 : 64 * TRACE_GROUP;
        struct slot* slots = realloc(m->slots, room * sizeof *slots);
        if (slots == NULL) return false;
        m->slots = slots;
        uint16_t* groups = realloc(trace->groups, room / TRACE_GROUP * sizeof *groups);
        if (groups == NULL) return false;
        trace->groups = groups;
        m->slot_room = room;
    }
    memset(&m->slots[m->slot_count], 0, TRACE_GROUP * sizeof *m->slots);
    trace->groups[trace->header.groups++] = (uint16_t)lane;
    m->lanes[lane].fresh = (uint32_t)m->slot_count;
    m->lanes[lane].fresh_left = TRACE_GROUP;
    m->slot_count += TRACE_GROUP;
    return true;
}

static uint32_t take_slot(struct merger* m, uint32_t index) {
    struct lane* lane = &m->lanes[index];
    uint32_t slot = lane->own;
    if (slot != NO_SLOT) {
        lane->own = m->slots[slot].next;
        return slot;
    }
    if (lane->queued > QUEUE_SHORT) {
        slot = lane->queue_first;
        lane->queue_first = m->slots[slot].next;
        lane->queued--;
        return slot;
    }
    if (lane->fresh_left == 0 && !add_group(m, index)) return NO_SLOT;
    lane->fresh_left--;
    slot = lane->fresh++;
    m->slots[slot].owner = index;
    return slot;
}

static void give_slot(struct merger* m, uint32_t slot, uint32_t lane) {
    struct lane* owner = &m->lanes[m->slots[slot].owner];
    if (m->slots[slot].owner == lane) {
        m->slots[slot].next = owner->own;
        owner->own = slot;
        return;
    }
    if (owner->queued++ == 0)
        owner->queue_first = slot;
    else
        m->slots[owner->queue_last].next = slot;
    owner->queue_last = slot;
}

// Operations

static bool emit(struct merger* m, uint32_t stream_index, struct trace_op op) {
    struct trace_header* header = &m->trace->header;
    struct stream* stream = &m->trace->streams[stream_index];
    struct slot* slot = &m->slots[op.slot];
    if (slot->used && slot->lane != stream->lane) {
        stream_hand_on(&m->trace->streams[slot->stream], slot->tag);
        op.waits = true;
        op.turn = ++slot->turn;
    }
    if (!stream_add(stream, &op, header->events, &slot->tag)) return false;
    slot->used = true;
    slot->lane = stream->lane;
    slot->stream = stream_index;
    m->live_bytes += op.size - slot->size;
    slot->size = op.size;
    header->events++;
    header->allocations += op.kind != TRACE_FREE;
    header->frees += op.kind == TRACE_FREE;
    if (m->live_bytes > header->peak_live_bytes) header->peak_live_bytes = m->live_bytes;
    return true;
}

static bool end_block(struct merger* m, uint32_t stream, uint32_t slot) {
    if (!emit(m, stream, (struct trace_op){.kind = TRACE_FREE, .slot = slot})) return false;
    give_slot(m, slot, m->trace->streams[stream].lane);
    return true;
}

static bool begin_block(struct merger* m, uint32_t stream, const struct record_event* event, enum trace_kind kind) {
    const uint32_t lost = blocks_take(&m->blocks, event->address);
    if (lost != NO_SLOT && !end_block(m, stream, lost)) return false;  // its free was not seen
    const uint32_t slot = take_slot(m, m->trace->streams[stream].lane);
    const struct trace_op op = {.kind = kind, .slot = slot, .size = event->size, .align_log2 = event->align_log2};
    return slot != NO_SLOT && emit(m, stream, op) && blocks_put(&m->blocks, event->address, slot);
}

static bool end_realloc(struct merger* m, uint32_t stream, const struct record_event* event) {
    struct pending* pending = &m->pending[event->thread];
    const uint32_t slot = pending->is_open ? pending->slot : NO_SLOT;
    pending->is_open = false;
    if (slot == NO_SLOT) return event->address == 0 || begin_block(m, stream, event, TRACE_MALLOC);
    if (event->address == 0 && event->size == 0) return end_block(m, stream, slot);
    if (event->address == 0) return blocks_put(&m->blocks, pending->address, slot);  // it stays what it was
    const uint32_t lost = blocks_take(&m->blocks, event->address);
    if (lost != NO_SLOT && !end_block(m, stream, lost)) return false;
    return emit(m, stream, (struct trace_op){.kind = TRACE_REALLOC, .slot = slot, .size = event->size}) &&
           blocks_put(&m->blocks, event->address, slot);
}

static bool add_event(struct merger* m, const struct record_event* event) {
    const uint32_t stream = m->streams[event->thread];
    uint32_t slot;
    switch ((enum record_kind)event->kind) {
    case RECORD_MALLOC: return begin_block(m, stream, event, TRACE_MALLOC);
    case RECORD_CALLOC: return begin_block(m, stream, event, TRACE_CALLOC);
    case RECORD_ALIGNED: return begin_block(m, stream, event, TRACE_ALIGNED);
    case RECORD_FREE:
        slot = blocks_take(&m->blocks, event->address);
        return slot == NO_SLOT || end_block(m, stream, slot);  // unknown: from the parent process, before its fork
    case RECORD_REALLOC_FROM:
        m->pending[event->thread] = (struct pending){true, blocks_take(&m->blocks, event->address), event->address};
        return true;
    case RECORD_REALLOC_TO: return end_realloc(m, stream, event);
    }
    return true;
}

// Threads

static uint32_t count_threads(const struct recording* recording) {
    uint32_t most = 0;
    for (size_t i = 0; i < recording->count; i++)
        if (recording->events[i]->thread >= most) most = recording->events[i]->thread + 1;
    return most;
}

// The recorder numbers threads at their first event. A thread that wrote none has no span.
static uint32_t find_spans(const struct recording* recording, struct span* spans, uint32_t threads) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < threads; i++) spans[i] = (struct span){.thread = i, .first = SIZE_MAX};
    for (size_t i = 0; i < recording->count; i++) {
        struct span* span = &spans[recording->events[i]->thread];
        if (span->first == SIZE_MAX) span->first = i;
        span->last = i;
    }
    for (uint32_t i = 0; i < threads; i++)
        if (spans[i].first != SIZE_MAX) spans[count++] = spans[i];
    return count;
}

static bool prepare(struct merger* m) {
    struct trace_header* header = &m->trace->header;
    const uint32_t threads = count_threads(m->recording);
    m->spans = calloc(threads, sizeof *m->spans);
    m->streams = calloc(threads, sizeof *m->streams);
    m->pending = calloc(threads, sizeof *m->pending);
    m->trace->streams = calloc(threads, sizeof *m->trace->streams);
    if (m->spans == NULL || m->streams == NULL || m->pending == NULL || m->trace->streams == NULL) return false;
    header->threads = find_spans(m->recording, m->spans, threads);
    header->lanes = lanes_choose(m->spans, header->threads);
    if (header->lanes == 0 || header->lanes > LANES_MOST) return false;
    m->lanes = calloc(header->lanes, sizeof *m->lanes);
    if (m->lanes == NULL) return false;
    for (uint32_t i = 0; i < header->lanes; i++) m->lanes[i].own = NO_SLOT;
    for (uint32_t i = 0; i < header->threads; i++) {
        m->trace->streams[i].lane = m->spans[i].lane;
        m->streams[m->spans[i].thread] = i;
    }
    return true;
}

static bool run(struct merger* m) {
    if (m->recording->count == 0) return true;
    if (!prepare(m)) return false;
    for (size_t i = 0; i < m->recording->count; i++)
        if (!add_event(m, m->recording->events[i])) return false;
    return true;
}

bool merge(const struct recording* recording, struct trace* trace) {
    struct merger m = {.recording = recording, .trace = trace};
    *trace = (struct trace){.header.flags = recording->header.stopped != 0 ? TRACE_CUT_SHORT : 0};
    const bool done = run(&m);
    if (!done)
        missing_error("out of memory, or too many threads, for the %zu events of process %d", recording->count,
                      (int)recording->pid);
    blocks_free(&m.blocks);
    free(m.slots);
    free(m.lanes);
    free(m.pending);
    free(m.streams);
    free(m.spans);
    return done;
}
