// The worker's lines. stdio is not used: it would allocate a buffer, or read a line in many pieces.
// Thread-safety: one thread at a time. Errors: if a stream cannot be written to, the process ends with status 3.
#ifndef HAKSTRESS_WORKER_OUTPUT_H
#define HAKSTRESS_WORKER_OUTPUT_H

void worker_put(int fd, const char* format, ...) __attribute__((format(printf, 2, 3)));

#endif
