// Whether the processes that were measured had to wait for a processor, because something else used it.
// Thread-safety: none needed. Errors: what the system does not tell is left out.
#ifndef HAKSTRESS_COMPARE_SHORTAGE_H
#define HAKSTRESS_COMPARE_SHORTAGE_H

#include <stdbool.h>

struct shortage {
    double waited;     // share of the time in which some process of the machine waited; negative: unknown
    double preempted;  // how often in a second of their processor time the measured processes lost it
    bool is_short;
};

// Ended children count, from begin to end.
struct shortage_watch {
    double began, stalled, used, switches;
};
void shortage_begin(struct shortage_watch* watch);
struct shortage shortage_end(const struct shortage_watch* watch);

#endif
