#pragma once
#include <array>
#include <bitset>
#include <span>
#include <string>
#include <string_view>

#include "model/types.h"
#include "sim/result.h"

namespace model {

struct Release {
    u16 major = 6, minor = 1;
    constexpr auto operator<=>(const Release&) const = default;
};
/// "6.1"
std::string to_string(Release release);

/// Up to three commits or names, in the order written.
class FixNames {
  public:
    constexpr FixNames() = default;
    constexpr FixNames(
        std::initializer_list<const char*> names) {  // NOLINT(google-explicit-constructor): a list
        for (const char* name : names)
            names_[count_++] = name;
    }
    constexpr const char* const* begin() const { return names_.data(); }
    constexpr const char* const* end() const { return names_.data() + count_; }
    constexpr bool empty() const { return count_ == 0; }

  private:
    std::array<const char*, 3> names_{};
    unsigned count_ = 0;
};

/// One upstream change, a proposal that was not merged, or a what-if.
struct Fix {
    enum class Kind : u8 { Upstream, Proposal, WhatIf };
    const char* commit;  // 12 hex digits, or empty
    const char* name;    // works wherever a commit id does
    const char* subject;
    Release since{0, 0};  // first mainline release; Upstream only
    Kind kind = Kind::Upstream;
    FixNames needs{};     // commits or names
    FixNames replaces{};  // those it removes while it is there
    Release until{0, 0};  // first release without it again (0.0: still there)
    /// Before there was an entry, the model behaved on every kernel as with it. So it is new on the
    /// kernels without it, and older certificates of those are stale.
    bool assumed_before = false;

    /// What reports and --with call it: its commit, or its name where no id is confirmed.
    constexpr const char* id() const { return commit[0] != '\0' ? commit : name; }
};

/// Every entry, in order of release, proposals and what-ifs last. The identity of an entry is its
/// address.
std::span<const Fix> fixes();
/// The entry that a commit id (7 digits or more of it) or a name means; null: none.
const Fix* find_fix(std::string_view id_or_name);
/// Every release that can be simulated, oldest first.
std::span<const Release> releases();

/// Entries of fixes(), each with the bit of its place there.
constexpr std::size_t most_fixes = 128;
using FixSet = std::bitset<most_fixes>;
/// The entry's place in fixes().
std::size_t index_of(const Fix& fix);

/// A simulated kernel: a release plus and minus single fixes. Mainline's releases, without stable
/// backports.
class KernelVersion {
  public:
    KernelVersion();  // 6.1
    bool has(const Fix& fix) const { return present_[index_of(fix)]; }
    bool at_least(u16 major, u16 minor) const { return release_ >= Release{major, minor}; }
    Release release() const { return release_; }
    /// "5.5 without 1bbb97b8ce7d". Two requests for the same kernel have one name.
    std::string name() const;
    u64 hash() const;
    friend bool operator==(const KernelVersion&, const KernelVersion&) = default;

    /// What is wrong with a request, and the nearest valid word.
    struct Error {
        std::string message, hint;
    };
    static sim::Result<KernelVersion, Error> parse(std::string_view release,
                                                   std::span<const std::string> with,
                                                   std::span<const std::string> without);

  private:
    Release release_{};
    FixSet present_;
};

}  // namespace model
