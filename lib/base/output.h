// Where the library writes its messages. The number of a descriptor proves nothing: a daemon closes 0 to 2 and opens
// its data, which then is 2; a program that closes every number it can think of also closes ours, and may get the same
// number for another file. So the library notes what a descriptor leads to while it is known to be right, and compares
// that before each write.
//
//   noted at load, kept      2 -------------> device and inode of whatever it leads to; nothing is opened
//   with HAKMEM_STATS        2, duplicated -> the same, under a high number: many programs close stderr at their end
//   and HAKMEM_STATS_FILE    instead of the duplicate: the file, and the folder in which a child opens its own file
//                            (api/stats_exit.c)
//
//   message                                  goes to 2 if that leads to                     otherwise to
//   warnings, what hak_check finds,          what it led to at load; a terminal,            nowhere
//     malloc_stats, last words                 /dev/null, or a regular file open for
//                                              appending
//   statistics at exit, not to a file        what it led to at load, if the duplicate       nowhere
//                                              is gone
//
// Last words are also kept in memory (base/fatal.h). A message before the library's constructor, from a program that
// allocates even earlier, takes 2 as it is at that moment, and that counts as its state at load. If a file is deleted
// and closed by all, another file may get its inode number; the two cannot be told apart.
// Thread-safety: all functions; output_start() before there are threads. They work in any state: no malloc, no lock,
// raw system calls. If another thread replaces a descriptor between the comparison and the write, that goes unnoticed.
// Errors: errno is kept. Text that cannot be written is lost, without the signals that the kernel sends for it
// (SIGPIPE, SIGXFSZ).
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

// Descriptor 2, for everything but statistics at exit.
Output output_stderr(void);
// Descriptor 2, if it leads to what it led to at load.
Output output_stderr_at_load(void);
// Descriptor 2 as at load, duplicated to a high number.
Output output_keep_stderr(void);

// Opens the file `name` for appending, under a high number, closed by exec; creates it if it is missing. `name` is
// relative to `folder`, unless that is AT_FDCWD. Opening never waits. Where the result is nowhere, *error is an errno
// number.
Output output_open_file(int folder, const char* name, int* error);
Output output_open_folder(const char* name);

void output_close(Output output);

// Whether the descriptor still leads to what was noted.
bool output_is_there(Output output);
// Whether it does, and the file still has a name in some folder.
bool output_has_name(Output output);

// Writes the whole text, with one system call if the kernel takes it at once.
void output_write(Output output, const char* text, size_t length);

#endif
