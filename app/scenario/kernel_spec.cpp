#include "app/scenario/kernel_spec.h"

#include "app/scenario/words.h"

namespace app::scenario {

std::optional<KernelSpec> parse_kernel_spec(std::string_view text) {
    const std::vector<std::string> words = split_words(text);
    if (words.size() % 2 == 0) return std::nullopt;
    KernelSpec spec{.release = words[0], .with = {}, .without = {}};
    for (std::size_t i = 1; i < words.size(); i += 2) {
        if (words[i] == "with")
            spec.with.push_back(words[i + 1]);
        else if (words[i] == "without")
            spec.without.push_back(words[i + 1]);
        else
            return std::nullopt;
    }
    return spec;
}

std::string kernel_options(const model::KernelVersion& kernel) {
    std::string text = "--kernel";
    for (const std::string& word : split_words(kernel.name()))
        text += (word == "with" || word == "without" ? " --" : " ") + word;
    return text;
}

std::string kernel_label(const model::KernelVersion& kernel) {
    std::vector<std::string> words = split_words(kernel.name());
    words[0] += "@" + hex_digits(kernel.hash(), 4);
    return join(words, " ");
}

}  // namespace app::scenario
