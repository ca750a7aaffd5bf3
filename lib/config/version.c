#include "base/compiler.h"

#include <hakmem/hakmem.h>

HAK_PUBLIC const char* hak_version(void) {
    return HAKMEM_VERSION;
}
