#pragma once
#include <boost/context/detail/fcontext.hpp>

#include "sim/assert.h"
#include "sim/fiber.h"

#ifdef SIM_FIBER_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

namespace sim {

/// Both ends of a switch.
struct FiberEntry {
    /// What travels with it.
    struct Passage {
        Fiber* leaver;
        Fiber* arriver;
    };

    static void arrive(boost::context::detail::transfer_t transfer) {
        const Passage passage = *static_cast<Passage*>(transfer.data);
        passage.leaver->context_ = transfer.fctx;
#ifdef SIM_FIBER_ASAN
        const void* bottom = nullptr;
        std::size_t size = 0;
        __sanitizer_finish_switch_fiber(passage.arriver->fake_stack_, &bottom, &size);
        passage.leaver->sanitizer_bottom_ =
            bottom;  // the thread's own stack has no other way to be known
        passage.leaver->sanitizer_size_ = size;
#endif
    }
    static void main(boost::context::detail::transfer_t transfer) {
        Fiber& self = *static_cast<Passage*>(transfer.data)->arriver;
        arrive(transfer);
        self.entry_(self.argument_);
        assertion_failed("a fiber's entry returned", __FILE__, __LINE__);
    }
};

/// Part of its caller, as the functions between a task's operation and the switch should be: on the
/// stack that it arrives at, the processor foresees no return.
[[gnu::always_inline]] inline void Fiber::switch_to(Fiber& from, Fiber& to,
                                                    [[maybe_unused]] bool from_ends) {
    FiberEntry::Passage passage{&from, &to};
#ifdef SIM_FIBER_ASAN
    __sanitizer_start_switch_fiber(from_ends ? nullptr : &from.fake_stack_, to.sanitizer_bottom_,
                                   to.sanitizer_size_);
#endif
    FiberEntry::arrive(boost::context::detail::jump_fcontext(to.context_, &passage));
}

}  // namespace sim
