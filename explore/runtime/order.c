#include "runtime/order.h"

int (*order_changed)(int order, unsigned step, const void* site);
