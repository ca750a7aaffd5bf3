#include "runtime/names.h"

#include "front/process.h"
#include "runtime/memory.h"
#include "superslab/heap.h"
#include "thread/operation.h"

#include <stdio.h>

typedef struct {
    size_t at, bytes;
    const char* name;
} Field;

#define FIELD(type, field) \
    { offsetof(type, field), sizeof(((type*)0)->field), #field }

static const Field of_tcb[] = {
    FIELD(HakTcb, state),         FIELD(HakTcb, number),       FIELD(HakTcb, next_all),    FIELD(HakTcb, owner_part),
    FIELD(HakTcb, next_pooled),   FIELD(HakTcb, tls),          FIELD(HakTcb, inside),      FIELD(HakTcb, pooled),
    FIELD(HakTcb, bins_left),     FIELD(HakTcb, ticks),        FIELD(HakTcb, parked),      FIELD(HakTcb, parked_blocks),
    FIELD(HakTcb, parked_ms),     FIELD(HakTcb, bundle),       FIELD(HakTcb, bundled),     FIELD(HakTcb, runs),
    FIELD(HakTcb, partial_slabs), FIELD(HakTcb, idle_runs),    FIELD(HakTcb, runs_pushed), FIELD(HakTcb, tiny),
    FIELD(HakTcb, long_run),      FIELD(HakTcb, cached_pages), FIELD(HakTcb, long_pages),
};

static const Field of_meta[] = {
    FIELD(TinySlabMeta, freelist),   FIELD(TinySlabMeta, blocks), FIELD(TinySlabMeta, carved),
    FIELD(TinySlabMeta, capacity),   FIELD(TinySlabMeta, next),   FIELD(TinySlabMeta, prev),
    FIELD(TinySlabMeta, block_size), FIELD(TinySlabMeta, where),  FIELD(TinySlabMeta, in_registry),
    FIELD(TinySlabMeta, size_class), FIELD(TinySlabMeta, clean),
};

static const char* field_at(const Field* fields, size_t count, size_t at) {
    for (size_t i = 0; i < count; i++)
        if (at >= fields[i].at && at - fields[i].at < fields[i].bytes) return fields[i].name;
    return "field";
}

static size_t name_in_static(const void* p, char* out, size_t size) {
    if (p == (const void*)&heap_lock) return (size_t)snprintf(out, size, "heap_lock");
    if (p == (const void*)&init_lock) return (size_t)snprintf(out, size, "init_lock");
    if (p == (const void*)&fork_lock) return (size_t)snprintf(out, size, "fork_lock");
    return (size_t)snprintf(out, size, "static data+%#lx", (unsigned long)((const char*)p - __start_hak_state));
}

// Which entry of a table the address is in; false: it is not in the table.
static bool entry(const void* p, const void* table, size_t bytes, uint32_t* index, size_t* at) {
    size_t offset = (size_t)((const char*)p - (const char*)table);
    if (table == NULL || offset >= bytes * SLABS_PER_UNIT * hak_heap.tabled) return false;
    *index = (uint32_t)(offset / bytes);
    *at = offset % bytes;
    return true;
}

static const HakTcb* control_block_at(const void* p) {
    for (const HakTcb* tcb = tcb_all(); tcb; tcb = tcb->next_all)
        if ((size_t)((const char*)p - (const char*)tcb) < sizeof *tcb) return tcb;
    return NULL;
}

static size_t name_in_arena(const void* p, char* out, size_t size) {
    uint32_t s;
    size_t at;
    if (entry(p, hak_heap.owner, sizeof(uint64_t), &s, &at))
        return (size_t)snprintf(out, size, "owner word of slab %u", s);
    if (entry(p, hak_heap.remote, sizeof(RemoteHead), &s, &at))
        return (size_t)snprintf(out, size, "remote word of slab %u", s);
    if (entry(p, hak_heap.meta, sizeof(TinySlabMeta), &s, &at))
        return (size_t)snprintf(out, size, "%s of slab %u", field_at(of_meta, sizeof of_meta / sizeof *of_meta, at), s);
    if (heap_contains(p)) {
        s = (uint32_t)slab_number_of(p);
        return (size_t)snprintf(out, size, "slab %u+%#lx", s,
                                (unsigned long)((const char*)p - (const char*)slab_address(s)));
    }
    return (size_t)snprintf(out, size, "arena+%#lx", (unsigned long)((uint64_t)(uintptr_t)p - ARENA));
}

size_t memory_name(const void* p, char* out, size_t size) {
    uint64_t offset = memory_offset(p);
    if (p == NULL || offset == NOT_TRACKED) return (size_t)snprintf(out, size, "-");
    const HakTcb* tcb = control_block_at(p);
    if (tcb)
        return (size_t)snprintf(
            out, size, "%s of control block %u",
            field_at(of_tcb, sizeof of_tcb / sizeof *of_tcb, (size_t)((const char*)p - (const char*)tcb)), tcb->number);
    if (p == (const void*)&world->clock_ms) return (size_t)snprintf(out, size, "clock");
    if (p == (const void*)&world->next_mapping) return (size_t)snprintf(out, size, "address space");
    return offset < ARENA_BYTES ? name_in_arena(p, out, size) : name_in_static(p, out, size);
}
