// One line that names the most likely cause of a fault, with the evidence and how sure it is.
#ifndef HAKSTRESS_VERDICT_H
#define HAKSTRESS_VERDICT_H

#include "report/crash_record.h"
#include "report/procmaps.h"
#include "supervise/messages.h"

#include <jansson.h>

struct verdict_facts {
    const struct crash_record* record;  // NULL: the handler did not run
    const struct check_message* check;  // NULL: no check spoke
    const struct procmaps* maps;
    int died_of;  // signal without a record; 0: none
    bool hang;
    bool stopped;  // by SIGSTOP or the like, at the time of the hang
};

// {"cause": TEXT, "evidence": [TEXT...], "confidence": "high"|"medium"|"low"}
json_t* verdict_make(const struct verdict_facts* facts);

#endif
