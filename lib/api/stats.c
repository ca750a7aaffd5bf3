#include "api/stats.h"

#include "base/text.h"
#include "os/os.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

// Text under construction: collected in `buffer`, and written by `flush` when that is nearly full. Without `flush`,
// text that does not fit is cut.
typedef struct Out {
    char* buffer;
    size_t size;
    size_t length;
    void (*flush)(struct Out* out);
    Output to;
    FILE* stream;
} Out;

enum {
    BUFFER_BYTES = 5120,
    LINE_MAX_BYTES = 512,  // no put() is longer
};

static HAK_PRINTF(2, 3) void put(Out* out, const char* format, ...) {
    if (out->flush && out->size - out->length < LINE_MAX_BYTES) out->flush(out);
    size_t used = out->length < out->size ? out->length : out->size;
    va_list args;
    va_start(args, format);
    out->length += text_vformat(out->buffer + used, out->size - used, format, args);
    va_end(args);
}

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

static const struct {
    const char* name;
    size_t offset;
    const char* help;
} gauges[] = {
    {"allocated", offsetof(hak_stats_t, allocated), "bytes in blocks that the program holds, or that wait in caches"},
    {"active", offsetof(hak_stats_t, active), "bytes in slabs and extents that hold at least one block"},
    {"dirty", offsetof(hak_stats_t, dirty), "free bytes that still occupy memory"},
    {"mapped", offsetof(hak_stats_t, mapped), "bytes of address space mapped for blocks"},
    {"metadata", offsetof(hak_stats_t, metadata), "bytes mapped for the allocator's own tables"},
    {"threads", offsetof(hak_stats_t, threads), "threads that have used the allocator and not ended"},
    {"superslabs", offsetof(hak_stats_t, superslabs), "SuperSlabs in use"},
    {"slabs", offsetof(hak_stats_t, slabs), "slabs in use"},
};
enum { GAUGES = sizeof gauges / sizeof gauges[0], LONGEST_GAUGE = sizeof "superslabs" };

static uint64_t gauge(const Figures* figures, unsigned which) {
    uint64_t value;
    memcpy(&value, (const char*)&figures->gauges + gauges[which].offset, sizeof value);
    return value;
}

static void put_text(Out* out, const Figures* figures) {
    put(out, "libhakmem %s (%s build), process %d\n", hak_version(), HAK_CHECKED ? "checked" : "release",
        (int)os_process_id());
    for (unsigned i = 0; i < GAUGES; i++)
        put(out, "  %-20s %20lu  %s\n", gauges[i].name, gauge(figures, i), gauges[i].help);
    const char* group = "";
    for (unsigned i = 0; i < HAK_COUNTER_COUNT; i++) {
        if (figures->counters[i] == 0) continue;
        if (!text_same(group, hak_counter_group(i))) {
            group = hak_counter_group(i);
            put(out, "%s\n", group);
        }
        put(out, "  %-20s %20lu  %s\n", hak_counter_name(i), figures->counters[i], hak_counter_help(i));
    }
}

static void put_json(Out* out, const Figures* figures) {
    put(out, "{\"schema\":%u,\"version\":\"%s\",\"build\":\"%s\",\"pid\":%d", HAK_STATS_VERSION, hak_version(),
        HAK_CHECKED ? "checked" : "release", (int)os_process_id());
    for (unsigned i = 0; i < GAUGES; i++) put(out, ",\"%s\":%lu", gauges[i].name, gauge(figures, i));
    put(out, ",\"counters\":");
    for (unsigned i = 0; i < HAK_COUNTER_COUNT; i++)
        put(out, "%c\"%s\":%lu", i == 0 ? '{' : ',', hak_counter_name(i), figures->counters[i]);
    put(out, "}}");
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
    put(out, "<malloc version=\"hakmem-%u\">\n", HAK_STATS_VERSION);
    for (unsigned i = 0; i < GAUGES; i++) put(out, "<%s>%lu</%s>\n", gauges[i].name, gauge(figures, i), gauges[i].name);
    for (unsigned i = 0; i < HAK_COUNTER_COUNT; i++)
        put(out, "<counter name=\"%s\">%lu</counter>\n", hak_counter_name(i), figures->counters[i]);
    put(out, "</malloc>\n");
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

void hak_stats_json_line(Output to) {
    char buffer[BUFFER_BYTES];
    Figures figures;
    read_figures(&figures);
    Out out = {.buffer = buffer, .size = sizeof buffer, .flush = flush_output, .to = to};
    put_json(&out, &figures);
    put(&out, "\n");
    flush_output(&out);
}

void hak_stats_text(Output to) {
    char buffer[BUFFER_BYTES];
    Figures figures;
    read_figures(&figures);
    Out out = {.buffer = buffer, .size = sizeof buffer, .flush = flush_output, .to = to};
    put_text(&out, &figures);
    flush_output(&out);
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
