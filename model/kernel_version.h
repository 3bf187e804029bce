#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/types.h"
#include "sim/result.h"

namespace model {

struct Release {
    u16 major = 6, minor = 1;
    auto operator<=>(const Release&) const = default;
};

/// One upstream change, a proposal that was not merged, or a what-if.
struct Fix {
    enum class Kind : u8 { Upstream, Proposal, WhatIf };
    const char* commit;   // 12 hex digits, or empty
    const char* name;     // works wherever a commit id does
    const char* subject;
    Release since;        // first mainline release; Upstream only
    Kind kind = Kind::Upstream;
    std::vector<const char*> needs{};     // commits or names
    std::vector<const char*> replaces{};  // those it removes while it is there
    Release until{};      // first release without it again (0.0: still there)
};

/// Every entry, in order of release. The identity of an entry is its address.
std::span<const Fix> fixes();

/// A simulated kernel: a release plus and minus single fixes.
class KernelVersion {
  public:
    KernelVersion() = default;
    bool has(const Fix& fix) const;
    bool at_least(u16 major, u16 minor) const { return release_ >= Release{major, minor}; }
    Release release() const { return release_; }
    /// "5.5 without 1bbb97b8ce7d"
    std::string name() const;
    u64 hash() const;

    /// What is wrong with a request, and the nearest valid word.
    struct Error {
        std::string message, hint;
    };
    static sim::Result<KernelVersion, Error> parse(std::string_view release, std::span<const std::string> with,
                                                   std::span<const std::string> without);

  private:
    Release release_{};
    u64 present_ = 0;  // one bit for each entry of fixes()
};

}  // namespace model
