// Result files: JSON under results/. The newest 50 runs are kept.
// Thread-safety: none. Errors: a line on stderr and false.
#ifndef HAKSTRESS_RESULTS_H
#define HAKSTRESS_RESULTS_H

#include "args/args.h"

#include <jansson.h>
#include <stdio.h>

#define RESULT_SCHEMA 1
#define RESULTS_KEPT 50
#define RESULT_REPORTS_MAX 16  // crash reports of one run

// An object with schema, kind, command line, time, machine and build. The caller owns it and adds what it measured.
json_t* result_new(const struct args* args, const char* kind);

// "DIR/KIND-YYYYMMDD-HHMMSS-PID" + suffix, where DIR is --results (created if missing). False after a message.
bool result_path(const struct args* args, const char* kind, const char* suffix, char* out, size_t size);

// False: --results none. Files other than --json are not written then.
bool result_is_kept(const struct args* args);

// Checks before the work starts that --results and --json can be written. STATUS_OK, or another status after a message.
int result_check(const struct args* args);
// Can a file probably be written there? False with errno. To be asked before the work.
bool result_can_write(const char* path);

// The suffix of crash report `number`, from 1: ".crash.txt", ".crash-2.txt", ...; `extension` is "txt" or "json".
void result_report_suffix(unsigned number, const char* extension, char* out, size_t size);

// Writes the result to its file and to --json if given, and removes the oldest runs beyond RESULTS_KEPT.
bool result_save(const struct args* args, const char* kind, json_t* result);
// Writes to --json only, if given.
bool result_save_copy(const struct args* args, json_t* result);

// The stream for lines that people read: stdout, or stderr if --json - uses stdout.
FILE* result_stream(const struct args* args);

// The command line of this process in shell quoting, as it can be typed again.
void results_remember_command_line(int argc, char** argv);
// Appends words to a command line in shell quoting, cut to fit.
void result_quote(char* const* words, int count, char* out, size_t size);
// How this program was called, for command lines that call it again.
const char* result_program(void);
// A command line that repeats the run: every HAKMEM_* variable that is set and that no option of the verb stands for,
// the program, and `tail`.
void result_again(const struct args* args, const char* tail, char* out, size_t size);

#endif
