// A small document, as text for a terminal or as Markdown: headings, paragraphs, tables, check lists. Marks are Unicode
// or ASCII.
// Thread-safety: none. Errors: what cannot be allocated is left out.
#ifndef HAKSTRESS_DOCUMENT_H
#define HAKSTRESS_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum mark { MARK_NONE, MARK_GOOD, MARK_BAD, MARK_OPEN };

#define TABLE_COLUMNS_MAX 9
#define TABLE_ROWS_MAX 24

struct document {
    FILE* out;
    bool markdown;
    bool unicode;
    // the current table, filled row by row
    const char* const* headings;
    size_t columns, cells;
    char* cell[TABLE_COLUMNS_MAX * TABLE_ROWS_MAX];
};

// Whether the locale of the environment uses UTF-8.
bool document_locale_is_utf8(void);

void document_heading(struct document* document, const char* text);
void document_paragraph(struct document* document, const char* format, ...) __attribute__((format(printf, 2, 3)));
void document_command(struct document* document, const char* what, const char* command);
void document_check(struct document* document, enum mark mark, const char* line, const char* proof);

// The list of headings ends with NULL. Cells follow row by row; table_end prints the table.
void table_begin(struct document* document, const char* const* headings);
void table_cell(struct document* document, enum mark mark, const char* format, ...)
    __attribute__((format(printf, 3, 4)));
void table_end(struct document* document);

#endif
