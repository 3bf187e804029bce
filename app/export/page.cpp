#include "app/export/page.h"

#include <zlib.h>

#include <array>

#include "sim/assert.h"

namespace app::exporter {

std::string page_with(std::string_view document) {
    const std::string_view page = empty_page();
    const std::size_t end = page.rfind("</body>");
    SIM_ASSERT(end != std::string_view::npos);
    std::string text(page.substr(0, end));
    text += R"(<script id="interleaf-data" type="application/gzip+base64">)";
    text += base64(gzip(document));
    text += "</script>";
    text += page.substr(end);
    return text;
}

std::string gzip(std::string_view text) {
    constexpr int gzip_header = 16, best_memory = 9;
    z_stream stream{};
    SIM_ASSERT(deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, MAX_WBITS + gzip_header,
                            best_memory, Z_DEFAULT_STRATEGY) == Z_OK);
    std::string packed;
    packed.resize(deflateBound(&stream, text.size()));
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(packed.data());
    stream.avail_out = static_cast<uInt>(packed.size());
    SIM_ASSERT(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    packed.resize(stream.total_out);
    deflateEnd(&stream);
    return packed;
}

std::string base64(std::string_view bytes) {
    static constexpr std::string_view letters =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t at = 0; at < bytes.size(); at += 3) {
        const std::size_t count = std::min<std::size_t>(3, bytes.size() - at);
        std::array<unsigned, 3> group{};
        for (std::size_t i = 0; i < count; ++i)
            group[i] = static_cast<unsigned char>(bytes[at + i]);
        const unsigned word = (group[0] << 16) | (group[1] << 8) | group[2];
        text += letters[word >> 18];
        text += letters[(word >> 12) & 63];
        text += count > 1 ? letters[(word >> 6) & 63] : '=';
        text += count > 2 ? letters[word & 63] : '=';
    }
    return text;
}

}  // namespace app::exporter
