// The worker's lines: stdio would allocate a buffer, or read one line in many pieces.
// Thread-safety: one thread at a time. Errors: a stream that cannot be written to ends the process with status 3.
#ifndef HAKSTRESS_WORKER_OUTPUT_H
#define HAKSTRESS_WORKER_OUTPUT_H

void worker_put(int fd, const char* format, ...) __attribute__((format(printf, 2, 3)));

#endif
