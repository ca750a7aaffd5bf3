// One line that names the most likely cause of a fault, with the evidence and the confidence. Above all, it tells a
// fault of the allocator from one of the program that uses it.
#ifndef HAKSTRESS_VERDICT_H
#define HAKSTRESS_VERDICT_H

#include "report/verdict_facts.h"

#include <jansson.h>

// {"cause": TEXT, "evidence": [TEXT...], "confidence": "high"|"medium"|"low",
//  "culprit": "missing change"|"allocator"|"program"|"outside"|"unknown", "rule": NAME}
json_t* verdict_make(const struct verdict_facts* facts);

#endif
