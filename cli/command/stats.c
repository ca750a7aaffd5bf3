// hakstress stats: what a process that has the library holds, read from outside while it runs.
#include "args/args.h"
#include "base/error.h"
#include "census/tell.h"
#include "command/commands.h"
#include "process/live_process.h"
#include "results/results.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const struct option_spec stats_options[] = {
    {"csv", NULL, NULL, NULL, "one line of names and one line of values for each process"},
    {"prometheus", NULL, NULL, NULL, "the text that Prometheus reads"},
    {.name = NULL},
};

static void flush_stream(Out* out) {
    fwrite(out->buffer, 1, out->length, out->stream);
    out->length = 0;
}

static void print_text(FILE* stream, const Census* census) {
    char buffer[8192];
    Out out = {.buffer = buffer, .size = sizeof buffer, .flush = flush_stream, .stream = stream};
    census_text(&out, census);
    flush_stream(&out);
}

static json_t* to_json(const Census* census) {
    static char buffer[CENSUS_JSON_MOST];
    Out out = {.buffer = buffer, .size = sizeof buffer};
    census_json(&out, census);
    return json_loads(buffer, 0, NULL);
}

// --- CSV

static void print_csv_names(void) {
    printf("pid,build");
    for (unsigned i = 0; census_figure(i) != NULL; i++) printf(",%s", census_figure(i)->name);
    for (unsigned i = 0; i < HAK_COUNTER_COUNT; i++) printf(",%s", hak_counter_name(i));
    putchar('\n');
}

static void print_csv(const Census* census) {
    printf("%" PRIu64 ",%s", census->process, census->checked ? "checked" : "release");
    for (unsigned i = 0; census_figure(i) != NULL; i++) printf(",%" PRIu64, census_value(census, census_figure(i)));
    for (unsigned i = 0; i < HAK_COUNTER_COUNT; i++) printf(",%" PRIu64, census->counters[i]);
    putchar('\n');
}

// --- Prometheus: all values of one name stand together

static void print_head(const char* name, const char* suffix, const char* help, bool grows) {
    printf("# HELP hakmem_%s%s %s\n# TYPE hakmem_%s%s %s\n", name, suffix, help, name, suffix,
           grows ? "counter" : "gauge");
}

static void print_rows(const Census* all, size_t count, const char* name, size_t offset, const char* help) {
    print_head(name, "", help, false);
    for (size_t i = 0; i < count; i++) {
        for (unsigned r = 0; r < CENSUS_ROWS; r++) {
            const CensusRow* row = &all[i].row[r];
            if (row->slabs == 0) continue;
            const uint64_t* value = (const uint64_t*)(const void*)((const char*)row + offset);
            printf("hakmem_%s{pid=\"%" PRIu64 "\",size=\"", name, all[i].process);
            if (r == CENSUS_RUNS || r == CENSUS_HUGE)
                printf("%s\"} %" PRIu64 "\n", r == CENSUS_RUNS ? "pages" : "huge", *value);
            else
                printf("%" PRIu64 "\"} %" PRIu64 "\n", row->size, *value);
        }
    }
}

static void print_prometheus(const Census* all, size_t count) {
    for (unsigned f = 0; census_figure(f) != NULL; f++) {
        const CensusFigure* figure = census_figure(f);
        print_head(figure->name, figure->grows ? "_total" : "", figure->help, figure->grows);
        for (size_t i = 0; i < count; i++)
            printf("hakmem_%s%s{pid=\"%" PRIu64 "\"} %" PRIu64 "\n", figure->name, figure->grows ? "_total" : "",
                   all[i].process, census_value(&all[i], figure));
    }
    print_head("events", "_total", "what hakstress list counters explains", true);
    for (size_t i = 0; i < count; i++)
        for (unsigned c = 0; c < HAK_COUNTER_COUNT; c++)
            printf("hakmem_events_total{pid=\"%" PRIu64 "\",event=\"%s\"} %" PRIu64 "\n", all[i].process,
                   hak_counter_name(c), all[i].counters[c]);
    print_rows(all, count, "class_live_blocks", offsetof(CensusRow, live), "blocks that the program has, by size");
    print_rows(all, count, "class_live_bytes", offsetof(CensusRow, live_bytes), "bytes of these");
    print_rows(all, count, "class_cached_blocks", offsetof(CensusRow, cached), "freed blocks kept at hand, by size");
    print_rows(all, count, "class_resident_bytes", offsetof(CensusRow, resident), "memory of their slabs");
}

// --- the verb

static int take(const char* operand, Census* census) {
    char words[LIVE_PROBLEM_BYTES], *end;
    long pid = strtol(operand, &end, 10);
    struct live_process process;
    if (end == operand || *end != '\0' || pid <= 0 || pid > INT32_MAX)
        return usage_error("'%s' is no process id; usage: hakstress stats PID...", operand);
    enum live_state state = live_process_open(&process, (pid_t)pid);
    if (state == LIVE_OPEN && !live_process_census(&process, census)) state = LIVE_GONE;
    live_process_close(&process);
    live_problem(state, (pid_t)pid, words, sizeof words);
    return state == LIVE_OPEN ? STATUS_OK : missing_error("%s", words);
}

static int save(const struct args* args, const Census* all, size_t count) {
    json_t *result = result_new(args, "stats"), *list = json_array();
    for (size_t i = 0; i < count; i++) json_array_append_new(list, to_json(&all[i]));
    json_object_set_new(result, "processes", list);
    const bool saved = result_save_copy(args, result);
    json_decref(result);
    return saved ? STATUS_OK : STATUS_MISSING;
}

static void print_all(const struct args* args, const Census* all, size_t count) {
    if (args_is_set(args, "prometheus")) {
        print_prometheus(all, count);
    } else if (args_is_set(args, "csv")) {
        print_csv_names();
        for (size_t i = 0; i < count; i++) print_csv(&all[i]);
    } else if (result_stream(args) == stdout) {
        for (size_t i = 0; i < count; i++) print_text(stdout, &all[i]);
    }
}

static int stats_run(const struct args* args) {
    size_t count = (size_t)args->operand_count;
    if (count == 0 || args->rest_count > 0)
        return usage_error("name a process; usage: hakstress stats %s", args->command->synopsis);
    if (args_is_set(args, "csv") && args_is_set(args, "prometheus"))
        return usage_error("--csv and --prometheus exclude each other");
    Census* all = calloc(count, sizeof *all);
    if (all == NULL) return missing_error("no memory");
    int status = STATUS_OK;
    size_t known = 0;
    // One that has ended meanwhile does not hide the others.
    for (size_t i = 0; i < count && status != STATUS_USAGE; i++) {
        const int one = take(args->operands[i], &all[known]);
        known += one == STATUS_OK;
        if (one != STATUS_OK) status = one;
    }
    if (status != STATUS_USAGE && known > 0) print_all(args, all, known);
    if (status != STATUS_USAGE && known > 0 && args_is_set(args, "json") && save(args, all, known) != STATUS_OK)
        status = STATUS_MISSING;
    free(all);
    return status;
}

const struct command command_stats = {
    .name = "stats",
    .synopsis = "PID...",
    .summary = "tell what running processes that have libhakmem hold, without stopping them",
    .options = stats_options,
    .notes = "First what one wants to know, then where the memory is, blocks by size, and the counters. Nothing is\n"
             "written to the process. It must be yours, or you root; see docs/LIVE.md if the system refuses.\n",
    .examples = "hakstress stats $(pidof redis-server)\n"
                "hakstress stats 1234 --json -\n"
                "hakstress stats 1234 --prometheus >/var/lib/node_exporter/hakmem.prom\n",
    .run = stats_run,
};
