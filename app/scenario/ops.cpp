#include "app/scenario/ops.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "app/scenario/words.h"
#include "model/types.h"
#include "model/vfs.h"

namespace app::scenario {

namespace {

/// An operation is parsed by its usage line: lower-case words stand for themselves, "+C|-C" is a
/// choice, "[-r]" a flag,
/// "[-S PATTERN]" an option with a value, and a word in capitals is an argument of that kind.
struct OpSpec {
    Op::Verb verb;
    const char* usage;
};

constexpr std::array specs{
    OpSpec{Op::Verb::Touch, "touch FILE"},
    OpSpec{Op::Verb::Chattr, "chattr +C|-C FILE"},
    OpSpec{Op::Verb::Pwrite, "pwrite [-S PATTERN] OFFSET LENGTH FILE"},
    OpSpec{Op::Verb::Pread, "pread [-S PATTERN] OFFSET LENGTH FILE"},
    OpSpec{Op::Verb::Falloc, "falloc OFFSET LENGTH FILE"},
    OpSpec{Op::Verb::Truncate, "truncate SIZE FILE"},
    OpSpec{Op::Verb::Dedupe, "dedupe SOURCE SOURCE_OFFSET OFFSET LENGTH FILE"},
    OpSpec{Op::Verb::Rm, "rm FILE"},
    OpSpec{Op::Verb::Open, "open FILE"},
    OpSpec{Op::Verb::Close, "close FILE"},
    OpSpec{Op::Verb::Writeback, "writeback FILE"},
    OpSpec{Op::Verb::WritebackMetadata, "writeback-metadata"},
    OpSpec{Op::Verb::Fsync, "fsync FILE"},
    OpSpec{Op::Verb::Sync, "sync"},
    OpSpec{Op::Verb::Commit, "commit"},
    OpSpec{Op::Verb::Snapshot, "btrfs subvolume snapshot [-r] SUBVOLUME NAME"},
    OpSpec{Op::Verb::SubvolumeCreate, "btrfs subvolume create NAME"},
    OpSpec{Op::Verb::ScrubStart, "btrfs scrub start DEVICE"},
    OpSpec{Op::Verb::ReplaceStart, "btrfs replace start DEVICE TARGET"},
    OpSpec{Op::Verb::ReplaceCancel, "btrfs replace cancel"},
    OpSpec{Op::Verb::BalanceStart, "btrfs balance start [-d] [-m]"},
    OpSpec{Op::Verb::BalancePause, "btrfs balance pause"},
    OpSpec{Op::Verb::BalanceResume, "btrfs balance resume"},
    OpSpec{Op::Verb::BalanceCancel, "btrfs balance cancel"},
    OpSpec{Op::Verb::Send, "btrfs send [-p PARENT] [-f PIPE] SUBVOLUME"},
    OpSpec{Op::Verb::Cat, "cat PIPE"},
    OpSpec{Op::Verb::Umount, "umount"},
    OpSpec{Op::Verb::Offline, "offline DEVICE"},
    OpSpec{Op::Verb::Resize, "btrfs filesystem resize DEVICE SIZE"},
};

bool is_literal(const std::string& word) {
    return word[0] >= 'a' && word[0] <= 'z';
}

/// The words that name an operation: "btrfs subvolume create".
std::vector<std::string> literals(const OpSpec& spec) {
    std::vector<std::string> words;
    for (const std::string& word : split_words(spec.usage)) {
        if (!is_literal(word)) break;
        words.push_back(word);
    }
    return words;
}

bool is_file_name(std::string_view text) {
    const auto valid = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '-' || c == '.' || c == '/';
    };
    if (text.empty() || text.size() > 200 || text[0] == '-') return false;
    if (text.front() == '/' || text.back() == '/') return false;
    return std::all_of(text.begin(), text.end(), valid) &&
           std::count(text.begin(), text.end(), '/') <= 1;
}

/// Reads the arguments of one command line along its usage line.
class ArgumentReader {
  public:
    ArgumentReader(const OpSpec& spec, std::vector<std::string> words,
                   std::span<const std::string> devices)
        : spec_(spec), words_(std::move(words)), devices_(devices) {
        op_.verb = spec.verb;
        op_.text = join(words_, " ");
    }

    sim::Result<Op, OpError> read() {
        const std::vector<std::string> usage = split_words(spec_.usage);
        for (std::size_t i = 0; i < usage.size() && !error_; ++i) {
            if (usage[i] == "[-r]")
                op_.flag = take_if("-r");
            else if (usage[i] == "[-p")
                read_parent(), ++i;
            else if (usage[i] == "[-f")
                read_pipe(), ++i;
            else if (usage[i] == "[-d]")
                op_.data = take_if("-d");
            else if (usage[i] == "[-m]")
                op_.metadata = take_if("-m");
            else if (usage[i] == "[-S")
                read_pattern(), ++i;
            else if (usage[i] == "+C|-C")
                read_nocow();
            else if (is_literal(usage[i]))
                ++at_;  // found by these words
            else
                read_argument(usage[i]);
        }
        if (!error_ && at_ < words_.size()) fail("unexpected \"" + words_[at_] + "\"", {});
        if (error_) return *error_;
        return op_;
    }

  private:
    void fail(std::string message, std::string nearest_word) {
        if (error_) return;
        error_ = OpError{.message = "\"" + op_.text + "\": " + std::move(message),
                         .expected = std::string("\"") + spec_.usage + "\"",
                         .nearest = std::move(nearest_word)};
    }
    bool take_if(std::string_view word) {
        if (at_ >= words_.size() || words_[at_] != word) return false;
        ++at_;
        return true;
    }
    std::string take(const std::string& what) {
        if (at_ < words_.size()) return words_[at_++];
        fail(what + " is missing", {});
        return "";
    }

    void read_pattern() {
        if (!take_if("-S")) return;
        const std::string word = take("PATTERN");
        const std::optional<std::uint64_t> value = parse_number(word);
        if (!value || *value > 255) fail("\"" + word + "\" is no byte between 0 and 0xff", {});
        op_.pattern = static_cast<int>(value.value_or(0) & 255);
    }
    void read_parent() {
        if (take_if("-p")) op_.object = name(take("PARENT"), false);
    }
    void read_pipe() {
        if (!take_if("-f")) return;
        const std::string word = take("PIPE");
        op_.pipe = word == model::vfs::dev_null ? word : name(word, false);
    }
    void read_nocow() {
        const std::string word = take("+C or -C");
        if (word != "+C" && word != "-C")
            fail("\"" + word + "\" is no attribute of this model", "+C");
        op_.flag = word == "+C";
    }
    void read_argument(const std::string& kind) {
        const std::string word = take(kind);
        if (error_) return;
        if (kind == "OFFSET")
            op_.offset = size(word, 0);
        else if (kind == "SOURCE_OFFSET")
            op_.source_offset = size(word, 0);
        else if (kind == "SOURCE")
            op_.object = name(word, true);
        else if (kind == "LENGTH")
            op_.length = size(word, 1);
        else if (kind == "SIZE")
            op_.length = size(word, 0);
        else if (kind == "DEVICE" || kind == "TARGET")
            (kind == "DEVICE" ? op_.subject : op_.object) = device(word);
        else if (kind == "PIPE")
            op_.pipe = name(word, false);
        else if (kind == "NAME")
            (op_.verb == Op::Verb::Snapshot ? op_.object : op_.subject) = name(word, false);
        else
            op_.subject = name(word, kind == "SUBVOLUME" || kind == "FILE");
    }
    std::uint64_t size(const std::string& word, std::uint64_t least) {
        constexpr std::uint64_t sector = model::sectorsize;
        const std::optional<std::uint64_t> bytes = parse_size(word);
        if (!bytes)
            fail("\"" + word + "\" is no size (4096, 4K, 64M)", {});
        else if (*bytes % sector != 0 || *bytes < least)
            fail("\"" + word + "\" is no multiple of 4K",
                 format_size((*bytes / sector + 1) * sector));
        else if (*bytes > std::uint64_t{1} << 40)
            fail("\"" + word + "\" is more than any device here holds", {});
        return bytes.value_or(0);
    }
    std::string device(const std::string& word) {
        if (std::find(devices_.begin(), devices_.end(), word) == devices_.end()) {
            fail("there is no device \"" + word + "\"", nearest(word, devices_));
            if (error_) error_->expected = "one of the scenario's devices: " + join(devices_, ", ");
        }
        return word;
    }
    std::string name(const std::string& word, bool path_allowed) {
        const bool has_slash = word.find('/') != std::string::npos;
        if (!is_file_name(word) || (has_slash && !path_allowed))
            fail("\"" + word + "\" is no name", {});
        return word;
    }

    const OpSpec& spec_;
    std::vector<std::string> words_;
    std::span<const std::string> devices_;
    std::size_t at_ = 0;
    Op op_;
    std::optional<OpError> error_;
};

/// The operation whose literal words the line begins with.
const OpSpec* find_spec(const std::vector<std::string>& words) {
    for (const OpSpec& spec : specs) {
        const std::vector<std::string> names = literals(spec);
        if (names.size() <= words.size() && std::equal(names.begin(), names.end(), words.begin()))
            return &spec;
    }
    return nullptr;
}

OpError unknown_op(const std::vector<std::string>& words) {
    std::vector<std::string> names, first_words;
    for (const OpSpec& spec : specs) {
        names.push_back(join(literals(spec), " "));
        if (literals(spec).size() == 1) first_words.push_back(names.back());
    }
    first_words.emplace_back("btrfs");
    // Within a family ("btrfs subvolume ...") the family's members are what to choose from.
    std::string said = words[0];
    std::string closest;
    if (said == "btrfs") {
        said = join(std::span(words).first(std::min<std::size_t>(words.size(), 3)), " ");
        closest = nearest(said, names);
        if (closest.empty() && words.size() > 1)
            closest = nearest(join(std::span(words).first(2), " "), names);
    } else {
        closest = nearest(said, first_words);
    }
    return {.message = "unknown operation \"" + said + "\"",
            .expected = "one of: " + join(names, ", "),
            .nearest = closest};
}

/// Takes "&&", and "|| fail", "|| true" or "|| break", off the command that is between them.
struct Conditions {
    bool after_success = false, must_succeed = false, may_fail = false, ends_repeat = false;
    explicit Conditions(std::vector<std::string>& words) {
        if (!words.empty() && words.front() == "&&") {
            after_success = true;
            words.erase(words.begin());
        }
        if (words.size() < 2 || words[words.size() - 2] != "||") return;
        must_succeed = words.back() == "fail";
        may_fail = words.back() == "true";
        ends_repeat = words.back() == "break";
        if (must_succeed || may_fail || ends_repeat) words.resize(words.size() - 2);
    }
};

OpError wrong_alternative(const std::vector<std::string>& line, const std::string& word) {
    static const std::vector<std::string> known{"fail", "true", "break"};
    const std::string closest = nearest(word, known);
    return {.message = in_quotes(join(line, " ")) + ": " +
                       (word.empty() ? "nothing stands behind \"||\""
                                     : "unexpected " + in_quotes(word) + " behind \"||\""),
            .expected = R"("CALL || fail", "CALL || true" or "CALL || break")",
            .nearest = closest.empty() ? closest : "|| " + closest};
}

}  // namespace

sim::Result<Op, OpError> parse_op(std::string_view text, std::span<const std::string> devices) {
    const std::vector<std::string> all_words = split_words(text);
    std::vector<std::string> words = all_words;
    const Conditions conditions(words);
    if (const auto bar = std::find(words.begin(), words.end(), "||"); bar != words.end())
        return wrong_alternative(all_words, bar + 1 == words.end() ? std::string() : bar[1]);
    if (words.empty())
        return OpError{.message = "empty operation", .expected = "a command line", .nearest = {}};
    const OpSpec* spec = find_spec(words);
    if (spec == nullptr) return unknown_op(words);
    auto op = ArgumentReader(*spec, words, devices).read();
    if (!op.ok()) return op;
    op.value().text = join(all_words, " ");
    op.value().after_success = conditions.after_success;
    op.value().must_succeed = conditions.must_succeed;
    op.value().may_fail = conditions.may_fail;
    op.value().ends_repeat = conditions.ends_repeat;
    return op;
}

std::span<const char* const> op_usages() {
    static const auto usages = [] {
        std::array<const char*, specs.size()> list{};
        std::transform(specs.begin(), specs.end(), list.begin(),
                       [](const OpSpec& spec) { return spec.usage; });
        return list;
    }();
    return usages;
}

}  // namespace app::scenario
