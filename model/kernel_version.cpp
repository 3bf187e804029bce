#include "model/kernel_version.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include "sim/hash.h"

namespace model {

namespace {

using Error = KernelVersion::Error;

struct Series {
    u16 major, first, last;
};
// Mainline from the release that had device replace in its present shape to the last long-term one.
constexpr Series series[] = {{3, 13, 19}, {4, 0, 20}, {5, 0, 19}, {6, 0, 12}};

constexpr std::size_t release_count() {
    std::size_t count = 0;
    for (const Series& s : series)
        count += static_cast<std::size_t>(s.last - s.first + 1);
    return count;
}

constexpr auto make_releases() {
    std::array<Release, release_count()> all{};
    std::size_t n = 0;
    for (const Series& s : series)
        for (u16 minor = s.first; minor <= s.last; ++minor)
            all[n++] = {s.major, minor};
    return all;
}
constexpr auto all_releases = make_releases();
static_assert(all_releases.size() <= 64, "KernelQuestions keeps one bit for each");

FixSet bit_of(const Fix& fix) {
    return FixSet{}.set(index_of(fix));
}

/// Levenshtein's distance.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j)
        row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t above = row[j];
            row[j] =
                std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
            diagonal = above;
        }
    }
    return row[b.size()];
}

/// The word of `words` that is nearest to `wrong`; the first of equals.
class Nearest {
  public:
    explicit Nearest(std::string_view wrong) : wrong_(wrong) {}
    void offer(std::string_view word) {
        const std::size_t distance = edit_distance(wrong_, word);
        if (distance >= best_) return;
        best_ = distance;
        word_ = word;
    }
    const std::string& word() const { return word_; }

  private:
    std::string_view wrong_;
    std::size_t best_ = ~std::size_t{0};
    std::string word_;
};

std::string nearest_release(std::string_view wrong) {
    Nearest nearest(wrong);
    for (const Release r : all_releases)
        nearest.offer(to_string(r));
    return nearest.word();
}

std::string nearest_fix(std::string_view wrong) {
    Nearest nearest(wrong);
    for (const Fix& fix : fixes()) {
        nearest.offer(fix.name);
        if (fix.commit[0] != '\0') nearest.offer(fix.commit);
    }
    return nearest.word();
}

bool is_known(Release release) {
    return std::ranges::find(all_releases, release) != all_releases.end();
}

bool read_number(std::string_view& text, u16& number) {
    if (text.empty() || text.front() < '0' || text.front() > '9') return false;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{}) return false;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return true;
}

sim::Result<Release, Error> parse_release(std::string_view text) {
    std::string_view rest = text;
    Release release{};
    const bool two_numbers = read_number(rest, release.major) && !rest.empty() &&
                             rest.front() == '.' &&
                             (rest.remove_prefix(1), read_number(rest, release.minor));
    const std::string quoted = "\"" + std::string(text) + "\"";
    if (two_numbers && !rest.empty() && rest.front() == '.')
        return Error{
            "kernel " + quoted +
                " is a stable release; X.Y is mainline's release, without stable backports",
            "--kernel " + to_string(release) + " --with COMMIT"};
    if (!two_numbers || !rest.empty())
        return Error{"kernel " + quoted + " is not of the form X.Y", nearest_release(text)};
    if (!is_known(release))
        return Error{"kernel " + quoted + " is not known", nearest_release(text)};
    return release;
}

/// Whether an entry of the table takes the place of `fix` while it is there.
bool replaces(const Fix& by, const Fix& fix) {
    return std::ranges::any_of(by.replaces,
                               [&](const char* name) { return find_fix(name) == &fix; });
}

/// A fix that ended does so by the entry that replaced it, if that is one of the table: without the
/// one, the other is back.
bool ended_by_itself(const Fix& fix, Release release) {
    if (fix.until == Release{0, 0} || release < fix.until) return false;
    return std::ranges::none_of(fixes(), [&](const Fix& by) {
        return by.kind == Fix::Kind::Upstream && replaces(by, fix);
    });
}

/// What the release brought, before anything replaced anything.
FixSet brought_by(Release release) {
    FixSet present;
    for (const Fix& fix : fixes())
        if (fix.kind == Fix::Kind::Upstream && fix.since <= release &&
            !ended_by_itself(fix, release))
            present |= bit_of(fix);
    return present;
}

/// Removes what present entries replace; what was asked for by name (`kept`) stays.
FixSet settle(const FixSet& present, const FixSet& kept) {
    FixSet gone;
    for (const Fix& by : fixes()) {
        if (!present[index_of(by)]) continue;
        for (const char* name : by.replaces)
            gone |= bit_of(*find_fix(name));
    }
    return present & ~(gone & ~kept);
}

sim::Result<FixSet, Error> named_bits(std::span<const std::string> names) {
    FixSet bits;
    for (const std::string& name : names) {
        const Fix* fix = find_fix(name);
        if (fix == nullptr) return Error{"no fix is called \"" + name + "\"", nearest_fix(name)};
        bits |= bit_of(*fix);
    }
    return bits;
}

/// "1bbb97b8ce7d (btrfs: scrub: Require ...)"
std::string described(const Fix& fix) {
    return std::string(fix.id()) + " (" + fix.subject + ")";
}

}  // namespace

std::string to_string(Release release) {
    return std::to_string(release.major) + "." + std::to_string(release.minor);
}

std::span<const Release> releases() {
    return all_releases;
}

const Fix* find_fix(std::string_view id_or_name) {
    constexpr std::size_t shortest_id = 7;
    for (const Fix& fix : fixes()) {
        if (id_or_name == fix.name) return &fix;
        const std::string_view commit = fix.commit;
        const std::size_t common = std::min(commit.size(), id_or_name.size());
        if (common >= shortest_id && commit.substr(0, common) == id_or_name.substr(0, common))
            return &fix;
    }
    return nullptr;
}

std::size_t index_of(const Fix& fix) {
    return static_cast<std::size_t>(&fix - fixes().data());
}

KernelVersion::KernelVersion() : present_(settle(brought_by(release_), {})) {}

std::string KernelVersion::name() const {
    const FixSet plain = settle(brought_by(release_), {});
    const FixSet added = present_ & ~plain;
    const FixSet replaced_too = settle(brought_by(release_) | added, added);
    std::string text = to_string(release_);
    for (const Fix& fix : fixes())
        if (added[index_of(fix)]) text += std::string(" with ") + fix.id();
    for (const Fix& fix : fixes())
        if ((replaced_too & ~present_)[index_of(fix)]) text += std::string(" without ") + fix.id();
    return text;
}

u64 KernelVersion::hash() const {
    u64 hash = sim::hash_mix((u64{release_.major} << 16) | release_.minor, 0x6B65726E656CULL);
    for (const Fix& fix : fixes())
        if (has(fix)) hash += sim::hash_text(fix.name);  // a sum: the table may be reordered
    return sim::hash_mix(hash, 1);
}

sim::Result<KernelVersion, Error> KernelVersion::parse(std::string_view release,
                                                       std::span<const std::string> with,
                                                       std::span<const std::string> without) {
    const auto parsed = parse_release(release);
    if (!parsed.ok()) return parsed.error();
    const auto added = named_bits(with);
    if (!added.ok()) return added.error();
    const auto removed = named_bits(without);
    if (!removed.ok()) return removed.error();

    KernelVersion version;
    version.release_ = *parsed;
    const std::string kernel = "kernel " + to_string(*parsed);
    const FixSet plain = settle(brought_by(*parsed), {});
    for (const Fix& fix : fixes()) {
        if ((*added & *removed)[index_of(fix)])
            return Error{described(fix) + " is asked for and taken away", ""};
        if ((*added & plain)[index_of(fix)])
            return Error{kernel + " has " + described(fix) + " already",
                         "leave out --with " + std::string(fix.id())};
        if ((*removed & ~plain)[index_of(fix)])
            return Error{kernel + " does not have " + described(fix),
                         "leave out --without " + std::string(fix.id())};
    }
    version.present_ = settle((brought_by(*parsed) & ~*removed) | *added, *added);
    for (const Fix& fix : fixes()) {
        if (!version.has(fix)) continue;
        for (const char* name : fix.needs)
            if (const Fix& needed = *find_fix(name); !version.has(needed))
                return Error{described(fix) + " needs " + described(needed),
                             (*removed)[index_of(needed)] ? "--without " + std::string(fix.id())
                                                          : "--with " + std::string(needed.id())};
    }
    return version;
}

}  // namespace model
