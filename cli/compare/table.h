// The document for people: a table for the terminal and the same in Markdown; and CSV for other programs.
#ifndef HAKSTRESS_COMPARE_TABLE_H
#define HAKSTRESS_COMPARE_TABLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

enum table_style { TABLE_PLAIN, TABLE_COLOURED, TABLE_MARKDOWN };

void table_print(FILE* out, const json_t* document, enum table_style style);
// One line per allocator and row: medians, ratios and claims.
void table_print_csv(FILE* out, const json_t* document);

#endif
