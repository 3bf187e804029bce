#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/kernel_version.h"

namespace app::scenario {

/// A simulated kernel as people ask for it: a release, plus and minus single changes.
struct KernelSpec {
    std::string release = "6.1";
    std::vector<std::string> with, without;

    sim::Result<model::KernelVersion, model::KernelVersion::Error> resolve() const {
        return model::KernelVersion::parse(release, with, without);
    }
};

/// "5.5", or "5.5 with X without Y": what KernelVersion::name() writes. Nothing when a word is out
/// of place.
std::optional<KernelSpec> parse_kernel_spec(std::string_view text);

/// The options that ask for this kernel: "--kernel 5.5 --without Y".
std::string kernel_options(const model::KernelVersion& kernel);
/// "5.5@91d0 without Y": the name with a digest, for the head of reports.
std::string kernel_label(const model::KernelVersion& kernel);

}  // namespace app::scenario
