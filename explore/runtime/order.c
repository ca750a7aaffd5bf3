#include "runtime/order.h"

int (*order_changed)(int order, unsigned step, const volatile void* p, unsigned bytes);
