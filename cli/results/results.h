// Result files: JSON under results/, the newest 50 runs kept.
// Thread-safety: none. Errors: a line on stderr and false.
#ifndef HAKSTRESS_RESULTS_H
#define HAKSTRESS_RESULTS_H

#include "args/args.h"

#include <jansson.h>
#include <stdio.h>

#define RESULT_SCHEMA 1
#define RESULTS_KEPT 50
#define RESULT_REPORTS_MAX 16  // crash reports of one run

// An object with schema, kind, command line, time, machine and build. The caller adds what it measured, and owns it.
json_t* result_new(const struct args* args, const char* kind);

// "DIR/KIND-YYYYMMDD-HHMMSS-PID" + suffix, DIR being --results (made when missing). False after a message.
bool result_path(const struct args* args, const char* kind, const char* suffix, char* out, size_t size);

// Before the work, not after it: can --results and --json be written? STATUS_OK, or after a message another status.
int result_check(const struct args* args);
// Can a file be written there, as it seems before the work? False with errno.
bool result_can_write(const char* path);

// The suffix of crash report `number`, from 1: ".crash.txt", ".crash-2.txt", ...; `extension` is "txt" or "json".
void result_report_suffix(unsigned number, const char* extension, char* out, size_t size);

// Writes the result to its file, to --json where given, and removes the oldest runs beyond RESULTS_KEPT.
bool result_save(const struct args* args, const char* kind, json_t* result);
// To --json alone, where given.
bool result_save_copy(const struct args* args, json_t* result);

// The stream for lines that people read: stdout, or stderr when --json - has taken stdout.
FILE* result_stream(const struct args* args);

// The command line of this process as it can be typed again, in shell quoting.
void results_remember_command_line(int argc, char** argv);
// Appends words to a command line, in shell quoting; what does not fit is cut.
void result_quote(char* const* words, int count, char* out, size_t size);
// How this program was called, for command lines that call it again.
const char* result_program(void);
// A command line that does the same run again: every HAKMEM_* variable in force that no option of the verb stands for, the
// program, and `tail`.
void result_again(const struct args* args, const char* tail, char* out, size_t size);

#endif
