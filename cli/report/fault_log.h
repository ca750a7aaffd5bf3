// Faults that the library told on stderr, with their stacks as module, offset and build id (lib/sample/words.h), read
// from a log and completed with functions and source lines. Other lines of the log are passed over, and so is what a
// log writes before each line.
// Thread-safety: none. Errors: a frame whose file is gone, or is another build, stays as it is and says so.
#ifndef HAKSTRESS_FAULT_LOG_H
#define HAKSTRESS_FAULT_LOG_H

#include <jansson.h>
#include <stdio.h>

#define FAULT_LOG_SCHEMA 1

// {"kind": "fault_log", "schema", "faults": [{"check", "site", "line", "cause": what it means, if that is known,
// "stacks": [{"stack": access, call, allocated or freed, "thread", "frames": [a place as of code_place.h, with
// "build_id" and, if the file is not that build, "problem"]}]}]}
json_t* fault_log_read(FILE* log);
void fault_log_print(const json_t* faults, FILE* out);

#endif
