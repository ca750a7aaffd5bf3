// Where the library's words go. The number of a descriptor says nothing: a daemon closes 0 to 2 and opens its data,
// which is 2 from then on; a program that closes every number it knows of is given ours again, for another file. So
// what a descriptor leads to is noted when it is known to be right, and compared right before each write.
//
//   noted at load, kept      2 -------------> device and inode of whatever it leads to; nothing is opened
//   with HAKMEM_STATS        2, duplicated -> the same, under a high number: many programs close stderr at their end
//   and HAKMEM_STATS_FILE    instead of the duplicate: the file, and the folder that a child finds its own file in
//                            (front/stats_exit.c)
//
//   what is said                             goes to 2 if that leads to                     else to
//   warnings, what hak_check finds,          what it did at load; a terminal, /dev/null,    nowhere
//     malloc_stats, last words                 or a regular file open for appending
//   statistics at exit, not to a file        what it did at load, if the duplicate is gone  nowhere
//
// Last words are in memory, too (base/fatal.h). What is said before the library's constructor has run, by whom
// allocates even earlier, takes 2 for what it is at that moment, and that is then as at load. A file that was deleted
// and closed by all may leave its inode number to another one: not told apart from it.
// Thread-safety: all functions; output_start() before there are threads. All work in any state: no malloc, no lock, raw
// system calls. A descriptor that another thread replaces between the comparison and the write is not noticed.
// Errors: errno is kept; what cannot be written is lost, without the signals that the kernel has for it (SIGPIPE,
// SIGXFSZ).
#ifndef HAK_BASE_OUTPUT_H
#define HAK_BASE_OUTPUT_H

#include "base/compiler.h"

typedef struct {
    int fd;  // -1: nowhere
    uint64_t device;
    uint64_t inode;
} Output;

#define OUTPUT_NOWHERE ((Output){.fd = -1})

// Notes where descriptor 2 leads; only the first call does.
void output_start(void);

// Descriptor 2 for all that is not statistics at exit.
Output output_stderr(void);
// Descriptor 2 where it leads to what it did at load.
Output output_stderr_at_load(void);
// Descriptor 2 as at load, duplicated to a high number.
Output output_keep_stderr(void);

// Opens what `name` says, from `folder` on where that is not AT_FDCWD, under a high number, closed by exec. *error: a
// number of errno, where the result is nowhere. The file is created, and appended to; opening it waits for nobody.
Output output_open_file(int folder, const char* name, int* error);
Output output_open_folder(const char* name);

// Whether the descriptor still leads to what was noted.
bool output_is_there(Output output);
// The same, and whether that still has a name in some folder.
bool output_has_name(Output output);

// Writes all of it, with one system call if the kernel takes it.
void output_write(Output output, const char* text, size_t length);

#endif
