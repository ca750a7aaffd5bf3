#include "tell/text.h"

#include "runtime/steps.h"

#include <string.h>

enum { WIDTH = 118, NUMBER_WIDTH = 5, STATE_WIDTH = 40, GAP = 2, COLUMNS_MOST = THREADS_MOST + 1, CELL_ROOM = 1024 };

typedef struct {
    char cell[COLUMNS_MOST][CELL_ROOM];
} Line;

// How many bytes of the text go into one line of a cell.
static size_t part_of(const char* text, size_t width) {
    size_t length = strlen(text);
    if (length <= width) return length;
    for (size_t i = width; i > 0; i--)
        if (text[i] == ' ') return i;
    return width;
}

static size_t skip_blanks(const char* text) {
    return strspn(text, " ");
}

static void print_cells(FILE* out, const Line* line, unsigned columns, const size_t* width) {
    const char* rest[COLUMNS_MOST];
    bool more = true;
    for (unsigned c = 0; c < columns; c++) rest[c] = line->cell[c];
    while (more) {
        char text[2 * WIDTH];
        size_t length = 0;
        more = false;
        for (unsigned c = 0; c < columns; c++) {
            size_t part = part_of(rest[c], width[c]);
            length += (size_t)snprintf(text + length, sizeof text - length, "%-*.*s%*s", (int)width[c], (int)part,
                                       rest[c], GAP, "");
            rest[c] += part;
            rest[c] += skip_blanks(rest[c]);
            more |= rest[c][0] != '\0';
        }
        while (length > 0 && text[length - 1] == ' ') length--;
        fprintf(out, "%.*s\n", (int)length, text);
    }
}

static void print_paragraph(FILE* out, const char* head, const char* text) {
    size_t indent = strlen(head);
    const char* rest = text;
    for (bool first = true; first || rest[0]; first = false) {
        size_t part = part_of(rest, WIDTH - indent);
        fprintf(out, "%-*s%.*s\n", (int)indent, first ? head : "", (int)part, rest);
        rest += part;
        rest += skip_blanks(rest);
    }
}

// --- the table

static void state_cell(const Row* row, char* out, size_t size) {
    size_t length = 0;
    out[0] = '\0';
    for (uint32_t i = 0; i < row->slab_count && length < size; i++) {
        if (i) length += (size_t)snprintf(out + length, size - length, " / ");
        if (length >= size) break;
        story_state(row->slab[i].slab, row->slab[i].event, out + length, size - length);
        length = strlen(out);
    }
}

static const char* mark_of(const Row* row) {
    return row->kind == ROW_FAULT ? "*** " : row->kind == ROW_ACCESS ? "** " : row->wrong ? "!! " : "";
}

static void print_row(FILE* out, const Story* story, const Row* row, const size_t* width) {
    static Line line;
    unsigned lanes = story->scenario.thread_count;
    memset(&line, 0, sizeof line);
    if (row->thread >= lanes) return;
    char* cell = line.cell[1 + row->thread];
    snprintf(line.cell[0], CELL_ROOM, "%u", row->number);
    size_t length = (size_t)snprintf(cell, CELL_ROOM, "%s", mark_of(row));
    story_row(row, cell + length, CELL_ROOM - length);
    state_cell(row, line.cell[1 + lanes], CELL_ROOM);
    print_cells(out, &line, lanes + 2, width);
}

static void print_switch(FILE* out, const Row* row) {
    char words[WORDS_ROOM];
    story_row(row, words, sizeof words);
    int length = fprintf(out, "     -- %s", words);
    if (row->preempts) putc(' ', out);
    for (int i = length + 1; row->preempts && i < WIDTH; i++) putc('-', out);
    putc('\n', out);
}

static void print_gap(FILE* out, const Row* row) {
    fprintf(out, "     ... %s ...\n", row->what);
}

// "... 5 steps on slabs of its own: MF, F1, F2, F3, BIND".
static uint32_t print_aside(FILE* out, const Story* story, uint32_t first, const size_t* width) {
    static Line line;
    const Row* row = &rows.at[first];
    uint32_t end = first, count = 0;
    size_t length = 0;
    char* cell = line.cell[1 + row->thread];
    memset(&line, 0, sizeof line);
    for (; end < rows.count && rows.at[end].aside; end++) count++;
    length = (size_t)snprintf(cell, CELL_ROOM, "... %u steps on what is its own:", count);
    for (uint32_t i = first; i < end && length < CELL_ROOM; i++)
        if (rows.at[i].step < HAK_STEP_COUNT)
            length += (size_t)snprintf(cell + length, CELL_ROOM - length, " %s", step_name(rows.at[i].step));
    print_cells(out, &line, story->scenario.thread_count + 2, width);
    return end;
}

static size_t width_of_numbers(void) {
    uint32_t last = 0;
    for (uint32_t i = 0; i < rows.count; i++)
        if (rows.at[i].number) last = rows.at[i].number;
    size_t width = (size_t)snprintf(NULL, 0, "%u", last);
    return width > NUMBER_WIDTH - GAP ? width : NUMBER_WIDTH - GAP;
}

static void print_table(FILE* out, const Story* story) {
    static Line head;
    unsigned lanes = story->scenario.thread_count;
    size_t width[COLUMNS_MOST + 1] = {width_of_numbers()};
    memset(&head, 0, sizeof head);
    for (unsigned t = 0; t < lanes; t++) {
        width[1 + t] = (WIDTH - NUMBER_WIDTH - STATE_WIDTH) / lanes - GAP;
        snprintf(head.cell[1 + t], CELL_ROOM, "%c", 'A' + (int)t);
    }
    width[1 + lanes] = STATE_WIDTH;
    snprintf(head.cell[1 + lanes], CELL_ROOM, "the slab after this step");
    print_cells(out, &head, lanes + 2, width);
    for (uint32_t i = 0; i < rows.count;)
        if (rows.at[i].aside)
            i = print_aside(out, story, i, width);
        else if (rows.at[i].kind == ROW_SWITCH)
            print_switch(out, &rows.at[i++]);
        else if (rows.at[i].kind == ROW_GAP)
            print_gap(out, &rows.at[i++]);
        else
            print_row(out, story, &rows.at[i++], width);
}

// --- around it

// The steps that do what they must not do, in their order.
static void print_in_short(FILE* out) {
    enum { STEPS_MOST = 8 };
    const char* head = "wrong: ";
    unsigned told = 0;
    for (uint32_t i = 0; i < rows.count; i++) {
        const Row* row = &rows.at[i];
        char words[CELL_ROOM];
        if (!row->wrong || row->number == 0 || told++ >= STEPS_MOST) continue;
        int length = snprintf(words, sizeof words, "step %u, %c: ", row->number, 'A' + row->thread);
        story_row(row, words + length, sizeof words - (size_t)length);
        print_paragraph(out, head, words);
        head = "       ";
    }
    if (told > STEPS_MOST) fprintf(out, "%sand %u more steps, marked !! below\n", head, told - STEPS_MOST);
}

// The access that the fault is about, and of a race the later one, too.
static void print_accesses(FILE* out) {
    for (uint32_t i = 0; i < rows.count; i++) {
        const Row* row = &rows.at[i];
        char words[CELL_ROOM];
        if (row->access == NO_EVENT) continue;
        int length = snprintf(words, sizeof words, "step %u, %c: ", row->number, 'A' + row->thread);
        access_describe(row->access, words + length, sizeof words - (size_t)length);
        print_paragraph(out, row->kind == ROW_ACCESS ? "earlier: " : "later:   ", words);
    }
}

static void print_words(FILE* out) {
    fprintf(out, "\n");
    print_paragraph(
        out, "words: ",
        "!! what only the owner of the slab may do, or a block handed out twice; ** the access that raced with the "
        "last one, or changed the block; slab: 64 KiB of blocks of "
        "one size; its owner: the one thread that may take its remote stack and change its free list and "
        "counts; remote stack: what other threads have freed into it, U while it has no owner; registry: "
        "the slabs without owner that have free blocks; bin: blocks that a thread has taken for itself; "
        "#7: the seventh block of the slab. Codes such as R3 are steps of docs/OWNERSHIP.md.");
}

static void print_scenario(FILE* out, const Story* story) {
    static char text[16384];
    scenario_format(&story->scenario, text, sizeof text);
    fprintf(out, "scenario %s%s%s\n", story->scenario.name, story->scenario.about[0] ? ": " : "",
            story->scenario.about);
    for (char *line = text, *end; *line; line = end) {
        end = line + strcspn(line, "\n");
        if (*end) *end++ = '\0';
        print_paragraph(out, "  ", line);
    }
}

static void print_prevented(FILE* out, const Story* story) {
    if (story->prevented_count)
        fprintf(out, "\nWith %s the same schedule ends well:\n",
                story->prevented_count == 1 ? "this" : "any one of these");
    for (unsigned i = 0; i < story->prevented_count; i++) print_paragraph(out, "  - ", story->prevented[i]);
    if (story->prevented_count == 0 && story->tried[0]) {
        fprintf(
            out,
            "\nNothing that was tried prevents it in this schedule, so a missing memory order is hardly the cause:\n");
        print_paragraph(out, "  - ", story->tried);
    }
}

bool story_text(const Story* story, FILE* out) {
    fprintf(out, "check=%s switches=%u preemptions=%u\n", story->check, story->switches, story->preemptions);
    print_paragraph(out, "fault: ", story->fault);
    if (story->rule) print_paragraph(out, "rule:  ", story->rule);
    print_accesses(out);
    print_in_short(out);
    fprintf(out, "replay=%s\n", story->replay);
    if (story->file) fprintf(out, "again: hakstress explore --replay STRING '%s'\n", story->file);
    fprintf(out, "\n");
    print_scenario(out, story);
    fprintf(out, "\n");
    print_table(out, story);
    print_prevented(out, story);
    print_words(out);
    return ferror(out) == 0;
}
