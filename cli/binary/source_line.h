// Lines of source from the debug information of ELF files (DWARF 2 to 5, section .debug_line, as -g makes it): where it is in the file
// itself and not compressed.
// Thread-safety: none needed. Errors: false, the line is not known.
#ifndef HAKSTRESS_SOURCE_LINE_H
#define HAKSTRESS_SOURCE_LINE_H

#include <stdbool.h>
#include <stdint.h>

struct source_line {
    char file[128];  // its name, without directories
    uint64_t line;
};

// Of the code at byte `file_offset` of an ELF file.
bool source_line_at(const char* path, uint64_t file_offset, struct source_line* out);

#endif
