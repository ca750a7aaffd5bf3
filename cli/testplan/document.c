#include "testplan/document.h"

#include <langinfo.h>
#include <locale.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

bool document_locale_is_utf8(void) {
    locale_t locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
    if (locale == (locale_t)0) return false;
    bool utf8 = strcmp(nl_langinfo_l(CODESET, locale), "UTF-8") == 0;
    freelocale(locale);
    return utf8;
}

static const char* mark_text(const struct document* document, enum mark mark) {
    static const char* const unicode[] = {"", "\u2705 ", "\u274c ", "\u26a0\ufe0f "};
    static const char* const ascii[] = {"", "[ok] ", "[X] ", "[!] "};
    return document->unicode ? unicode[mark] : ascii[mark];
}

void document_heading(struct document* document, const char* text) {
    if (document->markdown)
        fprintf(document->out, "\n### %s\n\n", text);
    else
        fprintf(document->out, "\n%s\n", text);
}

void document_paragraph(struct document* document, const char* format, ...) {
    va_list args;
    va_start(args, format);
    if (document->markdown) fputc('\n', document->out);
    vfprintf(document->out, format, args);
    fputc('\n', document->out);
    va_end(args);
}

void document_command(struct document* document, const char* what, const char* command) {
    fprintf(document->out, document->markdown ? "- %s: `%s`\n" : "%s: %s\n", what, command);
}

void document_check(struct document* document, enum mark mark, const char* line, const char* proof) {
    const char* refuted = mark == MARK_BAD ? "REFUTED: " : "";
    fprintf(document->out, "%s[%s] %s\n%s%s%s%s\n", document->markdown ? "- " : "", mark == MARK_GOOD ? "x" : " ", line,
            document->markdown ? "  <br>" : "      ", mark_text(document, mark), refuted, proof);
}

// Tables

void table_begin(struct document* document, const char* const* headings) {
    document->headings = headings;
    document->columns = document->cells = 0;
    while (headings[document->columns] != NULL) document->columns++;
}

void table_cell(struct document* document, enum mark mark, const char* format, ...) {
    if (document->cells >= sizeof document->cell / sizeof document->cell[0]) return;
    char text[512];
    size_t used = (size_t)snprintf(text, sizeof text, "%s", mark_text(document, mark));
    va_list args;
    va_start(args, format);
    vsnprintf(text + used, sizeof text - used, format, args);
    va_end(args);
    document->cell[document->cells++] = strdup(text);
}

static const char* cell_text(const struct document* document, size_t row, size_t column) {
    size_t index = row * document->columns + column;
    return index < document->cells && document->cell[index] != NULL ? document->cell[index] : "";
}

// In columns of a terminal: each mark takes two, all other characters one.
static size_t width_of(const char* text) {
    size_t width = 0;
    for (const char* at = text; *at != '\0'; at++) width += (*at & 0xc0) != 0x80;
    bool marked = strncmp(text, "\u2705", 3) == 0 || strncmp(text, "\u274c", 3) == 0;
    return width + (marked ? 1 : 0);  // the third mark has a second character, which has no width but widens the first
}

static size_t column_width(const struct document* document, size_t rows, size_t column) {
    size_t widest = width_of(document->headings[column]);
    for (size_t row = 0; row < rows; row++) {
        size_t width = width_of(cell_text(document, row, column));
        if (width > widest) widest = width;
    }
    return widest;
}

static void print_cell(struct document* document, const char* text, size_t width) {
    fprintf(document->out, " %s%*s |", text, (int)(width - width_of(text)), "");
}

static void print_rule(struct document* document, const size_t* widths) {
    fputc('|', document->out);
    for (size_t column = 0; column < document->columns; column++) {
        for (size_t i = 0; i < widths[column] + 2; i++) fputc('-', document->out);
        fputc('|', document->out);
    }
    fputc('\n', document->out);
}

// Markdown is aligned as well, because it is also read as text.
void table_end(struct document* document) {
    size_t widths[TABLE_COLUMNS_MAX] = {0}, rows = document->cells / document->columns;
    for (size_t column = 0; column < document->columns; column++) widths[column] = column_width(document, rows, column);
    fputc('|', document->out);
    for (size_t column = 0; column < document->columns; column++)
        print_cell(document, document->headings[column], widths[column]);
    fputc('\n', document->out);
    print_rule(document, widths);
    for (size_t row = 0; row < rows; row++) {
        fputc('|', document->out);
        for (size_t column = 0; column < document->columns; column++)
            print_cell(document, cell_text(document, row, column), widths[column]);
        fputc('\n', document->out);
    }
    for (size_t i = 0; i < document->cells; i++) free(document->cell[i]);
    document->cells = 0;
}
