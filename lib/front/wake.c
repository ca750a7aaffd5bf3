#include "front/wake.h"

_Atomic uint32_t hak_wake;
void (*_Atomic wake_work)(void);

void wake_up(void) {
    void (*work)(void) = load_acquire(&wake_work);  // pairs with the release in requests_begin
    if (work) work();
}
