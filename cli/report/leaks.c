#include "report/leaks.h"

#include "base/json.h"
#include "superslab/guard_record.h"
#include "process/process_memory.h"
#include "process/procmaps.h"
#include "report/code_place.h"
#include "report/noted_stack.h"
#include "report/page_view.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SITES = 2 };

struct leak {
    uint64_t site[SITES];  // the call, and the call that led there; 0: not known
    HakGuardFamily family;
    uint64_t blocks, bytes;
};

struct search {
    struct process_memory memory;
    uint64_t since, stacks;
    struct procmaps maps;
    struct leak* leaks;
    size_t count, room;
};

static bool read_at(const struct search* search, uint64_t address, void* out, size_t bytes) {
    return address != 0 && process_memory_read(&search->memory, address, out, bytes);
}

// Finding the records

static bool is_code(const struct search* search, uint64_t address) {
    const struct mapping* mapping = procmaps_find(&search->maps, address);
    return mapping != NULL && mapping->permissions[2] == 'x';
}

static void add(struct search* search, const HakGuardRecord* record) {
    uint64_t word = load_relaxed(&record->word);
    if (guard_state(word) != HAK_GUARD_LIVE || record->alloc_clock < search->since) return;
    if (search->count == search->room) {
        size_t room = search->room * 2 + 1024;
        struct leak* more = realloc(search->leaks, room * sizeof *more);
        if (more == NULL) return;
        search->leaks = more;
        search->room = room;
    }
    struct leak* leak = &search->leaks[search->count++];
    *leak = (struct leak){
        .site = {record->alloc_site},
        .family = guard_family(word),
        .blocks = 1,
        .bytes = guard_size(word),
    };
    noted_stack_read(&search->memory, search->stacks, record->alloc_stack, leak->site, SITES);
    if (!is_code(search, leak->site[1])) leak->site[1] = 0;
}

static void search_slab(struct search* search, uint64_t records, uint32_t used) {
    static HakGuardRecord read[HAK_GUARD_SLAB_RECORDS];
    if (used > HAK_GUARD_SLAB_RECORDS) used = HAK_GUARD_SLAB_RECORDS;
    if (!read_at(search, records, read, used * sizeof *read)) return;
    for (uint32_t i = 0; i < used; i++) add(search, &read[i]);
}

static void search_unit(struct search* search, uint64_t unit) {
    HakGuardSlab slabs[HAK_GUARD_UNIT_SLABS];
    if (!read_at(search, unit, slabs, sizeof slabs)) return;
    for (uint32_t s = 0; s < HAK_GUARD_UNIT_SLABS; s++) {
        uint64_t records = unit + offsetof(HakGuardUnit, record) + s * sizeof(((HakGuardUnit*)NULL)->record[0]);
        if (load_relaxed(&slabs[s].block_size) != 0) search_slab(search, records, load_relaxed(&slabs[s].used));
    }
}

static void add_paged(void* context, const HakPageRecord* record) {
    add(context, &record->guard);
}

static void search_pages(struct search* search, pid_t thread, uint64_t root) {
    struct process_memory memory;
    struct page_view view;
    process_memory_open(&memory, thread);
    if (page_view_open(&view, &memory, root)) page_view_each(&view, add_paged, search);
    process_memory_close(&memory);
}

static bool search_all(struct search* search, uint64_t root) {
    static uint64_t chunks[HAK_GUARD_CHUNK], units[HAK_GUARD_CHUNK];
    struct {
        uint64_t magic;
        uint32_t version, record_bytes;
    } head;
    if (!read_at(search, root, &head, sizeof head) || head.magic != HAK_GUARD_MAGIC ||
        head.version != HAK_GUARD_VERSION || head.record_bytes != sizeof(HakGuardRecord) ||
        !read_at(search, root + offsetof(HakGuardRoot, chunk), chunks, sizeof chunks))
        return false;
    for (size_t c = 0; c < HAK_GUARD_CHUNK; c++) {
        if (!read_at(search, chunks[c], units, sizeof units)) continue;
        for (size_t u = 0; u < HAK_GUARD_CHUNK; u++) search_unit(search, units[u]);
    }
    return true;
}

// Grouping them

static int by_site(const void* a, const void* b) {
    const struct leak *x = a, *y = b;
    for (size_t i = 0; i < SITES; i++)
        if (x->site[i] != y->site[i]) return x->site[i] < y->site[i] ? -1 : 1;
    return 0;
}

static int most_bytes_first(const void* a, const void* b) {
    const struct leak *x = a, *y = b;
    if (x->bytes != y->bytes) return x->bytes > y->bytes ? -1 : 1;
    return by_site(a, b);
}

static void join_sites(struct search* search) {
    size_t sites = 0;
    if (search->count == 0) return;
    qsort(search->leaks, search->count, sizeof *search->leaks, by_site);
    for (size_t i = 0; i < search->count; i++) {
        struct leak* last = sites > 0 ? &search->leaks[sites - 1] : NULL;
        if (last != NULL && by_site(last, &search->leaks[i]) == 0) {
            last->blocks += search->leaks[i].blocks;
            last->bytes += search->leaks[i].bytes;
        } else {
            search->leaks[sites++] = search->leaks[i];
        }
    }
    search->count = sites;
    qsort(search->leaks, search->count, sizeof *search->leaks, most_bytes_first);
}

// For a return address: the call is before it.
static json_t* describe(const struct search* search, uint64_t address) {
    json_t *frame = code_place(&search->maps, address, 1), *text;
    const char* module = json_get_text(frame, "module");
    char code[1400];
    code_place_offset_text(frame, code, sizeof code);
    if (json_get_text(frame, "symbol") != NULL)
        text = json_format("%s in %s", code, module);
    else if (module != NULL)
        text = json_format("%s+%s", module[0] != '\0' ? module : "anonymous memory",
                           json_get_text(frame, "module_offset"));
    else
        text = json_format("0x%" PRIx64, address);
    json_decref(frame);
    return text;
}

// The C++ library's memory for throwing std::bad_alloc: one block, allocated by malloc when the library starts. It is
// never freed, which is not a fault of the program.
static bool is_emergency_pool(const struct search* search, const struct leak* leak) {
    enum { LEAST = 32 << 10 };
    const struct mapping* mapping = procmaps_find(&search->maps, leak->site[0]);
    if (mapping == NULL || strstr(mapping->path, "/libstdc++.so") == NULL || leak->blocks != 1 || leak->bytes < LEAST ||
        leak->family != HAK_GUARD_MALLOC)
        return false;
    json_t* frame = code_place(&search->maps, leak->site[0], 1);
    const char* symbol = json_get_text(frame, "symbol");
    // Its constructor has no public name.
    bool unnamed = symbol == NULL || strstr(symbol, "pool") != NULL || strncmp(symbol, "_GLOBAL_", 8) == 0;
    json_decref(frame);
    return unnamed;
}

static json_t* leaks_json(const struct search* search) {
    uint64_t blocks = 0, bytes = 0;
    json_t *leaks = json_object(), *sites = json_array();
    for (size_t i = 0; i < search->count; i++) {
        const struct leak* leak = &search->leaks[i];
        if (is_emergency_pool(search, leak)) continue;
        json_t* site = json_object();
        json_put_count(site, "blocks", leak->blocks);
        json_put_count(site, "bytes", leak->bytes);
        json_object_set_new(site, "at", describe(search, leak->site[0]));
        if (leak->site[1] != 0) json_object_set_new(site, "called_from", describe(search, leak->site[1]));
        json_array_append_new(sites, site);
        blocks += leak->blocks;
        bytes += leak->bytes;
    }
    json_put_count(leaks, "blocks", blocks);
    json_put_count(leaks, "bytes", bytes);
    json_object_set_new(leaks, "sites", sites);
    return leaks;
}

json_t* leaks_read(pid_t thread, uint64_t root, uint64_t stacks, uint64_t since) {
    struct search search = {.since = since, .stacks = stacks};
    json_t* leaks = NULL;
    process_memory_open(&search.memory, thread);
    if (procmaps_read(&search.maps, thread) && search_all(&search, root)) {
        search_pages(&search, thread, root);
        join_sites(&search);
        leaks = leaks_json(&search);
    }
    procmaps_free(&search.maps);
    free(search.leaks);
    process_memory_close(&search.memory);
    return leaks;
}
