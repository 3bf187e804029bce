#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Numbers packed bit by bit, and the letters that carry them.
namespace app::report {

class BitWriter {
  public:
    void put(std::uint64_t value, unsigned bits);
    /// Exponential-Golomb code of order k: about 2 log2(value) - k bits, k+1 for the smallest
    /// values.
    void put_golomb(std::uint64_t value, unsigned k);
    /// The bits so far; the last byte is filled with zeros.
    const std::vector<std::uint8_t>& bytes() const { return bytes_; }

  private:
    std::vector<std::uint8_t> bytes_;
    unsigned used_ = 8;  // bits of the last byte
};

/// Reads what BitWriter wrote. Past the end it reads zeros and says so.
class BitReader {
  public:
    explicit BitReader(const std::vector<std::uint8_t>& bytes) : bytes_(bytes) {}
    std::uint64_t take(unsigned bits);
    std::uint64_t take_golomb(unsigned k);
    bool overrun() const { return overrun_; }

  private:
    const std::vector<std::uint8_t>& bytes_;
    std::size_t at_ = 0;
    bool overrun_ = false;
};

/// RFC 4648's alphabet in lower case, without padding.
std::string base32(const std::vector<std::uint8_t>& bytes);
std::optional<std::vector<std::uint8_t>> from_base32(std::string_view text);

/// CRC-24 of OpenPGP (RFC 4880): finds every burst of up to 24 bits, so any one or four wrong
/// letters in a row.
std::uint32_t crc24(const std::vector<std::uint8_t>& bytes);

}  // namespace app::report
