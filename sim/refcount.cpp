#include "sim/refcount.h"

#include "sim/scheduler.h"

namespace sim {

void RefCount::inc() {
    if (count_.peek() == 0) violation("refcount/increment-from-zero", "a reference was taken on an object that was already freed");
    count_.inc();
}

bool RefCount::inc_not_zero() {
    if (count_.load() == 0) return false;
    count_.inc();
    return true;
}

bool RefCount::dec_and_test() {
    if (count_.peek() == 0) violation("refcount/underflow", "a reference was dropped that nobody held");
    return count_.dec_and_test();
}

}  // namespace sim
