#include "census/census.h"

#include "census/about.h"
#include "census/parts.h"
#include "guard/quarantine.h"
#include "os/os.h"
#include "slab/remote_word.h"
#include "slab/run_map.h"
#include "superslab/owner_word.h"
#include "superslab/size_class.h"

#include <string.h>

// More are a sign of damage.
enum { CONTROL_BLOCKS_MOST = 1 << 16, BIN_MOST = 1 << 16, UNITS_MOST = 1 << 22 };

typedef struct {
    const CensusSource* source;
    HakHeap heap;
    int pages;  // /proc/PID/pagemap
    CensusRoom* room;
    Census* out;
} Count;

static bool read_at(const Count* count, const void* at, void* out, size_t bytes) {
    return count->source->read(count->source, (uint64_t)(uintptr_t)at, out, bytes);
}

// --- this process

static bool is_readable(uint64_t at, size_t bytes) {
    for (uint64_t page = align_down(at, OS_PAGE); page < at + bytes; page += OS_PAGE)
        if (!os_can_read((const void*)(uintptr_t)page)) return false;
    return true;
}

// Tables and control blocks are never unmapped, but the TLS of another thread is.
static bool read_here(const CensusSource* source, uint64_t at, void* out, size_t bytes) {
    (void)source;
    if (at == 0 || os_calls_are_forbidden() || !is_readable(at, bytes)) return false;
    memcpy(out, (const void*)(uintptr_t)at, bytes);
    return true;
}

CensusSource census_source_here(void) {
    return (CensusSource){.read = read_here};
}

bool census_understands(const HakLive* live) {
    return live->magic == HAK_LIVE_MAGIC && live->layout == HAK_LIVE_LAYOUT;
}

// --- slabs

enum { SLAB_PAGES = SLAB_SIZE / PAGE_SIZE_BYTES };

static void count_slab(Census* out, const CensusRoom* room, unsigned slab, unsigned size_class) {
    CensusRow* row = &out->row[size_class];
    uint64_t each = size_of_class(size_class);
    uint32_t waiting = remote_count(load_relaxed(&room->remote_heads[slab].word));
    row->size = each;
    row->slabs++;
    row->held += SLAB_SIZE;
    row->live += meta_used(&room->metas.slab[slab]);
    row->cached += waiting;
    if (room->pages_known)
        parts_add(room, slab * SLAB_PAGES, SLAB_PAGES, &row->resident, &row->unsure);
    else
        row->resident += load_relaxed(&room->metas.slab[slab].carved) * each;
    out->gauges.slabs++;
}

// Bytes that the system cannot be asked about are in memory if they are dirty.
static void count_free(Census* out, const CensusRoom* room, uint32_t first, uint32_t count, bool dirty) {
    uint64_t bytes = (uint64_t)count << PAGE_SHIFT, resident = 0;
    if (room->pages_known)
        parts_add(room, first, count, &resident, &out->free_unsure);
    else if (dirty)
        resident = bytes;
    out->gauges.dirty += dirty ? bytes : 0;
    out->parts.free_dirty += resident;
    out->purged += bytes - resident;
}

static void count_slabs(const Count* count, const CensusRoom* room, const Unit* unit) {
    for (unsigned slab = 0; slab < SLABS_PER_UNIT; slab++) {
        uint64_t tag = word_tag(room->owner_words[slab]);
        if (tag_is_class(tag))
            count_slab(count->out, room, slab, (unsigned)(tag / TAG_PER_CLASS));
        else
            count_free(count->out, room, slab * SLAB_PAGES, SLAB_PAGES, (unit->dirty_slabs >> slab & 1) != 0);
    }
}

// --- page runs

// The map may be changing, or be that of slabs by now.
static uint64_t run_bytes(uint32_t length, uint32_t gap) {
    return length > gap && length <= PAGES_PER_UNIT ? (uint64_t)(length - gap) << PAGE_SHIFT : 0;
}

static void count_runs(const Count* count, const CensusRoom* room) {
    const RunMap* map = &room->metas.runs.map;
    CensusRow* row = &count->out->row[CENSUS_RUNS];
    row->slabs++;
    row->held += UNIT_SIZE;
    if (room->pages_known) parts_add(room, 0, PAGES_PER_UNIT, &row->resident, &row->unsure);
    for (uint32_t page = 0; page < PAGES_PER_UNIT; page++) {
        uint32_t length = load_relaxed(&map->length[page]);
        if (length == 0) continue;
        bool cached = (length & RUN_IS_CACHED) != 0;
        uint64_t bytes = run_bytes(length & (RUN_IS_CACHED - 1u), map->gap);
        *(cached ? &row->cached : &row->live) += 1;
        *(cached ? &row->cached_bytes : &row->live_bytes) += bytes;
        if (!room->pages_known) row->resident += bytes;
    }
}

// --- units

static void count_huge(const Count* count, const CensusRoom* room, const Unit* unit) {
    CensusRow* row = &count->out->row[CENSUS_HUGE];
    row->slabs++;
    row->held += UNIT_SIZE;
    if (room->pages_known)
        parts_add(room, 0, PAGES_PER_UNIT, &row->resident, &row->unsure);
    else
        row->resident += UNIT_SIZE;
    if (unit->kind != UNIT_HUGE) return;
    row->live++;
    row->live_bytes += unit->size;
}

static bool read_tables(const Count* count, UnitNumber u, CensusRoom* room) {
    SlabNumber s = first_slab(u);
    return read_at(count, (const void*)&count->heap.owner[s], room->owner_words, sizeof room->owner_words) &&
           read_at(count, &count->heap.unit_meta[u], &room->metas, sizeof room->metas) &&
           read_at(count, &count->heap.remote[s], room->remote_heads, sizeof room->remote_heads);
}

static void count_unit(const Count* count, UnitNumber u, const Unit* unit) {
    CensusRoom* room = count->room;
    if (unit->kind == UNIT_NONE || unit->kind == UNIT_LOST || unit->kind == UNIT_CLOSED) return;
    uint64_t address = count->heap.base + ((uint64_t)u << UNIT_SHIFT);
    room->pages_known = about_pages(count->pages, address, PAGES_PER_UNIT, room);
    bool is_superslab = unit->kind == UNIT_SLABS || unit->kind == UNIT_RUNS;
    if (is_superslab && !read_tables(count, u, room)) return;
    count->out->gauges.superslabs += is_superslab;
    if (unit->kind == UNIT_SLABS)
        count_slabs(count, room, unit);
    else if (unit->kind == UNIT_RUNS)
        count_runs(count, room);
    else if (unit->kind == UNIT_FREE)
        count_free(count->out, room, 0, PAGES_PER_UNIT, unit->dirty != 0);
    else
        count_huge(count, room, unit);
}

// All are there, unless the process is gone or damaged.
static void count_units(const Count* count, UnitNumber end) {
    Unit unit;
    for (UnitNumber u = 1; u < end && read_at(count, &count->heap.unit[u], &unit, sizeof unit); u++)
        count_unit(count, u, &unit);
}

// --- what threads keep

static void count_bin(Census* out, const TlsBin* bin, unsigned size_class) {
    int32_t blocks = bin->cap - bin->room;
    if (bin->cap != 0 && blocks > 0 && blocks < BIN_MOST) out->row[size_class].cached += (uint32_t)blocks;
}

static void count_bins(Census* out, const TlsBin bins[CLASS_COUNT]) {
    for (unsigned c = CLASS_FIRST; c < CLASS_COUNT; c++) count_bin(out, &bins[c], c);
}

static void count_counted(Census* out, const TlsBin bins[CLASS_LAST_TINY]) {
    for (unsigned c = CLASS_FIRST; c <= CLASS_LAST_TINY; c++) count_bin(out, &bins[c - CLASS_FIRST], c);
}

static void count_bundles(const Count* count, const HakTcb* tcb) {
    RemoteBundle bundle[BUNDLES];
    if (!read_at(count, tcb->bundle, bundle, sizeof bundle)) return;
    for (unsigned i = 0; i < BUNDLES; i++) {
        uint64_t word = 0;
        if (bundle[i].count == 0 || bundle[i].count >= BIN_MOST || bundle[i].slab >= load_relaxed(&count->heap.slabs))
            continue;
        read_at(count, (const void*)&count->heap.owner[bundle[i].slab], &word, sizeof word);
        if (tag_is_class(word_tag(word))) count->out->row[word_tag(word) / TAG_PER_CLASS].cached += bundle[i].count;
    }
}

// Guard mode keeps freed blocks back. For the rest of the allocator they are in use.
static void count_kept_back(const Count* count, const Quarantined* kept) {
    const HakHeap* heap = &count->heap;
    CensusRow* runs = &count->out->row[CENSUS_RUNS];
    uint64_t slab = ((uint64_t)(uintptr_t)kept->block - heap->base) >> SLAB_SHIFT, word = 0;
    if (slab >= load_relaxed(&heap->slabs) || !read_at(count, (const void*)&heap->owner[slab], &word, sizeof word))
        return;
    uint64_t tag = word_tag(word);
    if (tag_is_class(tag)) {
        count->out->row[tag / TAG_PER_CLASS].cached++;
    } else if (tag_is_runs(tag) && runs->live > 0 && runs->live_bytes >= kept->bytes) {
        runs->live--;
        runs->live_bytes -= kept->bytes;
        runs->cached++;
        runs->cached_bytes += kept->bytes;
    } else {
        return;
    }
    count->out->kept_back++;
}

static void count_quarantine(const Count* count, const HakTcb* tcb) {
    const Quarantine* at = NULL;
    uint32_t first, blocks;
    Quarantined kept;
    bool known = read_at(count, &tcb->quarantine, &at, sizeof at) && at != NULL &&
                 read_at(count, &at->first, &first, sizeof first) && first < QUARANTINE_PLACES &&
                 read_at(count, &at->count, &blocks, sizeof blocks) && blocks <= QUARANTINE_PLACES;
    for (uint32_t i = 0; known && i < blocks; i++)
        if (read_at(count, &at->place[quarantine_index(first, i)], &kept, sizeof kept)) count_kept_back(count, &kept);
}

static void count_counters(const Count* count, const HakTcb* tcb) {
    HakCounters counters;
    if (!read_at(count, &tcb->counters, &counters, sizeof counters)) return;
    for (unsigned i = 0; i < HAK_COUNTER_COUNT; i++) count->out->counters[i] += load_relaxed(&counters.value[i]);
    TinyTLSSlab tiny;
    for (unsigned c = CLASS_FIRST; c < CLASS_COUNT; c++)
        if (read_at(count, &tcb->tiny[c], &tiny, sizeof tiny))
            count->out->counters[HAK_C_free_ss_local] += load_relaxed(&tiny.overflows) % OVERFLOWS_SAMPLE;
}

// Only the start of a control block is read at once, up to what a thread keeps.
typedef struct {
    uint32_t state;
    const HakTcb* next;
    const HakTls* tls;
    bool bins_left;
    uint32_t parked_blocks;
} TcbHead;

static bool read_head(const Count* count, const HakTcb* tcb, TcbHead* head) {
    return read_at(count, (const void*)&tcb->state, &head->state, sizeof head->state) &&
           read_at(count, &tcb->next_all, &head->next, sizeof head->next) &&
           read_at(count, (const void*)&tcb->tls, &head->tls, sizeof head->tls) &&
           read_at(count, &tcb->bins_left, &head->bins_left, sizeof head->bins_left) &&
           read_at(count, &tcb->parked_blocks, &head->parked_blocks, sizeof head->parked_blocks);
}

// In the child of a fork the TLS of the others is gone.
static void count_thread(const Count* count, const HakTcb* tcb, const TcbHead* head) {
    TlsBin bins[CLASS_COUNT];
    bool parked = head->tls == NULL && (head->bins_left || head->parked_blocks != 0);
    bool living = head->state == TCB_LIVING && head->tls != NULL;
    const TlsBin* at = living ? head->tls->bin : tcb->parked;
    if ((living || parked) && read_at(count, at, bins, sizeof bins)) count_bins(count->out, bins);
    if (living && read_at(count, head->tls->counted, bins, sizeof head->tls->counted)) count_counted(count->out, bins);
    count_bundles(count, tcb);
    count_quarantine(count, tcb);
    count_counters(count, tcb);
    if (count->pages < 0) count->out->parts.tables += sizeof *tcb;
    count->out->parts.tables +=
        parts_of_range(count->pages, count->room, (uint64_t)(uintptr_t)tcb, (uint64_t)(uintptr_t)(tcb + 1));
}

static void count_threads(const Count* count, const HakLive* live) {
    const HakTcb* tcb = NULL;
    TcbHead head;
    HakCounters shared;
    if (read_at(count, live->shared, &shared, sizeof shared))
        for (unsigned i = 0; i < HAK_COUNTER_COUNT; i++) count->out->counters[i] += load_relaxed(&shared.value[i]);
    read_at(count, (const void*)live->newest, &tcb, sizeof tcb);
    const HakTcb* met = NULL;  // a damaged list may lead in a circle: every now and then, one is remembered
    for (unsigned i = 0; tcb && tcb != met && i < CONTROL_BLOCKS_MOST && read_head(count, tcb, &head); i++) {
        if ((i & (i + 1)) == 0) met = tcb;
        count_thread(count, tcb, &head);
        tcb = head.next;
    }
}

// --- the whole

// Another process may have written anything there.
static void copy_printable(char* to, const char* from, size_t size) {
    for (; size > 1 && *from != '\0'; from++, size--)
        *to++ = *from > ' ' && *from <= '~' && *from != '"' && *from != '\\' ? *from : '?';
    *to = '\0';
}

static void count_tables(const Count* count) {
    const struct {
        const void* at;
        uint64_t per_unit;
    } tables[] = {
        {(const void*)count->heap.owner, SLABS_PER_UNIT * sizeof(uint64_t)},
        {count->heap.meta, sizeof(UnitMeta)},
        {count->heap.remote, SLABS_PER_UNIT * sizeof(RemoteHead)},
        {count->heap.unit, sizeof(Unit)},
    };
    Census* out = count->out;
    out->tables_start = UINT64_MAX;
    for (unsigned i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        uint64_t start = (uint64_t)(uintptr_t)tables[i].at, bytes = tables[i].per_unit * count->heap.tabled;
        if (start < out->tables_start) out->tables_start = start;
        if (start + bytes > out->tables_end) out->tables_end = start + bytes;
        out->gauges.metadata += align_up(bytes, PAGE_SIZE_BYTES);
        if (count->pages < 0) out->parts.tables += bytes;
        out->parts.tables += parts_of_range(count->pages, count->room, start, start + bytes);
    }
}

static void finish_rows(Census* out) {
    for (unsigned r = 0; r < CENSUS_ROWS; r++) {
        CensusRow* row = &out->row[r];
        if (row->size != 0) {
            row->cached = row->cached < row->live ? row->cached : row->live;
            row->live -= row->cached;
            row->live_bytes = row->live * row->size;
            row->cached_bytes = row->cached * row->size;
        }
        out->live += row->live;
        out->live_bytes += row->live_bytes;
        out->cached += row->cached;
        out->cached_bytes += row->cached_bytes;
        out->gauges.active += row->held;
    }
    out->gauges.allocated = out->live_bytes + out->cached_bytes;
}

// Each free that is a hit of the checked build is counted, and each other one in any build. What was freed or is live
// was handed out before.
static void finish_counts(Census* out) {
    const uint64_t* counters = out->counters;
    out->frees = counters[HAK_C_free_tls_sll] + counters[HAK_C_free_ss_local] + counters[HAK_C_free_ss_remote] +
                 counters[HAK_C_free_run] + counters[HAK_C_free_huge] + out->kept_back;
    out->mallocs = out->frees + out->live;
    uint64_t started = counters[HAK_C_thread_started], ended = counters[HAK_C_thread_ended];
    out->gauges.threads = started > ended ? started - ended : 0;
}

void census_take(const CensusSource* source, const HakLive* live, CensusRoom* room, Census* out) {
    Count count = {.source = source, .room = room, .out = out};
    memset(out, 0, sizeof *out);
    out->checked = live->checked != 0;
    copy_printable(out->version, live->version, sizeof out->version);
    out->process = source->process ? source->process : os_process_id();
    out->gauges.size = sizeof out->gauges;
    out->gauges.version = HAK_STATS_VERSION;
    count.pages = about_open_pages(source->process);
    out->parts_known = count.pages >= 0;
    if (read_at(&count, live->heap, &count.heap, sizeof count.heap) && count.heap.base != 0) {
        if (count.heap.tabled > UNITS_MOST) count.heap.tabled = UNITS_MOST;
        UnitNumber end = count.heap.mapped < count.heap.tabled ? count.heap.mapped : count.heap.tabled;
        out->heap_start = count.heap.base + UNIT_SIZE;
        out->heap_end = count.heap.base + ((uint64_t)end << UNIT_SHIFT);
        out->gauges.mapped = (uint64_t)(end - (end > 0) - count.heap.gaps - count.heap.absent) << UNIT_SHIFT;
        count_units(&count, end);
        count_tables(&count);
    }
    count_threads(&count, live);
    if (parts_unsure(out) != 0)
        parts_take_zeros(out, about_resident(source->process, room, out->heap_start, out->heap_end));
    about_close(count.pages);
    about_process(source->process, room, out);
    finish_rows(out);
    finish_counts(out);
    parts_finish(out);
}
