#include "sim/refcount.h"

#include "sim/scheduler.h"

namespace sim {

// Each is one operation: the access, with its point, comes first, then the look at the count and
// its change together.

void RefCount::inc() {
    count_.add(1);
    if (count_.peek() == 0)
        violation("refcount/increment-from-zero",
                  "a reference was taken on an object that was already freed");
    count_.poke(count_.peek() + 1);
}

bool RefCount::inc_not_zero() {
    count_.write();
    if (count_.peek() == 0) return false;
    count_.poke(count_.peek() + 1);
    return true;
}

bool RefCount::dec_and_test() {
    count_.write();
    if (count_.peek() == 0)
        violation("refcount/underflow", "a reference was dropped that nobody held");
    count_.poke(count_.peek() - 1);
    return count_.peek() == 0;
}

}  // namespace sim
