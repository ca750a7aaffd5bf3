#include "census/tell.h"

#include "base/text.h"

#include <stdarg.h>
#include <string.h>

void out_put(Out* out, const char* format, ...) {
    if (out->flush && out->size - out->length < OUT_LINE_MOST) out->flush(out);
    size_t used = out->length < out->size ? out->length : out->size;
    va_list args;
    va_start(args, format);
    out->length += text_vformat(out->buffer + used, out->size - used, format, args);
    va_end(args);
}

// --- the table

#define FIGURE(name, field, help, grows) \
    { name, offsetof(Census, field), help, grows }
static const CensusFigure figures[] = {
    FIGURE("allocated", gauges.allocated, "bytes in blocks that the program holds, or that wait in caches", false),
    FIGURE("active", gauges.active, "bytes in slabs and extents that hold at least one block", false),
    FIGURE("dirty", gauges.dirty, "free bytes that still occupy memory", false),
    FIGURE("mapped", gauges.mapped, "bytes of address space mapped for blocks", false),
    FIGURE("metadata", gauges.metadata, "bytes mapped for the allocator's own tables", false),
    FIGURE("threads", gauges.threads, "threads that have used the allocator and not ended", false),
    FIGURE("superslabs", gauges.superslabs, "SuperSlabs in use", false),
    FIGURE("slabs", gauges.slabs, "slabs in use", false),
    FIGURE("uptime_ms", uptime_ms, "milliseconds since the process began", true),
    FIGURE("rss", resident, "bytes of the process in memory", false),
    FIGURE("rss_peak", resident_peak, "the most there were", false),
    FIGURE("live_blocks", live, "blocks that the program has", false),
    FIGURE("live_bytes", live_bytes, "bytes of these", false),
    FIGURE("cached_blocks", cached, "freed blocks that threads keep at hand", false),
    FIGURE("cached_bytes", cached_bytes, "bytes of these", false),
    FIGURE("kept_back_blocks", kept_back, "blocks among these that guard mode keeps back", false),
    FIGURE("mallocs", mallocs, "blocks handed out; a lower bound, which may fall, unless counts_exact", false),
    FIGURE("frees", frees, "blocks freed; a lower bound unless counts_exact", true),
    FIGURE("purged", purged, "free bytes of address space that occupy no memory", false),
    FIGURE("memory_live", parts.live, "bytes in memory: blocks that the program has", false),
    FIGURE("memory_cached", parts.cached, "bytes in memory: blocks that threads keep at hand", false),
    FIGURE("memory_gaps", parts.gaps, "bytes in memory: room in slabs between and behind blocks", false),
    FIGURE("memory_free", parts.free_dirty, "bytes in memory: free, not given back yet", false),
    FIGURE("memory_tables", parts.tables, "bytes in memory: the allocator's own tables", false),
    FIGURE("memory_others", parts.others, "bytes in memory: not the allocator's (code, stacks, files, ...)", false),
    FIGURE("heap_start", heap_start, "first address of the heap", false),
    FIGURE("heap_end", heap_end, "address behind the heap", false),
    FIGURE("tables_start", tables_start, "first address of the heap's tables", false),
    FIGURE("tables_end", tables_end, "address behind them", false),
};
#undef FIGURE
enum { FIGURES = sizeof figures / sizeof figures[0], INTERNALS = 8 };

const CensusFigure* census_figure(unsigned index) {
    return index < FIGURES ? &figures[index] : NULL;
}

uint64_t census_value(const Census* census, const CensusFigure* figure) {
    uint64_t value;
    memcpy(&value, (const char*)census + figure->offset, sizeof value);
    return value;
}

// --- text

typedef struct {
    char text[24];
} Words;

// "12.3 MiB"
static Words bytes_words(uint64_t bytes) {
    static const char* const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    Words words;
    unsigned unit = 0;
    uint64_t tenths = bytes < UINT64_MAX / 10 ? bytes * 10 : bytes;
    for (; tenths >= 10240 && unit < 6; unit++) tenths = (tenths + 512) / 1024;
    if (unit == 0)
        text_format(words.text, sizeof words.text, "%lu B", bytes);
    else
        text_format(words.text, sizeof words.text, "%lu.%lu %s", tenths / 10, tenths % 10, units[unit]);
    return words;
}

static void name_row(const CensusRow* row, unsigned index, char* out, size_t size) {
    if (index == CENSUS_RUNS)
        text_format(out, size, "pages");
    else if (index == CENSUS_HUGE)
        text_format(out, size, "huge");
    else
        text_format(out, size, "%lu", row->size);
}

unsigned census_largest_row(const Census* census, const bool done[CENSUS_ROWS]) {
    unsigned best = CENSUS_ROWS;
    for (unsigned r = 0; r < CENSUS_ROWS; r++) {
        if (done[r] || census->row[r].live == 0) continue;
        if (best == CENSUS_ROWS || census->row[r].live_bytes > census->row[best].live_bytes) best = r;
    }
    return best;
}

static void put_top(Out* out, const Census* census) {
    enum { TOP = 5 };
    bool done[CENSUS_ROWS] = {false};
    char name[24];
    for (unsigned i = 0, r; i < TOP && (r = census_largest_row(census, done)) != CENSUS_ROWS; i++) {
        const CensusRow* row = &census->row[r];
        done[r] = true;
        if (row->size != 0)
            text_format(name, sizeof name, "of %lu bytes", row->size);
        else
            text_format(name, sizeof name, "%s", r == CENSUS_RUNS ? "(page runs)" : "(huge)");
        out_put(out, "  %-16s %12s in %lu blocks %s\n", i == 0 ? "most of it" : "", bytes_words(row->live_bytes).text,
                row->live, name);
    }
}

static void put_summary(Out* out, const Census* census) {
    const char* bound = census->checked ? "" : "at least ";
    out_put(out, "libhakmem %s (%s build), process %lu\n", census->version, census->checked ? "checked" : "release",
            census->process);
    out_put(out, "  %-16s %12s\n", "command", census->command);
    out_put(out, "  %-16s %10lu.%lu s\n", "uptime", census->uptime_ms / 1000, census->uptime_ms / 100 % 10);
    out_put(out, "  %-16s %12s in memory now, %s at the peak\n", "rss", bytes_words(census->resident).text,
            bytes_words(census->resident_peak).text);
    out_put(out, "  %-16s %12s in %lu blocks that the program has\n", "live", bytes_words(census->live_bytes).text,
            census->live);
    out_put(out, "  %-16s %s%lu\n  %-16s %s%lu\n", "mallocs", bound, census->mallocs, "frees", bound, census->frees);
    put_top(out, census);
}

static void put_part(Out* out, const Census* census, uint64_t bytes, const char* what) {
    uint64_t per_mille = census->resident ? bytes * 1000 / census->resident : 0;
    out_put(out, "  %12s %4lu.%lu %%  %s\n", bytes_words(bytes).text, per_mille / 10, per_mille % 10, what);
}

static void put_parts(Out* out, const Census* census) {
    const CensusParts* parts = &census->parts;
    uint64_t sum = parts->live + parts->cached + parts->gaps + parts->free_dirty + parts->tables;
    out_put(out, "where the memory is%s%s\n",
            census->parts_known ? "" : " (/proc/PID/pagemap cannot be read: from the tables, not exact)",
            sum > census->resident + census->resident / 50 ? " (does not add up: it changes too fast, or is damaged)"
                                                           : "");
    put_part(out, census, parts->live, "used: in live blocks, as far as the program has touched them");
    put_part(out, census, parts->cached,
             census->kept_back ? "cached: freed blocks that threads keep at hand, and that guard mode keeps back"
                               : "cached: freed blocks that threads keep at hand");
    put_part(out, census, parts->gaps, "gaps: room in slabs between and behind blocks");
    put_part(out, census, parts->free_dirty, "free: not given back to the system yet");
    put_part(out, census, parts->tables, "tables: the allocator's own");
    put_part(out, census, parts->others, "not the allocator's: code, stacks, files, other memory");
    out_put(out, "  %12s          purged: free addresses that occupy no memory\n", bytes_words(census->purged).text);
}

static void put_row(Out* out, const CensusRow* row, unsigned index) {
    char name[24];
    name_row(row, index, name, sizeof name);
    uint64_t lost = row->resident > row->live_bytes ? (row->resident - row->live_bytes) * 100 / row->resident : 0;
    out_put(out, "  %8s %10lu %12s %10lu %7lu %12s %8lu %%\n", name, row->live, bytes_words(row->live_bytes).text,
            row->cached, row->slabs, bytes_words(row->resident).text, lost);
}

static void put_rows(Out* out, const Census* census) {
    out_put(out, "by size (fragmentation: the part of its memory that is in no live block)\n");
    out_put(out, "  %8s %10s %12s %10s %7s %12s %10s\n", "size", "live", "live bytes", "cached", "slabs", "in memory",
            "fragm.");
    for (unsigned r = 1; r < CENSUS_ROWS; r++)
        if (census->row[r].slabs != 0 && r != CENSUS_HUGE) put_row(out, &census->row[r], r);
    if (census->row[CENSUS_RUNS].slabs != 0) put_row(out, &census->row[CENSUS_RUNS], CENSUS_RUNS);
    if (census->row[CENSUS_HUGE].slabs != 0) put_row(out, &census->row[CENSUS_HUGE], CENSUS_HUGE);
}

static void put_internals(Out* out, const Census* census) {
    out_put(out, "internals\n");
    for (unsigned i = 0; i < INTERNALS; i++)
        out_put(out, "  %-20s %20lu  %s\n", figures[i].name, census_value(census, &figures[i]), figures[i].help);
    const char* group = "";
    for (unsigned i = 0; i < HAK_COUNTER_COUNT; i++) {
        if (census->counters[i] == 0) continue;
        if (!text_same(group, hak_counter_group(i))) {
            group = hak_counter_group(i);
            out_put(out, "%s\n", group);
        }
        out_put(out, "  %-20s %20lu  %s\n", hak_counter_name(i), census->counters[i], hak_counter_help(i));
    }
}

void census_text(Out* out, const Census* census) {
    put_summary(out, census);
    put_parts(out, census);
    put_rows(out, census);
    put_internals(out, census);
}

// --- JSON

// Readers of JSON take no larger numbers. Damaged tables may hold some.
static uint64_t whole(uint64_t value) {
    return value < INT64_MAX ? value : INT64_MAX;
}

// A name of the system may hold any byte.
static void put_command(Out* out, const char* command) {
    char shown[sizeof((Census*)NULL)->command];
    size_t length = 0;
    for (; command[length] != '\0'; length++) {
        char c = command[length];
        shown[length] = c >= ' ' && c <= '~' && c != '"' && c != '\\' ? c : '?';
    }
    shown[length] = '\0';
    out_put(out, ",\"command\":\"%s\"", shown);
}

static void put_json_rows(Out* out, const Census* census) {
    const char* before = "";
    char name[24];
    out_put(out, ",\"classes\":[");
    for (unsigned r = 0; r < CENSUS_ROWS; r++) {
        const CensusRow* row = &census->row[r];
        if (row->slabs == 0) continue;
        name_row(row, r, name, sizeof name);
        out_put(out, "%s{\"class\":\"%s\",\"size\":%lu,\"slabs\":%lu,\"held\":%lu,\"resident\":%lu", before, name,
                row->size, whole(row->slabs), whole(row->held), whole(row->resident));
        out_put(out, ",\"live\":%lu,\"live_bytes\":%lu,\"cached\":%lu,\"cached_bytes\":%lu}", whole(row->live),
                whole(row->live_bytes), whole(row->cached), whole(row->cached_bytes));
        before = ",";
    }
    out_put(out, "]");
}

void census_json(Out* out, const Census* census) {
    out_put(out, "{\"schema\":%u,\"version\":\"%s\",\"build\":\"%s\",\"pid\":%lu", HAK_STATS_VERSION, census->version,
            census->checked ? "checked" : "release", census->process);
    put_command(out, census->command);
    out_put(out, ",\"counts_exact\":%s", census->checked ? "true" : "false");
    for (unsigned i = 0; i < FIGURES; i++)
        out_put(out, ",\"%s\":%lu", figures[i].name, whole(census_value(census, &figures[i])));
    out_put(out, ",\"counters\":");
    for (unsigned i = 0; i < HAK_COUNTER_COUNT; i++)
        out_put(out, "%c\"%s\":%lu", i == 0 ? '{' : ',', hak_counter_name(i), whole(census->counters[i]));
    out_put(out, "}");
    put_json_rows(out, census);
    out_put(out, "}");
}
