// A line of hakmem.conf:
//
//   # a comment
//   HAKMEM_RESERVE = 64M        an option, as in the environment; before the first section for all programs
//   [nginx]                     a section: what follows is for programs of this name
//   HAKMEM_PURGE_MS = 1000
//
// Blanks around words do not count. Only lines that begin with # are comments: a value may hold one.
// Thread-safety: pure.
// Errors: `problem` says what was expected.
#ifndef HAK_CONFIG_CONF_LINE_H
#define HAK_CONFIG_CONF_LINE_H

#include "config/options.h"

typedef enum { CONF_NOTHING, CONF_SECTION, CONF_SETTING } ConfKind;

enum { CONF_PROBLEM_BYTES = 512 };

typedef struct {
    ConfKind kind;
    const char* program;               // of a SECTION
    const HakOptionInfo* option;       // of a SETTING
    const char* value;                 // of a SETTING: one that the option accepts
    char problem[CONF_PROBLEM_BYTES];  // not empty: the line is wrong, and the fields above are NULL
} ConfLine;

// Takes a line of `length` characters, with a zero behind them, apart. The result points into it.
void conf_line(ConfLine* out, char* line, size_t length);

#endif
