#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace app::exporter {

/// A message in protobuf's wire format, field by field in the order in which they are added:
/// https://protobuf.dev/programming-guides/encoding.
class Message {
  public:
    /// uint64, int64, uint32, bool, an enumeration.
    Message& number(unsigned field, std::uint64_t value);
    Message& fixed64(unsigned field, std::uint64_t value);
    Message& text(unsigned field, std::string_view value);
    Message& message(unsigned field, const Message& value) { return text(field, value.bytes_); }
    const std::string& bytes() const { return bytes_; }

  private:
    enum class Wire : std::uint8_t { Varint = 0, Fixed64 = 1, Bytes = 2 };
    void tag(unsigned field, Wire wire);
    void varint(std::uint64_t value);

    std::string bytes_;
};

}  // namespace app::exporter
