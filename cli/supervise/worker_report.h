// The crash report of a worker that waits in its handler (worker/crash.h).
// Thread-safety: none needed. Errors: the report says what is missing; NULL: the worker cannot be read.
#ifndef HAKSTRESS_WORKER_REPORT_H
#define HAKSTRESS_WORKER_REPORT_H

#include "worker/run.h"

#include <jansson.h>

json_t* worker_report(const struct worker_crash* crash);

#endif
