#include "front/others.h"

_Atomic uint32_t hak_others = OTHERS_UNKNOWN;

const char* others_words(void) {
    uint32_t found = load_relaxed(&hak_others);
    if (found & OTHERS_LIBC) return "; malloc " OTHERS_WORDS ", but from the C library";
    if ((found & (OTHERS_MALLOC | OTHERS_FREE)) == OTHERS_MALLOC)
        return "; malloc " OTHERS_WORDS ", but free does: whoever defines the one must define the other";
    if (found & OTHERS_MALLOC) return "; malloc " OTHERS_WORDS ": the program or another library defines it";
    if (found & OTHERS_FREE)
        return "; free " OTHERS_WORDS ", but malloc does: whoever defines the one must define the other";
    return "";
}
