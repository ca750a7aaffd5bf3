// The comparison as JSON: what --json writes, and what the tables are made of.
#ifndef HAKSTRESS_COMPARE_DOCUMENT_H
#define HAKSTRESS_COMPARE_DOCUMENT_H

#include "args/args.h"
#include "compare/comparison.h"

#include <jansson.h>

// A new document; `status` is how the measuring ended.
json_t* document_new(const struct args* args, const struct comparison* comparison, int status);

#endif
