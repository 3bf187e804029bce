#include "app/export/protobuf.h"

namespace app::exporter {

/// Seven bits a byte, the lowest first; the eighth says that there are more.
void Message::varint(std::uint64_t value) {
    constexpr unsigned more = 0x80;
    for (; value >= more; value >>= 7)
        bytes_ += static_cast<char>((value & (more - 1)) | more);
    bytes_ += static_cast<char>(value);
}

void Message::tag(unsigned field, Wire wire) {
    varint((std::uint64_t{field} << 3) | static_cast<unsigned>(wire));
}

Message& Message::number(unsigned field, std::uint64_t value) {
    tag(field, Wire::Varint);
    varint(value);
    return *this;
}

Message& Message::fixed64(unsigned field, std::uint64_t value) {
    tag(field, Wire::Fixed64);
    for (unsigned i = 0; i < sizeof(value); ++i)
        bytes_ += static_cast<char>((value >> (8 * i)) & 0xFF);
    return *this;
}

Message& Message::text(unsigned field, std::string_view value) {
    tag(field, Wire::Bytes);
    varint(value.size());
    bytes_ += value;
    return *this;
}

}  // namespace app::exporter
