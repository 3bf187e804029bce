#include "app/report/bits.h"

#include <bit>

namespace app::report {

namespace {

constexpr std::string_view alphabet = "abcdefghijklmnopqrstuvwxyz234567";

}  // namespace

void BitWriter::put(std::uint64_t value, unsigned bits) {
    while (bits > 0) {
        if (used_ == 8) {
            bytes_.push_back(0);
            used_ = 0;
        }
        --bits;
        const auto bit = static_cast<std::uint8_t>((value >> bits) & 1);
        bytes_.back() = static_cast<std::uint8_t>(bytes_.back() | (bit << (7 - used_)));
        ++used_;
    }
}

void BitWriter::put_golomb(std::uint64_t value, unsigned k) {
    const std::uint64_t shifted = (value >> k) + 1;
    const auto width = static_cast<unsigned>(std::bit_width(shifted));
    put(0, width - 1);
    put(shifted, width);
    put(value, k);
}

std::uint64_t BitReader::take(unsigned bits) {
    std::uint64_t value = 0;
    for (; bits > 0; --bits, ++at_) {
        if (at_ / 8 >= bytes_.size()) {
            overrun_ = true;
            return 0;
        }
        value = (value << 1) | ((bytes_[at_ / 8] >> (7 - at_ % 8)) & 1);
    }
    return value;
}

std::uint64_t BitReader::take_golomb(unsigned k) {
    unsigned zeros = 0;
    while (zeros < 63 && !overrun_ && take(1) == 0)
        ++zeros;
    if (overrun_) return 0;
    const std::uint64_t shifted = (std::uint64_t{1} << zeros) | take(zeros);
    return ((shifted - 1) << k) | take(k);
}

std::string base32(const std::vector<std::uint8_t>& bytes) {
    BitReader reader(bytes);
    std::string text;
    for (std::size_t left = bytes.size() * 8; left > 0;) {
        const unsigned bits = left < 5 ? static_cast<unsigned>(left) : 5;
        text += alphabet[reader.take(bits) << (5 - bits)];
        left -= bits;
    }
    return text;
}

std::optional<std::vector<std::uint8_t>> from_base32(std::string_view text) {
    BitWriter writer;
    std::size_t left = text.size() * 5 / 8 * 8;  // whole bytes only: the rest is filling
    for (const char letter : text) {
        const char lower =
            letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
        const std::size_t value = alphabet.find(lower);
        if (value == std::string_view::npos) return std::nullopt;
        const unsigned bits = left < 5 ? static_cast<unsigned>(left) : 5;
        writer.put(value >> (5 - bits), bits);
        left -= bits;
    }
    return writer.bytes();
}

std::uint32_t crc24(const std::vector<std::uint8_t>& bytes) {
    std::uint32_t crc = 0xB704CE;
    for (const std::uint8_t byte : bytes) {
        crc ^= std::uint32_t{byte} << 16;
        for (int i = 0; i < 8; ++i) {
            crc <<= 1;
            if ((crc & 0x1000000) != 0) crc ^= 0x1864CFB;
        }
    }
    return crc & 0xFFFFFF;
}

}  // namespace app::report
