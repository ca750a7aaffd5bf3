#include "compare/sweep_table.h"

#include "base/json.h"
#include "compare/rate_text.h"

#include <string.h>

enum { COLUMNS_MAX = 17, CELL_BYTES = 128 };  // the value and SUBJECTS_MAX allocators

struct line {
    char cells[COLUMNS_MAX][CELL_BYTES];
    size_t count;
};

static const char* of_sweep(const json_t* row, const char* key) {
    return json_get_text_or(json_object_get(row, "sweep"), key, "");
}

static bool is_of(const json_t* row, const char* group) {
    return json_is_object(json_object_get(row, "sweep")) && strcmp(of_sweep(row, "of"), group) == 0;
}

// "15.1 M/s 1.230 faster"; of the baseline, and where nothing is claimed, only what there is.
static void write_cell(const json_t* row, const json_t* cell, char* out) {
    char rate[RATE_TEXT_BYTES], ratio_text[24] = "";
    const json_t* ratio = json_object_get(json_object_get(cell, "ratio"), "speed");
    const char* claim = json_get_text_or(ratio, "claim", "");
    bool is_claimed = strcmp(claim, "faster") == 0 || strcmp(claim, "slower") == 0;
    rate_text_median(row, json_object_get(cell, "median"), rate);
    if (json_is_number(json_object_get(ratio, "ratio")))
        snprintf(ratio_text, sizeof ratio_text, " %.3f", json_get_number(ratio, "ratio"));
    snprintf(out, CELL_BYTES, "%s%s%s%s", rate, ratio_text, is_claimed ? " " : "", is_claimed ? claim : "");
}

static void fill_line(const json_t* row, struct line* line, bool head) {
    size_t i;
    json_t* cell;
    line->count = 1;
    snprintf(line->cells[0], CELL_BYTES, "%s", of_sweep(row, head ? "parameter" : "text"));
    json_array_foreach(json_object_get(row, "allocators"), i, cell) {
        if (line->count == COLUMNS_MAX) break;
        char* out = line->cells[line->count++];
        if (head)
            snprintf(out, CELL_BYTES, "%s", json_get_text_or(cell, "name", ""));
        else
            write_cell(row, cell, out);
    }
}

static void widen(const struct line* line, int widths[COLUMNS_MAX]) {
    for (size_t i = 0; i < line->count; i++)
        if ((int)strlen(line->cells[i]) > widths[i]) widths[i] = (int)strlen(line->cells[i]);
}

static void print_line(FILE* out, const struct line* line, const int widths[COLUMNS_MAX], bool markdown) {
    if (markdown) fputs("| ", out);
    for (size_t i = 0; i < line->count; i++) {
        bool last = i + 1 == line->count;
        fprintf(out, "%-*s", last && !markdown ? 0 : widths[i], line->cells[i]);
        if (!last) fputs(markdown ? " | " : "  ", out);
    }
    fputs(markdown ? " |\n" : "\n", out);
}

static void print_group(FILE* out, const json_t* rows, const json_t* first, bool markdown) {
    const char* group = of_sweep(first, "of");
    int widths[COLUMNS_MAX] = {0};
    struct line line;
    size_t i;
    json_t* row;
    fill_line(first, &line, true);
    widen(&line, widths);
    json_array_foreach(rows, i, row) {
        if (!is_of(row, group)) continue;
        fill_line(row, &line, false);
        widen(&line, widths);
    }
    fprintf(out, markdown ? "\n### %s by %s\n\n" : "\n%s by %s: medians, and speed relative to the baseline\n", group,
            of_sweep(first, "parameter"));
    fill_line(first, &line, true);
    print_line(out, &line, widths, markdown);
    for (size_t j = 0; markdown && j < line.count; j++) fputs(j + 1 < line.count ? "|---" : "|---|\n", out);
    json_array_foreach(rows, i, row) {
        if (!is_of(row, group)) continue;
        fill_line(row, &line, false);
        print_line(out, &line, widths, markdown);
    }
}

void sweep_table_print(FILE* out, const json_t* document, bool markdown) {
    const json_t* rows = json_object_get(document, "workloads");
    const char* last = "";
    size_t i;
    json_t* row;
    json_array_foreach(rows, i, row) {
        if (!json_is_object(json_object_get(row, "sweep")) || is_of(row, last)) continue;
        last = of_sweep(row, "of");
        print_group(out, rows, row, markdown);
    }
}
