#include "app/report/token.h"

#include <algorithm>

#include "app/report/bits.h"
#include "app/scenario/kernel_spec.h"
#include "app/scenario/words.h"
#include "sim/hash.h"

namespace app::report {

namespace {

constexpr unsigned fs_bits = 12, prepare_bits = 12, tasks_bits = 16;  // of the content hash
constexpr unsigned fix_bits = 20;
constexpr unsigned token_hash_bits = 16;

/// The inversion lets zeros be neither lost nor added at the end.
std::uint32_t check_digits(const std::vector<std::uint8_t>& bytes) {
    return crc24(bytes) ^ 0xFFFFFF;
}

std::uint64_t top_bits(std::uint32_t hash, unsigned bits) {
    return hash >> (32 - bits);
}
std::uint32_t from_top(std::uint64_t value, unsigned bits) {
    return static_cast<std::uint32_t>(value << (32 - bits));
}

/// "group/NNN", the usual form of an id, takes five bits for each letter of the group and ten for
/// the number.
bool is_usual_id(std::string_view id) {
    const std::size_t slash = id.find('/');
    const auto letter = [](char c) { return c >= 'a' && c <= 'z'; };
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    return slash != std::string_view::npos && slash > 0 && id.size() == slash + 4 &&
           std::all_of(id.begin(), id.begin() + static_cast<std::ptrdiff_t>(slash), letter) &&
           std::all_of(id.end() - 3, id.end(), digit);
}

void put_id(BitWriter& writer, const std::string& id) {
    writer.put(is_usual_id(id) ? 1 : 0, 1);
    if (!is_usual_id(id)) {
        writer.put(id.size(), 8);
        for (const char c : id)
            writer.put(static_cast<unsigned char>(c), 8);
        return;
    }
    for (const char c : id.substr(0, id.size() - 4))
        writer.put(static_cast<unsigned>(c - 'a' + 1), 5);
    writer.put(0, 5);
    writer.put(*scenario::parse_number(id.substr(id.size() - 3)), 10);
}

std::string take_id(BitReader& reader) {
    std::string id;
    if (reader.take(1) == 0) {
        for (std::uint64_t left = reader.take(8); left > 0; --left)
            id += static_cast<char>(reader.take(8));
        return id;
    }
    while (const std::uint64_t letter = reader.take(5))
        id += static_cast<char>('a' + letter - 1);
    const std::uint64_t number = reader.take(10);
    id += '/';
    for (const std::uint64_t unit : {100U, 10U, 1U})
        id += static_cast<char>('0' + number / unit % 10);
    return id;
}

std::uint64_t fix_hash(const model::Fix& fix) {
    return sim::hash_text(fix.name) >> (64 - fix_bits);
}

void put_kernel(BitWriter& writer, const model::KernelVersion& kernel) {
    writer.put_golomb(kernel.release().major, 2);
    writer.put_golomb(kernel.release().minor, 3);
    const scenario::KernelSpec spec = *scenario::parse_kernel_spec(kernel.name());
    for (const auto* words : {&spec.with, &spec.without}) {
        writer.put_golomb(words->size(), 0);
        for (const std::string& word : *words) {
            const model::Fix* fix = model::find_fix(word);
            writer.put(fix == nullptr ? 0 : fix_hash(*fix), fix_bits);
        }
    }
}

const model::Fix* find_by_hash(std::uint64_t hash) {
    for (const model::Fix& fix : model::fixes())
        if (fix_hash(fix) == hash) return &fix;
    return nullptr;
}

sim::Result<model::KernelVersion, TokenError> take_kernel(BitReader& reader) {
    scenario::KernelSpec spec;
    const std::uint64_t major = reader.take_golomb(2);
    spec.release = std::to_string(major) + "." + std::to_string(reader.take_golomb(3));
    for (auto* words : {&spec.with, &spec.without}) {
        for (std::uint64_t left = reader.take_golomb(0); left > 0 && !reader.overrun(); --left) {
            const model::Fix* fix = find_by_hash(reader.take(fix_bits));
            if (fix == nullptr)
                return TokenError{
                    "it names a change of the kernel that this version does not know"};
            words->emplace_back(fix->id());
        }
    }
    const auto kernel = spec.resolve();
    if (!kernel.ok())
        return TokenError{"its kernel cannot be made here: " + kernel.error().message};
    return kernel.value();
}

/// People choose small seeds; those of a hunt's executions are hashes.
void put_seed(BitWriter& writer, std::uint64_t seed) {
    const bool is_small = seed < (1U << 20);
    writer.put(is_small ? 0 : 1, 1);
    if (is_small)
        writer.put_golomb(seed, 4);
    else
        writer.put(seed, 64);
}

std::uint64_t take_seed(BitReader& reader) {
    return reader.take(1) == 0 ? reader.take_golomb(4) : reader.take(64);
}

void put_run(BitWriter& writer, const StrategyRun& run) {
    writer.put(static_cast<unsigned>(run.strategy.kind), 4);
    put_seed(writer, run.seed);
    if (run.strategy.kind != sim::StrategySpec::Kind::Pct) return;
    writer.put_golomb(run.strategy.depth, 1);
    writer.put_golomb(run.tasks, 3);
    writer.put_golomb(run.steps, 8);
}

StrategyRun take_run(BitReader& reader) {
    StrategyRun run;
    run.strategy.kind = static_cast<sim::StrategySpec::Kind>(reader.take(4));
    run.seed = take_seed(reader);
    if (run.strategy.kind != sim::StrategySpec::Kind::Pct) return run;
    run.strategy.depth = static_cast<unsigned>(reader.take_golomb(1));
    run.tasks = static_cast<std::uint32_t>(reader.take_golomb(3));
    run.steps = static_cast<std::uint32_t>(reader.take_golomb(8));
    return run;
}

void put_schedule(BitWriter& writer, const sim::Schedule& schedule, unsigned k) {
    writer.put_golomb(schedule.departures.size(), 2);
    writer.put(k, 3);
    std::uint32_t next = 0;  // ordinals rise, so that each is at least one more than the last
    for (const sim::Departure& departure : schedule.departures) {
        writer.put_golomb(departure.ordinal - next, k);
        writer.put_golomb(departure.index - 1U, 0);
        next = departure.ordinal + 1;
    }
}

sim::Schedule take_schedule(BitReader& reader) {
    sim::Schedule schedule;
    std::uint64_t left = reader.take_golomb(2);
    const auto k = static_cast<unsigned>(reader.take(3));
    std::uint32_t next = 0;
    for (; left > 0 && !reader.overrun(); --left) {
        sim::Departure departure;
        departure.ordinal = next + static_cast<std::uint32_t>(reader.take_golomb(k));
        departure.index = static_cast<std::uint16_t>(reader.take_golomb(0) + 1);
        next = departure.ordinal + 1;
        schedule.departures.push_back(departure);
    }
    return schedule;
}

/// After all the rest, and only where there is any: the zeros that fill the last byte say that
/// there is none.
void put_split(BitWriter& writer, const std::vector<std::string>& kinds) {
    if (kinds.empty()) return;
    writer.put(1, 1);
    writer.put_golomb(kinds.size(), 0);
    for (const std::string& kind : kinds) {
        writer.put_golomb(kind.size(), 3);
        for (const char c : kind)
            writer.put(static_cast<unsigned char>(c), 8);
    }
}

std::vector<std::string> take_split(BitReader& reader) {
    std::vector<std::string> kinds;
    for (std::uint64_t left = reader.take_golomb(0); left > 0 && !reader.overrun(); --left) {
        kinds.emplace_back();
        for (std::uint64_t size = reader.take_golomb(3); size > 0 && !reader.overrun(); --size)
            kinds.back() += static_cast<char>(reader.take(8));
    }
    return kinds;
}

/// Whether the text ends with these letters; capitals are as good.
bool same_letters(std::string_view letters, std::string_view text) {
    const std::string_view end = text.substr(text.size() - letters.size());
    return std::equal(letters.begin(), letters.end(), end.begin(), [](char a, char b) {
        return a == (b >= 'A' && b <= 'Z' ? b - 'A' + 'a' : b);
    });
}

std::string encode_with(const Token& token, unsigned k) {
    BitWriter writer;
    writer.put_golomb(token.revision, 1);
    put_id(writer, token.scenario);
    writer.put(top_bits(token.content.fs, fs_bits), fs_bits);
    writer.put(top_bits(token.content.prepare, prepare_bits), prepare_bits);
    writer.put(top_bits(token.content.tasks, tasks_bits), tasks_bits);
    put_kernel(writer, token.kernel);
    writer.put(token.fine ? 1 : 0, 1);
    writer.put(token.trace_hash ? 1 : 0, 1);
    if (token.trace_hash) writer.put(*token.trace_hash, token_hash_bits);
    writer.put(token.run ? 1 : 0, 1);
    if (token.run)
        put_run(writer, *token.run);
    else
        put_schedule(writer, token.schedule, k);
    put_split(writer, token.split);
    std::vector<std::uint8_t> bytes = writer.bytes();
    const std::uint32_t check = check_digits(bytes);
    for (const unsigned shift : {16U, 8U, 0U})
        bytes.push_back(static_cast<std::uint8_t>(check >> shift));
    return std::string(token_prefix) + base32(bytes);
}

sim::Result<Token, TokenError> take_token(BitReader& reader) {
    Token token;
    token.revision = static_cast<std::uint32_t>(reader.take_golomb(1));
    token.scenario = take_id(reader);
    token.content.fs = from_top(reader.take(fs_bits), fs_bits);
    token.content.prepare = from_top(reader.take(prepare_bits), prepare_bits);
    token.content.tasks = from_top(reader.take(tasks_bits), tasks_bits);
    const auto kernel = take_kernel(reader);
    if (!kernel.ok()) return kernel.error();
    token.kernel = kernel.value();
    token.fine = reader.take(1) == 1;
    if (reader.take(1) == 1)
        token.trace_hash = static_cast<std::uint16_t>(reader.take(token_hash_bits));
    if (reader.take(1) == 1) {
        token.run = take_run(reader);
        if (token.run->strategy.kind >= sim::StrategySpec::Kind::Portfolio)
            return TokenError{"its strategy is not known to this version"};
    } else {
        token.schedule = take_schedule(reader);
    }
    if (reader.overrun()) return TokenError{"it ends too early"};
    if (reader.take(1) == 0) return token;
    token.split = take_split(reader);
    if (reader.overrun()) return TokenError{"it ends too early"};
    return token;
}

}  // namespace

std::uint16_t short_hash(std::uint64_t trace_hash) {
    return static_cast<std::uint16_t>(trace_hash >> (64 - token_hash_bits));
}

std::string encode(const Token& token) {
    std::string shortest;
    for (unsigned k = 0; k < 8; ++k) {
        std::string text = encode_with(token, k);
        if (shortest.empty() || text.size() < shortest.size()) shortest = std::move(text);
    }
    return shortest.size() <= max_token_length ? shortest : "";
}

sim::Result<Token, TokenError> decode(std::string_view text) {
    if (!text.starts_with(token_prefix))
        return TokenError{"unknown token version \"" +
                          std::string(text.substr(0, text.find(':') + 1)) +
                          "\"; this version reads " + std::string(token_prefix)};
    if (text.size() > max_token_length) return TokenError{"the token is too long to be one"};
    auto bytes = from_base32(text.substr(token_prefix.size()));
    if (!bytes) return TokenError{"the token is damaged: it has characters that no token has"};
    if (base32(*bytes).size() != text.size() - token_prefix.size() ||
        !same_letters(base32(*bytes), text))
        return TokenError{"the token is damaged: its last character is wrong"};
    if (bytes->size() < 4) return TokenError{"the token is damaged: it is too short"};
    const std::uint32_t check = static_cast<std::uint32_t>((*bytes)[bytes->size() - 3]) << 16 |
                                static_cast<std::uint32_t>((*bytes)[bytes->size() - 2]) << 8 |
                                bytes->back();
    bytes->resize(bytes->size() - 3);
    if (check_digits(*bytes) != check)
        return TokenError{"the token is damaged: its check digits are wrong"};
    BitReader reader(*bytes);
    return take_token(reader);
}

bool looks_like_token(std::string_view text) {
    return text.size() > 3 && text.starts_with("il") && text[2] >= '0' && text[2] <= '9' &&
           text.find(':') != std::string_view::npos;
}

std::string changed_parts(const Token& token, const scenario::ContentHash& content) {
    std::vector<std::string> parts;
    if (top_bits(token.content.fs, fs_bits) != top_bits(content.fs, fs_bits))
        parts.emplace_back("the filesystem");
    if (top_bits(token.content.prepare, prepare_bits) != top_bits(content.prepare, prepare_bits))
        parts.emplace_back("the preparation");
    if (top_bits(token.content.tasks, tasks_bits) != top_bits(content.tasks, tasks_bits))
        parts.emplace_back("the tasks");
    return scenario::join(parts, " and ");
}

}  // namespace app::report
