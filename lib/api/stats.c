#include "api/stats.h"

#include "api/stats_turn.h"
#include "census/tell.h"
#include "os/os.h"
#include "thread/operation.h"

#include <errno.h>
#include <string.h>

enum { BUFFER_BYTES = 5120, LINE_MAX_BYTES = OUT_LINE_MOST };

static void flush_output(Out* out) {
    output_write(out->to, out->buffer, out->length);
    out->length = 0;
}

static void flush_stream(Out* out) {
    fwrite(out->buffer, 1, out->length, out->stream);
    out->length = 0;
}

typedef struct {
    hak_stats_t gauges;
    uint64_t counters[HAK_COUNTER_COUNT];
} Figures;

static void read_figures(Figures* figures) {
    memset(figures, 0, sizeof *figures);
    hak_gauges(&figures->gauges);
    figures->gauges.size = sizeof figures->gauges;
    figures->gauges.version = HAK_STATS_VERSION;
    hak_counters_sum(figures->counters);
}

// The first figures of the table are those of hak_stats_t.
enum { GAUGES = 8, LONGEST_GAUGE = sizeof "superslabs" };

static const char* gauge_name(unsigned which) {
    return census_figure(which)->name;
}

static uint64_t gauge(const Figures* figures, unsigned which) {
    uint64_t value;
    memcpy(&value, (const char*)&figures->gauges + (census_figure(which)->offset - offsetof(Census, gauges)),
           sizeof value);
    return value;
}

static void put_json(Out* out, const Figures* figures) {
    out_put(out, "{\"schema\":%u,\"version\":\"%s\",\"build\":\"%s\",\"pid\":%d", HAK_STATS_VERSION, hak_version(),
            HAK_CHECKED ? "checked" : "release", (int)os_process_id());
    for (unsigned i = 0; i < GAUGES; i++) out_put(out, ",\"%s\":%lu", gauge_name(i), gauge(figures, i));
    out_put(out, ",\"counters\":");
    for (unsigned i = 0; i < HAK_COUNTER_COUNT; i++)
        out_put(out, "%c\"%s\":%lu", i == 0 ? '{' : ',', hak_counter_name(i), figures->counters[i]);
    out_put(out, "}}");
}

enum {
    NUMBER_BYTES = sizeof ",\"\":18446744073709551615",
    JSON_BYTES = LINE_MAX_BYTES + GAUGES * (NUMBER_BYTES + LONGEST_GAUGE)
#define COUNTER(name, group, help) +(NUMBER_BYTES + sizeof #name)
#include "count/counters.def"
#undef COUNTER
};
_Static_assert(JSON_BYTES + LINE_MAX_BYTES <= BUFFER_BYTES, "a line of JSON is one write");

static void put_xml(Out* out, const Figures* figures) {
    out_put(out, "<malloc version=\"hakmem-%u\">\n", HAK_STATS_VERSION);
    for (unsigned i = 0; i < GAUGES; i++)
        out_put(out, "<%s>%lu</%s>\n", gauge_name(i), gauge(figures, i), gauge_name(i));
    for (unsigned i = 0; i < HAK_COUNTER_COUNT; i++)
        out_put(out, "<counter name=\"%s\">%lu</counter>\n", hak_counter_name(i), figures->counters[i]);
    out_put(out, "</malloc>\n");
}

HAK_PUBLIC int hak_stats(hak_stats_t* out, size_t size) {
    if (size < offsetof(hak_stats_t, allocated)) {
        errno = EINVAL;
        return -1;
    }
    Figures figures;
    read_figures(&figures);
    memcpy(out, &figures.gauges, size < sizeof figures.gauges ? size : sizeof figures.gauges);
    return 0;
}

HAK_PUBLIC size_t hak_stats_json(char* buffer, size_t size) {
    Figures figures;
    read_figures(&figures);
    Out out = {.buffer = buffer, .size = size};
    put_json(&out, &figures);
    return out.length;
}

bool hak_stats_was_used(void) {
    uint64_t counters[HAK_COUNTER_COUNT];
    hak_counters_sum(counters);
    return counters[HAK_C_thread_started] != 0;
}

// The report that is being written. Static, because whoever asks may have a small stack.
static struct {
    Census census;
    CensusRoom room;
    char text[CENSUS_JSON_MOST];
} report;

void hak_stats_report(Output to, bool json, bool calm) {
    CensusSource here = census_source_here();
    census_take(&here, &hak_live, &report.room, &report.census);
    if (calm && !operation_is_open()) hak_gauges(&report.census.gauges);
    Out out = {.buffer = report.text, .size = sizeof report.text, .flush = flush_output, .to = to};
    (json ? census_json : census_text)(&out, &report.census);
    if (json) out_put(&out, "\n");
    flush_output(&out);
}

void hak_stats_text(Output to) {
    if (!stats_turn_take()) return;
    hak_stats_report(to, false, true);
    stats_turn_give();
}

int hak_stats_xml(FILE* stream) {
    char buffer[BUFFER_BYTES];
    Figures figures;
    read_figures(&figures);
    Out out = {.buffer = buffer, .size = sizeof buffer, .flush = flush_stream, .stream = stream};
    put_xml(&out, &figures);
    flush_stream(&out);
    return 0;
}

#if LIBC_HAS_MALLINFO
// In glibc's terms the arena is what is used and what is free. Address space that occupies no memory is left out.
struct mallinfo2 hak_mallinfo2(void) {
    Figures figures;
    read_figures(&figures);
    const hak_stats_t* now = &figures.gauges;
    size_t arena = now->active + now->dirty;
    return (struct mallinfo2){
        .arena = arena,
        .uordblks = now->allocated,
        .fordblks = arena - now->allocated,
        .keepcost = now->dirty,
    };
}
#endif
