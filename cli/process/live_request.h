// Asks something of a process that has the library (census/request.h), and waits for the answer.
// Thread-safety: none needed. Errors: see enum request_end; a request that nobody has begun is withdrawn.
#ifndef HAKSTRESS_LIVE_REQUEST_H
#define HAKSTRESS_LIVE_REQUEST_H

#include "process/live_process.h"

enum request_end {
    REQUEST_DONE,
    REQUEST_SILENT,   // no thread of the process has begun it in time; nothing was done
    REQUEST_RUNNING,  // a thread has begun it and is not done in a minute more
    REQUEST_REFUSED,  // the memory of the process cannot be written, or it is another process by now
};

struct request_answer {
    uint64_t error;  // an errno number, or 0
    uint64_t value;
    double seconds;  // until it was answered
};

// `text` is cut at REQUEST_TEXT - 1 bytes.
enum request_end live_request(const struct live_process* process, HakRequestKind kind, const char* text, double wait,
                              struct request_answer* out);

#endif
