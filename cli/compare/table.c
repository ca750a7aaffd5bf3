#include "compare/table.h"

#include "base/json.h"
#include "compare/rate_text.h"
#include "compare/sweep_table.h"

#include <string.h>

enum { COLUMNS = 9, WIDTH = RATE_TEXT_BYTES };

static const char* const headings[COLUMNS] = {
    "allocator", "", "speed [95 % interval]", "claim", "peak MiB", "peak RSS", "claim", "freed MiB", "failed"};

static const json_t* at(const json_t* object, const char* key, const char* inner) {
    return json_object_get(json_object_get(object, key), inner);
}

static const char* text(const json_t* object, const char* key) {
    return json_get_text_or(object, key, "");
}

// Cells

typedef char cells_of_row[COLUMNS][WIDTH];

static void write_interval(const json_t* ratio, char* out) {
    if (!json_is_number(json_object_get(ratio, "ratio"))) return;
    if (json_is_number(json_object_get(ratio, "high")))
        snprintf(out, WIDTH, "%.3f [%.3f .. %.3f]", json_get_number(ratio, "ratio"), json_get_number(ratio, "low"),
                 json_get_number(ratio, "high"));
    else
        snprintf(out, WIDTH, "%.3f", json_get_number(ratio, "ratio"));
}

static void write_mib(const json_t* median, const char* key, char* out) {
    const json_t* kib = json_object_get(median, key);
    if (json_is_number(kib)) snprintf(out, WIDTH, "%.1f", json_number_value(kib) / 1024);
}

static void fill_cells(const json_t* row, const json_t* cell, cells_of_row cells) {
    const json_t *median = json_object_get(cell, "median"), *speed = at(cell, "ratio", "speed"),
                 *peak = at(cell, "ratio", "rss_peak");
    memset(cells, 0, sizeof(cells_of_row));
    snprintf(cells[0], WIDTH, "%s", text(cell, "name"));
    rate_text_median(row, median, cells[1]);
    write_interval(speed, cells[2]);
    snprintf(cells[3], WIDTH, "%s", text(speed, "claim"));
    write_mib(median, "rss_peak_kib", cells[4]);
    write_interval(peak, cells[5]);
    snprintf(cells[6], WIDTH, "%s", text(peak, "claim"));
    write_mib(median, "rss_freed_kib", cells[7]);
    if (json_get_number(cell, "failed") > 0) snprintf(cells[8], WIDTH, "%.0f", json_get_number(cell, "failed"));
    if (json_is_null(json_object_get(cell, "ratio"))) snprintf(cells[2], WIDTH, "baseline");
}

// Lines

static const char* colour_of(const char* cell) {
    if (strcmp(cell, "faster") == 0 || strcmp(cell, "less") == 0) return "\033[32m";
    if (strcmp(cell, "slower") == 0 || strcmp(cell, "more") == 0) return "\033[31m";
    return NULL;
}

static void print_cells(FILE* out, cells_of_row cells, const int widths[COLUMNS], enum table_style style) {
    int last = COLUMNS - 1;
    while (style != TABLE_MARKDOWN && last > 0 && cells[last][0] == '\0') last--;  // no blanks at the end of a line
    if (style == TABLE_MARKDOWN) fputs("| ", out);
    for (int i = 0; i <= last; i++) {
        const char* colour = style == TABLE_COLOURED ? colour_of(cells[i]) : NULL;
        if (widths[i] == 0) continue;
        if (colour != NULL) fputs(colour, out);
        bool right = i == 1 || i == 4 || i == 7 || i == 8, cut = i == last && style != TABLE_MARKDOWN && !right;
        fprintf(out, right ? "%*s" : "%-*s", cut ? 0 : widths[i], cells[i]);
        if (colour != NULL) fputs("\033[0m", out);
        if (style == TABLE_MARKDOWN)
            fputs(i < last ? " | " : " |", out);
        else if (i < last)
            fputs("  ", out);
    }
    fputc('\n', out);
}

static void print_rule(FILE* out, const int widths[COLUMNS]) {
    fputc('|', out);
    for (int i = 0; i < COLUMNS; i++)
        if (widths[i] > 0) fputs(i == 1 || i == 4 || i == 7 || i == 8 ? "---:|" : "---|", out);
    fputc('\n', out);
}

// A column that is empty in every row is left out.
static void measure(const json_t* row, int widths[COLUMNS]) {
    cells_of_row cells;
    size_t i;
    json_t* cell;
    memset(widths, 0, COLUMNS * sizeof *widths);
    json_array_foreach(json_object_get(row, "allocators"), i, cell) {
        fill_cells(row, cell, cells);
        for (int j = 0; j < COLUMNS; j++)
            if ((int)strlen(cells[j]) > widths[j]) widths[j] = (int)strlen(cells[j]);
    }
    for (int j = 0; j < COLUMNS; j++)
        if (widths[j] > 0 && (int)strlen(headings[j]) > widths[j]) widths[j] = (int)strlen(headings[j]);
}

static const char* plural(double count) {
    return count == 1 ? "" : "s";
}

static void print_threads(FILE* out, const json_t* row) {
    double threads = json_get_number(row, "threads");
    if (json_get_number(row, "roles") > 1)
        fprintf(out, "%.0f pair%s of threads, ", threads, plural(threads));
    else
        fprintf(out, "%.0f thread%s, ", threads, plural(threads));
}

static void print_title(FILE* out, const json_t* row, enum table_style style) {
    double rounds = json_get_number(row, "rounds");
    fprintf(out, style == TABLE_MARKDOWN ? "\n### %s\n\n" : "\n%s: ", text(row, "name"));
    if (json_is_null(json_object_get(row, "command"))) {
        fprintf(out, "%s; ", text(row, "stresses"));
        print_threads(out, row);
    }
    fprintf(out, "%.0f round%s\n%s", rounds, plural(rounds), style == TABLE_MARKDOWN ? "\n" : "");
}

static void print_crash(FILE* out, const json_t* failure, enum table_style style) {
    const char *report = json_get_text(failure, "report"), *again = json_get_text(failure, "again");
    const char* indent = style == TABLE_MARKDOWN ? "\n" : "    ";
    if (report != NULL) fprintf(out, "%sreport: %s\n", indent, report);
    if (again != NULL) fprintf(out, "%sagain: %s\n", indent, again);
}

static void print_failures(FILE* out, const json_t* row, enum table_style style) {
    size_t i, j;
    json_t *cell, *failure;
    json_array_foreach(json_object_get(row, "allocators"), i, cell) {
        json_array_foreach(json_object_get(cell, "failures"), j, failure) {
            int round = (int)json_get_number(failure, "round");
            char when[32] = ", warm-up";
            if (round >= 0) snprintf(when, sizeof when, ", round %d", round);
            if (json_is_null(json_object_get(failure, "round"))) when[0] = '\0';
            fprintf(out, "%sfailed under %s%s: %s\n", style == TABLE_MARKDOWN ? "\n" : "  ", text(cell, "name"), when,
                    text(failure, "what"));
            print_crash(out, failure, style);
        }
    }
}

static void print_row(FILE* out, const json_t* row, enum table_style style) {
    int widths[COLUMNS];
    cells_of_row cells;
    size_t i;
    json_t* cell;
    measure(row, widths);
    print_title(out, row, style);
    for (int j = 0; j < COLUMNS; j++) snprintf(cells[j], WIDTH, "%s", headings[j]);
    print_cells(out, cells, widths, style == TABLE_COLOURED ? TABLE_PLAIN : style);
    if (style == TABLE_MARKDOWN) print_rule(out, widths);
    json_array_foreach(json_object_get(row, "allocators"), i, cell) {
        fill_cells(row, cell, cells);
        print_cells(out, cells, widths, style);
    }
    double limit = json_number_value(at(row, "limit", "value"));
    char floor_text[WIDTH];
    rate_text_per_second(limit, floor_text);
    if (limit > 0)
        fprintf(out, "%slimit: %s, the floor of this machine\n", style == TABLE_MARKDOWN ? "\n" : "  ", floor_text);
    if (json_get_bool(row, "limit_is_wrong"))
        fprintf(out, "%slimit: not known, because what was measured is below what allocators reached; see below\n",
                style == TABLE_MARKDOWN ? "\n" : "  ");
    print_failures(out, row, style);
}

// Over all rows

static const char* aa_verdict(const json_t* aa) {
    if (!json_get_bool(aa, "trustworthy")) return "too noisy: the baseline differs from itself";
    if (json_get_bool(aa, "claimed")) return "a difference, allowed by --noise";
    return "no difference shown, as it should be";
}

static void print_aa(FILE* out, const json_t* document) {
    const json_t* aa = json_object_get(document, "aa");
    char interval[WIDTH] = "";
    if (!json_is_object(aa)) return;
    write_interval(aa, interval);
    fprintf(out, "%s against itself on %s: %s, p = %.2g: %s\n", text(aa, "allocator"), text(aa, "workload"), interval,
            json_get_number(aa, "p"), aa_verdict(aa));
}

// Neither the A/A run nor the intervals tell of it: it slows all runs down alike.
static void print_shortage(FILE* out, const json_t* document) {
    const json_t* processor = json_object_get(document, "processor");
    const json_t* waited = json_object_get(processor, "waited");
    if (!json_get_bool(processor, "short")) return;
    fputs("\nthe processors were short: ", out);
    if (json_is_number(waited))
        fprintf(out, "in %.0f %% of the time a process waited for one, and ", 100 * json_number_value(waited));
    fprintf(
        out,
        "those that were\nmeasured lost theirs %.0f times in a second of work. Something else runs here, or they have "
        "more\nthreads than there are processors. Rates are lower than they could be, limits and latencies are "
        "wrong,\nand small differences are not seen: measure again when the machine is quiet\n",
        json_get_number(processor, "preempted_per_second"));
}

static void print_means(FILE* out, const json_t* document, enum table_style style) {
    size_t i;
    json_t* mean;
    const json_t* means = json_object_get(document, "geometric_mean");
    if (json_array_size(json_object_get(document, "workloads")) < 2 || json_array_size(means) == 0) return;
    fputs(style == TABLE_MARKDOWN
              ? "\n### Geometric mean\n\n| allocator | workloads | speed | peak RSS |\n|---|---:|---|---|\n"
              : "\nGeometric mean over the workloads\n",
          out);
    json_array_foreach(means, i, mean) {
        char speed[WIDTH] = "", peak[WIDTH] = "";
        write_interval(json_object_get(mean, "speed"), speed);
        write_interval(json_object_get(mean, "rss_peak"), peak);
        fprintf(out,
                style == TABLE_MARKDOWN ? "| %s | %.0f | %s | %s |\n"
                                        : "%-20s %3.0f workloads  speed %s  peak RSS %s\n",
                text(mean, "name"), json_get_number(mean, "workloads"), speed, peak);
    }
}

// Nothing is claimed although the interval excludes 1, and not because a run failed.
static bool is_unclaimed(const json_t* cell, const char* metric) {
    const json_t* ratio = at(cell, "ratio", metric);
    double low = json_get_number(ratio, "low"), high = json_get_number(ratio, "high");  // 0: there is none
    bool leaves_out = low > 1 || (high > 0 && high < 1);
    return leaves_out && strcmp(text(ratio, "claim"), "no difference shown") == 0 &&
           json_get_number(cell, "failed") == 0;
}

static size_t count_ratios(const json_t* cell) {
    static const char* const metrics[] = {"speed", "rss_peak", "rss_freed"};
    size_t count = 0;
    for (size_t i = 0; i < sizeof metrics / sizeof metrics[0]; i++)
        if (json_is_object(at(cell, "ratio", metrics[i]))) count++;
    return count;
}

static void print_unclaimed(FILE* out, const json_t* document) {
    size_t i, j, ratios = 0;
    json_t *row, *cell;
    bool some = false;
    json_array_foreach(json_object_get(document, "workloads"), i, row) {
        json_array_foreach(json_object_get(row, "allocators"), j, cell) {
            some = some || is_unclaimed(cell, "speed") || is_unclaimed(cell, "rss_peak");
            ratios += count_ratios(cell);
        }
    }
    if (!some) return;
    fprintf(out,
            "\nsome intervals exclude 1 although the claim is \"no difference shown\". Among %zu ratios, an interval "
            "of 95 %% excludes 1 by chance far more often than the 1 time in 100 that a claim may be wrong. And "
            "differences below 1 %% are never claimed\n",
            ratios);
}

static void print_needed(FILE* out, const json_t* document) {
    double needed = json_get_number(document, "rounds_needed"), budget = json_get_number(document, "budget_needed");
    if (json_get_number(document, "rounds") >= needed) return;
    fprintf(out, "\nto claim a difference among so many ratios, %.0f rounds are needed", needed);
    if (budget > 0) fprintf(out, ": about --budget %.0f", budget);
    fputc('\n', out);
}

void table_print(FILE* out, const json_t* document, enum table_style style) {
    size_t i;
    json_t* row;
    fprintf(out, style == TABLE_MARKDOWN ? "`%s`\n\n" : "again: %s\n", text(document, "again"));
    print_aa(out, document);
    json_array_foreach(json_object_get(document, "workloads"), i, row) {
        print_row(out, row, style);
    }
    sweep_table_print(out, document, style == TABLE_MARKDOWN);
    print_means(out, document, style);
    print_unclaimed(out, document);
    const char* stopped = text(document, "stopped_by");
    if (strcmp(stopped, "signal") == 0) fputs("\nstopped: these results are partial\n", out);
    if (strcmp(stopped, "time") == 0)
        fputs("\nended by --budget; with more time the intervals would be narrower\n", out);
    print_needed(out, document);
    print_shortage(out, document);
}

// CSV

static void print_quoted(FILE* out, const char* words) {
    fputc('"', out);
    for (; *words != '\0'; words++) {
        if (*words == '"') fputc('"', out);
        fputc(*words, out);
    }
    fputc('"', out);
}

static void print_number(FILE* out, const json_t* number) {
    fputc(',', out);
    if (json_is_number(number)) fprintf(out, "%.9g", json_number_value(number));
}

static void print_csv_ratio(FILE* out, const json_t* ratio) {
    static const char* const keys[] = {"ratio", "low", "high", "p", "p_corrected"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) print_number(out, json_object_get(ratio, keys[i]));
    fprintf(out, ",%s", text(ratio, "claim"));
}

static void print_csv_line(FILE* out, const json_t* row, const json_t* cell) {
    static const char* const keys[] = {"ops_per_sec",  "seconds",       "user_seconds", "system_seconds",
                                       "rss_peak_kib", "rss_freed_kib", "minor_faults", "major_faults"};
    print_quoted(out, text(row, "name"));
    print_number(out, json_object_get(row, "threads"));
    fputc(',', out);
    print_quoted(out, text(cell, "name"));
    fprintf(out, ",%zu,%.0f", json_array_size(json_object_get(cell, "samples")), json_get_number(cell, "failed"));
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) print_number(out, at(cell, "median", keys[i]));
    print_csv_ratio(out, at(cell, "ratio", "speed"));
    print_csv_ratio(out, at(cell, "ratio", "rss_peak"));
    print_csv_ratio(out, at(cell, "ratio", "rss_freed"));
    fputc('\n', out);
}

void table_print_csv(FILE* out, const json_t* document) {
    static const char* const ratios[] = {"speed", "rss_peak", "rss_freed"};
    size_t i, j;
    json_t *row, *cell;
    fputs("workload,threads,allocator,samples,failed,ops_per_sec,seconds,user_seconds,system_seconds,rss_peak_kib,"
          "rss_freed_kib,minor_faults,major_faults",
          out);
    for (i = 0; i < 3; i++)
        fprintf(out, ",%s_ratio,%s_low,%s_high,%s_p,%s_p_corrected,%s_claim", ratios[i], ratios[i], ratios[i],
                ratios[i], ratios[i], ratios[i]);
    fputc('\n', out);
    json_array_foreach(json_object_get(document, "workloads"), i, row) {
        json_array_foreach(json_object_get(row, "allocators"), j, cell) {
            print_csv_line(out, row, cell);
        }
    }
}
