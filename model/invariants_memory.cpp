// What KASAN and the page fault handler say of a real kernel: memory is used only while it is
// there. The simulated memory itself stays valid, so an execution goes on to this check and no
// further.
#include <string>

#include "model/fs_info.h"
#include "model/invariants.h"
#include "model/probes.h"
#include "model/root.h"

namespace model {
namespace {

const Evaluation use_after_free{"use-after-free"}, null_dereference{"null-dereference"};

}  // namespace

void check_used_root(const Root& root, const char* user) {
    use_after_free.count();
    if (!root.is_freed) return;
    sim::violation("use-after-free/" + std::string(user),
                   "BUG: KASAN: use-after-free in " + std::string(user) + ": tree " +
                       to_string(root.root_key) + " was freed");
}

void check_followed(const void* pointer, const char* user) {
    null_dereference.count();
    if (pointer != nullptr) return;
    sim::violation("null-dereference/" + std::string(user),
                   "BUG: kernel NULL pointer dereference in " + std::string(user));
}

}  // namespace model
