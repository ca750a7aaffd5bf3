// The comparison as JSON: what --json writes, and what the tables are made from.
#ifndef HAKSTRESS_COMPARE_DOCUMENT_H
#define HAKSTRESS_COMPARE_DOCUMENT_H

#include "args/args.h"
#include "compare/comparison.h"

#include <jansson.h>

// A new document; `status` says how the measurement ended.
json_t* document_new(const struct args* args, const struct comparison* comparison, int status);

#endif
